"""The console script ``bin/hotline``."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.staff import audit, users

app = typer.Typer(help="南海智能语音政务服务热线的命令。", no_args_is_help=True, add_completion=False)
tool = typer.Typer(help='给人和验收用的小工具；--jsonl 从标准输入逐行读 {"id","text"}。', no_args_is_help=True)
app.add_typer(tool, name="tool")
insights = typer.Typer(help="统计：补记、夜里的话题整理。平时由 make run 的统计进程自己做。", no_args_is_help=True)
app.add_typer(insights, name="insights")
proposals = typer.Typer(help="知识缺口的修改建议。", no_args_is_help=True)
app.add_typer(proposals, name="proposals")
app.add_typer(users, name="users")
app.add_typer(audit, name="audit")
recordings = typer.Typer(
    help="通话录音：列出、取出。录音是加密的，只有这里和数据目录里的密钥能打开。", no_args_is_help=True
)
app.add_typer(recordings, name="recordings")


@app.command()
def run() -> None:
    """启动整条热线，直到 Ctrl-C。"""
    from ops.supervisor import run as run_line

    raise typer.Exit(run_line())


@app.command()
def train() -> None:
    """数据或配置变了就训练对话引擎。"""
    from ops.training import main as train_engine

    raise typer.Exit(train_engine())


@app.command()
def export() -> None:
    """把知识库里的词写进 nlu_data（查找表和分词词典）。"""
    from knowledge_base.catalogue import load_catalogue
    from knowledge_base.export import write_nlu_exports

    for path in write_nlu_exports(load_catalogue()):
        typer.echo(f"已写 {path.name}")


@app.command()
def doctor() -> None:
    """看看缺什么、哪里不对，用中文说。"""
    from ops.doctor import examine

    findings = examine()
    for finding in findings:
        typer.echo(f"{'✓' if finding.good else '✗'} {finding.message}")
    raise typer.Exit(0 if all(f.good for f in findings) else 1)


@app.command()
def topics(
    file: Annotated[Path, typer.Argument(help="TSV 或 CSV，第一行是列名，UTF-8")],
    text: Annotated[str, typer.Option("--text", help="哪一列是文字")],
    label: Annotated[str | None, typer.Option("--label", help="哪一列是标注；给了就打印 NMI 和 ARI")] = None,
    time: Annotated[str | None, typer.Option("--time", help="哪一列是时间；给了就数各月")] = None,
    out: Annotated[Path, typer.Option("--out", help="结果写到哪里")] = Path("topics.json"),
    count: Annotated[int | None, typer.Option("--topics", min=2, help="要几个话题；不写则自己定")] = None,
) -> None:
    """给任何一张表找话题：{"topics":[{"id","name","words","size","examples"}],"assignments":[…]}。"""
    from hotline.errors import BadInputError
    from ops.topics import run as mine_file

    try:
        measures = mine_file(file, text, label, time, out, count)
    except BadInputError as error:
        raise typer.BadParameter(error.detail) from None
    titles = {"topics": "话题（UMAP + KMeans）", "kmeans": "对照：KMeans", "nmf": "对照：NMF"}
    for name, values in measures.items():
        typer.echo(f"{titles[name]}\tNMI {values['nmi']:.4f}\tARI {values['ari']:.4f}")
    typer.echo(f"已写 {out}")


@app.command("demo-data")
def demo_data(
    turns: Annotated[int, typer.Option("--turns", min=500, help="大约多少轮")] = 100_000,
    seed: Annotated[int, typer.Option("--seed", help="同样的种子，同样的一年")] = 20261125,
    last: Annotated[
        datetime | None, typer.Option("--last-day", formats=["%Y-%m-%d"], help="一年的最后一天；不写则昨天")
    ] = None,
    database: Annotated[str, typer.Option("--database", help="放进哪个库；不写则 DATA_DIR 下的 demo.db")] = "",
    topics: Annotated[bool, typer.Option("--topics/--no-topics", help="是否接着整理话题")] = True,
) -> None:
    """生成一年的演示流量，放进一个单独的、标明是演示的库；埋下的突发写在旁边。"""
    from hotline.errors import HotlineError
    from ops.demo.command import make_year

    try:
        make_year(turns, seed, last.date() if last else None, database, topics)
    except HotlineError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(1) from None


@insights.command("catch-up")
def catch_up() -> None:
    """把还没记的对话记进统计，算句向量，看有没有突发，推送预警。"""
    from ops.insights import once

    typer.echo(json.dumps(once("round"), ensure_ascii=False))


@insights.command("night")
def night(whole: Annotated[bool, typer.Option("--whole", help="全部话题重做，不只是新的")] = False) -> None:
    """整理话题：新的话归到已有的话题，都不像的再找有没有新话题。"""
    from ops.insights import once

    typer.echo(json.dumps(once("whole" if whole else "night"), ensure_ascii=False))


@proposals.command("evaluate")
def evaluate_proposal(proposal_id: Annotated[int, typer.Argument(help="建议的编号，要已经批准")]) -> None:
    """在副本里跑改之前和改之后的 make eval，把结果附在建议上。"""
    from hotline.errors import HotlineError
    from ops.insights import evaluate_now

    try:
        told = evaluate_now(proposal_id)
    except HotlineError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(1) from None
    typer.echo({"better": "变好了", "worse": "变差了", "same": "没有差别"}[told["verdict"]])
    for change in told["changes"]:
        typer.echo(
            f"{'好' if change['better'] else '差'}\t{change['measure']}\t{change['before']:.2%} → {change['after']:.2%}"
        )


@tool.command("search")
def search(
    text: Annotated[str | None, typer.Argument(help="一句话；不写则用 --jsonl")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="从标准输入逐行读 JSON")] = False,
    limit: Annotated[int, typer.Option(help="最多几项")] = 5,
) -> None:
    """目录检索，和机器人用的是同一个：{"id","ranked":[{"item_key","score"}…]}。"""
    from hotline.settings import Settings
    from knowledge_base.catalogue import load_catalogue
    from knowledge_base.search import HybridSearch, SentenceEncoder

    settings = Settings()
    encoder = SentenceEncoder(settings.embedding_model)
    index = HybridSearch(load_catalogue().items.values(), encoder, settings.models_dir / "search")
    for row in _rows(text, jsonl):
        ranked = [hit.model_dump() for hit in index.search(row["text"], limit)]
        _print({"id": row["id"], "ranked": ranked})


@tool.command("read-numbers")
def read_said_numbers(
    text: Annotated[str | None, typer.Argument(help="一句话；不写则用 --jsonl")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="从标准输入逐行读 JSON")] = False,
    today: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="把这一天当作今天；不写则用今天")] = None,
) -> None:
    """话里的号码、金额、日期：{"id","values":[{"kind","value","valid"}…]}；不加 --jsonl 就一行一个。"""
    from hotline.numbers import Kind, read_numbers

    day = today.date() if today else None
    for row in _rows(text, jsonl):
        # A landline is read so that it is taken for nothing else; it is no kind of the contract.
        said = [v for v in read_numbers(row["text"], day) if v.kind is not Kind.LANDLINE]
        if jsonl:
            _print({"id": row["id"], "values": [v.as_json() for v in said]})
            continue
        for v in said:
            typer.echo(f"{v.kind.value}\t{v.value}\t{'✓' if v.valid else '要再核对'}")
        if not said:
            typer.echo("没有读到号码、金额或日期。")


@tool.command("triage")
def triage_requests(
    text: Annotated[str | None, typer.Argument(help="一句话；不写则用 --jsonl")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="从标准输入逐行读 JSON")] = False,
) -> None:
    """诉求怎么分办：{"id","type","town","department","urgency","duplicate_of"}；duplicate_of 是同一批里说同一件事的前一条。"""
    from datetime import UTC, datetime

    from desk.work_orders.duplicates import candidates
    from gateway.emergencies import EmergencyWatch
    from hotline.settings import Settings
    from hotline.work_order_record import StoredReading
    from knowledge_base.catalogue import load_catalogue
    from knowledge_base.request_reading import RequestReader
    from knowledge_base.search import HybridSearch, SentenceEncoder
    from knowledge_base.triage import load_categories, triage

    settings, catalogue, watch = Settings(), load_catalogue(), EmergencyWatch()
    encoder = SentenceEncoder(settings.embedding_model)
    index = HybridSearch(catalogue.items.values(), encoder, settings.models_dir / "search")
    categories = load_categories()
    reader, now = RequestReader(catalogue, categories, encoder), datetime.now(UTC)
    earlier: list[StoredReading] = []
    for row in _rows(text, jsonl):
        read = triage(row["text"], catalogue, categories, index, lambda said: watch.look(said) is not None)
        mine = StoredReading(number=row["id"], created_at=now, reading=reader.reading(row["text"]))
        repeats = candidates(mine, earlier, most=1)
        earlier.append(mine)
        _print(
            {
                "id": row["id"],
                "type": read.type.value,
                "town": read.town,
                "department": read.department,
                "urgency": read.urgency.value,
                "duplicate_of": repeats[0].number if repeats else None,
            }
        )


@tool.command("speak-form")
def speak_form(
    text: Annotated[str | None, typer.Argument(help="一句话；不写则用 --jsonl")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="从标准输入逐行读 JSON")] = False,
) -> None:
    """交给语音合成的文字形式：{"id","spoken"}。"""
    from voice.speech_text import speak_form as spoken

    for row in _rows(text, jsonl):
        _print({"id": row["id"], "spoken": spoken(row["text"])})


@recordings.command("list")
def list_recordings(conversation_id: Annotated[str, typer.Argument(help="对话编号")]) -> None:
    """一次对话的录音，一行一个：编号、开始、秒数、字节数。"""
    from ops.recordings import of_conversation

    found = of_conversation(conversation_id)
    for one in found:
        typer.echo(f"{one.recording_id}\t{one.started_at.isoformat()}\t{one.seconds:.1f}\t{one.size_bytes}")
    if not found:
        typer.echo("这次对话没有录音。")


@recordings.command("export")
def export_recording(
    recording_id: Annotated[str, typer.Argument(help="录音编号")],
    out: Annotated[Path, typer.Argument(help="写到哪个 WAV 文件；已有的不覆盖")],
) -> None:
    """取出一段录音：两个声道，左边来电人，右边热线。取出的文件没有加密，用完请删。"""
    from hotline.errors import HotlineError
    from ops.recordings import export_wav

    try:
        content = export_wav(recording_id, out)
    except (HotlineError, OSError) as error:
        typer.echo(f"没有取出：{error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"已写 {out}，{content.seconds:.1f} 秒" + ("" if content.finished else "（通话中断，到此为止）"))


def _rows(text: str | None, jsonl: bool) -> list[dict[str, str]]:
    if not jsonl:
        if text is None:
            raise typer.BadParameter("请写一句话，或用 --jsonl 从标准输入读。")
        return [{"id": "1", "text": text}]
    rows = []
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            rows.append({"id": row["id"], "text": str(row["text"])})
        except (json.JSONDecodeError, KeyError, TypeError):
            raise typer.BadParameter(f"第 {number} 行不是带 id 和 text 的 JSON。") from None
    return rows


def _print(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))


def main() -> None:
    app()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    main()
