"""Reads every number out of what was said: the one reader for typed and spoken text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from hotline.numbers.amounts import amounts
from hotline.numbers.checks import id_birth_can_be, is_plate
from hotline.numbers.corrections import (
    NEGATED,
    REPLACED_BY,
    amend,
    correct_row,
    corrects,
    corrects_loosely,
    exchange,
    is_whole,
    only_around,
    replace_digits,
)
from hotline.numbers.dates import dates, iso
from hotline.numbers.identifiers import identifiers
from hotline.numbers.numerals import NUMERAL_CLASS, parse_numeral
from hotline.numbers.plates import plates
from hotline.numbers.said_digits import SPACE, Group, Row, rows, spelt_rows
from hotline.numbers.symbols import prepare
from hotline.numbers.values import Kind, LooseDigits, NumberSaid, Place, Reading

_DATE_ANNOUNCED = re.compile(r"(?:日期|生日|出生|时间|日子|哪天|几号)(?:年月日)?[是系为：:，, ]*$")
_BARE_NUMERAL = re.compile(rf"[{NUMERAL_CLASS}]+(?=\s*(?:$|[，,。；;！!？?、啊呀吧嘅的]))")
_BLANK = "\x00"  # stands for what was read already; no pause, so it parts rows


@dataclass(slots=True)
class _Piece:
    """A value, or a row of digits not yet read."""

    start: int
    end: int
    value: NumberSaid | None = None
    row: Row | None = None
    old: Row | None = None  # 「不是1234，是1235」 with nothing before: what the row replaces


def read_numbers(text: str, today: date | None = None, expecting: Kind | None = None) -> tuple[NumberSaid, ...]:
    """The numbers in ``text``, in its order, each once; corrections within it are carried out.

    ``today`` places 「昨天」 and dates without a year (the day of the machine where it is None);
    ``expecting`` is the kind that was asked for: it decides where the digits alone do not.
    """
    return read(text, today, expecting).values


def read(text: str, today: date | None = None, expecting: Kind | None = None) -> Reading:
    """As :func:`read_numbers`, with the digits left over (a last four, half a phone number)."""
    said = prepare(text)
    day = today or date.today()
    named, unread = dates(said, day)
    named += _announced_dates(said)
    said_plates = [p for p in plates(said) if not _within(p, named)]
    masked = _mask(said, [*((d.start, d.end) for d in [*named, *said_plates]), *unread])
    named += _bare_corrections(named, masked)
    masked = _mask(masked, ((d.start, d.end) for d in named))
    sums = amounts(masked)
    sums += _bare_corrections(sums, masked)
    masked = _mask(masked, ((a.start, a.end) for a in sums))
    found = rows(masked)
    pieces = [_Piece(v.start, v.end, value=v) for v in [*named, *said_plates, *sums]]
    pieces += [_Piece(r.start, r.end, row=r) for r in found]
    pieces.sort(key=lambda p: p.start)
    pieces = _births_in_id_numbers(pieces, said)
    pieces = _carry_out_corrections(_negations(pieces, said), said)
    values, loose = _settle(pieces, said, expecting)
    values = [
        replace(v, valid=False) if v.kind is Kind.ID_CARD and not id_birth_can_be(v.value, day) else v for v in values
    ]
    values += _spelt_codes(said, values)
    values.sort(key=lambda v: v.start)
    return Reading(_each_once(values), tuple(loose))


def _within(value: NumberSaid, others: Iterable[NumberSaid]) -> bool:
    return any(value.start < o.end and o.start < value.end for o in others)


def _mask(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + _BLANK * (end - start) + text[end:]
    return text


def _announced_dates(text: str) -> list[NumberSaid]:
    """「日期20261123」: eight digits are a day only where a day is announced."""
    found = []
    for m in re.finditer(r"(?<![\dA-Z])((?:19|20)\d\d)(\d\d)(\d\d)(?![\dA-Z])", text):
        if _DATE_ANNOUNCED.search(text[: m.start()]) and not re.match(r"\s*[，,、]?\s*(?:最?后|尾)", text[m.end() :]):
            value, valid = iso(int(m[1]), int(m[2]), int(m[3]))
            found.append(NumberSaid(Kind.DATE, value, valid, m.start(), m.end()))
    return found


def _births_in_id_numbers(pieces: list[_Piece], text: str) -> list[_Piece]:
    """「990101，1990年1月1号，1230」: the birth date inside an ID number, said as a date."""
    joined = list(pieces)
    for i in range(len(joined) - 2):
        front, birth, end = joined[i : i + 3]
        if not (front.row and birth.value and birth.value.kind is Kind.DATE and end.row):
            continue
        if not (re.fullmatch(r"\d{6}", front.row.text) and re.fullmatch(r"\d{3}[\dX]", end.row.text)):
            continue
        gaps = text[front.end : birth.start], text[birth.end : end.start]
        if "年" in text[birth.start : birth.end] and all(only_around(g) for g in gaps):
            middle = Group(birth.value.value.replace("-", ""), birth.start, birth.end, SPACE)
            tail = [replace(g, joint=SPACE) for g in end.row.groups]
            row = Row([*front.row.groups, middle, *tail], doubtful=front.row.doubtful or end.row.doubtful)
            return [*joined[:i], _Piece(front.start, end.end, row=row), *joined[i + 3 :]]
    return joined


def _negations(pieces: list[_Piece], text: str) -> list[_Piece]:
    """「不是A，是B」: A goes; where both are digits, B remembers what it replaces."""
    kept: list[_Piece] = []
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        following = pieces[at + 1] if at + 1 < len(pieces) else None
        if not (piece.row.negated if piece.row else NEGATED.search(text[: piece.start])):
            kept.append(piece)
        elif following and REPLACED_BY.fullmatch(text[piece.end : following.start]):
            if piece.row and following.row and not is_whole(following.row.text, piece.row.text):
                following.old = piece.row
            elif not piece.row and not following.value:
                kept.append(piece)
        elif piece.row and kept and kept[-1].row and not re.search(r"[是系]\s*$", text[: kept[-1].start]):
            # 「A不是B」: B taken back, or A put right by a B that a pause went missing before?
            kept[-1].row.doubtful = True
        at += 1
    return kept


def _carry_out_corrections(pieces: list[_Piece], text: str) -> list[_Piece]:
    kept: list[_Piece] = []
    for piece in pieces:
        last = kept[-1] if kept else None
        if last and (merged := _corrected(last, piece, text)):
            kept[-1] = merged
        else:
            kept.append(piece)
    return kept


def _corrected(last: _Piece, piece: _Piece, text: str) -> _Piece | None:
    """``last`` as ``piece`` puts it right; None where it does not."""
    gap = text[last.end : piece.start]
    if piece.row and piece.old:
        return _exchanged(last, piece.row, piece.old)
    if last.row and piece.row:
        # One digit with its place (「最后一位是六」) is said of the number before; four may be another's.
        nth = piece.row.place is not None and (piece.row.place.where == "nth" or len(piece.row.text) == 1)
        if corrects(gap) or (nth and only_around(gap)):
            return _Piece(last.start, piece.end, row=correct_row(last.row, piece.row, gap))
        whole = is_whole(piece.row.text, last.row.text) and piece.row.place is None
        if whole and len(last.row.text) == len(piece.row.text) and corrects_loosely(gap) and len(gap) <= 16:
            return piece
        return None
    if not corrects(gap) or not last.value:
        return None
    if piece.value and piece.value.kind is last.value.kind:
        return _Piece(last.start, piece.end, value=_newer(last.value, piece.value, text))
    if piece.row and (plate := _plate_by_digits(last.value, piece.row)):
        return _Piece(last.start, piece.end, value=plate)
    return None


def _exchanged(last: _Piece, new: Row, old: Row) -> _Piece | None:
    if last.row and len(last.row.text) > len(old.text):
        return _Piece(last.start, new.end, row=replace_digits(last.row, old, new))
    if last.value and last.value.kind is Kind.PLATE:
        value, sure = exchange(last.value.value, old.text, new.text, old.place)
        return _Piece(last.start, new.end, value=replace(last.value, value=value, valid=sure and is_plate(value)))
    return None


def _newer(old: NumberSaid, new: NumberSaid, text: str) -> NumberSaid:
    if new.kind is Kind.AMOUNT:
        # 「三千五百，不对，六百」: six hundred, or three thousand six hundred?
        part = Decimal(old.value) >= 1000 and Decimal(new.value) * 2 < Decimal(old.value)
        unit_said = re.search(r"[元块圆蚊]", text[new.start : new.end]) is not None
        return replace(new, valid=new.valid and not (part and not unit_said))
    return new


def _plate_by_digits(last: NumberSaid, row: Row) -> NumberSaid | None:
    """A plate put right by bare digits (「不对，是12346」, 「最后一位是6」)."""
    new = row.text
    if last.kind is not Kind.PLATE or len(new) > len(last.value) - 2:
        return None
    value, sure = amend(last.value, new, row.place or Place("tail"))
    return replace(last, value=value, valid=sure and is_plate(value), end=row.end)


def _bare_corrections(values: list[NumberSaid], text: str) -> list[NumberSaid]:
    """「十一月二十三，不对，二十四」, 「五十块，不对，六十」: a numeral that needs the value before it."""
    found = []
    for last in values:
        numeral = _BARE_NUMERAL.search(text, last.end)
        if not numeral or not corrects(text[last.end : numeral.start()]):
            continue
        number = parse_numeral(numeral.group())
        if number is None or any(v.start < numeral.end() and numeral.start() < v.end for v in values):
            continue
        value, valid = f"{number.normalize():f}", True
        if last.kind is Kind.DATE:
            if number != number.to_integral_value() or not 1 <= number <= 31:
                continue
            value, valid = iso(int(last.value[:4]), int(last.value[5:7]), int(number))
        found.append(NumberSaid(last.kind, value, valid, numeral.start(), numeral.end()))
    return found


def _settle(pieces: list[_Piece], text: str, expecting: Kind | None) -> tuple[list[NumberSaid], list[LooseDigits]]:
    values: list[NumberSaid] = []
    loose: list[LooseDigits] = []
    for piece in pieces:
        if piece.value:
            values.append(piece.value)
        if not piece.row:
            continue
        row = piece.row
        found = identifiers(row, text, expecting)
        taken = {i for f in found for i in range(f.first, f.last + 1)}
        values += [
            NumberSaid(
                f.kind, f.value, f.valid, row.groups[f.first].start, row.groups[f.last].end, row.texts(f.first, f.last)
            )
            for f in found
        ]
        loose += _left_over(row, taken, piece.old)
    return values, loose


def _left_over(row: Row, taken: set[int], old: Row | None) -> list[LooseDigits]:
    """The runs of groups that no number took."""
    left: list[LooseDigits] = []
    run: list[int] = []
    for i in [*range(len(row.groups)), -1]:
        if i >= 0 and i not in taken:
            run.append(i)
            continue
        if run:
            first, last = row.groups[run[0]], row.groups[run[-1]]
            texts = row.texts(run[0], run[-1])
            replaced = old.text if old else None
            left.append(LooseDigits("".join(texts), first.place, first.start, last.end, replaced, texts))
        run = []
    return left


def _spelt_codes(text: str, known: list[NumberSaid]) -> list[NumberSaid]:
    """Case numbers and credit codes with letters said by name; only a whole, right one counts."""
    if any(v.kind in (Kind.CASE_NUMBER, Kind.CREDIT_CODE) for v in known):
        return []
    found = []
    for row in spelt_rows(text):
        if len(row.text) < 18 or _within(NumberSaid(Kind.CASE_NUMBER, "", True, row.start, row.end), known):
            continue
        for f in identifiers(row, text):
            if f.valid and f.kind in (Kind.CASE_NUMBER, Kind.CREDIT_CODE):
                start, end = row.groups[f.first].start, row.groups[f.last].end
                found.append(NumberSaid(f.kind, f.value, True, start, end))
    return found


def _each_once(values: list[NumberSaid]) -> tuple[NumberSaid, ...]:
    seen: dict[tuple[Kind, str], NumberSaid] = {}
    for value in values:
        known = seen.get((value.kind, value.value))
        if known is None or (value.valid and not known.valid):
            seen[(value.kind, value.value)] = value
    return tuple(seen.values())
