"""Drafts with personal data, sealed before they go into a slot.

The engine keeps slots in its own database, and sends all of them along with every action call. A
draft of a complaint holds what a citizen told and a phone number: there it is ciphertext only. The
key lies in the data folder of this line and nowhere else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from cryptography.fernet import Fernet, InvalidToken
from pydantic import BaseModel, ValidationError

from hotline.keys import key_in

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
        return cls(key_in(folder, KEY_FILE, Fernet.generate_key))

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
