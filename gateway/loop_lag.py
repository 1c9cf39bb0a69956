"""How late the event loop is: everything a caller hears waits for it."""

from __future__ import annotations

import asyncio

from gateway.metrics import Metrics

_EVERY_S = 0.02  # one frame of sound


async def watch_loop_lag(metrics: Metrics) -> None:
    """Sleeps for the length of a frame, again and again, and tells by how much longer it took. Runs
    until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        begun = loop.time()
        await asyncio.sleep(_EVERY_S)
        metrics.loop_lag_seconds.observe(max(0.0, loop.time() - begun - _EVERY_S))
