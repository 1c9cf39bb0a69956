"""The evaluation sets are well-formed, cover every service, and share no sentence with what the line learns from."""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import opencc
import pytest

from hotline.messages import Aspect
from hotline.work_orders import RequestType
from knowledge_base.catalogue import load_catalogue
from knowledge_base.triage import load_categories

ROOT = Path(__file__).parents[3]
EVALUATION = ROOT / "tests" / "evaluation"

COLUMNS = {
    "questions": ("id", "text", "variety", "item_key", "aspect"),
    "follow_ups": ("id", "first_text", "item_key", "second_text", "second_item_key", "second_aspect"),
    "out_of_scope": ("id", "text"),
    "flows": ("id", "text", "intent"),
    "emergencies": ("id", "text", "is_emergency", "number"),
    "numbers": ("id", "text", "today", "kind", "value", "valid"),
    "dialogues": ("id", "turn", "text", "expect"),
    "merges": ("id", "text", "matter"),
    "desk_fields": ("id", "text", "town", "place", "when", "category", "type"),
}
ID_PREFIX = dict(zip(COLUMNS, "QFOWENDRA", strict=True))
LEAST_ROWS = {
    "follow_ups": 120,
    "out_of_scope": 130,
    "flows": 130,
    "emergencies": 120,
    "numbers": 150,
    "dialogues": 170,
    "merges": 110,
    "desk_fields": 40,
}
LEAST_PER_VARIETY = {"mandarin": 4, "cantonese": 3, "noisy": 2}
FLOW_INTENTS = frozenset(
    "check_status handoff cancel_handoff complain call_back rate cancel repeat slower greet goodbye thank"
    " bot_challenge affirm deny choose_option none_of_them correct_service switch_service abuse_words"
    " prompt_injection third_person_data book_appointment choose_language louder check_work_order"
    " check_enrolment".split()
)
EMERGENCY_NUMBERS = frozenset({"110", "119", "120", "122", "12356", "96110"})
NUMBER_KINDS = frozenset({"phone", "id_card", "case_number", "query_code", "amount", "date", "plate"})
ASKED_ASPECTS = frozenset(aspect.value for aspect in Aspect) - {Aspect.STATUS.value}
EXPECTATION = re.compile(
    r"(item|offered)=(?P<key>[A-Z]{2}\d{2})|aspect=(?P<aspect>\w+)|state=(bot|queued)"
    r"|says(_not)?=[^;|]+(\|[^;|]+)*|intent=(?P<intent>\w+)|refused"
)
PLATE = re.compile(r"[\u4e00-\u9fff][A-Z]([A-HJ-NP-Z0-9]{5}|[DF][A-HJ-NP-Z0-9]\d{4})")
SYNTHETIC_PHONE = re.compile(r"138000\d{5}")
SHORTEST_COMPARED = (
    5  # 「再见」「第二个」 belong to every corpus: only longer sentences are compared with the training data.
)
SETS = sorted(COLUMNS)
Row = dict[str, str]

to_simplified = opencc.OpenCC("t2s")


def read(name: str, folder: Path = EVALUATION) -> list[Row]:
    """Rows of one set; quoting is off, so every character of a sentence is kept as written."""
    with (folder / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def normalised(text: str) -> str:
    """``text`` without punctuation and spaces, in simplified characters, for finding near-copies."""
    simplified: str = to_simplified.convert("".join(c for c in text if unicodedata.category(c)[0] in "LN"))
    return simplified


def sentences() -> Iterator[tuple[str, str]]:
    """Identifier and normalised text of every sentence that stands on its own."""
    for name in ("questions", "out_of_scope", "flows", "emergencies"):
        for row in read(name):
            yield row["id"], normalised(row["text"])


def learnt_lines() -> set[str]:
    """Every line of the training data and of the guides, bare of list marks, YAML keys, quotes and entity marks."""
    lines: set[str] = set()
    for folder in ("nlu_data", "knowledge_base"):
        for file in (ROOT / folder).rglob("*.yml"):
            for line in file.read_text(encoding="utf-8").splitlines():
                bare = re.sub(r"\[([^\]]*)\](\([^)]*\)|\{[^}]*\})", r"\1", line)
                bare = re.sub(r"^[\s-]*(\w+:\s*)?", "", bare)
                lines.add(normalised(bare))
    return lines


def check_digit(first_seventeen: str) -> str:
    """The last character of a resident's number (GB 11643)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(d) * w for d, w in zip(first_seventeen, weights, strict=True)) % 11]


def is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_valid(kind: str, value: str) -> bool:
    """What ``valid`` must say, worked out again from the value."""
    if kind == "phone":
        return bool(re.fullmatch(r"1[3-9]\d{9}", value))
    if kind == "id_card":
        born = f"{value[6:10]}-{value[10:12]}-{value[12:14]}"
        return bool(re.fullmatch(r"\d{17}[\dX]", value)) and check_digit(value[:17]) == value[17] and is_date(born)
    if kind == "case_number":
        return bool(re.fullmatch(r"[A-Z0-9]{31}\d{12}", value)) and is_date(
            f"{value[31:35]}-{value[35:37]}-{value[37:39]}"
        )
    if kind == "query_code":
        return bool(re.fullmatch(r"\d{6,8}", value))
    if kind == "amount":
        return bool(re.fullmatch(r"\d+(\.\d*[1-9])?", value))
    if kind == "date":
        return is_date(value)
    return bool(PLATE.fullmatch(value))


@pytest.fixture(scope="module")
def services() -> frozenset[str]:
    return frozenset(load_catalogue().items)


@pytest.mark.parametrize("name", SETS)
def test_every_line_has_exactly_the_columns_of_its_header(name: str) -> None:
    raw = (EVALUATION / f"{name}.tsv").read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    lines = raw.decode("utf-8")[:-1].split("\n")
    assert tuple(lines[0].split("\t")) == COLUMNS[name]
    assert [line for line in lines if len(line.split("\t")) != len(COLUMNS[name])] == []


@pytest.mark.parametrize("name", [name for name in SETS if name != "dialogues"])
def test_identifiers_are_unique_and_in_order(name: str) -> None:
    ids = [row["id"] for row in read(name)]
    assert ids == [f"{ID_PREFIX[name]}{i:04}" for i in range(1, len(ids) + 1)]


@pytest.mark.parametrize(("name", "least"), LEAST_ROWS.items())
def test_no_set_is_smaller_than_promised(name: str, least: int) -> None:
    assert len(read(name)) >= least


@pytest.mark.parametrize("name", SETS)
def test_no_field_is_empty_or_padded_except_the_number_of_a_non_emergency_and_what_was_not_said(name: str) -> None:
    for row in read(name):
        for column, value in row.items():
            assert value == value.strip(), row["id"]
            said_or_not = name == "desk_fields" and column not in ("id", "text")
            if (name, column) != ("emergencies", "number") and not said_or_not:
                assert value, f"{row['id']} {column}"


def test_no_sentence_stands_twice_in_any_set() -> None:
    counts = Counter(text for _, text in sentences())
    assert [(i, text) for i, text in sentences() if counts[text] > 1] == []


def test_no_two_follow_ups_are_the_same_pair() -> None:
    pairs = Counter((normalised(r["first_text"]), normalised(r["second_text"])) for r in read("follow_ups"))
    assert [pair for pair, count in pairs.items() if count > 1] == []


def test_no_sentence_is_in_the_training_data_or_the_guides() -> None:
    learnt = learnt_lines()
    assert len(learnt) > 1000
    assert [i for i, text in sentences() if len(text) >= SHORTEST_COMPARED and text in learnt] == []


def test_no_sentence_is_in_the_development_sets() -> None:
    known = {
        normalised(row[column])
        for name in ("questions", "follow_ups", "out_of_scope", "flows", "emergencies")
        for row in read(name, EVALUATION / "development")
        for column in ("text", "first_text")
        if column in row
    }
    assert [i for i, text in sentences() if len(text) >= SHORTEST_COMPARED and text in known] == []


def test_every_service_of_the_catalogue_is_asked_often_enough_in_every_variety(services: frozenset[str]) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in read("questions"):
        counts[row["item_key"]][row["variety"]] += 1
    assert set(counts) == services
    assert {variety for count in counts.values() for variety in count} == set(LEAST_PER_VARIETY)
    few = [
        (key, variety)
        for key, count in counts.items()
        for variety, least in LEAST_PER_VARIETY.items()
        if count[variety] < least
    ]
    assert few == []


def test_questions_of_one_service_ask_at_least_three_aspects() -> None:
    aspects: dict[str, set[str]] = defaultdict(set)
    for row in read("questions"):
        aspects[row["item_key"]].add(row["aspect"])
    assert {key: found for key, found in aspects.items() if len(found) < 3} == {}


def test_every_aspect_but_the_state_of_a_case_is_asked_at_least_twenty_times() -> None:
    counts = Counter(row["aspect"] for row in read("questions"))
    assert set(counts) == ASKED_ASPECTS
    assert min(counts.values()) >= 20


def test_noisy_questions_carry_no_punctuation() -> None:
    noisy = [row for row in read("questions") if row["variety"] == "noisy"]
    assert [r["id"] for r in noisy if any(unicodedata.category(c)[0] not in "LN" for c in r["text"])] == []


def test_cantonese_questions_come_in_both_scripts() -> None:
    texts = [row["text"] for row in read("questions") if row["variety"] == "cantonese"]
    traditional = sum(to_simplified.convert(text.replace("嗰", "")) != text.replace("嗰", "") for text in texts)
    assert 0.25 <= traditional / len(texts) <= 0.75


def test_item_keys_and_aspects_of_follow_ups_are_known(services: frozenset[str]) -> None:
    for row in read("follow_ups"):
        assert {row["item_key"], row["second_item_key"]} <= services, row["id"]
        assert row["second_aspect"] in ASKED_ASPECTS, row["id"]


def test_follow_ups_both_stay_with_a_service_and_change_it() -> None:
    stays = Counter(row["item_key"] == row["second_item_key"] for row in read("follow_ups"))
    assert min(stays[True], stays[False]) >= 40


def test_every_flow_intent_is_known_and_has_at_least_five_sentences() -> None:
    counts = Counter(row["intent"] for row in read("flows"))
    assert set(counts) == FLOW_INTENTS
    assert min(counts.values()) >= 5


def test_emergencies_name_numbers_and_look_alikes_none() -> None:
    rows = read("emergencies")
    kinds = Counter(row["is_emergency"] for row in rows)
    assert set(kinds) == {"0", "1"}
    assert kinds["1"] >= 70
    assert kinds["0"] >= 50
    assert [row["id"] for row in rows if (row["is_emergency"] == "0") != (row["number"] == "")] == []
    named = [row["number"].split("+") for row in rows if row["number"]]
    assert {number for numbers in named for number in numbers} == EMERGENCY_NUMBERS


def test_every_number_says_truly_whether_it_is_valid() -> None:
    rows = read("numbers")
    assert {row["kind"] for row in rows} == NUMBER_KINDS
    assert [row["id"] for row in rows if row["valid"] != str(int(is_valid(row["kind"], row["value"])))] == []
    assert [row["id"] for row in rows if not is_date(row["today"])] == []


def test_one_text_states_at_most_one_number_of_a_kind() -> None:
    kinds = Counter((row["text"], row["kind"]) for row in read("numbers"))
    assert [pair for pair, count in kinds.items() if count > 1] == []


def test_numbers_belong_to_nobody() -> None:
    for row in read("numbers"):
        if row["kind"] == "phone" and row["valid"] == "1":
            assert SYNTHETIC_PHONE.fullmatch(row["value"]), row["id"]
        if row["kind"] == "id_card":
            assert row["value"].startswith("990"), row["id"]
        if row["kind"] == "case_number":
            assert row["value"].startswith("TEST"), row["id"]


@pytest.mark.parametrize("name", [name for name in SETS if name != "numbers"])
def test_no_other_sentence_holds_a_long_number_that_could_be_somebodys(name: str) -> None:
    columns = [column for column in COLUMNS[name] if column.endswith("text")]
    for row in read(name):
        for column in columns:
            for digits in re.findall(r"\d{7,}", row[column]):
                assert SYNTHETIC_PHONE.fullmatch(digits) or digits == "13800003", row["id"]


def test_turns_of_every_dialogue_are_counted_from_one() -> None:
    turns: dict[str, list[int]] = defaultdict(list)
    for row in read("dialogues"):
        turns[row["id"]].append(int(row["turn"]))
    assert list(turns) == [f"D{i:04}" for i in range(1, len(turns) + 1)]
    assert len(turns) >= 30
    assert [i for i, counted in turns.items() if counted != list(range(1, len(counted) + 1))] == []


def test_every_expectation_of_a_dialogue_follows_the_grammar(services: frozenset[str]) -> None:
    for row in read("dialogues"):
        for part in row["expect"].split(";"):
            found = EXPECTATION.fullmatch(part)
            assert found, f"{row['id']} {part}"
            assert found["key"] is None or found["key"] in services, row["id"]
            assert found["aspect"] is None or found["aspect"] in ASKED_ASPECTS, row["id"]
            assert found["intent"] is None or found["intent"] in FLOW_INTENTS, row["id"]


def test_the_readme_states_the_row_count_of_every_set() -> None:
    readme = (EVALUATION / "README.md").read_text(encoding="utf-8")
    assert [n for n in SETS if f"| `{n}.tsv` | {len(read(n))} |" not in readme] == []


def test_the_requests_to_merge_tell_of_many_matters_and_share_none_with_the_development_set() -> None:
    rows = read("merges")
    told = Counter(row["matter"] for row in rows)
    assert sum(times > 1 for times in told.values()) >= 40
    assert sum(times == 1 for times in told.values()) >= 20
    developed = {normalised(row["text"]) for row in read("merges", EVALUATION / "development")}
    assert len(developed) == 50
    assert not developed & {normalised(row["text"]) for row in rows}
    assert len({row["text"] for row in rows}) == len(rows)


def test_the_fields_of_the_desk_are_ones_that_exist() -> None:
    catalogue = load_catalogue()
    categories = {category.key for category in load_categories()}
    for row in read("desk_fields"):
        assert not row["town"] or row["town"] in catalogue.towns, row["id"]
        assert not row["category"] or row["category"] in categories, row["id"]
        assert not row["type"] or row["type"] in set(RequestType), row["id"]
