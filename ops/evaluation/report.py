"""What an evaluation tells: the file, the table for the README, and the details for the terminal.

No sentence of a set is printed: rows are told by id and labels. Their texts stand in the file alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hotline.messages import Aspect
from ops.evaluation.scoring import Tally

Report = Mapping[str, Any]

_BLOCK = re.compile(r"(<!-- eval:begin -->\n).*?(<!-- eval:end -->)", re.DOTALL)
_MOST = 20
_NOTHING = "—"

_VARIETIES = {"all": "全部", "mandarin": "普通话", "cantonese": "粤语", "noisy": "听错或含糊"}
_BY_VARIETY = {
    "questions.top1": "事项排第一",
    "questions.offered": "事项答对，或列在让市民选的几项（最多三项）里",
    "questions.aspect": "问的方面对",
    "questions.answered_right": "直接答了，事项和方面都对",
    "questions.answered_wrongly": "肯定地答了别的事项（越低越好）",
    "search.top1": "目录检索：事项排第一",
    "search.top3": "目录检索：事项在前三",
}
_ALONE = {
    "follow_ups.service_and_aspect.all": "追问：事项和方面都对",
    "follow_ups.service.all": "追问：事项对",
    "follow_ups.answered_wrongly.all": "追问：肯定地答了别的事项（越低越好）",
    "out_of_scope.refused.all": "范围外：老实说答不了",
    "out_of_scope.without_offers.all": "范围外：也没有列出相近的事项",
    "flows.intent.all": "流程意图",
    "emergencies.recognised.all": "紧急情况：认出，并说对号码",
    "emergencies.false_alarms.all": "紧急情况：误报（越低越好）",
    "numbers.read.all": "口头说的号码、金额、日期、车牌：读对",
    "numbers.nothing_else.all": "口头说的号码：没有多读",
    "merges.precision.all": "并单：提出要并的，真是一件事（对）",
    "merges.recall.all": "并单：真是一件事的，提了出来（对）",
    "desk_fields.f1.all": "坐席表单的字段：F1（两倍填对的 / 填了的＋该填的）",
    "dialogues.whole.all": "多轮对话：整段都对（段）",
    "dialogues.turns.all": "多轮对话：一轮对（轮）",
}
_KINDS = {
    "phone": "手机号",
    "id_card": "身份证号",
    "case_number": "办件编号",
    "query_code": "查询码",
    "amount": "金额",
    "date": "日期",
    "plate": "车牌",
}
_ASPECTS = {
    "materials": "材料",
    "conditions": "条件",
    "steps": "步骤",
    "time_limit": "时限",
    "fee": "费用",
    "amount": "金额",
    "where": "地点",
    "when_open": "时间",
    "online": "网办",
    "phone": "电话",
    "general": "概况",
    "status": "进度",
    _NOTHING: _NOTHING,
}
_PAIRS = {
    ("questions", "services"): "排第一的事项弄错",
    ("questions", "answered_wrongly"): "肯定地答了别的事项",
    ("flows", "intents"): "流程意图弄错",
    ("numbers", "kinds"): "号码没有读对",
    ("dialogues", "failed"): "对话里没有做到的（要求→得到的意图）",
}
_TITLES = {
    "questions": "单句提问",
    "search": "目录检索",
    "follow_ups": "追问",
    "out_of_scope": "范围外",
    "flows": "流程意图",
    "emergencies": "紧急情况",
    "numbers": "号码",
    "dialogues": "多轮对话",
    "merges": "并单",
    "desk_fields": "坐席表单的字段",
}


def tallies_of(report: Report) -> dict[str, Tally]:
    """The measures of a report that was written to a file."""
    return {key: Tally(each["count"], each["total"]) for key, each in report["measures"].items()}


def summary(report: Report) -> str:
    """The Markdown table of the README."""
    measures = report["measures"]
    which = "评测集" if report["sets"] == "blind" else "开发集（照着它调过，不算评测）"
    lines = [
        f"`make eval`，{which}，{report['date']}，{report['cores']} 核，{report['seconds']:.0f} 秒：",
        "",
        "| 单句提问 | " + " | ".join(_group_title(measures, group) for group in _VARIETIES) + " |",
        "|---|" + "---|" * len(_VARIETIES),
    ]
    for stem, title in _BY_VARIETY.items():
        if f"{stem}.all" in measures:
            lines.append(_row(title, (_share(measures.get(f"{stem}.{group}")) for group in _VARIETIES)))
    lines += ["", "| 其他 | 比例 | 数 |", "|---|---|---|"]
    for key, title in _ALONE.items():
        if key in measures:
            lines.append(_row(title, (_share(measures[key]), _counts(measures[key]))))
    kinds = [f"{title} {_share(measures[f'numbers.read.{kind}'])}" for kind, title in _KINDS.items() if f"numbers.read.{kind}" in measures]  # fmt: skip
    if kinds:
        lines += ["", f"号码按种类：{'、'.join(kinds)}。"]
    if calibration := report.get("calibration"):
        lines += ["", _calibration_sentence(calibration)]
    if speech := report.get("speech"):
        folders = "；".join(
            f"{name} {each['cer']:.1%}{_telephone(each)}（{each['clips']} 段，{each['characters']} 字）"
            for name, each in speech["folders"].items()
        )
        lines += ["", f"语音识别（{speech['engine']}）的字错率：{folders}。"]
        names = speech.get("engines", {}).get(speech["engine"], {}).get("names", {})
        if names.get("spoken"):
            lines.append(
                f"8 kHz 合成语音里的事项名、镇街名（{names['spoken']} 句）：听对 {names['before']:.1%}，按读音纠正后 {names['after']:.1%}。"
            )
    return "\n".join(lines)


def _telephone(folder: Mapping[str, Any]) -> str:
    return f"，8 kHz {folder['cer_8khz']:.1%}" if "cer_8khz" in folder else ""


def details(report: Report) -> str:
    """Confusions, the reliability of the search score, and the worst rows by id."""
    sections = report["sections"]
    blocks = []
    for (part, name), title in _PAIRS.items():
        pairs = sections.get(part, {}).get("confusions", {}).get(name, [])
        if pairs:
            shown = "，".join(f"{wanted}→{got} {rows}" for wanted, got, rows in pairs[:_MOST])
            blocks.append(
                f"### {title}（{sum(rows for *_, rows in pairs)}，最多的 {min(_MOST, len(pairs))} 对）\n\n{shown}"
            )
    if aspects := sections.get("questions", {}).get("confusions", {}).get("aspects"):
        blocks.append(f"### 问的方面（行是该是的，列是得到的）\n\n{matrix(aspects)}")
    if calibration := report.get("calibration"):
        blocks.append(f"### 检索分数可不可信（只算有答案的问题）\n\n{_reliability(calibration['questions']['bins'])}")
    for part, title in _TITLES.items():
        misses = sections.get(part, {}).get("misses", [])
        if misses:
            shown = "\n".join(f"- {miss['row']} {miss['label']}" for miss in misses[:_MOST])
            blocks.append(
                f"### {title}错得最重的 {min(_MOST, len(misses))} 句（共 {len(misses)}；原文在 reports/）\n\n{shown}"
            )
    return "\n\n".join(blocks)


def matrix(pairs: Sequence[Sequence[Any]]) -> str:
    """A compact table of (aspect wanted, got, rows); a column that nobody got is left out."""
    held = {(wanted, got): rows for wanted, got, rows in pairs}
    order = [*(aspect.value for aspect in Aspect), _NOTHING]
    wanted_ones = [aspect for aspect in order if any(wanted == aspect for wanted, _ in held)]
    got_ones = [aspect for aspect in order if any(got == aspect for _, got in held)]
    lines = [_row("", (_ASPECTS.get(got, got) for got in got_ones)), "|---|" + "---|" * len(got_ones)]
    for wanted in wanted_ones:
        cells = (str(held.get((wanted, got), "")) for got in got_ones)
        lines.append(_row(_ASPECTS.get(wanted, wanted), cells))
    return "\n".join(lines)


def with_block(readme: str, block: str) -> str:
    """``readme`` with what stands between the markers ``eval:begin`` and ``eval:end`` replaced by ``block``.

    Raises:
        ValueError: the markers are not there exactly once.
    """
    changed, times = _BLOCK.subn(lambda found: f"{found[1]}{block}\n{found[2]}", readme)
    if times != 1:
        raise ValueError("README.md must have <!-- eval:begin --> and <!-- eval:end --> once")
    return changed


def _group_title(measures: Mapping[str, Any], group: str) -> str:
    asked = measures.get(f"questions.top1.{group}")
    return f"{_VARIETIES[group]}（{asked['total']}）" if asked else _VARIETIES[group]


def _share(measure: Mapping[str, Any] | None) -> str:
    return f"{measure['rate']:.1%}" if measure and measure["total"] else _NOTHING


def _counts(measure: Mapping[str, Any]) -> str:
    return f"{measure['count']:.0f} / {measure['total']}"


def _row(title: str, cells: Iterable[str]) -> str:
    return f"| {title} | {' | '.join(cells)} |"


def _calibration_sentence(calibration: Mapping[str, Any]) -> str:
    own, with_foreign = calibration["questions"], calibration["with_out_of_scope"]
    return (
        f"检索的最高分当作概率来看，期望校准误差（10 格）{own['error']:.3f}；"
        f"把范围外的句子也算进去（那里排第一的都算错）是 {with_foreign['error']:.3f}。"
    )


def _reliability(bins: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| 分数 | 句数 | 平均分 | 真的对 |", "|---|---|---|---|"]
    for each in bins:
        if each["rows"]:
            span = f"{each['low']:.1f}–{each['high']:.1f}"
            lines.append(_row(span, (str(each["rows"]), f"{each['score']:.2f}", f"{each['right']:.2f}")))
    return "\n".join(lines)
