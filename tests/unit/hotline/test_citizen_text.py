"""The gate for typed text: everything gets through as one readable line, or gets a named error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.citizen_text import MAX_CHARACTERS, clean_text
from hotline.errors import BadInputError, EmptyTextError, TextTooLongError, UnreadableTextError


@pytest.mark.parametrize("raw", ["", " ", "\n\t  \r\n", "\u3000\u3000", "\u200b\u200b", "\ufeff"])
def test_nothing_said_is_an_empty_text(raw: str) -> None:
    with pytest.raises(EmptyTextError):
        clean_text(raw)


@pytest.mark.parametrize("raw", ["居" * 501, "居" * 10_000, "a " * 600, "居住证" * 100_000])
def test_too_long_is_refused(raw: str) -> None:
    with pytest.raises(TextTooLongError):
        clean_text(raw)


def test_five_hundred_characters_are_taken_and_no_more() -> None:
    assert len(clean_text("居" * MAX_CHARACTERS)) == 500
    with pytest.raises(TextTooLongError):
        clean_text("居" * (MAX_CHARACTERS + 1))
    assert clean_text(" " + "居" * MAX_CHARACTERS + "\n") == "居" * 500


@pytest.mark.parametrize(
    "raw",
    [
        "😀😀🎉",
        "？？？！！",
        "。",
        "……",
        "👍🏻",
        b"\xff\xfe".decode("latin-1") and "\x00\x01\x02\x03PK",
        "\ufffd\ufffd\ufffda",
    ],
)
def test_what_nobody_can_read_is_named_unreadable(raw: str) -> None:
    with pytest.raises(UnreadableTextError):
        clean_text(raw)


@pytest.mark.parametrize("raw", [None, 5, 1.5, True, [], ["居住证"], {"text": "居住证"}, b"abc"])
def test_what_is_no_text_is_unreadable(raw: object) -> None:
    with pytest.raises(UnreadableTextError):
        clean_text(raw)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("'; DROP TABLE turns; --", "'; DROP TABLE turns; --"),
        ("<script>alert(1)</script>居住证", "<script>alert(1)</script>居住证"),
        ("居住证\x07怎么办\x00", "居住证怎么办"),
        ("居住证\u200b怎\u202e么办", "居住证怎么办"),
        ("  居住证\n怎么办\t呢 ", "居住证 怎么办 呢"),
        ("ＡＢＣ１２３", "ABC123"),
        ("居住证怎么办😀", "居住证怎么办😀"),
        ("居\ud800住证怎么办理", "居住证怎么办理"),
    ],
)
def test_the_rest_gets_through_as_one_readable_line(raw: str, line: str) -> None:
    assert clean_text(raw) == line


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_whatever_comes_is_a_clean_line_or_a_named_error(raw: str) -> None:
    try:
        line = clean_text(raw)
    except BadInputError:
        return
    assert line == line.strip()
    assert line.isprintable() or any(not c.isspace() for c in line)
    assert "\n" not in line
    assert "\x00" not in line
    assert clean_text(line) == line
    line.encode("utf-8")
