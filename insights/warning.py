"""Early warning (未诉先办): more calls about a topic from a town than is usual for the hour and weekday.

How many are usual: the pair's calls of the eight weeks before, spread over the week as the whole line's
calls are, raised or lowered with how busy the line is today. Such rates are small and unsure, so the
count is judged by a negative binomial, which is what a Poisson count with a gamma-distributed rate
gives; the more history, the surer. docs/insights.md has the formula, docs/adr/0029-early-warning.md the
choices and what they were measured on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom

from hotline.insight_ports import AlertBook, Row, TopicShelf
from hotline.insights import LOCAL, Alert, Grain, bucket_of
from insights.topics.events import find_events
from insights.topics.mining import examples
from insights.topics.naming import name_topics
from insights.topics.vectors import Space, unpacked
from insights.topics.words import WordCutter

WEEKS = 8
WINDOWS_H = (1, 3, 6)
_HISTORY_H = WEEKS * 168
_PRIOR_CALLS, _PRIOR_WEEKS = 0.5, 1.0  # of a pair nothing is known of: half a call a week
_SUREST = 24.0  # calls of history beyond which days differ more than chance says
_DAY_CAP = 3.0  # a past day counts at most so many times its usual
_LEFT_OUT = 3
_BUSIEST = (0.4, 2.5)


@dataclass(frozen=True)
class Rule:
    """When to warn: at least ``least`` callers in a window, at least ``times`` the usual, by chance
    rarer than ``chance``."""

    least: int = 5
    times: float = 3.0
    chance: float = 1e-5


@dataclass(frozen=True)
class Burst:
    """A window in which more called than is usual. ``hour`` is its last, as places in the counts."""

    pair: int
    hour: int
    window_h: int
    count: int
    expected: float
    surprise: float


class Usual:
    """What is usual, as it stood at the end of the day before ``day``.

    ``counts``: people by pair and hour, of which ``upto`` is the first hour of the day; ``line`` hours: all
    calls of the line.
    """

    def __init__(self, counts: NDArray[np.int32], line: NDArray[np.int32], upto: int, hour_of_week: int) -> None:
        begin = max(0, upto - _HISTORY_H)
        past, busy = counts[:, begin:upto], line[begin:upto]
        self.weeks = past.shape[1] / 168
        days = (
            past[:, past.shape[1] % 24 :].reshape(len(past), -1, 24).sum(axis=2)
            if past.size
            else np.zeros((len(counts), 1))
        )
        usual_day = _without_the_busiest(days)
        capped = np.minimum(days, np.ceil(_DAY_CAP * np.maximum(usual_day, 0.34)))
        self.calls = capped.sum(axis=1)
        self.share = _week_shares(busy, (hour_of_week - (upto - begin)) % 168)
        self.line_week = float(busy.sum()) / max(self.weeks, 1e-9)

    def expected(self, hours_of_week: Sequence[int], level: float) -> tuple[NDArray[np.float64], float]:
        """Calls of each pair expected in these hours, and the hours as a share of a week."""
        part = float(sum(self.share[h] for h in hours_of_week)) * level
        return (_PRIOR_CALLS + self.calls) / (_PRIOR_WEEKS + self.weeks) * part, part

    def surprise(self, seen: NDArray[np.int64], part: float) -> NDArray[np.float64]:
        """The chance of as many calls or more in ``part`` of a week."""
        known, weeks = _PRIOR_CALLS + self.calls, _PRIOR_WEEKS + self.weeks
        sure = np.minimum(known, _SUREST)
        weeks_sure = weeks * sure / known  # the same rate, known less surely
        found: NDArray[np.float64] = nbinom.sf(seen - 1, sure, weeks_sure / (weeks_sure + part))
        return found


def _without_the_busiest(days: NDArray[Any]) -> NDArray[np.float64]:
    """Each row's mean over its days, the busiest three left out: a past burst is no custom."""
    if days.shape[1] <= _LEFT_OUT:
        return np.zeros((len(days), 1))
    kept = np.sort(days, axis=1)[:, :-_LEFT_OUT]
    mean: NDArray[np.float64] = kept.mean(axis=1, keepdims=True)
    return mean


def _week_shares(busy: NDArray[np.int32], first_hour: int) -> NDArray[np.float64]:
    """The share of a week's calls that each of its 168 hours has; smoothed, none is empty."""
    totals = np.zeros(168)
    np.add.at(totals, (np.arange(len(busy)) + first_hour) % 168, busy)
    totals = np.convolve(np.concatenate([totals[-1:], totals, totals[:1]]), [0.2, 0.6, 0.2], "valid")
    totals += max(totals.sum() * 0.0005, 0.05)
    shares: NDArray[np.float64] = totals / totals.sum()
    return shares


def level_of(line: NDArray[np.int32], usual: Usual, midnight: int, now: int, first_hour_of_week: int) -> float:
    """How busy the line is today beside its usual weekday up to ``now`` (1 = as usual)."""
    hours = [(first_hour_of_week + n) % 168 for n in range(now - midnight + 1)]
    wanted = usual.line_week * sum(usual.share[h] for h in hours)
    seen = float(line[midnight : now + 1].sum())
    # Early in the day there is little to go by: twenty calls' worth of "as usual" steadies it.
    return float(np.clip((seen + 20.0) / (wanted + 20.0), *_BUSIEST))


def bursts_at(
    counts: NDArray[np.int32], line: NDArray[np.int32], usual: Usual, now: int, first_hour_of_week: int, rule: Rule
) -> list[Burst]:  # fmt: skip
    """Pairs that burst in a window ending with the hour ``now`` (a place in the counts); the shortest
    window that shows it. ``first_hour_of_week``: of the place 0."""
    midnight = now - (now + first_hour_of_week) % 24
    level = level_of(line, usual, midnight, now, (first_hour_of_week + midnight) % 168)
    found: dict[int, Burst] = {}
    for window in WINDOWS_H:
        begin = max(0, now - window + 1)
        seen = counts[:, begin : now + 1].sum(axis=1).astype(np.int64)
        hours = [(first_hour_of_week + h) % 168 for h in range(begin, now + 1)]
        wanted, part = usual.expected(hours, level)
        maybe = np.flatnonzero((seen >= rule.least) & (seen >= rule.times * wanted))
        if not len(maybe):
            continue
        surprise = usual.surprise(seen, part)
        for pair in maybe:
            if surprise[pair] <= rule.chance and int(pair) not in found:
                found[int(pair)] = Burst(
                    int(pair), now, window, int(seen[pair]), float(wanted[pair]), float(surprise[pair])
                )
    return list(found.values())


@dataclass(frozen=True)
class Counts:
    """Hourly counts as arrays: ``pairs`` (topic, town) by hours from ``first``."""

    pairs: list[tuple[int, str]]
    people: NDArray[np.int32]
    line: NDArray[np.int32]
    first: datetime

    @property
    def first_hour_of_week(self) -> int:
        local = self.first.astimezone(LOCAL)
        return local.weekday() * 24 + local.hour

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, str, int, int]], first: datetime, hours: int) -> Counts:
        """``rows``: hour, topic, town, turns, people. Unknown towns and the pool are left out of the
        pairs, not of the line."""
        place = {bucket_of(first + timedelta(hours=n), Grain.HOUR): n for n in range(hours)}
        pairs = sorted({(topic, town) for _, topic, town, _, _ in rows if town and topic >= 0})
        number = {pair: n for n, pair in enumerate(pairs)}
        people = np.zeros((len(pairs), hours), dtype=np.int32)
        line = np.zeros(hours, dtype=np.int32)
        for hour, topic, town, _turns, who in rows:
            at = place.get(hour)
            if at is None:
                continue
            line[at] += who
            pair = number.get((topic, town))
            if pair is not None:
                people[pair, at] += who  # not turns: one who asks thrice is one
        return cls(pairs, people, line, first)


class Watch:
    """Looks for bursts and raises alerts, with what people said as evidence."""

    def __init__(
        self, alerts: AlertBook, topics: TopicShelf, cutter: WordCutter, blocks: tuple[int, ...], rule: Rule
    ) -> None:
        self._alerts, self._topics, self._cutter, self._blocks, self._rule = alerts, topics, cutter, blocks, rule

    async def look(self, now: datetime, mean: NDArray[np.float32] | None = None) -> list[Alert]:
        """Alerts raised now (those of a burst already told are not raised again). ``mean`` of the
        topic space, for telling events apart."""
        local = now.astimezone(LOCAL)
        today = local.replace(hour=0, minute=0, second=0, microsecond=0)
        first = today - timedelta(hours=_HISTORY_H)
        hours = _HISTORY_H + local.hour + 1
        rows = await self._alerts.hourly(bucket_of(first, Grain.HOUR), bucket_of(now, Grain.HOUR))
        counts = Counts.of(rows, first, hours)
        if not counts.pairs:
            return []
        start = counts.first_hour_of_week
        usual = Usual(counts.people, counts.line, _HISTORY_H, start + _HISTORY_H)
        found = await asyncio.to_thread(bursts_at, counts.people, counts.line, usual, hours - 1, start, self._rule)
        names = {k.topic.topic_id: k.topic.title for k in await self._topics.topics()}
        raised = []
        for burst in found:
            alert = await self._alert(burst, counts, usual, names, now, mean)
            if alert is not None and (kept := await self._alerts.raise_alert(alert, as_message(alert))) is not None:
                raised.append(kept)
        return raised

    async def _alert(
        self, burst: Burst, counts: Counts, usual: Usual, names: Mapping[int, str], now: datetime, mean: Any
    ) -> Alert | None:
        topic_id, town = counts.pairs[burst.pair]
        begin = counts.first + timedelta(hours=burst.hour - burst.window_h + 1)
        turns = await self._topics.topic_turns(topic_id, town, begin, now)
        people = {t["caller_key"] or t["conversation_id"] for t in turns}
        if len(people) < self._rule.least:
            return None  # several turns of few people
        title, evidence = await asyncio.to_thread(self._evidence, turns, mean)
        series = []
        for n in range(max(0, burst.hour - 23), burst.hour + 1):
            wanted, _ = usual.expected([(counts.first_hour_of_week + n) % 168], 1.0)
            hour = bucket_of(counts.first + timedelta(hours=n), Grain.HOUR)
            series.append((hour, int(counts.people[burst.pair, n]), round(float(wanted[burst.pair]), 3)))
        return Alert(
            topic_id=topic_id, title=f"{town}：{title or names.get(topic_id, '')}", town=town, at=now,
            first_at=min((t["at"] for t in turns), default=begin), window_h=burst.window_h, count=burst.count,
            people=len(people), expected=round(burst.expected, 3), surprise=burst.surprise, evidence=evidence, series=series,
        )  # fmt: skip

    def _evidence(self, turns: Sequence[Row], mean: Any) -> tuple[str, list[str]]:
        """What most of them say: a name, and examples, masked."""
        vectors = [t for t in turns if t["vector"]]
        if mean is None or len(vectors) < 2:
            return "", examples([t["text"] for t in turns])
        space = Space(mean, self._blocks)
        events = find_events(space.last(unpacked([t["vector"] for t in vectors])))
        texts = [vectors[n]["text"] for n in events[0].members] if events else [t["text"] for t in vectors]
        words = [w for t in texts for w in self._cutter.words(t)]
        top = sorted(set(words), key=lambda w: (-words.count(w), w))[:6]
        return name_topics(self._cutter, [texts], [top])[0], examples(texts)


def as_message(alert: Alert) -> dict[str, Any]:
    """What other systems are told of an alert; the same in the webhook and the stream."""
    return {
        "type": "alert", "title": alert.title, "topic_id": alert.topic_id, "town": alert.town, "at": alert.at.isoformat(),
        "first_at": alert.first_at.isoformat(), "window_h": alert.window_h, "count": alert.count, "people": alert.people,
        "expected": alert.expected, "surprise": alert.surprise, "evidence": alert.evidence,
    }  # fmt: skip


def replay(
    counts: Counts, days: Sequence[date], rule: Rule, progress: Callable[[date], None] | None = None
) -> list[Burst]:
    """Every alert that would have been raised over ``days``, hour by hour, knowing only what was past;
    a pair that was told of stays quiet for twelve hours. For measuring."""
    found: list[Burst] = []
    last_told: dict[int, int] = {}
    start = counts.first_hour_of_week
    for day in days:
        midnight = int((datetime.combine(day, datetime.min.time(), LOCAL) - counts.first).total_seconds() // 3600)
        if midnight < 0 or midnight + 24 > counts.people.shape[1]:
            continue
        usual = Usual(counts.people, counts.line, midnight, start + midnight)
        for hour in range(midnight, midnight + 24):
            for burst in bursts_at(counts.people, counts.line, usual, hour, start, rule):
                told = last_told.get(burst.pair)
                last_told[burst.pair] = hour if told is None or hour - told >= 12 else told
                if last_told[burst.pair] == hour:
                    found.append(burst)
        if progress:
            progress(day)
    return found
