"""The catalogue file of the reference hub: written from the guides, loaded at start."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from data_hub import fields
from data_hub.reference.store import HallRow, ItemRow, MetaRow, Store
from hotline.catalogue import ServiceHall, ServiceItem
from hotline.errors import HubDownError

_HASH = "catalogue_hash"


class CatalogueError(Exception):
    """The catalogue file is missing or cannot be read; the message says which and why, in Chinese."""


def write_catalogue(items: Iterable[ServiceItem], halls: Iterable[ServiceHall], path: Path) -> None:
    """Writes ``path`` whole or not at all. Raises CatalogueError where a code or key comes twice."""
    items, halls = list(items), list(halls)
    _refuse_doubles(items, halls)
    document = {
        "items": [fields.item_to_hub(item) for item in items],
        "halls": [fields.hall_to_hub(hall) for hall in halls],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    unfinished.replace(path)


def read_catalogue(path: Path) -> tuple[list[ServiceItem], list[ServiceHall]]:
    """Raises CatalogueError."""
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        items = [fields.parse_item(item) for item in document["items"]]
        halls = [fields.parse_hall(hall) for hall in document["halls"]]
    except FileNotFoundError:
        raise CatalogueError(f"没有事项目录文件 {path.name}，请先由知识库生成。") from None
    except (OSError, ValueError, KeyError, TypeError, HubDownError) as error:
        raise CatalogueError(f"事项目录文件 {path.name} 读不懂（{type(error).__name__}）。") from error
    _refuse_doubles(items, halls)
    return items, halls


def refresh(store: Store, items: list[ServiceItem], halls: list[ServiceHall]) -> bool:
    """Replaces services and halls where their content changed; cases and locks stay. True if it did."""
    item_bodies = [fields.item_to_hub(item) for item in items]
    hall_bodies = [fields.hall_to_hub(hall) for hall in halls]
    content = json.dumps([item_bodies, hall_bodies], ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    with store.write() as session:
        known = session.get(MetaRow, _HASH)
        if known is not None and known.value == digest:
            return False
        session.execute(delete(ItemRow))
        session.execute(delete(HallRow))
        for item, body in zip(items, item_bodies, strict=True):
            words = " ".join([item.name, item.key, item.code, item.department, *item.aliases])
            session.add(ItemRow(code=item.code, key=item.key, area=item.area, words=words, body=body))
        for hall, body in zip(halls, hall_bodies, strict=True):
            session.add(HallRow(code=hall.code, town=hall.town, body=body))
        session.merge(MetaRow(name=_HASH, value=digest))
    return True


def _refuse_doubles(items: list[ServiceItem], halls: list[ServiceHall]) -> None:
    for kind, values in (
        ("实施编码", [item.code for item in items]),
        ("短编码", [item.key for item in items]),
        ("大厅编码", [hall.code for hall in halls]),
    ):
        doubled = sorted({value for value in values if values.count(value) > 1})
        if doubled:
            raise CatalogueError(f"事项目录里的{kind}重复：{'、'.join(doubled)}。")
