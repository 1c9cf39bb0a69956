"""The sentences of the line, kept in wording.yml and filled here.

``text`` is for the screen, ``speech`` for the ear, ``cantonese`` for the ear of who asked for Cantonese.
"""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from hotline.messages import Button, Reply

_FILE = Path(__file__).with_name("wording.yml")

CANTONESE = "cantonese"
DIALECT: ContextVar[str | None] = ContextVar("dialect", default=None)
"""The way of speaking that the citizen chose (slot ``dialect``); actions/base.py sets it for each turn."""


class Wording:
    """Fills the templates of ``wording.yml``. A missing variable raises, it is never left out."""

    def __init__(self, file: Path = _FILE, number: str = "12345") -> None:
        self._entries: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
        # Citizens read plain text, pages escape it themselves: HTML escaping here would be spoken.
        self._jinja = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701
        self._jinja.globals["number"] = number
        self._templates = {
            (key, form): self._jinja.from_string(entry[form])
            for key, entry in self._entries.items()
            for form in ("text", "speech", CANTONESE)
            if isinstance(entry, dict) and isinstance(entry.get(form), str)
        }

    def table(self, key: str) -> dict[str, str]:
        """A table of words, for example ``case_states``."""
        return self._entries[key]

    def text(self, key: str, **facts: Any) -> str:
        return self._templates[key, "text"].render(**facts).strip()

    def speech(self, key: str, *, dialect: str | None = None, **facts: Any) -> str:
        """What is said aloud: in Cantonese where that was chosen and is written, else ``speech``, else ``text``."""
        template = self._templates.get((key, dialect or DIALECT.get() or "")) or self._templates.get((key, "speech"))
        return template.render(**facts).strip() if template else self.text(key, **facts)

    def reply(self, key: str, *, dialect: str | None = None, **facts: Any) -> Reply:
        buttons = [Button(title=t, payload=p) for t, p in self._entries[key].get("buttons", {}).items()]
        return Reply(
            text=self.text(key, **facts), speech_text=self.speech(key, dialect=dialect, **facts), buttons=buttons
        )
