"""The gateway's own sentences (replies.yml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hotline.errors import HotlineError
from hotline.messages import Button, Reply

_FILE = Path(__file__).with_name("replies.yml")


class Sentences:
    def __init__(self, number: str, file: Path = _FILE) -> None:
        self._entries: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
        self._number = number

    def greeting(self) -> Reply:
        return self._reply("greeting").model_copy(update={"buttons": self._buttons("quick_questions")})

    def call_greeting(self, recorded: bool) -> Reply:
        """The first words of a call: who speaks, that it is an AI, whether it is recorded. No key menu."""
        return self._reply("call_greeting" if recorded else "call_greeting_unrecorded")

    def recording(self, key: str) -> Reply:
        """``recording_refused``, ``recording_not_erased`` or ``not_recorded``."""
        return self._reply(key)

    def handoff(self) -> Reply:
        return self._reply("handoff")

    def part_down(self, error: HotlineError) -> Reply:
        return Reply(text=error.citizen_sentence, buttons=self._buttons("part_down"))

    def _reply(self, key: str) -> Reply:
        return Reply(text=self._entries[key]["text"].format(number=self._number), buttons=self._buttons(key))

    def _buttons(self, key: str) -> list[Button]:
        return [Button(title=t, payload=p) for t, p in self._entries[key].get("buttons", {}).items()]
