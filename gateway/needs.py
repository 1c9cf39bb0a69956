"""What a caller needs in an agent, read from the talk: the area of the service, the town, the language."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hotline.desk import Needs
from hotline.messages import Understanding
from knowledge_base.catalogue import Catalogue
from knowledge_base.places import find_town, simplified
from storage.ports import StoredTurn

# Words that nobody writes in Mandarin.
_CANTONESE = re.compile(r"[嘅咗喺唔冇嚟嗰啲佢咁咩乜揾搵睇畀俾]|系咪|点样|点解|边度|几时|而家")
_ENOUGH = 2


class NeedsReader:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def read(self, turns: Sequence[StoredTurn], text: str, understanding: Understanding) -> Needs:
        key = understanding.item_key or next(
            (t.understanding.item_key for t in reversed(turns) if t.understanding and t.understanding.item_key), None
        )
        item = self._catalogue.items.get(key or "")
        said = [t.text for t in turns] + [text]
        towns = [town for town in (find_town(simplified(s), self._catalogue)[0] for s in said) if town]
        cantonese = sum(bool(_CANTONESE.search(s)) for s in said)
        return Needs(
            area=item.area if item else "",
            town=towns[-1] if towns else "",
            dialect="cantonese" if cantonese >= min(_ENOUGH, len(said)) else "",
        )
