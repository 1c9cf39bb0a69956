"""Appends to the audit log of a data folder; test_audit_log runs two at once."""

import asyncio
import sys
from pathlib import Path

from storage.audit import SqlAuditLog, audit_key
from storage.engine import make_engine
from storage.runner import make_runner


async def main(folder: Path, actor: str, count: int) -> None:
    runner = make_runner(make_engine(f"sqlite:///{folder / 'hotline.db'}"))
    log = SqlAuditLog(runner, audit_key(folder / "audit.key"), folder / "audit.head")
    for number in range(count):
        await log.record(actor, "looked", f"case:{number}")
    await runner.close()


asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
