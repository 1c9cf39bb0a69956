"""What ``make bench`` tells: the parts that were measured, and by name those that were not."""

from __future__ import annotations

from ops.bench import table

REPORT = {
    "date": "2026-11-25",
    "cores": 2,
    "failed": {"desk": "TimeoutError: "},
    "memory_at_rest_mb": {"gateway": 700.0, "all": 700.0},
    "warm_start_to_first_answer_s": 30.0,
    "loop_lag": {"calls": 10, "p50_ms": 0.5, "p99_ms": 9.0},
}


def test_a_part_that_failed_costs_its_own_figures_only() -> None:
    told = table(REPORT)
    assert "没有量成：desk" in told
    assert "p99 9.0 ms" in told
    assert "坐席工作台（" not in told
