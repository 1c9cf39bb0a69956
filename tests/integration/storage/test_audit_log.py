"""One contract, both audit logs; then what the one in the database must show when somebody was at it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from postgres_server import STORES, url_of

from hotline.audit import AuditEntry, Head
from hotline.ports import AuditLog
from storage.audit import MemoryAuditLog, SqlAuditLog, audit_key
from storage.engine import make_engine
from storage.errors import StorageDownError
from storage.migrations import upgrade
from storage.runner import Runner, make_runner
from storage.tables import audit_entries

ROOT = Path(__file__).resolve().parents[3]
PHONE, ID_CARD = "13800000000", "990101199001010030"


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Runner]:
    url = f"sqlite:///{tmp_path / 'hotline.db'}"
    await upgrade(url)
    made = make_runner(make_engine(url))
    yield made
    await made.close()


@pytest.fixture
def sql_log(runner: Runner, tmp_path: Path) -> SqlAuditLog:
    return SqlAuditLog(runner, audit_key(tmp_path / "audit.key"), tmp_path / "audit.head")


@pytest.fixture(params=STORES)
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AuditLog]:
    if request.param == "memory":
        yield MemoryAuditLog()
        return
    runner = make_runner(make_engine(await url_of(request, tmp_path)))
    yield SqlAuditLog(runner, audit_key(tmp_path / "audit.key"), tmp_path / "audit.head")
    await runner.close()


async def write(log: AuditLog, count: int = 6) -> list[AuditEntry]:
    return [await log.record("li", "case_read", f"case:BJ{n}", {"why": "来电查询"}) for n in range(1, count + 1)]


# ── the contract ─────────────────────────────────────────────────────────────────────────


async def test_entries_come_back_as_they_were_recorded_in_order_and_hold(log: AuditLog) -> None:
    written = await write(log)
    assert [e.seq for e in written] == [1, 2, 3, 4, 5, 6]
    assert await log.entries() == written
    assert await log.entries(after=2, limit=3) == written[2:5]
    assert await log.head() == Head(seq=6, hash=written[-1].hash)
    findings = await log.verify(Head(seq=3, hash=written[2].hash))
    assert (findings.entries, findings.head, findings.faults) == (6, await log.head(), [])


async def test_an_empty_log_holds_and_has_no_head(log: AuditLog) -> None:
    assert await log.head() is None
    assert (await log.verify()).faults == []


async def test_personal_data_is_masked_in_what_is_recorded(log: AuditLog) -> None:
    data = {
        "said": f"我叫陈小明，电话{PHONE}",
        "applicant": "陈小明",
        "mobile": PHONE,
        "rows": [{"id_card": ID_CARD, "number": PHONE}, int(PHONE)],
        "conversation_id": "c13800000000f",
        "count": 3,
        "ok": True,
    }
    entry = await log.record("li", "case_read", f"caller:{PHONE}", data)
    text = entry.model_dump_json()
    assert not any(secret in text for secret in (f'"{PHONE}', f":{PHONE}", ID_CARD, "小明"))
    assert entry.subject == "caller:138****0000"
    assert entry.data["conversation_id"] == "c13800000000f", "an identifier is nobody's number"
    assert (entry.data["count"], entry.data["ok"]) == (3, True)
    assert (await log.verify()).faults == []


@pytest.mark.parametrize("subject", ["", "case", ":x", "case: "])
async def test_an_entry_without_a_subject_is_refused_and_nothing_is_written(log: AuditLog, subject: str) -> None:
    with pytest.raises(ValueError):
        await log.record("li", "case_read", subject)
    assert await log.entries() == []


async def test_many_at_once_make_one_chain(log: AuditLog) -> None:
    await asyncio.gather(*(log.record("li", "looked", f"case:{n}") for n in range(30)))
    findings = await log.verify()
    assert (findings.entries, findings.faults) == (30, [])


# ── somebody was at the table ────────────────────────────────────────────────────────────


def attack(tmp_path: Path, *statements: str) -> None:
    """As an intruder with the database file: the triggers go first."""
    with sqlite3.connect(tmp_path / "hotline.db") as connection:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER audit_entries_no_{verb}")
        for statement in statements:
            connection.execute(statement)


async def faults(log: SqlAuditLog) -> list[tuple[int, str]]:
    return [(fault.seq, fault.kind) for fault in (await log.verify()).faults]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_entries SET actor = 'wang' WHERE seq = 3", [(3, "changed")]),
        ("UPDATE audit_entries SET action = 'nothing' WHERE seq = 1", [(1, "changed")]),
        ("UPDATE audit_entries SET subject = 'case:BJ9' WHERE seq = 6", [(6, "changed")]),
        ("UPDATE audit_entries SET at = '2020-01-01 00:00:00.000000' WHERE seq = 2", [(2, "changed")]),
        ("""UPDATE audit_entries SET data = '{"why":"没看"}' WHERE seq = 4""", [(4, "changed")]),
        ("DELETE FROM audit_entries WHERE seq = 3", [(3, "missing")]),
        ("DELETE FROM audit_entries WHERE seq = 1", [(1, "missing")]),
        ("DELETE FROM audit_entries WHERE seq > 4", [(5, "truncated")]),
        ("DELETE FROM audit_entries", [(1, "truncated")]),
    ],
)
async def test_what_was_changed_removed_or_cut_off_is_named(
    sql_log: SqlAuditLog, tmp_path: Path, statement: str, found: list[tuple[int, str]]
) -> None:
    await write(sql_log)
    attack(tmp_path, statement)
    assert await faults(sql_log) == found


async def test_two_entries_that_changed_places_are_named(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await write(sql_log)
    move = "UPDATE audit_entries SET seq = {} WHERE seq = {}"
    attack(tmp_path, move.format(99, 3), move.format(3, 4), move.format(4, 99))
    assert await faults(sql_log) == [(3, "out_of_order"), (4, "out_of_order")]
    assert "原来是第 4 条" in (await sql_log.verify()).faults[0].detail


async def test_removing_an_entry_and_closing_the_gap_is_found(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await write(sql_log)
    attack(
        tmp_path,
        "DELETE FROM audit_entries WHERE seq = 3",
        "UPDATE audit_entries SET seq = seq - 1 WHERE seq > 3",
    )
    found = await faults(sql_log)
    assert found[0] == (3, "out_of_order")
    assert found[-1] == (6, "truncated")


async def test_a_chain_made_anew_without_the_key_is_found(sql_log: SqlAuditLog, runner: Runner, tmp_path: Path) -> None:
    await write(sql_log)
    attack(tmp_path, "DELETE FROM audit_entries")
    forger = SqlAuditLog(runner, b"guessed", tmp_path / "elsewhere.head")
    await write(forger, 8)
    assert await faults(sql_log) != []


async def test_a_log_replaced_by_an_older_one_of_its_own_is_found_by_a_head_kept_elsewhere(
    sql_log: SqlAuditLog, tmp_path: Path
) -> None:
    await write(sql_log)
    kept = await sql_log.head()
    attack(tmp_path, "DELETE FROM audit_entries WHERE seq > 3")
    (tmp_path / "audit.head").unlink()
    assert await faults(sql_log) == [(3, "head_missing")]
    await write(sql_log, 3)  # and went on as if nothing had been
    assert await faults(sql_log) == []
    assert [(f.seq, f.kind) for f in (await sql_log.verify(kept)).faults] == [(6, "changed")]


@pytest.mark.parametrize("verb", ["UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries"])
async def test_the_database_refuses_to_rewrite_an_entry(sql_log: SqlAuditLog, runner: Runner, verb: str) -> None:
    await write(sql_log, 2)
    with pytest.raises(sa.exc.IntegrityError, match="append-only"):
        await runner.run(lambda c: c.execute(sa.text(verb)), readonly=False)
    assert len(await sql_log.entries()) == 2


async def test_two_processes_append_to_one_chain(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    writer = Path(__file__).with_name("audit_writer.py")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen([sys.executable, str(writer), str(tmp_path), name, "40"], cwd=ROOT, env=env)  # noqa: ASYNC220
        for name in ("one", "two")
    ]
    await write(sql_log, 20)
    assert [await asyncio.to_thread(process.wait, 60) for process in processes] == [0, 0]
    findings = await sql_log.verify()
    assert (findings.entries, findings.faults) == (100, [])
    assert {e.actor for e in await sql_log.entries()} == {"one", "two", "li"}
    assert Head.read((tmp_path / "audit.head").read_text()) == findings.head


async def test_where_the_head_cannot_be_written_the_entry_is_refused(runner: Runner, tmp_path: Path) -> None:
    log = SqlAuditLog(runner, b"key", tmp_path / "no folder" / "audit.head")
    with pytest.raises(StorageDownError):
        await log.record("li", "looked", "case:1")


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "audit.key"
    assert audit_key(file) == audit_key(file)
    assert len(audit_key(file)) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["audit.key"]


def test_an_entry_fits_its_columns() -> None:
    assert audit_entries.c.hash.type.length == 64
