"""Drafts with personal data, sealed before they go into a slot.

The engine keeps slots in its own database, and sends all of them along with every action call. A
draft of a complaint holds what a citizen told and a phone number: there it is ciphertext only. The
key lies in the data folder of this line and nowhere else.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from cryptography.fernet import Fernet, InvalidToken
from pydantic import BaseModel, ValidationError

KEY_FILE = "drafts.key"
_Model = TypeVar("_Model", bound=BaseModel)


class DraftSeal:
    """Seals models into text and opens them again (AES and HMAC by Fernet)."""

    def __init__(self, key: bytes | None = None) -> None:
        """Without ``key`` a new one: what was sealed before cannot be opened (tests)."""
        self._fernet = Fernet(key or Fernet.generate_key())

    @classmethod
    def in_folder(cls, folder: Path) -> DraftSeal:
        """With the key of ``folder``, made on first use, readable by its owner alone (mode 600)."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / KEY_FILE
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(file.read_bytes())
        with os.fdopen(handle, "wb") as out:
            key = Fernet.generate_key()
            out.write(key)
        return cls(key)

    def seal(self, draft: BaseModel) -> str:
        return self._fernet.encrypt(draft.model_dump_json().encode()).decode()

    def open(self, sealed: object, kind: type[_Model]) -> _Model | None:
        """The draft, or None where there is none or it was sealed with another key or shape."""
        if not isinstance(sealed, str) or not sealed:
            return None
        try:
            return kind.model_validate_json(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, ValidationError):
            return None
