"""座席负荷: agents' time at the desk by state, from the desk's own events; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hotline.insights import DESK_SECONDS, LOCAL, DutyEvent, Grain, Stand, bucket_of

_SECONDS_OF = {name.removesuffix("_s"): name for name in DESK_SECONDS}
_LONGEST_STATE = timedelta(hours=24)
"""Nobody is in one state for longer: the desk was down meanwhile, and what it did not see is not counted."""


def duty_seconds(
    stands: Mapping[str, Stand], events: Iterable[DutyEvent], until: datetime
) -> tuple[dict[tuple[int, str], dict[str, float]], dict[str, Stand]]:
    """Seconds by (day, agent) and state from where each agent stood, and where they stand at ``until``.

    ``events`` in order. Whoever is offline has no time.
    """
    cells: dict[tuple[int, str], dict[str, float]] = {}
    now = dict(stands)
    for event in events:
        if (before := now.get(event.agent)) is not None:
            _spend(cells, event.agent, before, event.at)
        now[event.agent] = Stand(event.state, event.at)
    for agent, stand in now.items():
        if until > stand.at:
            _spend(cells, agent, stand, until)
            now[agent] = Stand(stand.state, until)
    return cells, {agent: stand for agent, stand in now.items() if stand.state in _SECONDS_OF}


def _spend(cells: dict[tuple[int, str], dict[str, float]], agent: str, stand: Stand, until: datetime) -> None:
    name = _SECONDS_OF.get(stand.state)
    if name is None or until - stand.at > _LONGEST_STATE:
        return
    at = stand.at
    while at < until:
        midnight = at.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
        end = min(until, midnight + timedelta(days=1))
        cell = cells.setdefault((bucket_of(at, Grain.DAY), agent), dict.fromkeys(DESK_SECONDS, 0.0))
        cell[name] += (end - at).total_seconds()
        at = end


def load(seconds: Mapping[str, Any], taken: float) -> dict[str, Any]:
    """What an agent's time comes to. Occupancy is talk and after-call work over the time at the desk less
    pauses; ``hours`` all time signed in."""
    busy, after, ready = seconds["busy_s"], seconds["after_call_s"], seconds["ready_s"] + seconds["ringing_s"]
    at_work = busy + after + ready
    hours = (at_work + seconds["paused_s"]) / 3600
    return {
        "hours": round(hours, 2),
        "talk_minutes": round(busy / 60, 1),
        "after_call_minutes": round(after / 60, 1),
        "ready_minutes": round(ready / 60, 1),
        "paused_minutes": round(seconds["paused_s"] / 60, 1),
        "occupancy": round((busy + after) / at_work, 4) if at_work else None,
        "taken_per_hour": round(taken / hours, 2) if hours >= 0.1 else None,
        "talk_minutes_per_hour": round(busy / 60 / hours, 1) if hours >= 0.1 else None,
    }


def added(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, float]:
    return {name: sum(row[name] for row in rows) for name in names}
