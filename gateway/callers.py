"""Who calls: the number sealed for calling back, masked for the screen, and a digest to know them again."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from hotline.desk_ports import Contact
from hotline.errors import BadInputError
from hotline.keys import key_in
from hotline.privacy import mask_phone

KEY_FILE = "callers.key"
_NUMBER = re.compile(r"(?:\+?86)?(1\d{10}|0\d{2,3}-?\d{7,8})")


@dataclass(frozen=True)
class Caller:
    """``key`` is None for who cannot be told apart; ``contact`` is empty where no number is known."""

    key: str | None = None
    contact: Contact = field(default_factory=Contact)


class CallerSeal:
    """The digest is keyed: numbers are few enough to try them all against a plain one."""

    def __init__(self, key: bytes | None = None) -> None:
        key = key or Fernet.generate_key()
        self._fernet = Fernet(key)
        self._digest_key = hashlib.sha256(b"caller digest" + key).digest()

    @classmethod
    def in_folder(cls, folder: Path) -> CallerSeal:
        return cls(key_in(folder, KEY_FILE, Fernet.generate_key))

    def caller(self, announced: object) -> Caller:
        """Whoever a door announced; a nameless caller where that is no telephone number."""
        found = _NUMBER.fullmatch(announced.strip()) if isinstance(announced, str) else None
        if found is None or not found[1].isascii():
            return Caller()
        number = found[1].replace("-", "")
        return Caller(self.digest("tel", number), self._contact(number))

    def contact(self, said: str) -> Contact:
        """A number somebody typed to be called at. Raises BadInputError."""
        found = _NUMBER.fullmatch(re.sub(r"[\s-]", "", said))
        if found is None or not found[1].isascii():
            raise BadInputError("请填 11 位手机号，或带区号的固定电话。")
        return self._contact(found[1])

    def digest(self, kind: str, name: str) -> str:
        return hmac.new(self._digest_key, f"{kind}:{name}".encode(), hashlib.sha256).hexdigest()

    def open(self, sealed: str) -> str | None:
        """The number, or None where there is none or it was sealed with another key."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode() if sealed else None
        except InvalidToken:
            return None

    def _contact(self, number: str) -> Contact:
        return Contact(sealed=self._fernet.encrypt(number.encode()).decode(), shown=mask_phone(number))
