"""What ``make bench`` tells: the parts that were measured, and by name those that were not."""

from __future__ import annotations

from ops.bench import table

LATENCY = {
    "ours": {"p50_ms": 6.0, "p95_ms": 12.0},
    "vosk_server": {"p50_ms": 5.0, "p95_ms": 11.0},
    "added": {"p50_ms": 1.0, "p95_ms": 1.0},
}
REPORT = {
    "date": "2026-11-25",
    "cores": 2,
    "failed": {"desk": "TimeoutError: "},
    "memory_at_rest_mb": {"gateway": 700.0, "all": 700.0},
    "warm_start_to_first_answer_s": 30.0,
    "recognition": {
        "server": {
            "throughput": {"ours": 3.1, "vosk_server": 3.0},
            "throughput_ratio": 1.033,
            "cpu_s_a_second_of_sound": {"ours": 0.41, "vosk_server": 0.4},
            "latency": LATENCY,
            "latency_4_clients": LATENCY,
        },
        "engines": {"vosk": {"calls_in_real_time": 4, "memory_per_call_mb": 20.0, "memory_at_rest_mb": 600}},
    },
    "loop_lag": {"calls": 10, "p50_ms": 0.5, "p99_ms": 9.0},
}


def test_a_part_that_failed_costs_its_own_figures_only() -> None:
    told = table(REPORT)
    assert "没有量成：desk" in told
    assert "p99 9.0 ms" in told
    assert "坐席工作台（" not in told


def test_the_recognition_servers_are_told_side_by_side() -> None:
    told = table(REPORT)
    assert "| 3.1 | 3.0 | 1.033（要 ≥ 1.0） |" in told
    assert "4 路 | 6.0 / 12.0" in told
    assert "| vosk | 4 | 20.0 MB | 600 MB |" in told
