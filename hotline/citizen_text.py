"""The gate every typed or pushed text goes through before anything else sees it."""

from __future__ import annotations

import unicodedata

from hotline.errors import EmptyTextError, TextTooLongError, UnreadableTextError

MAX_CHARACTERS = 500


def clean_text(raw: object) -> str:
    """``raw`` as one readable line.

    Control and zero-width characters go, white space is folded, width is normalised (NFKC).

    Raises:
        EmptyTextError: nothing was said.
        TextTooLongError: more than ``MAX_CHARACTERS`` characters.
        UnreadableTextError: not a text, or no letter and no digit in it (emoji only, binary).
    """
    if not isinstance(raw, str):
        raise UnreadableTextError
    if len(raw) > MAX_CHARACTERS * 4:  # do not normalise a novel before refusing it
        raise TextTooLongError
    broken = sum(1 for c in raw if c == "\ufffd" or (unicodedata.category(c) in {"Cc", "Cs"} and not c.isspace()))
    text = unicodedata.normalize("NFKC", raw)
    text = "".join(c if not c.isspace() else " " for c in text)
    text = "".join(c for c in text if c == " " or unicodedata.category(c)[0] != "C")
    text = " ".join(text.split())
    if broken * 4 > len(raw):
        raise UnreadableTextError
    if not text:
        raise EmptyTextError
    if len(text) > MAX_CHARACTERS:
        raise TextTooLongError
    if not any(c.isalnum() for c in text):
        raise UnreadableTextError
    return text
