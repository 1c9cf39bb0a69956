"""Conversations of a generated year with what is counted of each, made by a process that goes ahead of the storing."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from datetime import date

from hotline.insights import Counted
from hotline.settings import ROOT
from insights.reading import Reader
from knowledge_base.catalogue import Catalogue, load_catalogue
from knowledge_base.said import SaidReader
from ops.demo.traffic import Talk, Year
from ops.insights import places_of

Batch = list[tuple[Talk, Counted]]
_BATCH = 4000
_ALONE = 20_000  # conversations: below, a process of their own costs more than it saves


def batches(year: Year, catalogue: Catalogue) -> Iterator[Batch]:
    """The year in order.

    Raises:
        RuntimeError: the process that makes it has failed; what it said stands on the terminal.
    """
    if year.talks < _ALONE:
        yield from _made(year, catalogue)
        return
    command = [sys.executable, "-m", "ops.demo.ahead", year.days[-1].isoformat(), str(year.turns), str(year.seed), str(len(year.days))]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as maker:
        assert maker.stdout is not None
        try:
            while True:
                try:
                    batch: Batch = pickle.load(maker.stdout)  # noqa: S301 — what our own process has made
                except EOFError:
                    break
                yield batch
        finally:
            if maker.poll() is None and sys.exc_info()[0] is not None:
                maker.terminate()
    if maker.returncode != 0:
        raise RuntimeError(f"the process that makes conversations has failed ({maker.returncode})")


def _made(year: Year, catalogue: Catalogue) -> Iterator[Batch]:
    reader = Reader(places_of(catalogue), SaidReader(catalogue).look)
    batch: Batch = []
    for talk in year.talks_in_order():
        batch.append((talk, reader.read(talk.trail)))
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def main() -> None:
    last, turns, seed, days = date.fromisoformat(sys.argv[1]), *map(int, sys.argv[2:5])
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # nothing that is printed gets among the batches
        catalogue = load_catalogue()
        for batch in _made(Year.of(catalogue, last, turns, seed, days), catalogue):
            pickle.dump(batch, out, protocol=5)


if __name__ == "__main__":
    main()
