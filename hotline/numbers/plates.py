"""Number plates: 粤E12345, 粤E·12345, 粤诶幺二三四五, 粤Z1234港."""

from __future__ import annotations

import re

from hotline.numbers.checks import PROVINCES, is_plate
from hotline.numbers.symbols import DIGIT_CLASS, DIGITS, LETTER_BY_NAME, RADIO_DIGITS
from hotline.numbers.values import Kind, NumberSaid

_CUE = re.compile(r"车牌|车号|车辆|号牌|牌照|辆车|的车|架车|部车|台车|小车|货车|违停")
# What recognisers hear for 粤, and for its letters: E sounds like 一.
_MISHEARD_PROVINCE = "月越岳阅悦跃"
_MISHEARD_E = "一1医易"
_SEPARATOR = re.compile(r"(?:[\s·•\-—－.,，、:]|点|杠|呃|嗯|额|然后|就是)*")
_NAMES = sorted(LETTER_BY_NAME, key=len, reverse=True)
_NAME = re.compile("|".join(map(re.escape, _NAMES)))
# Names that are everyday words: letters right after the province only.
_COMMON_WORDS = frozenset("爱开接谁外提比洗扣记叉威微欧")
_REPEAT = re.compile(rf"(?:([二两三四五六七八九2-9])个|(双|孖))([{DIGIT_CLASS}])(?![十百千万])")
_MEASURE = re.compile(r"[天个次年月点块号日辆台部架位人小分楼元万千百十岁]")


def plates(text: str) -> list[NumberSaid]:
    """The plates in prepared ``text``; ``valid`` False where a character or the length is wrong."""
    cued = _CUE.search(text) is not None
    found: list[NumberSaid] = []
    for at, c in enumerate(text):
        if found and at < found[-1].end:
            continue
        if c in PROVINCES or (cued and c in _MISHEARD_PROVINCE):
            plate = _plate(text, at, cued)
            if plate:
                found.append(plate)
    return found


def _plate(text: str, at: int, cued: bool) -> NumberSaid | None:
    province = "粤" if text[at] in _MISHEARD_PROVINCE else text[at]
    letter, end = _issuer(text, at + 1, sure=cued or province == "粤")
    if letter is None:
        return None
    serial, end = _serial(text, end)
    # A plate has at least its five: less is a place and a word (「新A区」), unless a car was named.
    enough = 4 if cued or text[at] == "粤" else 5
    if not enough <= len(serial) <= 8 or sum(c.isdigit() for c in serial) < 2:
        return None
    value = province + letter + serial
    return NumberSaid(Kind.PLATE, value, is_plate(value), at, end)


def _issuer(text: str, at: int, *, sure: bool) -> tuple[str | None, int]:
    """The issuing office's letter from ``at`` and where it ends."""
    at = _skip(text, at)
    if re.match(r"[A-Z](?![A-Z]{3})", text[at:]):
        return text[at], at + 1
    if not sure:
        return None, at
    if name := _NAME.match(text, at):
        return LETTER_BY_NAME[name.group()], name.end()
    if text[at : at + 1] and text[at] in _MISHEARD_E:
        return "E", at + 1
    return None, at


def _serial(text: str, at: int) -> tuple[str, int]:
    """The characters after the issuer's letter and where they end."""
    said, end = "", at
    han_before: bool | None = None
    while True:
        here = _skip(text, end)
        parsed = _symbol(text, here)
        if parsed is None:
            return said, end
        symbol, after, han = parsed
        behind = text[after : after + 1]
        # 「粤E12345三天前」, 「粤E幺二三四五，一个人」: a quantity follows.
        if len(said) >= 5 and han and (han_before is False or _MEASURE.match(behind) or here > end):
            return said, end
        if len(said) >= 5 and here > end and re.search(r"[\s,，、]", text[end:here]):
            return said, end
        if len(said) >= 4 and symbol in "挂学警港澳":
            return said + symbol, after
        said, end, han_before = said + symbol, after, han


def _symbol(text: str, at: int) -> tuple[str, int, bool] | None:
    """(characters, end, said in hanzi) at ``at``."""
    if at >= len(text):
        return None
    if repeat := _REPEAT.match(text, at):
        count = 2 if repeat[2] else int(DIGITS.get(repeat[1], repeat[1]))
        return DIGITS.get(repeat[3], repeat[3]) * count, repeat.end(), True
    c = text[at]
    if re.match(r"[0-9A-Z]", c):
        return c, at + 1, False
    if c in DIGITS:
        return DIGITS[c], at + 1, True
    if c in RADIO_DIGITS:
        return RADIO_DIGITS[c], at + 1, True
    if c in "挂学警港澳":
        return c, at + 1, False
    name = _NAME.match(text, at)
    if name and name.group() not in _COMMON_WORDS:
        return LETTER_BY_NAME[name.group()], name.end(), True
    return None


def _skip(text: str, at: int) -> int:
    found = _SEPARATOR.match(text, at)
    return found.end() if found else at
