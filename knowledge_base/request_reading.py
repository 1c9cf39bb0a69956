"""Reads a request for the desk: category, town, department, and what tells whether two are one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import yaml

from hotline.ports import ServiceSearch
from hotline.privacy import mask_text
from hotline.work_order_record import RequestReading
from knowledge_base.catalogue import Catalogue
from knowledge_base.places import find_place, simplified
from knowledge_base.subject import plain
from knowledge_base.times import find_when
from knowledge_base.triage import WORDS_FILE, Category, bare_place, calendar_day, category_of, triage, without_place
from knowledge_base.views import Encoder


class RequestReader:
    """``hotline.work_order_ports.RequestTriage`` in this process. ``encoder`` None leaves meanings out."""

    def __init__(
        self,
        catalogue: Catalogue,
        categories: Sequence[Category],
        encoder: Encoder | None,
        search: ServiceSearch | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._categories = categories
        self._encoder = encoder
        self._search = search
        self._centre: np.ndarray | None = None

    async def read(self, text: str) -> RequestReading:
        return await asyncio.to_thread(self.reading, text)

    def reading(self, text: str) -> RequestReading:
        said = simplified(text)
        filed = triage(text, self._catalogue, self._categories, self._search)
        category = category_of(said, self._categories)
        place = find_place(said, self._catalogue)
        matter = without_place(said, self._catalogue) or said
        return RequestReading(
            said=mask_text(said),
            matter=mask_text(plain(matter)),
            town=filed.town,
            category=filed.category,
            department=filed.department,
            type=filed.type,
            urgency=filed.urgency,
            service_key=filed.service_key,
            place=bare_place(place.place, self._catalogue) if place.precise else "",
            day=calendar_day(find_when(said)),
            words=sorted({w for w in category.words if plain(w) and plain(w) in plain(said)}) if category else [],
            vector=self._vector(matter),
        )

    def _vector(self, matter: str) -> list[float] | None:
        """What happened, less what all requests have in common, of unit length."""
        if self._encoder is None:
            return None
        if self._centre is None:
            centre = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))["centre"]
            self._centre = self._encoder.encode(centre).mean(axis=0)
        row = self._encoder.encode([plain(matter)])[0] - self._centre
        row = row / (np.linalg.norm(row) or 1.0)
        return [round(float(x), 5) for x in row]
