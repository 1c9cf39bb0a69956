"""The Chinese names of states, moves and the rest (names.yml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_TABLES: dict[str, dict[Any, str]] = yaml.safe_load(Path(__file__).with_name("names.yml").read_text(encoding="utf-8"))

STATES = _TABLES["states"]
MOVES = _TABLES["moves"]
PARTIES = _TABLES["parties"]
TYPES = _TABLES["types"]
URGENCIES = _TABLES["urgencies"]
STANDINGS = _TABLES["standings"]
RATINGS = _TABLES["ratings"]
