"""Cantonese into standard written Chinese and back, for an agent who reads or speaks only one."""

from __future__ import annotations

from enum import StrEnum

from hotline.cantonese import to_colloquial, to_written


class Into(StrEnum):
    WRITTEN = "mandarin"
    COLLOQUIAL = "cantonese"


def translate(text: str, into: Into) -> str:
    """``text`` (simplified script) word by word from tables: good for reading along, not for documents."""
    return to_written(text) if into is Into.WRITTEN else to_colloquial(text)
