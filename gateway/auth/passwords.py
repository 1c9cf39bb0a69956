"""Passwords: argon2id, in a few worker threads of their own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hotline.errors import BadInputError

SHORTEST, LONGEST = 8, 128
P = ParamSpec("P")
R = TypeVar("R")


class Passwords:
    """``memory_kib`` is used by each of at most two hashes at a time: a flood of sign-ins waits."""

    def __init__(self, time_cost: int, memory_kib: int) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="argon2")
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        return await self._run(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether ``password`` is the one of ``stored``. Without one (no such account) the same work is done."""
        if stored is None:
            if self._nobodys is None:
                self._nobodys = await self.hash(secrets.token_hex())
            await self._run(self._matches, self._nobodys, password)
            return False
        return await self._run(self._matches, stored, password)

    def is_weaker_than_now(self, stored: str) -> bool:
        """Made with other settings than today's."""
        return self._hasher.check_needs_rehash(stored)

    async def close(self) -> None:
        self._threads.shutdown(wait=False)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[P, R], *given: P.args, **named: P.kwargs) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *given, **named))


def checked_password(password: str, username: str) -> str:
    """``password``, where it may become one.

    Raises:
        BadInputError: too short, too long, or too easy to guess.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInputError(f"密码要 {SHORTEST} 到 {LONGEST} 个字符，请换一个。")
    if username in password.lower() or len(set(password)) < 4:
        raise BadInputError("这个密码太容易猜：不能包含用户名，也不能只有三种以内的字符。请换一个。")
    return password
