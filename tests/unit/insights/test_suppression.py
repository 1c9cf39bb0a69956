"""No small cell is shown, nor can it be worked out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from insights.suppression import hidden_in_row, hidden_in_table


def test_one_small_count_takes_the_next_smallest_with_it() -> None:
    assert hidden_in_row([3, 40, 9, 0], 5) == {0, 2}


def test_nothing_small_hides_nothing() -> None:
    assert hidden_in_row([5, 40, 0], 5) == set()


def test_two_small_counts_that_add_up_to_too_few_take_a_third() -> None:
    assert hidden_in_row([1, 2, 30], 5) == {0, 1, 2}


@given(st.lists(st.integers(0, 30), min_size=2, max_size=8), st.integers(2, 6))
def test_what_is_hidden_in_a_row_cannot_be_told_from_its_total(counts: list[int], k: int) -> None:
    hidden = hidden_in_row(counts, k)
    assert all(n in hidden for n, count in enumerate(counts) if 0 < count < k)
    if hidden and sum(counts) >= k and len([c for c in counts if c]) > 1:
        assert len(hidden) >= 2
        assert sum(counts[n] for n in hidden) >= k


@given(st.lists(st.lists(st.integers(0, 20), min_size=3, max_size=3), min_size=2, max_size=5))
def test_no_row_and_no_column_of_a_table_hides_a_single_cell_beside_others(table: list[list[int]]) -> None:
    hidden = hidden_in_table(table, 5)
    assert all((r, c) in hidden for r, row in enumerate(table) for c, n in enumerate(row) if 0 < n < 5)
    lines = [[(r, c) for c in range(3)] for r in range(len(table))]
    lines += [[(r, c) for r in range(len(table))] for c in range(3)]
    for line in lines:
        mine = [cell for cell in line if cell in hidden]
        others = [cell for cell in line if cell not in hidden and table[cell[0]][cell[1]] > 0]
        assert len(mine) != 1 or not others
