"""What work orders hold of citizens is ciphertext in the database (AES and HMAC by Fernet)."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from cryptography.fernet import Fernet, InvalidToken
from pydantic import BaseModel

from hotline.errors import HotlineError
from hotline.keys import key_in

KEY_FILE = "orders.key"
_Model = TypeVar("_Model", bound=BaseModel)


class WrongKeyError(HotlineError):
    """The database was written with another key."""

    code = "wrong_orders_key"
    citizen_sentence = "工单读不出来：数据目录里的 orders.key 不是这个数据库的。请换回备份的密钥。"


class RowSeal:
    def __init__(self, key: bytes | None = None) -> None:
        """Without ``key`` a new one (tests)."""
        self._fernet = Fernet(key or Fernet.generate_key())

    @classmethod
    def in_folder(cls, folder: Path) -> RowSeal:
        return cls(key_in(folder, KEY_FILE, Fernet.generate_key))

    def seal(self, model: BaseModel) -> str:
        return self._fernet.encrypt(model.model_dump_json().encode()).decode()

    def open(self, sealed: str, kind: type[_Model]) -> _Model:
        """Raises WrongKeyError."""
        try:
            return kind.model_validate_json(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise WrongKeyError from None
