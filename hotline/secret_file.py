"""A secret of this line in a file of its own."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def secret_of(file: Path) -> bytes:
    """32 random bytes kept in ``file`` as hex; made at first use, readable by its owner alone (mode 600).

    Raises:
        OSError: it can be neither read nor made. ValueError: the file holds something else.
    """
    with suppress(FileExistsError):
        file.parent.mkdir(parents=True, exist_ok=True)
        # Written under another name and linked: a second process never reads half a key.
        draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(secrets.token_hex(32))
            os.link(draft, file)
        finally:
            draft.unlink(missing_ok=True)
    return bytes.fromhex(file.read_text(encoding="ascii").strip())
