"""Talks with the running line as a citizen's page does, several at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Protocol

import httpx

from ops.progress import say

THREADS = 4
_TELL_EVERY_S = 4.0

_NOTHING_HEARD = {"intent": None, "aspect": None, "item_key": None, "candidates": ()}

Turn = dict[str, Any]
Talk = list[Turn]


class Citizen(Protocol):
    def talk(self, *texts: str) -> Talk:
        """The turns of one new conversation, as ``POST …/messages`` answers them."""
        ...


class Client:
    """A :class:`Citizen` over HTTP. May be used by several threads."""

    def __init__(self, address: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(base_url=address, timeout=20, trust_env=False, transport=transport)

    def talk(self, *texts: str) -> Talk:
        """A turn that is refused (4xx) comes back without replies and understood as nothing.

        Raises:
            httpx.HTTPError: the line does not answer, or fails.
        """
        begun = self._http.post("/api/v1/conversations", json={"channel": "web"}).raise_for_status().json()
        path = f"/api/v1/conversations/{begun['conversation_id']}/messages"
        headers = {"Authorization": f"Bearer {begun['token']}"}
        turns = [self._say(path, headers, text) for text in texts]
        if turns[-1]["state"] == "queued":
            self._say(path, headers, "不用转了")  # nobody is left waiting for a person
        return turns

    def _say(self, path: str, headers: dict[str, str], text: str) -> Turn:
        answer = self._http.post(path, json={"text": text}, headers=headers)
        if answer.is_client_error:
            return {"state": "refused", "replies": [], "understanding": dict(_NOTHING_HEARD)}
        turn: Turn = answer.raise_for_status().json()
        return turn

    def close(self) -> None:
        self._http.close()


class Progress:
    """Says every few seconds how far a part has come, and once that it is done."""

    def __init__(self, title: str, total: int, tell: Callable[[str], None] = say) -> None:
        self._title, self._total, self._tell = title, total, tell
        self._done = 0
        self._begun = self._told = time.monotonic()

    def step(self) -> None:
        self._done += 1
        now = time.monotonic()
        if self._done == self._total:
            self._tell(f"  {self._title}：{self._total} 个问完（{now - self._begun:.0f} 秒）")
        elif now - self._told >= _TELL_EVERY_S:
            self._told = now
            self._tell(f"  {self._title} … {self._done}/{self._total}")


def ask_all(citizen: Citizen, talks: Sequence[Sequence[str]], progress: Progress, threads: int = THREADS) -> list[Talk]:
    """Has every conversation, ``threads`` at a time; answers stand in the order of ``talks``.

    The first error ends it: conversations that have not begun are given up.
    """
    with ThreadPoolExecutor(threads) as pool:
        begun = [pool.submit(citizen.talk, *texts) for texts in talks]
        try:
            for done in as_completed(begun):
                done.result()
                progress.step()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        return [each.result() for each in begun]


def unheard(talks: Sequence[Talk]) -> int:
    """Turns that came back without any intent: refused, or the engine was down or slower than its deadline."""
    return sum(turn["understanding"]["intent"] is None for talk in talks for turn in talk)
