"""The tables of docs/work-orders.md, drawn from the code: ``python -m desk.work_orders.drawing``.

Writes them between their marks in the document; a test fails where they differ.
"""

from __future__ import annotations

from pathlib import Path

from desk.work_orders.names import MOVES, PARTIES, STATES
from hotline.settings import ROOT
from hotline.work_order_flow import CLOSED, FLOW, NEEDS, OWNER, RUNNING, Move, Party
from hotline.work_orders import WorkOrderState

DOCUMENT = ROOT / "docs" / "work-orders.md"
_FIELDS = {"note": "说明", "department": "部门", "days": "天数", "main": "主单", "score": "评分"}


def diagram() -> str:
    """A Mermaid state diagram; moves that stay where they are (补充) are left out."""
    lines = ["```mermaid", "stateDiagram-v2", "  direction TB", "  [*] --> received"]
    lines += [
        f"  {state.value} --> {row.to.value}: {MOVES[move]}"
        for (state, move), row in FLOW.items()
        if state is not row.to
    ]
    return "\n".join([*lines, "```"])


def states() -> str:
    lines = ["| 状态 | 代码 | 谁负责 | 时限 |", "|---|---|---|---|"]
    for state in WorkOrderState:
        clock = "走着" if state in RUNNING else "暂停" if state is WorkOrderState.WAITING else "已停"
        over = "（已结）" if state in CLOSED else ""
        lines.append(f"| {STATES[state]}{over} | `{state.value}` | {_owner(OWNER[state])} | {clock} |")
    return "\n".join(lines)


def moves() -> str:
    lines = ["| 移动 | 代码 | 从 → 到 | 谁可以 | 要填 |", "|---|---|---|---|---|"]
    for move in Move:
        by_way: dict[tuple[frozenset[Party], str], list[str]] = {}
        for (state, each), row in FLOW.items():
            if each is move:
                to = "原处" if state is row.to else STATES[row.to]
                by_way.setdefault((row.by, to), []).append(STATES[state])
        needs = "、".join(_FIELDS[name] for name in NEEDS.get(move, ())) or "—"
        for (by, to), froms in by_way.items():
            who = "、".join(PARTIES[party] for party in Party if party in by)
            lines.append(f"| {MOVES[move]} | `{move.value}` | {'；'.join(froms)} → {to} | {who} | {needs} |")
    return "\n".join(lines)


def _owner(party: Party) -> str:
    return {Party.HOTLINE: "热线", Party.DEPARTMENT: "承办部门（没派部门的是热线）"}.get(party, PARTIES[party])


def drawn(text: str) -> str:
    """``text`` with every table between its marks as the code draws it now."""
    for name, table in (("diagram", diagram()), ("states", states()), ("moves", moves())):
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"the document must have the marks of {name} once")
        before, after = text.split(begin)[0], text.split(end)[1]
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


def main(document: Path = DOCUMENT) -> None:
    document.write_text(drawn(document.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
