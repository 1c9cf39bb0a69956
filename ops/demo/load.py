"""Puts a generated year into a database of its own, quickly, with everything the night would have counted.

The trail is read by the same reader as real traffic, so that every figure is one the line would give.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from hotline.errors import HotlineError
from hotline.insights import ConversationFacts, Counted
from hotline.settings import Settings
from insights.reading import Reader, with_repeats
from insights.topics.vectors import packed
from knowledge_base.catalogue import Catalogue, load_catalogue
from knowledge_base.said import SaidReader
from knowledge_base.text_vectors import PairEncoder
from ops.demo.bulk import Bulk
from ops.demo.traffic import Talk, Year
from ops.insights import places_of
from ops.progress import say
from storage import insight_facts as f
from storage.engine import make_engine
from storage.insight_tables import (
    agent_cells,
    cells,
    desk_cells,
    gap_months,
    line_facts,
    marks,
    order_cells,
    orders,
    rule_cells,
    texts,
    turn_facts,
)
from storage.migrations import upgrade
from storage.tables import conversations, events, metadata, turns

Batch = list[tuple[Talk, Counted]]
_BATCH = 4000
_SHIFT_S, _PAUSED_S = 8 * 3600.0, 1500.0
_UNDERSTOOD = ',"understanding":'
_GENERATED = (conversations, turns, events)


class RealDataError(HotlineError):
    """The database holds conversations that were not generated. Nothing was written."""

    code = "real_data"
    citizen_sentence = "这个库里已有不是生成的对话，演示数据不能混进去；请用 --database 指一个空的库。"


def load(url: str, turns_wanted: int, seed: int, last: date, truth: Path, trail: bool = True, encode: bool = True, progress: Callable[[str], None] = say) -> dict[str, Any]:  # fmt: skip
    """Generates and stores a year; writes what was planted to ``truth``. ``trail``: also the
    conversations, turns and events, not only what was counted of them.

    Raises:
        RealDataError: the database is not empty and not marked as generated.
    """
    begun = time.monotonic()
    asyncio.run(upgrade(url))
    asyncio.run(_ready(url))
    catalogue = load_catalogue()
    year = Year.of(catalogue, last, turns_wanted, seed)
    told = asyncio.run(_store(url, year, catalogue, trail, progress))
    truth.write_text(
        json.dumps(
            {"seed": seed, "last_day": last.isoformat(), "bursts": [b.as_json() for b in year.bursts], "storms": [
                {"day": d.isoformat(), "towns": s.towns, "items": s.items} for d, s in sorted(year.storms.items())]},
            ensure_ascii=False, indent=1,
        ) + "\n", encoding="utf-8",
    )  # fmt: skip
    if encode:
        told["encoded"] = asyncio.run(encode_texts(url, progress))
    return {**told, "seconds": round(time.monotonic() - begun, 1)}


async def _ready(url: str) -> None:
    """Refuses real data; empties what an earlier generation left. The mark stands before any row."""
    engine = make_engine(url)
    try:
        async with engine.begin() as connection:
            marked = (await connection.execute(sa.select(marks.c.value).where(marks.c.name == "demo"))).first()
            filled = (await connection.execute(sa.select(conversations.c.conversation_id).limit(1))).first()
            counted = (await connection.execute(sa.select(line_facts.c.conversation_id).limit(1))).first()
            if marked is None and (filled or counted):
                raise RealDataError
            for table in reversed(metadata.sorted_tables):
                if table in _GENERATED or table.name.startswith("insight_"):  # accounts and the audit log stay
                    await connection.execute(sa.delete(table))
            await connection.execute(sa.insert(marks).values(name="demo", value={"generated": True}))
    finally:
        await engine.dispose()


async def _store(
    url: str, year: Year, catalogue: Catalogue, trail: bool, progress: Callable[[str], None]
) -> dict[str, Any]:
    sums = f.Sums()
    said: dict[bytes, str] = {}
    months: set[int] = set()
    by_caller: dict[str, list[ConversationFacts]] = defaultdict(list)
    tally = {"conversations": 0, "turns": 0, "events": 0}
    engine = make_engine(url)
    try:
        async with engine.begin() as connection:
            bulk = Bulk(connection, (*(_GENERATED if trail else ()), turn_facts, line_facts, texts))
            await bulk.begin()

            async def flush(batch: Batch) -> None:
                for talk, counted in batch:
                    facts = counted.facts
                    tally["conversations"] += 1
                    tally["turns"] += len(counted.turns)
                    tally["events"] += len(talk.data)
                    said.update((f.text_key(t.text), t.text) for t in counted.turns if t.text)
                    if facts.caller_key:
                        by_caller[facts.caller_key].append(facts)
                    else:
                        sums.take(facts, 1.0)
                if trail:
                    await bulk.insert(conversations, [_conversation(t) for t, _ in batch])
                    await bulk.insert(turns, [row for t, _ in batch for row in _turns(t)], json_made=True)
                    await bulk.insert(events, [row for t, _ in batch for row in _events(t)], json_made=True)
                rows = [row for _, c in batch for row in f.turn_rows(c.turns)]
                months.update(row["hour"] // 10000 for row in rows)
                await bulk.insert(turn_facts, rows)
                await bulk.insert(line_facts, [f.fact_row(c.facts) for _, c in batch if not c.facts.caller_key])

            for batch in _batches(year, catalogue):
                await flush(batch)
                progress(f"  已生成 {tally['turns']} 轮 …")
            await _callers(bulk, by_caller, sums)
            await bulk.insert(cells, sums.cell_rows())
            await bulk.insert(rule_cells, sums.rule_rows())
            agents = sums.agent_rows()
            await bulk.insert(agent_cells, agents)
            await bulk.insert(desk_cells, duty_rows(agents))
            await bulk.insert(texts, [{"text_key": k, "text": t} for k, t in said.items()])
            changed = [{"month": month, "changes": 1, "counted": 0, "names": {}} for month in sorted(months)]
            await bulk.insert(gap_months, changed)
            tally["orders"] = await _orders(bulk, year)
            progress("  建索引 …")
            await bulk.end()
    finally:
        await engine.dispose()
    return {**tally, "texts": len(said)}


def _batches(year: Year, catalogue: Catalogue) -> Iterator[Batch]:
    """The year in order, each conversation with what is counted of it."""
    reader = Reader(places_of(catalogue), SaidReader(catalogue).look)
    batch: Batch = []
    for talk in year.talks_in_order():
        batch.append((talk, reader.read(talk.trail)))
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def duty_rows(agents: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Eight hours at the desk for every agent who took somebody that day, with the talks that were counted."""
    rows = []
    for row in agents:
        busy = min(_SHIFT_S - 2 * _PAUSED_S, row["agent_s"])
        ringing, after = min(900.0, 6 * row["taken"]), min(2400.0, 40 * row["taken"])
        ready = max(0.0, _SHIFT_S - _PAUSED_S - busy - ringing - after)
        seconds = {"ready_s": ready, "ringing_s": ringing, "busy_s": busy, "after_call_s": after, "paused_s": _PAUSED_S}
        rows.append({"bucket": row["bucket"], "agent": row["agent"], **seconds})
    return rows


async def _callers(bulk: Bulk, by_caller: dict[str, list[ConversationFacts]], sums: f.Sums) -> None:
    """Conversations of known callers, once the whole year is there: a repeat is known only then."""
    rows: list[dict[str, Any]] = []
    for talks in by_caller.values():
        for facts in with_repeats(talks):
            sums.take(facts, 1.0)
            rows.append(f.fact_row(facts))
        if len(rows) >= _BATCH:
            await bulk.insert(line_facts, rows)
            rows = []
    await bulk.insert(line_facts, rows)


async def _orders(bulk: Bulk, year: Year) -> int:
    gathered: dict[Any, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    rows = []
    for order in year.orders():
        f.take_order(gathered, order, 1.0)
        rows.append(order._asdict())
    await bulk.insert(orders, rows)
    await bulk.insert(order_cells, f.order_cell_rows(gathered))
    return len(rows)


async def encode_texts(url: str, progress: Callable[[str], None], cache: Path | None = None) -> int:
    """Vectors for the texts that have none. Known ones come from a file beside the models: the same
    texts are made again and again."""
    file = cache or Settings().models_dir / "search" / "demo-texts.npz"
    engine = make_engine(url)
    known: dict[bytes, bytes] = {}
    if file.is_file():
        kept = np.load(file)
        known = {k.tobytes(): v.tobytes() for k, v in zip(kept["keys"], kept["vectors"], strict=True)}
    try:
        async with engine.begin() as connection:
            rows = (
                await connection.execute(sa.select(texts.c.text_key, texts.c.text).where(texts.c.vector.is_(None)))
            ).all()
            lacking = [(bytes(k), t) for k, t in rows if bytes(k) not in known]
            if lacking:
                progress(f"  {len(lacking)} 句话要算句向量（约 {len(lacking) * 0.02:.0f} 秒）…")
                encoder = PairEncoder()
                for start in range(0, len(lacking), 500):
                    some = lacking[start : start + 500]
                    for (key, _), vector in zip(some, encoder.encode([t for _, t in some]), strict=True):
                        known[key] = packed(vector)
                file.parent.mkdir(parents=True, exist_ok=True)
                keys = np.frombuffer(b"".join(known), dtype=np.uint8).reshape(len(known), 16)
                vectors = np.frombuffer(b"".join(known.values()), dtype=np.float16).reshape(len(known), -1)
                np.savez(file, keys=keys, vectors=vectors)
            statement = (
                sa.update(texts)
                .where(texts.c.text_key == sa.bindparam("this"))
                .values(model=PairEncoder.name, vector=sa.bindparam("v", type_=sa.LargeBinary))
            )
            if rows:
                await connection.execute(statement, [{"this": k, "v": known[bytes(k)]} for k, _ in rows])
    finally:
        await engine.dispose()
    return len(rows)


def _conversation(talk: Talk) -> dict[str, Any]:
    t = talk.trail
    external = t.caller_key if t.channel != "voice" else None
    return {
        "conversation_id": t.conversation_id, "channel": t.channel,
        "external_id": None if external is None else f"{external}-{t.conversation_id}",
        "token_hash": hashlib.sha256(t.conversation_id.encode()).hexdigest(), "state": talk.state, "expects": None,
        "flow": None, "issued_payloads": [], "turn_count": sum(e.type == "citizen_message" for e in t.events),
        "event_seq": t.seq, "created_at": t.started_at, "updated_at": talk.ended_at, "queued_at": None,
        "rating_score": talk.rating, "rating_comment": "" if talk.rating else None,
        "rated_at": talk.ended_at if talk.rating else None,
    }  # fmt: skip


def _turns(talk: Talk) -> Iterable[dict[str, Any]]:
    t = talk.trail
    replies: dict[str | None, tuple[Any, str, Any]] = {}
    for event, data in zip(t.events, talk.data, strict=True):
        if event.type == "reply":
            reply, _, understanding = data.partition(_UNDERSTOOD)
            replies[event.turn_id] = (event.at, f"[{reply}}}]", understanding[:-1])
    asked = [e for e in t.events if e.type == "citizen_message"]
    for n, event in enumerate(asked, 1):
        answered = replies.get(event.turn_id)
        yield {
            "turn_id": event.turn_id, "conversation_id": t.conversation_id, "turn_seq": n, "channel": t.channel,
            "text": event.data["text"], "confidence": event.data["confidence"], "client_message_id": None, "at": event.at,
            "replies": answered[1] if answered else None, "understanding": answered[2] if answered else None,
            "state": "bot" if answered else None, "answered_at": answered[0] if answered else None,
        }  # fmt: skip


def _events(talk: Talk) -> Iterable[dict[str, Any]]:
    return (
        {"conversation_id": talk.trail.conversation_id, "seq": e.seq, "turn_id": e.turn_id, "type": e.type, "at": e.at, "data": data}
        for e, data in zip(talk.trail.events, talk.data, strict=True)
    )  # fmt: skip
