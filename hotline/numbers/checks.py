"""Whether a number can be what it is said to be: check digits, birth dates, plate rules."""

from __future__ import annotations

import re
from datetime import date

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_ORDINARY_PLATE = re.compile(rf"[{PROVINCES}][A-HJ-NP-Z][A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9挂学警港澳]")
# New energy: a small car's serial begins with its letter, a large one's ends with it (GA 36).
_NEW_ENERGY_PLATE = re.compile(rf"[{PROVINCES}][A-HJ-NP-Z](?:[A-HJK][A-HJ-NP-Z0-9]\d{{4}}|\d{{5}}[A-HJK])")

_MOBILE = re.compile(r"1[3-9]\d{9}")
_CASE_NUMBER = re.compile(r"[0-9A-Z]{31}\d{12}")
_QUERY_CODE = re.compile(r"\d{6,8}")


def is_mobile(number: str) -> bool:
    return _MOBILE.fullmatch(number) is not None


def is_case_number(number: str) -> bool:
    return _CASE_NUMBER.fullmatch(number) is not None


def is_query_code(number: str) -> bool:
    return _QUERY_CODE.fullmatch(number) is not None


def id_check_digit(first_17: str) -> str:
    """The last character of an ID number (GB 11643, mod 11-2)."""
    return _ID_CHECKS[sum(int(d) * w for d, w in zip(first_17, _ID_WEIGHTS, strict=True)) % 11]


def id_birth(number: str) -> date | None:
    """The birth date in an 18-character ID number; None where there is no such day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def id_region_exists(number: str) -> bool:
    """Whether the first two digits are a province's, or those of residents' permits.

    99 is nobody's: the line's own invented persons live there.
    """
    return bool(re.match(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[19]", number))


def id_birth_can_be(number: str, today: date | None = None) -> bool:
    born = id_birth(number)
    return born is not None and date(1900, 1, 1) <= born <= (today or date.max)


def is_id_card(number: str, today: date | None = None) -> bool:
    """A whole ID number: region, birth date not after ``today``, check digit."""
    return (
        re.fullmatch(r"\d{17}[\dX]", number) is not None
        and id_region_exists(number)
        and id_birth_can_be(number, today)
        and id_check_digit(number[:17]) == number[17]
    )


def credit_check_character(first_17: str) -> str:
    """The last character of a unified social credit code (GB 32100, mod 31).

    Raises:
        ValueError: a character that these codes do not have (I, O, S, V, Z).
    """
    total = sum(_CREDIT_ALPHABET.index(c) * w for c, w in zip(first_17, _CREDIT_WEIGHTS, strict=True))
    return _CREDIT_ALPHABET[(31 - total % 31) % 31]


def is_credit_code(number: str) -> bool:
    if not re.fullmatch(rf"[{_CREDIT_ALPHABET}]{{2}}\d{{6}}[{_CREDIT_ALPHABET}]{{10}}", number):
        return False
    return credit_check_character(number[:17]) == number[17]


def is_plate(number: str) -> bool:
    """A number plate: five characters after the issuing letter, six for new energy; never I or O."""
    if not (_ORDINARY_PLATE.fullmatch(number) or _NEW_ENERGY_PLATE.fullmatch(number)):
        return False
    if number[-1] in "港澳" and not number.startswith("粤Z"):
        return False
    return sum(c.isdigit() for c in number) >= 2
