"""The evaluation sets are well-formed, complete and free of duplicates."""

import csv
import re
import unicodedata
from collections import Counter
from pathlib import Path

import opencc
import pytest

from hotline.messages import Aspect

EVALUATION = Path(__file__).parents[2] / "evaluation"

COLUMNS = {
    "questions": ("id", "text", "variety", "item_key", "aspect"),
    "follow_ups": ("id", "first_text", "item_key", "second_text", "second_item_key", "second_aspect"),
    "out_of_scope": ("id", "text"),
    "flows": ("id", "text", "intent"),
    "emergencies": ("id", "text", "is_emergency", "number"),
}
ROWS = {"questions": 250, "follow_ups": 60, "out_of_scope": 80, "flows": 80, "emergencies": 60}
ID_PREFIX = {"questions": "Q", "follow_ups": "F", "out_of_scope": "O", "flows": "W", "emergencies": "E"}

SERVICES = frozenset(
    [
        "HZ01",
        "HZ02",
        "HZ06",
        "HZ07",
        "HZ08",
        "JZ01",
        "JZ02",
        "JZ03",
        "JZ04",
        "JZ05",
        "CJ01",
        "CJ02",
        "JT01",
        "JT02",
        "JT04",
        "SB01",
        "SB02",
        "SB04",
        "SB05",
        "SB07",
        "SB08",
        "SB09",
        "SB10",
        "SB16",
        "YB01",
        "YB02",
        "YB03",
        "GJ01",
        "GJ02",
        "GJ04",
        "JY01",
        "JY03",
        "JY04",
        "BD01",
        "BD06",
        "ZJ01",
        "ZJ02",
        "SC01",
        "SC02",
        "MZ01",
        "MZ02",
        "MZ04",
        "WJ01",
        "WJ02",
        "CL01",
        "TY01",
        "SW01",
        "CG01",
        "GY01",
        "SF01",
    ]
)
FLOW_INTENTS = frozenset(
    [
        "check_status",
        "handoff",
        "cancel",
        "greet",
        "goodbye",
        "thank",
        "bot_challenge",
        "repeat",
        "complain",
        "affirm",
        "deny",
        "choose_option",
    ]
)
EMERGENCY_NUMBERS = frozenset({"110", "119", "120", "122", "12356"})
ITEM_KEY = re.compile(r"[A-Z]{2}\d{2}")
SETS = sorted(COLUMNS)


def read(name: str) -> list[dict[str, str]]:
    """Rows of one set; quoting is off, so every character of a sentence is kept as written."""
    with (EVALUATION / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def normalised(text: str) -> str:
    """``text`` without punctuation and spaces, in simplified characters, for finding near-copies."""
    kept = "".join(c for c in text if unicodedata.category(c)[0] in "LN")
    simplified: str = opencc.OpenCC("t2s").convert(kept)
    return simplified


@pytest.mark.parametrize("name", SETS)
def test_every_line_has_exactly_the_columns_of_its_header(name: str) -> None:
    raw = (EVALUATION / f"{name}.tsv").read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    lines = raw.decode("utf-8")[:-1].split("\n")
    assert tuple(lines[0].split("\t")) == COLUMNS[name]
    assert [line for line in lines if len(line.split("\t")) != len(COLUMNS[name])] == []


@pytest.mark.parametrize("name", SETS)
def test_every_set_has_its_promised_number_of_rows_with_ids_in_order(name: str) -> None:
    ids = [row["id"] for row in read(name)]
    assert ids == [f"{ID_PREFIX[name]}{i:03}" for i in range(1, ROWS[name] + 1)]


@pytest.mark.parametrize("name", SETS)
def test_no_field_is_empty_or_padded_except_the_number_of_a_non_emergency(name: str) -> None:
    for row in read(name):
        for column, value in row.items():
            assert value == value.strip(), row["id"]
            if (name, column) != ("emergencies", "number"):
                assert value, f"{row['id']} {column}"


def test_no_sentence_stands_twice_in_any_set() -> None:
    sentences = [(normalised(row["text"]), row["id"]) for name in SETS if name != "follow_ups" for row in read(name)]
    counts = Counter(text for text, _ in sentences)
    assert [(text, i) for text, i in sentences if counts[text] > 1] == []


def test_no_two_follow_ups_are_the_same_pair() -> None:
    pairs = Counter((normalised(r["first_text"]), normalised(r["second_text"])) for r in read("follow_ups"))
    assert [pair for pair, count in pairs.items() if count > 1] == []


def test_every_service_is_asked_in_three_mandarin_one_cantonese_and_one_noisy_question() -> None:
    counts: dict[str, Counter[str]] = {}
    for row in read("questions"):
        counts.setdefault(row["item_key"], Counter())[row["variety"]] += 1
    assert set(counts) == SERVICES
    wanted = {"mandarin": 3, "cantonese": 1, "noisy": 1}
    assert {key: dict(count) for key, count in counts.items() if dict(count) != wanted} == {}


def test_questions_of_one_service_ask_at_least_four_aspects() -> None:
    aspects: dict[str, set[str]] = {}
    for row in read("questions"):
        aspects.setdefault(row["item_key"], set()).add(row["aspect"])
    assert {key: found for key, found in aspects.items() if len(found) < 4} == {}


def test_every_aspect_is_known_and_asked_at_least_five_times() -> None:
    counts = Counter(row["aspect"] for row in read("questions"))
    assert set(counts) == {aspect.value for aspect in Aspect}
    assert min(counts.values()) >= 5


def test_item_keys_and_aspects_of_follow_ups_are_known() -> None:
    known = {aspect.value for aspect in Aspect}
    for row in read("follow_ups"):
        for column in ("item_key", "second_item_key"):
            assert ITEM_KEY.fullmatch(row[column]), row["id"]
            assert row[column] in SERVICES, row["id"]
        assert row["second_aspect"] in known, row["id"]


def test_follow_ups_hold_both_continued_and_switched_services() -> None:
    stays = sum(row["item_key"] == row["second_item_key"] for row in read("follow_ups"))
    assert stays == 30
    assert ROWS["follow_ups"] - stays == 30


def test_noisy_questions_carry_no_punctuation() -> None:
    noisy = [row for row in read("questions") if row["variety"] == "noisy"]
    marked = [r["id"] for r in noisy if any(unicodedata.category(c)[0] not in "LN" for c in r["text"])]
    assert marked == []


def test_cantonese_questions_come_in_both_scripts() -> None:
    to_simplified = opencc.OpenCC("t2s")
    texts = [row["text"] for row in read("questions") if row["variety"] == "cantonese"]
    traditional = sum(to_simplified.convert(text) != text for text in texts)
    assert 15 <= traditional <= 35


def test_every_flow_intent_is_known_and_has_at_least_five_sentences() -> None:
    counts = Counter(row["intent"] for row in read("flows"))
    assert set(counts) == FLOW_INTENTS
    assert min(counts.values()) >= 5


def test_half_of_the_emergencies_are_look_alikes_without_a_number() -> None:
    rows = read("emergencies")
    assert Counter(row["is_emergency"] for row in rows) == {"1": 30, "0": 30}
    assert [row["id"] for row in rows if row["is_emergency"] == "0" and row["number"]] == []


def test_every_emergency_names_numbers_to_call_and_every_number_is_used() -> None:
    named = [row["number"].split("+") for row in read("emergencies") if row["is_emergency"] == "1"]
    assert {number for numbers in named for number in numbers} == EMERGENCY_NUMBERS


@pytest.mark.parametrize("name", SETS)
def test_no_sentence_holds_a_long_number_that_could_be_somebodys(name: str) -> None:
    text_columns = [column for column in COLUMNS[name] if column.endswith("text")]
    found = [row["id"] for row in read(name) for c in text_columns if re.search(r"\d{7,}", row[c])]
    assert found == []


def test_the_readme_states_the_row_count_of_every_set() -> None:
    readme = (EVALUATION / "README.md").read_text(encoding="utf-8")
    assert [n for n in SETS if f"| `{n}.tsv` | {ROWS[n]} |" not in readme] == []
