"""Chinese numerals as values: 十二万五千, 三千五, 1.5万, 廿三."""

from __future__ import annotations

import re
from decimal import Decimal

from hotline.numbers.symbols import DIGITS, FORMAL_DIGITS, UNITS

NUMERAL_CLASS = "0-9零〇○一二两三四五六七八九十百千万亿廿卅壹贰叁肆伍陆柒捌玖拾佰仟点"
_FIGURE = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_VALUES = {**DIGITS, **FORMAL_DIGITS}


def parse_numeral(said: str) -> Decimal | None:
    """The value of ``said``; None for what is no single numeral (「三四千」, 「一二三」, 「一百二千」).

    The last digit after 百, 千, 万, 亿 counts tenths of that unit, as in speech: 三千五 = 3500.
    """
    said = said.replace("廿", "二十").replace("卅", "三十")
    whole, point, fraction = said.partition("点")
    if point:
        return _with_point(whole, fraction)
    return _Sum().read(said)


def _with_point(whole: str, fraction: str) -> Decimal | None:
    """一点五, 一点二五万."""
    found = re.fullmatch(r"([零〇○一二两三四五六七八九\d]+)([百千万亿]*)", fraction)
    base = parse_numeral(whole)
    if not found or base is None:
        return None
    value = base + Decimal("0." + "".join(_VALUES.get(c, c) for c in found[1]))
    for unit in found[2]:
        value *= UNITS[unit]
    return value.normalize()


class _Sum:
    """Adds up a numeral read from left to right; each part must be smaller than the one before."""

    def __init__(self) -> None:
        self.total = Decimal(0)  # closed by 亿
        self.section = Decimal(0)  # closed by 万
        self.part = Decimal(0)  # 千百十 so far
        self.digit: Decimal | None = None
        self.last_unit = 0
        self.zero = False

    def read(self, said: str) -> Decimal | None:
        at = 0
        while at < len(said):
            figure = _FIGURE.match(said, at)
            if figure:
                ok, at = self._take(Decimal(figure.group().replace(",", ""))), figure.end()
            else:
                ok, at = self._character(said[at]), at + 1
            if not ok:
                return None
        return self._end() if said else None

    def _character(self, c: str) -> bool:
        if c in "零〇○" and (self.last_unit or self.digit is not None):
            self.zero = True
            return self.digit is None
        if c in _VALUES:
            return self._take(Decimal(_VALUES[c]))
        return c in UNITS and self._unit(UNITS[c])

    def _take(self, value: Decimal) -> bool:
        if self.digit is not None:
            return False
        self.digit = value
        return True

    def _unit(self, unit: int) -> bool:
        if unit >= 10**4:
            section = self.part + (self.digit or 0)
            if section == 0 and unit == 10**8:
                section, self.section = self.section, Decimal(0)
            if section == 0 or (unit == 10**4 and self.section):
                return False
            if unit == 10**8:
                if self.total:
                    return False
                self.total = (self.section + section) * unit
                self.section = Decimal(0)
            else:
                self.section = section * unit
            self.part = Decimal(0)
        else:
            if self.digit is None:
                if unit != 10:
                    return False
                self.digit = Decimal(1)  # 十五, 一百十五
            if self.last_unit and unit >= self.last_unit and self.last_unit < 10**4:
                return False
            self.part += self.digit * unit
        self.digit, self.last_unit, self.zero = None, unit, False
        return True

    def _end(self) -> Decimal:
        rest = self.digit or Decimal(0)
        short = rest == rest.to_integral_value() and 0 < rest < 10
        if self.last_unit >= 100 and not self.zero and short:
            rest *= self.last_unit // 10
        return self.total + self.section + self.part + rest
