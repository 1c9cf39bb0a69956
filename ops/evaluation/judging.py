"""Judges what the line answered, set by set, as tests/evaluation/README.md says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ops.evaluation.asking import THREADS, Citizen, Progress, Talk, Turn, ask_all, unheard
from ops.evaluation.expect import parse, said
from ops.evaluation.scoring import Section
from ops.evaluation.sets import Row, Sets, by_dialogue

NOTHING = "—"
_MOST_OFFERED = 3
_NAMED = re.compile(r"(?<!\d)(?:96110|12356|110|119|120|122)(?!\d)")
_FRAUD_LINE = "96110"

Rows = Sequence[Row]


@dataclass(frozen=True)
class Part:
    """One set: the conversations that it asks for, and their judge."""

    name: str
    title: str
    talks: Callable[[Rows], list[list[str]]]
    judge: Callable[[Rows, Sequence[Talk]], Section]
    threads: int = THREADS


def questions(rows: Rows, talks: Sequence[Talk]) -> Section:
    """Services and aspects of single questions, by variety."""
    section = Section("questions")
    for row, (turn,) in zip(rows, talks, strict=True):
        heard = turn["understanding"]
        answered, offered = heard["item_key"], offers(turn)
        top = offered[0] if offered else None
        groups = ("all", row["variety"])
        wanted, right_aspect = row["item_key"], heard["aspect"] == row["aspect"]
        wrongly = answered not in (None, wanted)
        section.count("top1", top == wanted, groups)
        section.count("offered", wanted in offered, groups)
        section.count("aspect", right_aspect, groups)
        section.count("answered_right", answered == wanted and right_aspect, groups)
        section.count("answered_wrongly", wrongly, groups)
        section.confusions["aspects"][row["aspect"], heard["aspect"] or NOTHING] += 1
        if top != wanted:
            section.confusions["services"][wanted, top or NOTHING] += 1
        if wrongly:
            section.confusions["answered_wrongly"][wanted, answered] += 1
        if top != wanted or not right_aspect:
            grade = 3 if wrongly else 2 if wanted not in offered else 1 if top != wanted else 0
            got = f"{top or NOTHING}·{heard['aspect'] or NOTHING}·{intent_label(turn)}"
            section.miss(row["id"], f"{wanted}·{row['aspect']} → {got}", row["text"], grade)
    return section


def follow_ups(rows: Rows, talks: Sequence[Talk]) -> Section:
    """The second turn: its service (answered or offered), and its aspect with it."""
    section = Section("follow_ups")
    for row, (_, turn) in zip(rows, talks, strict=True):
        heard = turn["understanding"]
        service = row["second_item_key"] in offers(turn)
        both = service and heard["aspect"] == row["second_aspect"]
        section.count("service", service)
        section.count("service_and_aspect", both)
        section.count("answered_wrongly", heard["item_key"] not in (None, row["second_item_key"]))
        if not both:
            wanted = f"{row['second_item_key']}·{row['second_aspect']}"
            got = f"{heard['item_key'] or NOTHING}·{heard['aspect'] or NOTHING}·{intent_label(turn)}"
            section.miss(row["id"], f"{wanted} → {got}", f"{row['first_text']} / {row['second_text']}", not service)
    return section


def out_of_scope(rows: Rows, talks: Sequence[Talk]) -> Section:
    """Refused honestly: no service is answered. Naming near ones to choose from is told apart."""
    section = Section("out_of_scope")
    for row, (turn,) in zip(rows, talks, strict=True):
        answered = turn["understanding"]["item_key"]
        section.count("refused", answered is None)
        section.count("without_offers", not offers(turn))
        if answered is not None:
            section.miss(row["id"], f"答了 {answered}·{intent_label(turn)}", row["text"])
    return section


def flows(rows: Rows, talks: Sequence[Talk]) -> Section:
    """The intent, under the name that the set gives it."""
    section = Section("flows")
    for row, (turn,) in zip(rows, talks, strict=True):
        right = turn["understanding"]["intent"] == row["intent"]
        section.count("intent", right)
        if not right:
            section.confusions["intents"][row["intent"], intent_label(turn)] += 1
            section.miss(row["id"], f"{row['intent']} → {intent_label(turn)}", row["text"])
    return section


def emergencies(rows: Rows, talks: Sequence[Talk]) -> Section:
    """Recognised: alarmed, and every number of the row is named. Look-alikes must not raise the alarm."""
    section = Section("emergencies")
    for row, (turn,) in zip(rows, talks, strict=True):
        intent = turn["understanding"]["intent"] or ""
        alarm = intent.startswith("emergency") or intent == "crisis"
        if row["is_emergency"] != "1":
            section.count("false_alarms", alarm)
            if alarm:
                section.miss(row["id"], f"误报 {intent}", row["text"])
            continue
        named = _NAMED.findall(said(turn))
        if row["number"] == _FRAUD_LINE:
            # Fraud may be met without an alarm, by telling first whom to call; no other alarm will do.
            alarm = intent.startswith("emergency_fraud") or named[:1] == [_FRAUD_LINE]
        wanted = set(row["number"].split("+"))
        right = alarm and wanted <= set(named)
        section.count("recognised", right)
        if not right:
            got = f"{intent or NOTHING}·{'+'.join(dict.fromkeys(named)) or NOTHING}"
            section.miss(row["id"], f"{row['number']} → {got}", row["text"], 1)
    return section


def dialogues(rows: Rows, talks: Sequence[Talk]) -> Section:
    """A turn is right where all it must show is there; a dialogue where all its turns are."""
    section = Section("dialogues")
    for dialogue, talk in zip(by_dialogue(rows), talks, strict=True):
        whole = True
        for row, turn in zip(dialogue, talk, strict=True):
            failed = [each for each in parse(row["expect"]) if not each.holds(turn)]
            section.count("turns", not failed)
            for each in failed:
                section.confusions["failed"][each.kind, intent_label(turn)] += 1
            if failed:
                whole = False
                # Words that a reply must have would give the text away: the kind is enough.
                label = "、".join(f"{e.kind}={e.wanted[0]}" if len(e.wanted) == 1 and "says" not in e.kind else e.kind for e in failed)  # fmt: skip
                section.miss(f"{row['id']}.{row['turn']}", f"要 {label}，得 {intent_label(turn)}", row["text"])
        section.count("whole", whole)
    return section


def offers(turn: Turn) -> list[str]:
    """The service answered, or else the (at most three) services to choose from, best first."""
    heard = turn["understanding"]
    both = [heard["item_key"], *heard["candidates"]]
    return list(dict.fromkeys(key for key in both if key))[:_MOST_OFFERED]


def intent_label(turn: Turn) -> str:
    """The intent for a table of confusions: one name for all kinds of danger, one for all questions."""
    intent = turn["understanding"]["intent"] or NOTHING
    if intent.startswith("emergency") or intent == "crisis":
        return "emergency"
    return "ask" if intent.startswith("ask_") else intent


def _single(rows: Rows) -> list[list[str]]:
    return [[row["text"]] for row in rows]


PARTS = (
    Part("questions", "单句提问", _single, questions),
    Part("follow_ups", "追问", lambda rows: [[r["first_text"], r["second_text"]] for r in rows], follow_ups),
    Part("out_of_scope", "范围外", _single, out_of_scope),
    Part("flows", "流程意图", _single, flows),
    Part("emergencies", "紧急情况", _single, emergencies),
    # One after the other: they share the demonstration cases and the places that can be booked.
    Part("dialogues", "多轮对话", lambda rows: [[r["text"] for r in d] for d in by_dialogue(rows)], dialogues, 1),
)


def ask_and_judge(citizen: Citizen, sets: Sets, tell: Callable[[str], None]) -> tuple[dict[str, Section], int]:
    """Every part that ``sets`` has rows of, by name; and the turns that came back without an intent."""
    sections, lost = {}, 0
    for part in PARTS:
        if not (rows := sets.get(part.name)):
            continue
        wanted = part.talks(rows)
        talks = ask_all(citizen, wanted, Progress(part.title, len(wanted), tell), part.threads)
        sections[part.name] = part.judge(rows, talks)
        lost += unheard(talks)
    return sections, lost
