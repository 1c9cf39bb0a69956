"""One number over several turns: what is settled, what is in doubt, and what to ask for again.

>>> heard = hear(Kind.PHONE, "一三八 零零零零 零零一")
>>> heard.value, heard.doubt
(None, Doubt(reason=<Reason.TOO_SHORT: 'too_short'>, part=<Part.LAST_FOUR: 'last_four'>, length=10))
>>> hear(Kind.PHONE, "零零零一", heard).value
'13800000001'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from hotline.numbers.checks import (
    id_birth_can_be,
    id_region_exists,
    is_case_number,
    is_credit_code,
    is_id_card,
    is_mobile,
    is_plate,
    is_query_code,
)
from hotline.numbers.corrections import amend, exchange
from hotline.numbers.dates import iso
from hotline.numbers.numerals import NUMERAL_CLASS, parse_numeral
from hotline.numbers.reader import read
from hotline.numbers.symbols import prepare
from hotline.numbers.values import Kind, LooseDigits, NumberSaid, Place, Reading


class Part(StrEnum):
    """Which part of a number to ask for. ``SLICES`` says where it lies."""

    WHOLE = "whole"
    FIRST_THREE = "first_three"  # phone
    MIDDLE_FOUR = "middle_four"  # phone
    AFTER_FIRST_THREE = "after_first_three"  # phone
    LAST_FOUR = "last_four"  # phone, ID
    REGION = "region"  # ID: the first six
    BIRTH = "birth"  # ID: the eight of the birth date
    LAST_TWELVE = "last_twelve"  # case number
    DAY = "day"  # date


class Reason(StrEnum):
    NOTHING = "nothing"  # no number was said
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    CANNOT_BE = "cannot_be"  # no such day, region, range or plate
    CHECK_FAILED = "check_failed"  # some digit is wrong; which one, the check does not tell
    SEVERAL = "several"  # more than one number was said
    NOT_EXACT = "not_exact"  # 「两千几」, 「月底」, an uncertain weekday
    UNPLACED = "unplaced"  # a correction that fits nowhere


SLICES: dict[tuple[Kind, Part], tuple[int, int]] = {
    (Kind.PHONE, Part.FIRST_THREE): (0, 3),
    (Kind.PHONE, Part.MIDDLE_FOUR): (3, 7),
    (Kind.PHONE, Part.AFTER_FIRST_THREE): (3, 11),
    (Kind.PHONE, Part.LAST_FOUR): (7, 11),
    (Kind.ID_CARD, Part.REGION): (0, 6),
    (Kind.ID_CARD, Part.BIRTH): (6, 14),
    (Kind.ID_CARD, Part.LAST_FOUR): (14, 18),
    (Kind.CASE_NUMBER, Part.LAST_TWELVE): (31, 43),
}
LENGTHS: dict[Kind, tuple[int, int]] = {
    Kind.PHONE: (11, 11),
    Kind.ID_CARD: (18, 18),
    Kind.CREDIT_CODE: (18, 18),
    Kind.CASE_NUMBER: (43, 43),
    Kind.QUERY_CODE: (6, 8),
    Kind.PLATE: (7, 8),
}


_BARE = re.compile(
    rf"(?:[呃嗯额啊，,。 ]|是|系|就|大概|大约|差不多|应该|那)*(?P<n>(?:[{NUMERAL_CLASS}]|(?<=\d)[.,](?=\d))+)(?:[吧啊呀啦嘅的咯。！!，, ])*"
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What to ask for again and why. ``length``: how many characters were heard."""

    reason: Reason
    part: Part = Part.WHOLE
    length: int = 0


@dataclass(frozen=True, slots=True)
class Hearing:
    """One number as far as it was heard. Personal data: hidden in its repr, never to be logged.

    ``value`` is set exactly when ``doubt`` is None. ``said`` is what was heard so far, with the
    part in doubt in its place (empty where the whole is to be said again); ``asked`` the parts
    asked for so far; ``candidates`` the numbers between which the speaker has to choose.
    """

    kind: Kind
    value: str | None = field(default=None, repr=False)
    doubt: Doubt | None = None
    said: str = field(default="", repr=False)
    asked: tuple[Part, ...] = ()
    candidates: tuple[str, ...] = field(default=(), repr=False)


def hear(kind: Kind, text: str, before: Hearing | None = None, today: date | None = None) -> Hearing:
    """``kind`` as ``text`` gives it, put together with what was heard ``before`` of the same number."""
    reading = _read(kind, text, before, today)
    mine = [v for v in reading.values if v.kind is kind]
    asked = before.asked if before else ()
    sure = list(dict.fromkeys(v.value for v in mine if v.valid))
    if len(sure) == 1 and len({v.value for v in mine}) == 1:
        return Hearing(kind, value=sure[0], said=sure[0])
    if len(sure) > 1:
        return _in_doubt(Hearing(kind, candidates=tuple(sure), asked=asked), Reason.SEVERAL, Part.WHOLE)
    if before and before.said and not mine and (merged := _merged(before, reading, text, today)):
        return merged
    if mine:
        return _judged_value(kind, mine[-1], asked, today)
    if kind in (Kind.AMOUNT, Kind.DATE) and (bare := _bare_numeral(kind, text, before)):
        return bare
    longest = max(reading.loose, key=lambda d: len(d.digits), default=None)
    if longest is None or kind not in LENGTHS:
        said = before.said if before else ""
        return _in_doubt(Hearing(kind, said=said, asked=asked), Reason.NOTHING, _part_asked(before))
    return judge(kind, longest.digits, today, asked, longest.groups)


def _read(kind: Kind, text: str, before: Hearing | None, today: date | None) -> Reading:
    """What ``text`` holds; a day alone belongs to the month that was named before."""
    if kind is not Kind.DATE or before is None or not before.said:
        return read(text, today, kind)
    month = f"{before.said[:7]}-01。"
    reading = read(month + text, today, kind)
    return Reading(tuple(v for v in reading.values if v.start >= len(month)), reading.loose)


def _bare_numeral(kind: Kind, text: str, before: Hearing | None) -> Hearing | None:
    """「五十」 or 「5000」 where a sum was asked for, 「二十八」 where the day was."""
    found = _BARE.fullmatch(prepare(text))
    number = parse_numeral(found["n"]) if found else None
    if number is None:
        return None
    if kind is Kind.AMOUNT:
        value = f"{number.normalize():f}"
        return Hearing(kind, value=value, said=value)
    if before is None or not before.said or not 1 <= number <= 31:
        return None
    value, there_is = iso(int(before.said[:4]), int(before.said[5:7]), int(number))
    if not there_is:
        return _in_doubt(Hearing(kind, said=value, asked=before.asked), Reason.CANNOT_BE, Part.DAY)
    return Hearing(kind, value=value, said=value)


def judge(
    kind: Kind, said: str, today: date | None = None, asked: tuple[Part, ...] = (), groups: tuple[str, ...] = ()
) -> Hearing:
    """Whether ``said`` (digits and capitals) is a whole, right ``kind``; if not, what to ask for.

    ``groups``: the pieces it was said in; a piece too short is the one to ask for.
    """
    hearing = Hearing(kind, said=said, asked=asked)
    shortest, longest = LENGTHS.get(kind, (0, 99))
    if len(said) < shortest:
        return _in_doubt(hearing, Reason.TOO_SHORT, _short_part(kind, said, groups, today))
    if len(said) > longest:
        part = Part.LAST_FOUR if kind is Kind.ID_CARD and _front_can_be(said, today) else Part.WHOLE
        return _in_doubt(hearing, Reason.TOO_LONG, part)
    match kind:
        case Kind.ID_CARD:
            return _judge_id(hearing, today)
        case Kind.PHONE:
            wrong = None if is_mobile(said) else (Reason.CANNOT_BE, Part.FIRST_THREE)
        case Kind.CREDIT_CODE:
            wrong = None if is_credit_code(said) else (Reason.CHECK_FAILED, Part.WHOLE)
        case Kind.CASE_NUMBER:
            wrong = None if is_case_number(said) else (Reason.CANNOT_BE, Part.LAST_TWELVE)
        case Kind.QUERY_CODE:
            wrong = None if is_query_code(said) else (Reason.CANNOT_BE, Part.WHOLE)
        case Kind.PLATE:
            wrong = None if is_plate(said) else (Reason.CANNOT_BE, Part.WHOLE)
        case _:
            wrong = (Reason.NOT_EXACT, Part.WHOLE)
    return _in_doubt(hearing, *wrong) if wrong else Hearing(kind, value=said, said=said)


def _judge_id(hearing: Hearing, today: date | None) -> Hearing:
    said = hearing.said
    if is_id_card(said, today):
        return Hearing(Kind.ID_CARD, value=said, said=said)
    if "X" in said[:17] or not said[:17].isdigit():
        return _in_doubt(hearing, Reason.CANNOT_BE, Part.WHOLE)
    if not id_region_exists(said):
        return _in_doubt(hearing, Reason.CANNOT_BE, Part.REGION)
    if not id_birth_can_be(said, today):
        return _in_doubt(hearing, Reason.CANNOT_BE, Part.BIRTH)
    # The check does not say which digit is wrong: the end first, being heard worst; then the rest.
    parts = (Part.LAST_FOUR, Part.BIRTH, Part.REGION)
    return _in_doubt(hearing, Reason.CHECK_FAILED, next((p for p in parts if p not in hearing.asked), Part.WHOLE))


def _judged_value(kind: Kind, value: NumberSaid, asked: tuple[Part, ...], today: date | None) -> Hearing:
    """A value the reader did not stand behind."""
    hearing = Hearing(kind, said=value.value, asked=asked)
    if kind is Kind.DATE:
        try:
            date.fromisoformat(value.value)
        except ValueError:
            return _in_doubt(hearing, Reason.CANNOT_BE, Part.DAY)
        return _in_doubt(hearing, Reason.NOT_EXACT, Part.DAY)
    if kind is Kind.AMOUNT:
        return _in_doubt(hearing, Reason.NOT_EXACT, Part.WHOLE)
    judged = judge(kind, value.value, today, asked, value.groups)
    return judged if judged.doubt else _in_doubt(hearing, Reason.UNPLACED, Part.WHOLE)


def _merged(before: Hearing, reading: Reading, text: str, today: date | None) -> Hearing | None:
    """``before`` with the one piece said now put in its place; None where it fits nowhere."""
    days = [v for v in reading.values if v.kind is Kind.DATE]
    if _part_asked(before) is Part.BIRTH and len(days) == 1 and "年" in text[days[0].start : days[0].end]:
        digits = days[0].value.replace("-", "")
        said, sure = _put(before, LooseDigits(digits, None, days[0].start, days[0].end))
        return judge(before.kind, said, today, before.asked) if sure else None
    pieces = [*reading.loose, *(_as_loose(v) for v in reading.values if v.value.isalnum() and v.kind in LENGTHS)]
    if len(pieces) != 1 or before.kind not in LENGTHS:
        return None
    piece = pieces[0]
    said, sure = _put(before, piece)
    if not sure:
        return None
    return judge(before.kind, said, today, before.asked)


def _as_loose(value: NumberSaid) -> LooseDigits:
    return LooseDigits(value.value, None, value.start, value.end)


def _put(before: Hearing, piece: LooseDigits) -> tuple[str, bool]:
    said, part = before.said, _part_asked(before)
    if piece.instead_of:
        return exchange(said, piece.instead_of, piece.digits, piece.place)
    span = SLICES.get((before.kind, part))
    if span and len(piece.digits) == span[1] - span[0] and _agrees(piece.place, before.kind, span):
        # A piece too short or too long pushes what follows out of its place: the front counts from
        # the front, the rest from the end.
        tail = said[len(said) - (LENGTHS[before.kind][1] - span[1]) :] if span[1] < LENGTHS[before.kind][1] else ""
        whole = said[: span[0]] + piece.digits + tail
        return whole, len(said) >= span[0] + len(tail)
    if piece.place:
        return amend(said, piece.digits, piece.place)
    if len(said) + len(piece.digits) == LENGTHS[before.kind][1] and len(said) < LENGTHS[before.kind][0]:
        return said + piece.digits, True  # the rest of it
    return said, False


def _agrees(place: Place | None, kind: Kind, span: tuple[int, int]) -> bool:
    """Whether the place named is the place asked for (or none was named)."""
    if place is None:
        return True
    length = LENGTHS[kind][1]
    where = "head" if span[0] == 0 else "tail" if span[1] == length else "middle"
    return place.where == where or (place.where == "birth" and kind is Kind.ID_CARD and where == "middle")


def _part_asked(before: Hearing | None) -> Part:
    return before.doubt.part if before and before.doubt else Part.WHOLE


def _short_part(kind: Kind, said: str, groups: Iterable[str], today: date | None) -> Part:
    """The part to ask for where characters are missing."""
    lengths = [len(g) for g in groups]
    if kind is Kind.PHONE:
        if len(lengths) == 3 and lengths[0] == 3 and sorted(lengths[1:])[1] == 4:
            return Part.LAST_FOUR if lengths[1] == 4 else Part.MIDDLE_FOUR
        if len(said) == 7 and lengths in ([7], [3, 4]):
            return Part.LAST_FOUR
        return Part.AFTER_FIRST_THREE if len(said) >= 3 and said[0] == "1" else Part.WHOLE
    if kind is Kind.ID_CARD:
        if len(lengths) == 3 and lengths[0] == 6 and lengths[1] < 8 and lengths[2] == 4:
            return Part.BIRTH
        # Region and birth date can be right: something is missing behind them. The check will tell.
        if _front_can_be(said, today):
            return Part.LAST_FOUR
    if kind is Kind.CASE_NUMBER and len(said) >= 31:
        return Part.LAST_TWELVE
    return Part.WHOLE


def _front_can_be(said: str, today: date | None) -> bool:
    return len(said) >= 14 and said[:14].isdigit() and id_region_exists(said) and id_birth_can_be(said, today)


def _in_doubt(hearing: Hearing, reason: Reason, part: Part) -> Hearing:
    if reason in (Reason.TOO_SHORT, Reason.TOO_LONG) and part in hearing.asked:
        part = Part.WHOLE  # asking for the part did not help
    return Hearing(
        hearing.kind,
        doubt=Doubt(reason, part, len(hearing.said)),
        said="" if part is Part.WHOLE and hearing.kind in LENGTHS and reason is not Reason.TOO_SHORT else hearing.said,
        asked=(*hearing.asked, part),
        candidates=hearing.candidates,
    )
