"""What a turn of a dialogue must show: the ``expect`` column (tests/evaluation/README.md)."""

from __future__ import annotations

from dataclasses import dataclass

from ops.evaluation.asking import Turn

_ONE_VALUE = frozenset({"item", "offered", "aspect", "intent", "state"})
_ALTERNATIVES = frozenset({"says", "says_not"})


@dataclass(frozen=True)
class Expectation:
    """``wanted`` has one value, or for ``says`` and ``says_not`` one or more; none for ``refused``."""

    kind: str
    wanted: tuple[str, ...] = ()

    def holds(self, turn: Turn) -> bool:
        heard = turn["understanding"]
        match self.kind:
            case "item":
                return bool(heard["item_key"] == self.wanted[0])
            case "offered":
                return self.wanted[0] in {heard["item_key"], *heard["candidates"]}
            case "aspect" | "intent":
                return bool(heard[self.kind] == self.wanted[0])
            case "state":
                return bool(turn["state"] == self.wanted[0])
            case "says":
                return any(words in said(turn) for words in self.wanted)
            case "says_not":
                return not any(words in said(turn) for words in self.wanted)
            case "refused":
                return heard["item_key"] is None
        raise AssertionError(self.kind)


def said(turn: Turn) -> str:
    """The text of all replies of a turn."""
    return "\n".join(reply["text"] for reply in turn["replies"])


def parse(expect: str) -> list[Expectation]:
    """Reads ``item=JZ02;says=甲|乙;refused``.

    Raises:
        ValueError: a part has an unknown name, lacks its value, or has one too many.
    """
    return [_part(part) for part in expect.split(";")]


def _part(part: str) -> Expectation:
    kind, equals, value = part.partition("=")
    if kind == "refused" and not equals:
        return Expectation(kind)
    if kind in _ONE_VALUE and value:
        return Expectation(kind, (value,))
    if kind in _ALTERNATIVES and value and all(words := tuple(value.split("|"))):
        return Expectation(kind, words)
    raise ValueError(f"not an expectation: {part!r}")
