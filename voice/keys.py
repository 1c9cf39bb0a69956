"""Keys pressed during a call: 0 brings a person, digits are a number where one is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from voice.turn_taking import Awaited, awaited

KEYS = frozenset("0123456789*#ABCD")
PAUSE_S = 4.0
"""After this long without a key, what was typed is taken."""
LONGEST = 44  # a case number has 43


class KeyState(StrEnum):
    NO_NUMBER = "no_number"  # none is asked for
    EMPTY = "empty"  # one is asked for, nothing typed yet
    TYPING = "typing"


class Key(StrEnum):
    ZERO = "0"
    DIGIT = "1-9"
    STAR = "*"
    HASH = "#"
    LETTER = "A-D"


class KeyAct(StrEnum):
    PERSON = "person"
    EXPLAIN = "explain"
    DIGIT = "digit"
    BEGIN = "begin"  # a number that begins with 0 follows
    CHECK_X = "check_x"  # the X at the end of an ID number
    DONE = "done"
    NOTHING = "nothing"


KEY_ACTS: dict[tuple[KeyState, Key], KeyAct] = {
    (KeyState.NO_NUMBER, Key.ZERO): KeyAct.PERSON,
    (KeyState.NO_NUMBER, Key.DIGIT): KeyAct.EXPLAIN,
    (KeyState.NO_NUMBER, Key.STAR): KeyAct.EXPLAIN,
    (KeyState.NO_NUMBER, Key.HASH): KeyAct.EXPLAIN,
    (KeyState.NO_NUMBER, Key.LETTER): KeyAct.EXPLAIN,
    (KeyState.EMPTY, Key.ZERO): KeyAct.PERSON,
    (KeyState.EMPTY, Key.DIGIT): KeyAct.DIGIT,
    (KeyState.EMPTY, Key.STAR): KeyAct.BEGIN,
    (KeyState.EMPTY, Key.HASH): KeyAct.EXPLAIN,
    (KeyState.EMPTY, Key.LETTER): KeyAct.EXPLAIN,
    (KeyState.TYPING, Key.ZERO): KeyAct.DIGIT,
    (KeyState.TYPING, Key.DIGIT): KeyAct.DIGIT,
    (KeyState.TYPING, Key.STAR): KeyAct.CHECK_X,
    (KeyState.TYPING, Key.HASH): KeyAct.DONE,
    (KeyState.TYPING, Key.LETTER): KeyAct.NOTHING,
}


@dataclass
class KeyEntry:
    """What was typed so far in one call. ``typed`` is None while nothing is being typed."""

    typed: str | None = None

    def press(self, key: str, expects: str | None) -> KeyAct:
        """``key`` is one of :data:`KEYS`. DONE leaves the number in ``typed`` for :meth:`take`."""
        if self.typed is not None:
            state = KeyState.TYPING
        else:
            state = KeyState.EMPTY if awaited(expects) is Awaited.NUMBER else KeyState.NO_NUMBER
        act = KEY_ACTS[state, _kind(key)]
        if act in (KeyAct.DIGIT, KeyAct.CHECK_X):
            self.typed = (self.typed or "") + ("X" if act is KeyAct.CHECK_X else key)
            if len(self.typed) >= LONGEST:
                return KeyAct.DONE
        elif act is KeyAct.BEGIN:
            self.typed = ""
        return act

    def take(self) -> str:
        """The number, which is then no longer being typed; empty where only 「*」 was pressed."""
        typed, self.typed = self.typed or "", None
        return typed


def _kind(key: str) -> Key:
    match key:
        case "0" | "*" | "#":
            return Key(key)
        case _:
            return Key.DIGIT if key.isdigit() else Key.LETTER
