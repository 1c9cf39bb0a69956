"""The guides are edited while the line runs: a good edit is taken, a bad one is told and left out.

A task looks every few seconds whether a file was saved. Reading, checking and rebuilding the search
happen in a thread; the turns go on with what they have, and all actions change over at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from actions.base import HotlineAction, Tools
from hotline.cases import Case, IdentityProof, Verification
from hotline.catalogue import ServiceHall, ServiceItem
from hotline.errors import GuideError, NotFoundError
from hotline.ports import DataHub, ServiceSearch
from knowledge_base.catalogue import DEFAULT_FOLDER, Catalogue, fingerprint, reload_or_keep
from knowledge_base.strangers import strangers_of
from knowledge_base.triage import Category

logger = logging.getLogger("actions")

LOOK_EVERY_S = 3.0


class LiveCatalogue:
    """Keeps the ``tools`` of ``actions`` in step with the guides in ``folder``.

    ``problem`` is the Chinese sentence that says why the files cannot be used as they are now
    (empty: they can); the last good catalogue keeps serving.
    """

    def __init__(
        self,
        tools: Tools,
        actions: Sequence[HotlineAction],
        make_search: Callable[[Catalogue], ServiceSearch],
        folder: Path = DEFAULT_FOLDER,
    ) -> None:
        self.tools = tools
        self.problem = ""
        self._actions = actions
        self._make_search = make_search
        self._folder = folder
        self._seen = fingerprint(folder)

    @property
    def catalogue(self) -> Catalogue:
        return self.tools.catalogue

    async def keep_in_step(self, every_s: float = LOOK_EVERY_S) -> None:
        """Looks again and again, until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            await self.look()

    async def look(self) -> bool:
        """Takes what was saved since the last look. True where the actions have a new catalogue."""
        saved = await asyncio.to_thread(fingerprint, self._folder)
        if saved == self._seen:
            return False
        self._seen = saved
        try:
            tools, error = await asyncio.to_thread(self._read)
        except Exception as failed:
            # Whatever it is (memory, a model's file): the line must go on answering with what it has.
            logger.exception("search not rebuilt: %s", type(failed).__name__)
            self.problem = "办事指南已经改了，但检索没有重建成，仍在用上一份。"
            return False
        self.problem = error.detail if error else ""
        if error:
            logger.error("guides not taken: %s", error.detail)
        if tools is self.tools:
            return False
        self.tools = tools
        for action in self._actions:
            action.renew(tools)
        logger.warning("guides taken: %d services, version %s", len(tools.catalogue), tools.catalogue.content_hash[:12])
        return True

    def _read(self) -> tuple[Tools, GuideError | None]:
        catalogue, error = reload_or_keep(self.catalogue, self._folder)
        if catalogue is self.catalogue:
            return self.tools, error
        wanted = set(Category.model_fields)
        categories = tuple(Category.model_validate(r.model_dump(include=wanted)) for r in catalogue.requests.values())
        hub = self.tools.hub
        if isinstance(hub, HubOfGuides):
            hub = hub.with_guides(catalogue)
        same = catalogue.items == self.catalogue.items  # a table was edited: the search has nothing new
        search = self.tools.search if same else self._make_search(catalogue)
        strangers_of(catalogue)
        return replace(self.tools, catalogue=catalogue, search=search, categories=categories, hub=hub), error


class HubOfGuides:
    """The reference hub, whose services and halls are a copy of the guides made at the start.

    Where a guide was edited since, the guide is right and the copy is old. A district's own hub is
    never stood in for like this: there the hub is right.
    """

    def __init__(self, hub: DataHub, at_start: Catalogue, now: Catalogue | None = None) -> None:
        self._hub, self._at_start, self._now = hub, at_start, now or at_start

    def with_guides(self, now: Catalogue) -> HubOfGuides:
        return HubOfGuides(self._hub, self._at_start, now)

    async def service_item(self, item_code: str) -> ServiceItem:
        guide = self._now.by_code.get(item_code)
        edited = guide if guide != self._at_start.by_code.get(item_code) else None
        try:
            item = await self._hub.service_item(item_code)
        except NotFoundError:
            if edited is None:
                raise
            return edited
        return edited or item

    async def service_halls(self, town: str | None = None) -> list[ServiceHall]:
        halls = await self._hub.service_halls(town)
        if self._now.halls == self._at_start.halls:
            return halls
        return [hall for hall in self._now.halls.values() if town in (None, hall.town)]

    async def verify_identity(
        self, case_reference: str, proof: IdentityProof, verification_id: str | None = None
    ) -> Verification:
        return await self._hub.verify_identity(case_reference, proof, verification_id)

    async def case(self, case_reference: str, verification_id: str) -> Case:
        return await self._hub.case(case_reference, verification_id)

    async def ping(self) -> None:
        await self._hub.ping()
