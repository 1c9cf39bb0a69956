"""Numbers made at random, said in many ways, come back as they were."""

from __future__ import annotations

import time
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spoken_forms import credit_code, day, digits, id_card, mobile, plate, said_plate, sum_of_money

from hotline.numbers import Kind, hear, read, read_numbers
from hotline.numbers.checks import credit_check_character, id_check_digit, is_credit_code, is_id_card

TODAY = date(2026, 11, 25)
seeds = st.integers(0, 2**32)


def only(text: str) -> tuple[str, str, bool] | None:
    values = [v for v in read_numbers(text, TODAY) if v.kind is not Kind.LANDLINE]
    return (values[0].kind.value, values[0].value, values[0].valid) if len(values) == 1 else None


@given(seeds)
@settings(max_examples=300, deadline=None)
def test_a_mobile_comes_back(seed: int) -> None:
    random = Random(seed)
    number = mobile(random)
    groups = random.choice([(3, 4, 4), (11,), (3, 8), (4, 4, 3), (1,) * 11, (3, 2, 2, 2, 2)])
    text = random.choice(["", "我电话是", "打", "我嘅电话系"]) + digits(random, number, groups)
    assert only(text + random.choice(["", "啊", "。", "，唔该"])) == ("phone", number, True), text


@given(seeds)
@settings(max_examples=300, deadline=None)
def test_an_id_number_comes_back(seed: int) -> None:
    random = Random(seed)
    number = id_card(random)
    groups = random.choice([(6, 8, 4), (18,), (6, 4, 4, 4), (3, 3, 4, 4, 4)])
    text = random.choice(["", "身份证", "证件号码是"]) + digits(random, number, groups)
    assert only(text) == ("id_card", number, True), text


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_a_query_code_comes_back(seed: int) -> None:
    random = Random(seed)
    number = f"{random.randrange(10**5, 10**6)}"
    text = random.choice(["查询码", "我要查"]) + digits(random, number, random.choice([(6,), (1,) * 6]))
    assert only(text) == ("query_code", number, True), text


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_a_plate_comes_back(seed: int) -> None:
    random = Random(seed)
    number = plate(random)
    text = random.choice(["", "车牌是"]) + said_plate(random, number) + random.choice(["", "，堵住门口"])
    assert only(text) == ("plate", number, True), text


@given(seeds, st.integers(1, 10**8))
@settings(max_examples=300, deadline=None)
def test_a_sum_comes_back(seed: int, yuan: int) -> None:
    random = Random(seed)
    text = random.choice(["", "交了", "一共"]) + sum_of_money(random, yuan)
    assert only(text) == ("amount", str(yuan), True), text


@given(seeds, st.dates(date(1940, 1, 1), date(2035, 12, 31)))
@settings(max_examples=300, deadline=None)
def test_a_day_comes_back(seed: int, meant: date) -> None:
    text = day(Random(seed), meant.year, meant.month, meant.day)
    assert only(text) == ("date", meant.isoformat(), True), text


@given(st.integers(1, 999))
def test_days_ago_are_counted_back(days: int) -> None:
    assert only(f"{days}天前") == ("date", (TODAY - timedelta(days=days)).isoformat(), True)


@given(seeds)
@settings(max_examples=100)
def test_credit_codes_come_back_and_one_wrong_character_is_noticed(seed: int) -> None:
    random = Random(seed)
    code = credit_code(random)
    assert only(f"信用代码{code}") == ("credit_code", code, True)
    at = random.randrange(8, 18)
    other = random.choice([c for c in "0123456789ABCDEFGH" if c != code[at]])
    assert not is_credit_code(code[:at] + other + code[at + 1 :])


@given(seeds)
@settings(max_examples=200)
def test_one_wrong_digit_or_two_swapped_are_noticed_in_an_id_number(seed: int) -> None:
    random = Random(seed)
    number = id_card(random)
    at = random.randrange(17)
    wrong = random.choice([d for d in "0123456789" if d != number[at]])
    assert not is_id_card(number[:at] + wrong + number[at + 1 :])
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    assert swapped == number or not is_id_card(swapped)


def test_the_check_characters_are_those_of_the_standards() -> None:
    # The examples of GB 11643 and of published licences.
    assert id_check_digit("11010519491231002") == "X"
    assert id_check_digit("44052418800101001") == "4"
    assert credit_check_character("91350100M000100Y4") == "3"


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_a_wrong_end_is_put_right_in_the_next_turn(seed: int) -> None:
    random = Random(seed)
    number = id_card(random)
    wrong = f"{(int(number[16]) + random.randint(1, 9)) % 10}"
    first = hear(Kind.ID_CARD, number[:16] + wrong + number[17], today=TODAY)
    assert first.value is None
    assert hear(Kind.ID_CARD, digits(random, number[14:], (4,)), first, TODAY).value == number


@given(
    st.text(
        alphabet="0一三八九零幺两个 ,，、-杠年月号日万千百十元块后位是不对错了粤E诶X叉呃的星期上下初半几多", max_size=60
    )
)
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_without_error_and_in_its_order(text: str) -> None:
    reading = read(text, TODAY)
    assert [v.start for v in reading.values] == sorted(v.start for v in reading.values)
    for kind in Kind:
        hearing = hear(kind, text, today=TODAY)
        assert (hearing.value is None) == (hearing.doubt is not None)


@pytest.mark.parametrize(
    "piece",
    [
        "1 ",
        "一，",
        "呃",
        "然后就是",
        "一三八零零零零零零零一，不对，",
        "三千五，",
        "粤E12345",
        "两个八",
        "诶必西迪",
        "1.2-",
    ],
)
def test_a_long_text_is_read_in_time(piece: str) -> None:
    text = (piece * 500)[:500]
    started = time.process_time()
    read(text, TODAY)
    assert time.process_time() - started < 2
