"""A copy of the committed knowledge base that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from knowledge_base.catalogue import DEFAULT_FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "knowledge"
    shutil.copytree(DEFAULT_FOLDER / "guides", copied / "guides")
    for table in DEFAULT_FOLDER.glob("*.yml"):
        shutil.copy(table, copied / table.name)
    return copied
