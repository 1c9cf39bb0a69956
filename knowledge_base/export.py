"""Writes what the dialogue engine's training needs to know of the catalogue.

The files are committed; a test keeps them equal to a fresh export, so the guides stay the one
place where a town or a service's everyday name is written.
"""

from __future__ import annotations

from pathlib import Path

from knowledge_base.catalogue import DEFAULT_FOLDER, Catalogue

DEFAULT_NLU_DATA = DEFAULT_FOLDER.parent / "nlu_data"

_NOTICE = "由 python -m knowledge_base export 生成，请改 knowledge_base 里的内容后重新生成。"
_MAX_WORD = 12  # longer names are sentences: as one token they would hide the words inside
_WORD_WEIGHT = 10


def exports(catalogue: Catalogue) -> dict[str, str]:
    """Path under ``nlu_data`` to content; the same catalogue gives the same text."""
    return {"lookups/towns.yml": _town_lookup(catalogue), "jieba/userdict.txt": _userdict(catalogue)}


def write_nlu_exports(catalogue: Catalogue, nlu_data_dir: Path = DEFAULT_NLU_DATA) -> list[Path]:
    """Writes the exports and answers their paths. Files that are already right are left alone."""
    written = []
    for name, content in exports(catalogue).items():
        path = nlu_data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
        written.append(path)
    return written


def _town_lookup(catalogue: Catalogue) -> str:
    words = [word for town in catalogue.towns.values() for word in town.names]
    listed = "".join(f"    - {word}\n" for word in dict.fromkeys(words))
    return f'version: "3.1"\n# {_NOTICE}\nnlu:\n- lookup: town\n  examples: |\n{listed}'


def _userdict(catalogue: Catalogue) -> str:
    """jieba's own format, ``word weight tag`` a line; no comments, jieba would read them as words."""
    words: set[str] = set()
    for item in catalogue.items.values():
        words |= {item.name, *item.aliases, *item.department.split("、")}
    for town in catalogue.towns.values():
        words |= set(town.names)
    kept = sorted(w for w in words if 2 <= len(w) <= _MAX_WORD and all(c.isalnum() for c in w))
    return "".join(f"{word} {_WORD_WEIGHT} nz\n" for word in kept)
