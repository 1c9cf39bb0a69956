"""Secret keys of this installation: files in the data folder, readable by their owner alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def key_in(folder: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """The key in ``folder/name``, made by ``make`` on first use (mode 600)."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(handle, "wb") as out:
        key = make()
        out.write(key)
    return key
