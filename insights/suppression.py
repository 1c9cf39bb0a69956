"""No cell of fewer than k people leaves the house, nor can it be worked out from what does.

A small count is hidden; where a total is shown, a second count of the same row or column is hidden
with it, until what is hidden adds up to k or more and is at least two cells.
"""

from __future__ import annotations

from collections.abc import Sequence


def small(count: float, k: int) -> bool:
    return 0 < count < k


def hidden_in_row(counts: Sequence[int], k: int) -> set[int]:
    """Places of the counts of one row that must not be shown beside the row's total."""
    first = {n for n, count in enumerate(counts) if small(count, k)}
    return _extended(counts, first, k) if first else set()


def hidden_in_table(counts: Sequence[Sequence[int]], k: int) -> set[tuple[int, int]]:
    """Cells of a table with totals of rows and columns that must not be shown."""
    hidden = {(r, c) for r, row in enumerate(counts) for c, count in enumerate(row) if small(count, k)}
    width = len(counts[0]) if counts else 0
    while True:
        before = len(hidden)
        for lines in (
            [[(r, c) for c in range(width)] for r in range(len(counts))],
            [[(r, c) for r in range(len(counts))] for c in range(width)],
        ):
            for line in lines:
                values = [k if (r, c) in hidden and not small(counts[r][c], k) else counts[r][c] for r, c in line]
                mine = {n for n, cell in enumerate(line) if cell in hidden}
                if not mine:
                    continue
                needed = _extended(values, mine, k)
                hidden |= {line[n] for n in needed}
        if len(hidden) == before:
            return hidden


def _extended(counts: Sequence[int], hidden: set[int], k: int) -> set[int]:
    hidden = set(hidden)
    while len(hidden) < 2 or sum(counts[n] for n in hidden) < k:
        rest = [n for n, count in enumerate(counts) if n not in hidden and count > 0]
        if not rest:
            break  # the whole line is hidden; whoever shows its total shows fewer than k people
        hidden.add(min(rest, key=lambda n: (counts[n], n)))
    return hidden
