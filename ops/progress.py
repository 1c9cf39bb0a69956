"""Progress lines for people, and quiet runs of noisy commands. Standard library only."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_TAIL_LINES = 25
_EVERY_S = 15.0


class SetUpError(Exception):
    """Set-up cannot go on. The message says in Chinese what to do next."""


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def run_quietly(
    what: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Runs ``command`` with its output in ``log``; says every quarter minute that it goes on.

    Raises:
        SetUpError: it failed; the message holds the last lines of its output.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    say(f"  {what} …")
    with log.open("ab") as out:
        out.write(f"\n=== {what}\n".encode())
        out.flush()
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **(env or {})}, cwd=cwd)
        done = threading.Event()

        def tick() -> None:
            while not done.wait(_EVERY_S):
                say(f"  {what} … 已 {time.monotonic() - started:.0f} 秒")

        ticker = threading.Thread(target=tick, daemon=True)
        ticker.start()
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            done.set()
    if code != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:])
        raise SetUpError(f"{what}没有成功（退出码 {code}）。最后的输出：\n{tail}\n全部输出见 {log}")
    say(f"  {what}：好了（{time.monotonic() - started:.0f} 秒）")
