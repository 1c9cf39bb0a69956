"""A number given over several turns: only the part in doubt is asked for again."""

from __future__ import annotations

from datetime import date

import pytest

from hotline.numbers import Hearing, Kind, Part, Reason, hear

TODAY = date(2026, 11, 25)
ID = "990101199001011230"

# What was said turn by turn, and after each turn the value or (reason, part).
TALKS: list[tuple[Kind, list[tuple[str, object]]]] = [
    (Kind.PHONE, [("一三八 零零零零 零零一", ("too_short", "last_four")), ("零零零一", "13800000001")]),
    (Kind.PHONE, [("138 000 0001", ("too_short", "middle_four")), ("中间是0000", "13800000001")]),
    (Kind.PHONE, [("一三八零零零零零零一", ("too_short", "after_first_three")), ("零零零零零零零一", "13800000001")]),
    (Kind.PHONE, [("一三八零零零零零零一", ("too_short", "after_first_three")), ("13900000002", "13900000002")]),
    (Kind.PHONE, [("1380000", ("too_short", "last_four")), ("0001", "13800000001")]),
    (Kind.PHONE, [("12800000001", ("cannot_be", "first_three")), ("一三八", "13800000001")]),
    (Kind.PHONE, [("13800000001", "13800000001"), ("最后四位不是0001，是1235", "13800001235")]),
    (Kind.PHONE, [("13800000001", "13800000001"), ("不对，尾号是1235", "13800001235")]),
    (Kind.PHONE, [("我不知道", ("nothing", "whole")), ("13800000001", "13800000001")]),
    (Kind.PHONE, [("13800000001或者13900000001", ("several", "whole"))]),
    (Kind.PHONE, [("138 0001 2345，不对，0002", ("unplaced", "whole")), ("13800020002", "13800020002")]),
    (Kind.ID_CARD, [(ID[:14] + "1320", ("check_failed", "last_four")), ("一二三零", ID)]),
    (Kind.ID_CARD, [(ID[:14] + "1320", ("check_failed", "last_four")), ("后四位是1230", ID)]),
    (
        Kind.ID_CARD,
        [
            (ID[:7] + "8" + ID[8:], ("cannot_be", "birth")),
            ("1990年1月1号", ID),
        ],
    ),
    (
        Kind.ID_CARD,
        [
            (ID[:12] + "02" + ID[14:], ("check_failed", "last_four")),
            ("1230", ("check_failed", "birth")),
            ("19900101", ID),
        ],
    ),
    (
        Kind.ID_CARD,
        [
            ("990102" + ID[6:], ("check_failed", "last_four")),
            ("1230", ("check_failed", "birth")),
            ("19900101", ("check_failed", "region")),
            ("990102", ("check_failed", "whole")),
            (ID, ID),
        ],
    ),
    (Kind.ID_CARD, [(ID[:6] + "19901301" + ID[14:], ("cannot_be", "birth")), ("一九九零零一零一", ID)]),
    (Kind.ID_CARD, [("000101" + ID[6:], ("cannot_be", "region")), ("990101", ID)]),
    (Kind.ID_CARD, [(ID[:14], ("too_short", "last_four")), ("1230", ID)]),
    (Kind.ID_CARD, [("身份证" + ID[:17], ("too_short", "last_four")), ("1230", ID)]),
    (Kind.ID_CARD, [("990101，199001，1230", ("too_short", "birth")), ("19900101", ID)]),
    (Kind.QUERY_CODE, [("12345", ("too_short", "whole")), ("613482", "613482")]),
    (Kind.DATE, [("2月30号", ("cannot_be", "day")), ("28号", "2026-02-28")]),
    (Kind.DATE, [("2月30号", ("cannot_be", "day")), ("二十八", "2026-02-28")]),
    (Kind.DATE, [("月底", ("not_exact", "day")), ("30号", "2026-11-30")]),
    (Kind.DATE, [("2月30号", ("cannot_be", "day")), ("听日", "2026-11-26")]),
    (Kind.AMOUNT, [("两千几", ("not_exact", "whole")), ("两千三百", "2300")]),
    (Kind.AMOUNT, [("5000", "5000")]),
    (Kind.AMOUNT, [("大概五十吧", "50")]),
    (Kind.PLATE, [("粤E1234", ("too_short", "whole")), ("粤E12345", "粤E12345")]),
    (Kind.PLATE, [("粤E1234I", ("cannot_be", "whole")), ("粤E12341", "粤E12341")]),
]


@pytest.mark.parametrize(("kind", "turns"), TALKS)
def test_only_the_part_in_doubt_is_asked_for_again(kind: Kind, turns: list[tuple[str, object]]) -> None:
    heard: Hearing | None = None
    for text, outcome in turns:
        heard = hear(kind, text, heard, TODAY)
        found = heard.value or (heard.doubt and (heard.doubt.reason.value, heard.doubt.part.value))
        assert found == outcome, text


def test_two_numbers_are_offered_to_choose_from() -> None:
    heard = hear(Kind.PHONE, "13800000001或者13900000001", today=TODAY)
    assert heard.candidates == ("13800000001", "13900000001")


def test_a_birth_date_after_today_cannot_be() -> None:
    heard = hear(Kind.ID_CARD, "990101202701011237", today=TODAY)
    assert heard.doubt is not None
    assert (heard.doubt.reason, heard.doubt.part) == (Reason.CANNOT_BE, Part.BIRTH)


def test_what_was_heard_hides_in_its_repr() -> None:
    assert "990101" not in repr(hear(Kind.ID_CARD, ID[:17], today=TODAY))
    assert "138" not in repr(hear(Kind.PHONE, "13800000001", today=TODAY))
