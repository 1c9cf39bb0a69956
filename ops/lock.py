"""Writes the lock files from what is installed: run after a dependency was added and tried.

``python -m ops.lock`` in the application's environment. Only what the ``.in`` files need, directly
or not, is locked; torch stays out (ops/setup.py brings its CPU build), and no address is named.
"""

from __future__ import annotations

import importlib.metadata as metadata
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

from ops.setup import ENGINE, ROOT

_KEPT_OUT = {"torch", "pip"}
_ALWAYS = {"setuptools"}  # newer Pythons' environments come without it


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _direct(file: Path) -> list[Requirement]:
    lines = (line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def needed(direct: Iterable[Requirement]) -> set[str]:
    """Canonical names of ``direct`` and of all that they need here, extras included."""
    todo = [(r.name, frozenset(r.extras)) for r in direct]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        name, extras = todo.pop()
        key = (_canonical(name), extras)
        if key in seen:
            continue
        seen.add(key)
        try:
            requirements = [Requirement(text) for text in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            continue  # needed on other systems only
        for requirement in requirements:
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in (extras | {""})):
                todo.append((requirement.name, frozenset(requirement.extras)))
    return {name for name, _ in seen}


def _pins(names: set[str]) -> str:
    pins = {}
    for distribution in metadata.distributions():
        name = _canonical(distribution.metadata["Name"])
        if name in names and name not in _KEPT_OUT:
            pins[name] = f"{name}=={distribution.version.split('+')[0]}"
    return "\n".join(pins[name] for name in sorted(pins)) + "\n"


def main() -> None:
    folder = ROOT / "requirements"
    app = needed([*_direct(folder / "app.in"), Requirement("torch")]) | _ALWAYS
    dev = needed(_direct(folder / "dev.in")) - app
    (folder / "app.lock").write_text(_pins(app), encoding="utf-8")
    (folder / "dev.lock").write_text(_pins(dev), encoding="utf-8")
    freeze = subprocess.run(
        [str(ENGINE / "bin" / "python"), "-m", "pip", "freeze", "--all"], capture_output=True, text=True, check=True
    )
    lines = [line for line in freeze.stdout.splitlines() if "==" in line and not line.startswith("pip==")]
    (ROOT / "bot" / "requirements.lock").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
