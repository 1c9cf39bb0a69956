"""Which generated conversations break a rule of the quality review, and how (flaws.yml)."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any
from zlib import crc32

import yaml

_OF = 10_000


@cache
def flaws() -> dict[str, Any]:
    return dict(yaml.safe_load(Path(__file__).with_name("flaws.yml").read_text(encoding="utf-8")))


@cache
def _shares() -> tuple[list[str], list[int]]:
    shares = flaws()["shares"]
    return list(shares), list(accumulate(shares.values()))


def flaw_of(seed: int, conversation_id: str) -> str | None:
    """The flaw meant for this conversation. Drawn from its name alone: no other chance of the year moves."""
    names, bounds = _shares()
    at = bisect_right(bounds, crc32(f"{seed}/{conversation_id}".encode()) % _OF)
    return names[at] if at < len(names) else None
