"""The fixed sentences of the voice side, read from prompts.yml."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import yaml

_FILE = Path(__file__).with_name("prompts.yml")


@dataclass(frozen=True)
class Prompts:
    still_there: str
    offer_person: str
    goodbye: str
    not_heard: str
    not_heard_again: str
    key_unused: str
    key_number: str
    opening: str
    opening_late: str

    def all(self) -> list[str]:
        """Every sentence, for warming a synthesiser's cache."""
        return [str(getattr(self, f.name)) for f in fields(self)]


@cache
def load_prompts() -> Prompts:
    """Raises TypeError where the file has a sentence too many or too few."""
    return Prompts(**yaml.safe_load(_FILE.read_text("utf-8")))
