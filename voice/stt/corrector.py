"""Repairs names of the trade that were heard right and written wrong: 射包卡 → 社保卡.

A noisy channel with a short list of candidates. A stretch of text that sounds like a known name
(see sounds.py) is replaced by it only where that makes the sentence so much likelier that it pays
for each changed character. How likely a sentence is, is told by jieba's word counts over its best
cutting into words, known names being words. Words that exist are changed only inside long names:
公章 stays 公章 in a line that knows 工伤, and 事业 stays, but 视频经营许可证 becomes 食品经营许可证.
Replacements are as long as what they replace, so word times stay right.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from threading import Lock

from voice.stt.sounds import folded, toned

_HAN = re.compile(r"[\u4e00-\u9fff]+")
_LONGEST = 12
_AROUND = 8  # characters on each side that take part in the judgement
_MAX_REPAIRS = 8
_NAME_COUNT = 200.0  # how common a name of the trade is, on the scale of jieba's counts (60 million words)
_SAME_SOUND, _OTHER_TONE, _CONFUSED, _NEAR = 0.5, 2.0, 4.0, 6.0  # cost of a changed character
_NEAR_LENGTH = 5  # names from this length may hold one syllable that is only near (补替, 补贴)
_MARGIN = 4.0  # what the gain must exceed where no existing word is touched
_MARGIN_SHORT = 5.0  # … for a name of two characters
_MARGIN_WORDS = 8.0  # … where an existing word is changed
_MAY_BE_MEANT = 3.0  # a name this much less likely than its homophone may still be meant …
_SELDOMER = 3  # … unless people write it this many times more seldom
_REAL = 2  # a word counted at least so often exists
# Cantonese, of which the dictionary has little: 「办极都办唔到」 however often one tries, 「冇点」 one has not tapped it.
_AS_SPOKEN = re.compile(r"[\u4e00-\u9fff]极都|[冇唔未](?:点|撳|按)")
_PERSON = re.compile(r"[叫姓名是].?$")
_PLACE_BEFORE = re.compile(r"(南海区?|佛山市?|[在到去来住是从离搬])$")
_PLACE_AFTER = re.compile(
    r"街道|镇|区|社区|村|大厅|行政|政务|办事|便民|派出所|医院|小学|中学|学校|幼儿园|税务|那边|这边"
)
_PLACE_GAIN = 6.0  # between such words a place is that much likelier than its homophones
_MARGIN_PLACE = 2.0


@dataclass(frozen=True)
class _Repair:
    start: int
    name: str
    net: float


class SoundCorrector:
    """Made from names; ``load`` reads jieba's dictionary (under a second), else the first use does.

    Args:
        names: written right beyond doubt (official names).
        aliases: other names; one that the official names would repair is left out.
        places: those of the names that are places, which sound like many a person's name.
        sentences: what people ask; of names that sound alike, the one they use more is the right one.
        prose: text without misspellings; a character that stands there between the same neighbours is
            meant as it is written (自己缴社保 beside the alias 自己交社保).
    """

    def __init__(
        self,
        names: Iterable[str],
        aliases: Iterable[str] = (),
        places: Collection[str] = (),
        sentences: Iterable[str] = (),
        prose: Iterable[str] = (),
    ) -> None:
        self._given = [name for name in dict.fromkeys(names) if _usable(name)]
        self._more = [name for name in dict.fromkeys(aliases) if _usable(name)]
        self._places = frozenset(places)
        careful = list(prose)
        self._text = "\n".join([*self._given, *self._more, *sentences, *careful])
        self._pairs = {a + b for text in careful for a, b in pairwise(text)}
        self._by_sound: dict[tuple[str, ...], list[str]] = defaultdict(list)
        self._by_gap: dict[tuple[str, ...], list[str]] = defaultdict(list)  # one syllable left open
        self._names: set[str] = set()
        self._lengths: list[int] = []
        self._counts: Mapping[str, int] = {}
        self._total = 0.0
        self._lock = Lock()

    def load(self) -> None:
        """Reads the dictionary and learns the names, once. Blocking."""
        with self._lock:
            if self._counts:
                return
            import jieba

            jieba.setLogLevel("WARNING")
            jieba.dt.initialize()
            self._total = math.log(jieba.dt.total)
            self._counts = jieba.dt.FREQ
            pairs = Counter(pair for name in {*self._given, *self._more} for pair in set(self._single_pairs(name)))
            for name in self._given:
                for part in (name, *self._parts(name)):
                    self._learn(part)
            self._index()
            right = [alias for alias in self._more if self._correct(alias) == alias]
            right.sort(key=lambda name: (self._text.count(name), self._likelihood(name)), reverse=True)
            for alias in right:
                if self._well_made(alias, pairs):
                    self._learn(alias)
            for alias in right:
                if not self._well_made(alias, pairs):
                    self._learn(alias, repaired_to=False)
            self._index()

    def correct(self, text: str) -> str:
        """The text with names repaired; as many characters as before. Most texts come back as they are."""
        if not self._counts:
            self.load()
        return self._correct(text)

    # ------------------------------------------------------------ names

    def _parts(self, name: str) -> list[str]:
        """Words of an official name that are worth repairing on their own: of three characters or
        more, or of the trade's own making (not in the dictionary at all)."""
        return [word for word in self._cut(name) if len(word) >= 3]

    def _single_pairs(self, name: str) -> list[str]:
        """Neighbouring characters that are no words: 「公」「济」 in 医保公济."""
        words = self._cut(name)
        return [a + b for a, b in pairwise(words) if len(a) == len(b) == 1]

    def _well_made(self, alias: str, pairs: Counter[str]) -> bool:
        """Guides keep misspellings as aliases, to be found by them. Such a one is no name to repair
        to: it holds characters that make no word and stand together in no other name, and nobody
        else uses it."""
        return self._text.count(alias) > 2 or all(pairs[pair] > 1 for pair in self._single_pairs(alias))

    def _likelihood(self, name: str) -> float:
        return self._best(name)[0]

    def _learn(self, name: str, repaired_to: bool = True) -> None:
        """Of two names that sound alike the commoner comes first and is the one repaired to. The other
        is left as it stands where it may be meant (买楼税, 卖楼税), else forgotten (舍保卡); where careful
        writing speaks for the other, nothing is repaired to either (优越卡, 优粤卡)."""
        if name in self._names:
            return
        known = self._by_sound[tuple(map(folded, toned(name)))]
        if known and self._written(name) > self._written(known[0]):
            known.clear()
        elif known and not self._may_be_meant(name, known[0]):
            return
        elif repaired_to and not known:
            known.append(name)
        elif not known:
            return
        self._names.add(name)

    def _written(self, name: str) -> int:
        """How much of a name careful writing has."""
        return sum(a + b in self._pairs for a, b in pairwise(name))

    def _may_be_meant(self, name: str, commoner: str) -> bool:
        often = self._text.count(name) * _SELDOMER >= self._text.count(commoner)
        return often and self._likelihood(name) >= self._likelihood_apart(commoner) - _MAY_BE_MEANT

    def _likelihood_apart(self, name: str) -> float:
        """How likely the name would be if it were none."""
        self._names.discard(name)
        try:
            return self._likelihood(name)
        finally:
            self._names.add(name)

    def _index(self) -> None:
        self._lengths = sorted({len(sounds) for sounds in self._by_sound}, reverse=True)
        self._by_gap.clear()
        for sounds, names in self._by_sound.items():
            for name in names if len(sounds) >= _NEAR_LENGTH else ():
                for gap in self._inside_words(name):
                    self._by_gap[_with_gap(sounds, gap)].append(name)

    def _inside_words(self, name: str) -> list[int]:
        """Where the characters of a name are part of a word within it. One that is a word of its own
        (冇 in 冇钱请律师) is easily another word that sounds a little like it."""
        self._names.discard(name)
        words = self._cut(name)
        self._names.add(name)
        places: list[int] = []
        at = 0
        for word in words:
            places += range(at, at + len(word)) if len(word) > 1 else ()
            at += len(word)
        return places

    # ------------------------------------------------------------ how likely

    def _weight(self, word: str) -> float | None:
        """Log probability of a word; None where it is no word."""
        count: float = self._counts.get(word) or 0
        if word in self._names:
            count = max(count, _NAME_COUNT)
        if count:
            return math.log(count) - self._total
        return -self._total if len(word) == 1 else None

    def _best(self, text: str) -> tuple[float, list[str]]:
        """The likeliest cutting of a text and its log probability."""
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(text) + 1):
            candidates = []
            for start in range(max(0, end - _LONGEST), end):
                weight = self._weight(text[start:end])
                if weight is not None:
                    candidates.append((best[start][0] + weight, start))
            best.append(max(candidates))
        words, end = [], len(text)
        while end:
            start = best[end][1]
            words.append(text[start:end])
            end = start
        return best[-1][0], words[::-1]

    def _cut(self, text: str) -> list[str]:
        return self._best(text)[1]

    # ------------------------------------------------------------ repairs

    def _correct(self, text: str) -> str:
        return _HAN.sub(lambda run: self._correct_run(run.group()), text)

    def _correct_run(self, text: str) -> str:
        for _ in range(_MAX_REPAIRS):
            repair = self._best_repair(text)
            if repair is None:
                break
            text = text[: repair.start] + repair.name + text[repair.start + len(repair.name) :]
        return text

    def _best_repair(self, text: str) -> _Repair | None:
        tones = toned(text)
        if len(tones) != len(text):  # a character pypinyin doesn't know
            return None
        sounds = [folded(tone) for tone in tones]
        repairs = []
        for length in self._lengths:
            for start in range(len(text) - length + 1):
                for name in self._sounding(tuple(sounds[start : start + length])):
                    repair = self._judge(text, tones, start, name)
                    if repair is not None:
                        repairs.append(repair)
        return max(repairs, key=lambda repair: (repair.net, len(repair.name)), default=None)

    def _sounding(self, sounds: tuple[str, ...]) -> Iterable[str]:
        """Names that sound so; of long ones, also those where one syllable is only near."""
        if names := self._by_sound.get(sounds):
            return names
        if len(sounds) < _NEAR_LENGTH:
            return ()
        return {
            name
            for gap in range(len(sounds))
            for name in self._by_gap.get(_with_gap(sounds, gap), ())
            if _near(sounds[gap], folded(toned(name)[gap]))
        }

    def _judge(self, text: str, tones: list[str], start: int, name: str) -> _Repair | None:
        end = start + len(name)
        said = text[start:end]
        if said == name or said in self._names:
            return None
        changed = [start + n for n, (a, b) in enumerate(zip(said, name, strict=True)) if a != b]
        left, right = max(0, start - _AROUND), min(len(text), end + _AROUND)
        before, words = self._best(text[left:right])
        touched = self._words_touched(words, left, changed)
        if any(word in self._names for word, _, _ in touched):
            return None  # a name that stands there already
        if all(self._is_written(text[max(start, at - 1) : min(end, at + 2)]) for at in changed):
            return None
        if any(found.start() <= at < found.end() for found in _AS_SPOKEN.finditer(text) for at in changed):
            return None
        after, _ = self._best(text[left:start] + name + text[end:right])
        meant = toned(name)
        net = after - before - sum(_change_cost(tones[at], meant[at - start]) for at in changed)
        straddled = any(a < start or b > end for _, a, b in touched)
        if name in self._places:
            return self._judge_place(text, start, name, net, bool(touched))
        if len(name) == 2 and _PERSON.search(text[:start]):
            return None  # two characters may be part of somebody's name
        return _Repair(start, name, net) if net > _margin(name, bool(touched), straddled) else None

    def _judge_place(self, text: str, start: int, name: str, net: float, touched: bool) -> _Repair | None:
        """Places sound like persons and like everyday words: 里水 is one where it stands like a place."""
        before = bool(_PLACE_BEFORE.search(text[:start]))
        after = bool(_PLACE_AFTER.match(text[start + len(name) :])) or name[-1] in "镇道"
        if before and after:
            return _Repair(start, name, net) if net + _PLACE_GAIN > _MARGIN_PLACE else None
        if not (before or after or len(text) == len(name)):
            return None
        return _Repair(start, name, net) if net > _margin(name, touched, False) else None

    def _words_touched(self, words: list[str], at: int, changed: list[int]) -> list[tuple[str, int, int]]:
        """The existing words of two characters or more that hold a changed character."""
        touched = []
        for word in words:
            end = at + len(word)
            real = len(word) >= 2 and (word in self._names or (self._counts.get(word) or 0) >= _REAL)
            if real and any(at <= place < end for place in changed):
                touched.append((word, at, end))
            at = end
        return touched

    def _is_written(self, around: str) -> bool:
        """Whether careful writing puts these characters together."""
        return all(a + b in self._pairs for a, b in pairwise(around))


def _margin(name: str, touched: bool, straddled: bool) -> float:
    """What the gain must exceed."""
    if straddled:
        return _MARGIN_WORDS if len(name) >= 4 else math.inf
    if touched:
        return _MARGIN_WORDS if len(name) >= 3 else math.inf
    return _MARGIN_SHORT if len(name) == 2 else _MARGIN


def _with_gap(sounds: tuple[str, ...], gap: int) -> tuple[str, ...]:
    return (*sounds[:gap], "", *sounds[gap + 1 :])


def _near(one: str, other: str) -> bool:
    """Whether two folded syllables begin or end alike: ti and tie, din and bin."""
    return _parts_of(one)[0] == _parts_of(other)[0] or _parts_of(one)[1] == _parts_of(other)[1]


@lru_cache(maxsize=1024)
def _parts_of(syllable: str) -> tuple[str, str]:
    """Initial and final; a syllable without an initial has only the latter."""
    at = 1 if syllable[:1] not in "aeiou" else 0
    return syllable[:at] or syllable, syllable[at:]


def _usable(name: str) -> bool:
    return 2 <= len(name) <= _LONGEST and _HAN.fullmatch(name) is not None


def _change_cost(said: str, meant: str) -> float:
    if said == meant:
        return _SAME_SOUND
    if said.rstrip("12345") == meant.rstrip("12345"):
        return _OTHER_TONE
    return _CONFUSED if folded(said) == folded(meant) else _NEAR
