"""Danger first: what must be answered before, and even without, the dialogue engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from gateway.plain_words import PlainWords
from gateway.second_opinion import SecondOpinion, SecondOpinionModel, trained
from hotline.messages import Reply

_FILE = Path(__file__).with_name("emergencies.yml")
_CALLED = re.compile(
    r"(打|拨|报)(过|了|通)+[^，]{0,3}(110|119|120|122|警)|(110|119|120|122)[^，]{0,4}(打了|打过|打通|报了)"
)
_TAKEN_OUT = "〇"
_BRIEF = 7
_THOUGHTS_OF_DEATH = "suicide"


@dataclass(frozen=True)
class Emergency:
    """``numbers``: the lines to call, in that order. ``signs``: what was recognised, the first leads."""

    kind: str
    numbers: tuple[str, ...]
    signs: tuple[str, ...]
    reply: Reply

    @property
    def number(self) -> str:
        """The line to call first."""
        return self.numbers[0]


@dataclass(frozen=True)
class _Sign:
    name: str
    kind: str
    numbers: tuple[str, ...]
    reply: str
    calm: frozenset[str]
    when: re.Pattern[str]


class EmergencyWatch:
    """Recognises danger in a citizen's words by the signs in ``emergencies.yml``.

    Words that only look dangerous are taken out; a sign left over counts unless the sentence
    says that it is asked about, past, imagined or told of, and not happening now after all.
    Where no sign is found, a second opinion learnt from examples may still find danger likely;
    the reply then asks whether it is happening.
    """

    def __init__(self, file: Path = _FILE, kept_in: Path | None = None) -> None:
        """``kept_in``: a folder that keeps what was learnt between starts."""
        table = _table(file)
        self._rules = _rules(file)
        self._words = _Words(table["names"], table["calls"], table["replies"])
        self._second = _Second(table["second"], trained(self._rules.of, self._rules.alarming, kept_in=kept_in))

    def look(self, text: str) -> Emergency | None:
        """The emergency ``text`` tells of, or None."""
        said = self._rules.of(text)
        findings = self._rules.look(said)
        found = list(findings.signs)
        opinion = self._second.opinion(said)
        if findings.stood_down and not found:
            return None
        if not found:
            found = self._second.likely(opinion, said, silenced=findings.silenced)
        elif self._second.overrules(opinion, live=findings.live):
            return None
        else:
            found += self._second.likely(opinion, said, silenced=False)
        return self._emergency(found, said) if found else None

    def _emergency(self, found: Sequence[_Sign], said: str) -> Emergency:
        first = found[0]
        numbers = tuple(dict.fromkeys(number for sign in found for number in sign.numbers))
        reply = self._words.reply(first.reply, numbers, called=bool(_CALLED.search(said)))
        return Emergency(first.kind, numbers, tuple(sign.name for sign in found), reply)


@dataclass(frozen=True)
class _Findings:
    """``signs`` that count; ``silenced``: there were some, but the words say it is no danger now;
    ``live``: somebody pleads, or it is happening; ``stood_down``: it was a danger and nobody is needed any more."""

    signs: tuple[_Sign, ...]
    silenced: bool
    live: bool
    stood_down: bool


class _Rules:
    """The signs of the file, and what silences them, on words made plain."""

    def __init__(self, file: Path) -> None:
        table = _table(file)
        grammar = _Grammar(table["concepts"])
        self.of = _Reading(table).of
        self._calms = {name: grammar.any_of(calm["when"]) for name, calm in table["calm"].items()}
        self._outweighed = {name: frozenset(calm["outweighed_by"]) for name, calm in table["calm"].items()}
        self._live = {name: grammar.any_of(patterns) for name, patterns in table["live"].items()}
        every = [name for name, calm in table["calm"].items() if calm.get("default", True)]
        self._stood_down = grammar.any_of(table["stood_down"])
        self._back_again = grammar.any_of(table["back_again"])
        self._signs = [_sign(entry, grammar, every) for entry in table["signs"]]

    def look(self, said: str) -> _Findings:
        """What stands in ``said``, plain words."""
        signs = [sign for sign in self._signs if sign.when.search(said)]
        live = {name for name, pattern in self._live.items() if pattern.search(said)} if signs else set()
        quiet = self._silenced(said, live) if signs else set()
        # Who thinks of dying may well say that nobody need come.
        stood_down = not live and bool(self._stood_down.search(said)) and not self._back_again.search(said)
        found = tuple(
            sign for sign in signs if not sign.calm & quiet and not (stood_down and sign.kind != _THOUGHTS_OF_DEATH)
        )
        return _Findings(found, silenced=bool(signs) and not found, live=bool(live), stood_down=stood_down)

    def alarming(self, said: str) -> bool:
        """Whether the rules alone find danger in ``said``."""
        return bool(self.look(said).signs)

    def _silenced(self, said: str, live: set[str]) -> set[str]:
        """The calms that hold in ``said`` and that nothing urgent in it (``live``) outweighs."""
        return {
            name for name, pattern in self._calms.items() if not live & self._outweighed[name] and pattern.search(said)
        }


@cache
def _rules(file: Path) -> _Rules:
    return _Rules(file)


class _Second:
    """What the second opinion adds or takes away, where it is sure enough."""

    def __init__(self, table: Mapping[str, Any], model: SecondOpinionModel) -> None:
        self.opinion = model.of
        self._hints = frozenset(table["hints"])
        self._at_least: dict[str, float] = table["at_least"]
        self._also: float = table["also_at_least"]
        self._veto_below: dict[str, float] = table["veto_below"]
        self._signs = {name: _likely_sign(name, entry) for name, entry in table["classes"].items()}

    def likely(self, opinion: SecondOpinion, said: str, *, silenced: bool) -> list[_Sign]:
        """The signs to add. ``silenced``: a sign was found, but the sentence says it is no danger now."""
        unhinted = "brief" if len(said) < _BRIEF else "unhinted"
        case = "silenced" if silenced else unhinted if self._hints.isdisjoint(said) else "hinted"
        if opinion.danger < self._at_least[case]:
            return []
        ranked = sorted(opinion.classes, key=lambda name: -opinion.classes[name])
        return [self._signs[n] for n in ranked if n == ranked[0] or opinion.classes[n] >= self._also]

    def overrules(self, opinion: SecondOpinion, *, live: bool) -> bool:
        """Whether signs were found in words that almost surely tell of no danger."""
        return opinion.danger < self._veto_below["live" if live else "quiet"]


class _Grammar:
    """Turns the patterns of the file, with their ``<concepts>``, into regular expressions."""

    def __init__(self, concepts: Mapping[str, str]) -> None:
        self._concepts = concepts

    def any_of(self, patterns: Iterable[str]) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{self._whole(p)})" for p in patterns))

    def _whole(self, pattern: str) -> str:
        """``pattern`` with concepts put in and plain groups that capture nothing (they are faster)."""
        while names := set(re.findall(r"<(\w+)>", pattern)):
            for name in names:
                pattern = pattern.replace(f"<{name}>", f"(?:{self._concepts[name]})")
        return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)


class _Words:
    """What is said: the numbers found, put into the sentence of the leading sign."""

    def __init__(self, names: Mapping[str, str], calls: Mapping[str, str], replies: Mapping[str, Any]) -> None:
        self._names = names
        self._calls = calls
        self._replies = replies
        self.reply = lru_cache(maxsize=512)(self._reply)

    def _reply(self, key: str, numbers: tuple[str, ...], called: bool) -> Reply:
        first = self._calls["called" if called else "first"]
        calls = first + self._calls["next"].join(f"{self._names[number]} {number}" for number in numbers)
        words = self._replies[key]
        return Reply(text=words["text"].format(calls=calls), speech_text=words["speech"].format(calls=calls))


@cache
def _table(file: Path) -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return table


class _Reading:
    """Reads a citizen's words as plain ones, without what only looks dangerous."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._plain = PlainWords()
        self._masks = _Grammar(table["concepts"]).any_of(table["masks"])

    def of(self, text: str) -> str:
        return self._masks.sub(_TAKEN_OUT, self._plain.of(text))


def _likely_sign(name: str, entry: Mapping[str, Any]) -> _Sign:
    """A class of examples as a sign that no pattern finds."""
    nothing = re.compile("(?!)")
    return _Sign(name, entry["kind"], tuple(entry["numbers"]), entry["reply"], frozenset(), nothing)


def _sign(entry: Mapping[str, Any], grammar: _Grammar, every: Iterable[str]) -> _Sign:
    return _Sign(
        name=entry["name"],
        kind=entry["kind"],
        numbers=tuple(entry["numbers"]),
        reply=entry["reply"],
        calm=frozenset(entry.get("calm", every)),
        when=grammar.any_of(entry["when"]),
    )
