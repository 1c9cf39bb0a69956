"""The gateway's own sentences (replies.yml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hotline.desk import HandoffReason
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

    def handoff_by_rule(self, reason: HandoffReason) -> Reply:
        """Why a person is coming whom nobody asked for, and how to have none."""
        return self._reply(f"handoff_{reason.value}")

    def call_back(self, shown: str) -> Reply:
        """The place in the queue is given up for a call to ``shown`` (masked)."""
        return self._reply("call_back", contact=shown)

    def returned(self) -> Reply:
        return self._reply("returned")

    def place(self, position: int, estimate_s: int | None) -> Reply:
        """Where somebody stands in the queue, and how long it may take, if anybody can say."""
        ahead = position - 1
        if estimate_s is None:
            return self._reply("place_unknown", ahead=ahead)
        return self._reply("place", ahead=ahead, minutes=max(1, round(estimate_s / 60)))

    def agent_joined(self, name: str) -> Reply:
        return self._reply("agent_joined", name=name)

    def third_joined(self, name: str) -> Reply:
        return self._reply("third_joined", name=name)

    def part_down(self, error: HotlineError) -> Reply:
        return Reply(text=error.citizen_sentence, buttons=self._buttons("part_down"))

    def _reply(self, key: str, **facts: object) -> Reply:
        text = self._entries[key]["text"].format(number=self._number, **facts)
        return Reply(text=text, buttons=self._buttons(key))

    def _buttons(self, key: str) -> list[Button]:
        return [Button(title=t, payload=p) for t, p in self._entries[key].get("buttons", {}).items()]
