"""What the reader hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    PHONE = "phone"
    LANDLINE = "landline"
    ID_CARD = "id_card"
    CREDIT_CODE = "credit_code"
    CASE_NUMBER = "case_number"
    QUERY_CODE = "query_code"
    AMOUNT = "amount"
    DATE = "date"
    PLATE = "plate"


@dataclass(frozen=True, slots=True)
class NumberSaid:
    """One number in what was said, ``text[start:end]``. May be personal data: its repr hides it.

    ``value``: digits and capital letters; an amount in yuan as a decimal (``3500``, ``3.5``); a date
    as ISO ``YYYY-MM-DD``, also one that does not exist. ``valid`` False: do not use it without asking
    again (check digit wrong, no such day, 「两千几」, a correction that fits nowhere).
    """

    kind: Kind
    value: str = field(repr=False)
    valid: bool
    start: int
    end: int
    groups: tuple[str, ...] = field(default=(), repr=False)  # the pieces it was said in, where it has digits

    def as_json(self) -> dict[str, str | bool | int | float]:
        """The contract's shape: an amount is a number, everything else a text."""
        value: str | int | float = self.value
        if self.kind is Kind.AMOUNT:
            value = float(self.value) if "." in self.value else int(self.value)
        return {"kind": self.kind.value, "value": value, "valid": self.valid}


@dataclass(frozen=True, slots=True)
class Place:
    """「最后四位」 = (tail, 4); 「第三位」 = (nth, 3), from the end where negative. 0: no count said."""

    where: str  # head, middle, tail, nth, birth
    count: int = 0


@dataclass(frozen=True, slots=True)
class LooseDigits:
    """Digits that make no number by themselves (「后四位1234」). May be personal data.

    ``place``: where they were said to stand; ``instead_of``: what they replace (「不是1234，是1235」).
    """

    digits: str = field(repr=False)
    place: Place | None
    start: int
    end: int
    instead_of: str | None = field(default=None, repr=False)
    groups: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """All numbers in what was said, in its order, and the digits left over."""

    values: tuple[NumberSaid, ...]
    loose: tuple[LooseDigits, ...]
