"""The catalogue: every guide, hall, town, source and phone line, loaded once and checked whole.

A district edits YAML; :func:`load_catalogue` answers with one immutable :class:`Catalogue` or with
a :class:`~hotline.errors.GuideError` that names the file, the field and the reason in Chinese.
A line that is already running calls :func:`reload_or_keep`, so that a slip of the pen never takes
the service catalogue away from callers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hotline.catalogue import ServiceHall, ServiceItem
from hotline.errors import GuideError
from knowledge_base.models import (
    AmbiguousPlace,
    Area,
    NeighbourPlace,
    PhoneLine,
    RequestCategory,
    SourceNote,
    Town,
)
from knowledge_base.reading import as_models, guide_error, parse, patterns, read_yaml, validated

DEFAULT_FOLDER = Path(__file__).resolve().parent

_TABLES = (
    "areas.yml",
    "halls.yml",
    "neighbours.yml",
    "phones.yml",
    "requests.yml",
    "sources.yml",
    "towns.yml",
    "triage.yml",
)


@dataclass(frozen=True)
class Catalogue:
    """Everything the line may speak of.

    ``items`` maps a short key (``JZ02``) to its service, sorted by key; ``by_code`` maps the
    implementation code; ``sources`` maps ``S4``, ``G``, ``U`` to where facts come from;
    ``content_hash`` is the SHA-256 of the files (hexadecimal): equal hash, equal catalogue.
    Also reads as a mapping of ``items``: ``catalogue["JZ02"]``, ``"JZ02" in catalogue``, ``len``.
    """

    items: dict[str, ServiceItem]
    by_code: dict[str, ServiceItem]
    areas: dict[str, Area]
    halls: dict[str, ServiceHall]
    towns: dict[str, Town]
    ambiguous_places: tuple[AmbiguousPlace, ...]
    phones: dict[str, PhoneLine]
    sources: dict[str, SourceNote]
    requests: dict[str, RequestCategory]
    neighbours: tuple[NeighbourPlace, ...]
    triage_words: dict[str, tuple[str, ...]]
    """Part of triage.yml (``urgency.urgent``) to its patterns, for the checks."""
    files: dict[str, str]
    """Guide key to its file, relative to the folder, for messages to those who edit it."""
    content_hash: str

    def __getitem__(self, key: str) -> ServiceItem:
        return self.items[key]

    def __contains__(self, key: object) -> bool:
        return key in self.items

    def __iter__(self) -> Iterator[str]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def town_named(self, word: str) -> Town | None:
        """The town that ``word`` as a whole names: full or short name, old place name, mis-hearing."""
        return next((town for town in self.towns.values() if word in town.words), None)

    def halls_of(self, town: str) -> list[ServiceHall]:
        """The halls of a town (full name, e.g. 狮山镇), in the order of their codes."""
        return [hall for hall in self.halls.values() if hall.town == town]


def load_catalogue(folder: Path = DEFAULT_FOLDER) -> Catalogue:
    """The catalogue in ``folder`` (``guides/<area>/<KEY>.yml`` and the tables beside it).

    Raises:
        GuideError: a file is missing, is not YAML, or breaks the schema; ``detail`` names the
            file, the field and the reason.
    """
    return _build(_read_files(folder))


def reload_or_keep(previous: Catalogue, folder: Path = DEFAULT_FOLDER) -> tuple[Catalogue, GuideError | None]:
    """The catalogue as it is on disk now, or ``previous`` and the error where it cannot be used.

    Unchanged files answer ``previous`` itself, so callers may compare with ``is``.
    """
    try:
        raw = _read_files(folder)
        if _hash(raw) == previous.content_hash:
            return previous, None
        return _build(raw), None
    except GuideError as error:
        return previous, error


def fingerprint(folder: Path = DEFAULT_FOLDER) -> frozenset[tuple[str, int, int]]:
    """Names, times (ns) and sizes of the files: equal, and nothing has been saved since. Reads no file."""
    found = []
    for path in [*(folder / "guides").rglob("*.yml"), *(folder / name for name in _TABLES)]:
        try:
            status = path.stat()
        except OSError:
            continue  # being replaced just now, or missing: reading it will say so
        found.append((path.relative_to(folder).as_posix(), status.st_mtime_ns, status.st_size))
    return frozenset(found)


def _read_files(folder: Path) -> dict[str, bytes]:
    """Relative path to content, sorted, for all guides and tables."""
    guides = folder / "guides"
    paths = sorted(guides.rglob("*.yml")) + [folder / name for name in _TABLES]
    if not any(path.is_relative_to(guides) for path in paths):
        raise guide_error("guides", "", "没有找到任何办事指南（guides/<领域>/<编号>.yml）")
    files: dict[str, bytes] = {}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            files[name] = path.read_bytes()
        except OSError as error:
            raise guide_error(name, "", "文件不存在或读不出来") from error
    return files


def _hash(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    return digest.hexdigest()


def _build(files: dict[str, bytes]) -> Catalogue:
    areas = {area.key: area for area in as_models(files, "areas.yml", "areas", Area)}
    items: dict[str, ServiceItem] = {}
    by_code: dict[str, ServiceItem] = {}
    where: dict[str, str] = {}
    for name in sorted(n for n in files if n.startswith("guides/")):
        item = validated(ServiceItem, parse(name, files[name]), name)
        _check_place(item, name, areas)
        if item.key in items:
            raise guide_error(name, "key", f"编号 {item.key} 已被 {where[item.key]} 使用")
        if item.code in by_code:
            taken = where[by_code[item.code].key]
            raise guide_error(name, "code", f"实施编码已被 {taken} 使用")
        items[item.key] = by_code[item.code] = item
        where[item.key] = name
    towns_file = read_yaml(files, "towns.yml")
    return Catalogue(
        items=dict(sorted(items.items())),
        by_code=by_code,
        areas=areas,
        halls={h.code: h for h in as_models(files, "halls.yml", "halls", ServiceHall)},
        towns={t.name: t for t in as_models(files, "towns.yml", "towns", Town, towns_file)},
        ambiguous_places=tuple(as_models(files, "towns.yml", "ambiguous", AmbiguousPlace, towns_file)),
        phones={p.number: p for p in as_models(files, "phones.yml", "phones", PhoneLine)},
        sources={s.key: s for s in as_models(files, "sources.yml", "sources", SourceNote)},
        requests={r.key: r for r in as_models(files, "requests.yml", "requests", RequestCategory)},
        neighbours=tuple(as_models(files, "neighbours.yml", "neighbours", NeighbourPlace)),
        triage_words=patterns("triage.yml", read_yaml(files, "triage.yml")),
        files=where,
        content_hash=_hash(files),
    )


def _check_place(item: ServiceItem, name: str, areas: dict[str, Area]) -> None:
    """A guide lies where its own key and area say, so that people find it."""
    path = Path(name)
    if path.stem != item.key:
        raise guide_error(name, "key", f"编号 {item.key} 与文件名 {path.name} 不一致")
    if path.parent.name != item.area:
        raise guide_error(name, "area", f"领域 {item.area} 与文件夹 {path.parent.name} 不一致")
    if item.area not in areas:
        raise guide_error(name, "area", f"领域 {item.area} 没有登记在 areas.yml 里")
