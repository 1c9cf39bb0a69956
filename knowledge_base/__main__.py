"""``python -m knowledge_base lint | export | calibrate``: checks the guides; writes the training
lookups; fits the curve from search scores to probabilities."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hotline.errors import GuideError
from knowledge_base.catalogue import DEFAULT_FOLDER, load_catalogue
from knowledge_base.export import DEFAULT_NLU_DATA, write_nlu_exports
from knowledge_base.findings import report
from knowledge_base.lint import SHIPPED, Least, lint


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 where all is well, 1 where something must be changed."""
    parser = argparse.ArgumentParser(prog="python -m knowledge_base", description="事项知识库的检查与导出")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("lint", help="检查全部办事指南")
    write = commands.add_parser("export", help="把镇街和事项词汇写进 nlu_data")
    for command in (check, write):
        command.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="知识库文件夹")
    for option, fewest, what in (
        ("--min-aliases", SHIPPED.aliases, "别名"),
        ("--min-questions", SHIPPED.questions, "问法"),
    ):
        check.add_argument(option, type=int, default=fewest, help=f"每个事项至少要有多少{what}（默认 {fewest}）")
    fit = commands.add_parser("calibrate", help="重算检索得分到概率的曲线（改了指南的说法之后）")
    for command in (write, fit):
        command.add_argument("--nlu-data", type=Path, default=DEFAULT_NLU_DATA, help="训练数据文件夹")
    fit.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="知识库文件夹")
    chosen = parser.parse_args(arguments)
    try:
        catalogue = load_catalogue(chosen.folder)
    except GuideError as error:
        print(error.detail, file=sys.stderr)
        return 1
    if chosen.command == "lint":
        findings = lint(catalogue, least=Least(chosen.min_aliases, chosen.min_questions))
        print(report(findings, catalogue, chosen.folder.name))
        return 1 if findings else 0
    if chosen.command == "calibrate":
        from knowledge_base.calibrate import calibrate  # loads the sentence encoder: seconds
        from knowledge_base.fusion import save_fusion

        weights, told = calibrate(catalogue, chosen.nlu_data)
        save_fusion(weights)
        print(told)
        return 0
    for path in write_nlu_exports(catalogue, chosen.nlu_data):
        print(f"已写好 {path.relative_to(chosen.nlu_data)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
