"""Numbers as they are read back: in groups an ear can follow, each digit by its name."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from hotline.numbers import Kind, read_numbers

_NAMES = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))
_GROUPS: dict[Kind, tuple[int, ...]] = {
    Kind.PHONE: (3, 4, 4),
    Kind.ID_CARD: (6, 4, 4, 4),
    Kind.CREDIT_CODE: (4, 4, 4, 4, 2),
}
_KIND_NAMES = {
    Kind.PHONE: "手机号",
    Kind.LANDLINE: "固定电话",
    Kind.ID_CARD: "身份证号",
    Kind.CREDIT_CODE: "统一社会信用代码",
    Kind.CASE_NUMBER: "办件号",
    Kind.QUERY_CODE: "查询码",
    Kind.AMOUNT: "金额",
    Kind.DATE: "日期",
    Kind.PLATE: "车牌",
}


class ReadBack(BaseModel):
    """One number of a text. ``spoken`` is what to say; ``valid`` False: ask again before using it."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    name: str
    value: str
    valid: bool
    spoken: str


def read_back(text: str, today: date | None = None) -> list[ReadBack]:
    """The numbers in ``text`` with the words to read them back. Holds what was typed: not kept, not logged."""
    return [
        ReadBack(
            kind=found.kind,
            name=_KIND_NAMES[found.kind],
            value=found.value,
            valid=found.valid,
            spoken=_spoken(found.kind, found.value),
        )
        for found in read_numbers(text, today)
    ]


def _spoken(kind: Kind, value: str) -> str:
    if kind is Kind.AMOUNT:
        return f"{value}元"
    if kind is Kind.DATE:
        year, month, day = value.split("-")
        return f"{year}年{int(month)}月{int(day)}日"
    named = [_NAMES.get(c, f" {c} ") for c in value]
    sizes = list(_GROUPS.get(kind, ()))
    groups: list[str] = []
    while named:
        size = sizes.pop(0) if sizes else 4
        groups.append("".join(named[:size]).strip())
        named = named[size:]
    return "，".join(groups)
