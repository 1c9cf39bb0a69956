"""The gateway tells how late its event loop is."""

from __future__ import annotations

import asyncio
import time

from gateway.loop_lag import watch_loop_lag
from gateway.metrics import Metrics


def counted(metrics: Metrics, limit: str) -> float:
    return metrics.registry.get_sample_value("hotline_loop_lag_seconds_bucket", {"le": limit}) or 0.0


async def test_a_blocked_loop_is_seen_in_the_histogram():
    metrics = Metrics()
    watch = asyncio.create_task(watch_loop_lag(metrics))
    await asyncio.sleep(0)
    time.sleep(0.15)  # noqa: ASYNC251 (the offence that the metric is there to show)
    async with asyncio.timeout(5):
        while not counted(metrics, "+Inf"):  # noqa: ASYNC110 (the loop's own time passes)
            await asyncio.sleep(0)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    assert counted(metrics, "0.1") < counted(metrics, "+Inf")
