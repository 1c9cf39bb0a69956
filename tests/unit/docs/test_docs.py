"""The documents say what the code does: settings, states, routes, folders, commands, links."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Mount

from gateway.app import create_app
from gateway.services import Services
from hotline.conversation import TRANSITIONS
from hotline.errors import HotlineError
from hotline.messages import Aspect, Channel
from hotline.settings import ROOT, Settings
from knowledge_base.catalogue import load_catalogue
from storage.errors import StorageDownError

DOCS = ROOT / "docs"
_MADE_BY_RUNNING = {"node_modules", "dist", "__pycache__"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def ignored() -> set[str]:
    """Top-level folders that the project makes and does not keep."""
    lines = (line.strip() for line in read(".gitignore").splitlines())
    return {line.rstrip("/") for line in lines if line.endswith("/")}


def markdown_files() -> list[Path]:
    left_out = ignored() | _MADE_BY_RUNNING
    return sorted(
        path
        for path in ROOT.rglob("*.md")
        if not left_out.intersection(path.relative_to(ROOT).parts) and path.is_file()
    )


def shown_default(value: object) -> str:
    if isinstance(value, Path):
        return f"`{value.relative_to(ROOT).as_posix()}`"
    return f"`{value}`" if str(value) else "（空）"


@asynccontextmanager
async def nothing_connected() -> AsyncIterator[Services]:
    raise AssertionError("the docs need no running parts")
    yield


def routes_of(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(verb, path) of every route, also of those that routers bring in; a socket's verb is WS."""
    for route in routes:
        if inner := getattr(route, "original_router", None):  # how this FastAPI keeps an included router
            yield from routes_of(inner.routes, prefix)
        elif isinstance(route, Mount):
            yield "GET", prefix + route.path
        elif methods := getattr(route, "methods", None):
            yield from ((verb, prefix + route.path) for verb in methods - {"HEAD"})
        else:
            yield "WS", prefix + route.path


def every_route() -> set[tuple[str, str]]:
    return set(routes_of(create_app(nothing_connected).routes))


def written_routes() -> set[tuple[str, str]]:
    """``GET /path`` in code style, without what follows ``?``; planned ones are not counted."""
    text = "\n".join(line for line in read("docs/interfaces.md").splitlines() if not line.startswith("计划"))
    return set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE|WS) (/[^\s`?]*)", text))


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described_with_its_default(name: str) -> None:
    default = Settings.model_fields[name].default
    rows = [line for line in read("docs/settings.md").splitlines() if line.startswith(f"| `{name.upper()}` |")]
    assert len(rows) == 1, name.upper()
    assert rows[0].split(" | ")[1] == shown_default(default)


def test_no_setting_is_described_that_is_not_there() -> None:
    described = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", read("docs/settings.md"), re.MULTILINE))
    assert described == {name.upper() for name in Settings.model_fields}


def test_the_state_diagram_draws_exactly_the_transition_table() -> None:
    drawn = re.findall(r"^\s*(\w+) --> (\w+): (\w+)$", read("docs/architecture.md"), re.MULTILINE)
    assert sorted(drawn) == sorted((s.value, to.value, t.value) for (s, t), to in TRANSITIONS.items())


def test_the_routes_are_found_also_inside_routers() -> None:
    routes = every_route()
    assert ("POST", "/api/v1/conversations") in routes
    assert ("WS", "/api/v1/calls") in routes
    assert ("GET", "/") in routes


def test_every_route_of_the_gateway_is_in_the_interfaces() -> None:
    assert sorted(every_route() - written_routes()) == []


def test_every_route_of_the_openapi_file_is_in_the_interfaces() -> None:
    document = create_app(nothing_connected).openapi()
    paths = {(verb.upper(), path) for path, verbs in document["paths"].items() for verb in verbs}
    assert sorted(paths - written_routes()) == []


@pytest.mark.parametrize("value", [*Aspect, *Channel])
def test_every_aspect_and_channel_is_in_the_interfaces(value: Aspect | Channel) -> None:
    assert re.search(rf"[` ]{value.value}[` ]", read("docs/interfaces.md"))


def test_every_error_the_interfaces_name_is_one_of_ours() -> None:
    table = read("docs/interfaces.md").split("## 出错")[1].split("## ")[0]
    named = set(re.findall(r"^\| `(\w+)` \| \d", table, re.MULTILINE))
    assert named
    of_the_gateway_alone = {"body_too_large", "http_error", "length_required"}
    assert named - of_the_gateway_alone <= {error.code for error in {*_subclasses(HotlineError), StorageDownError}}


def _subclasses(cls: type[HotlineError]) -> Iterator[type[HotlineError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _subclasses(child)


def test_every_top_level_folder_is_in_the_readme() -> None:
    table = set(re.findall(r"^\| `([\w.-]+)/` \|", read("README.md"), re.MULTILINE))
    folders = {
        folder.name
        for folder in ROOT.iterdir()
        if folder.is_dir()
        and not folder.name.startswith(".")
        and folder.name not in ignored() | _MADE_BY_RUNNING
        and any(f.is_file() and "__pycache__" not in f.parts for f in folder.rglob("*"))
    }
    assert sorted(folders - table) == []
    made_later = {"reports"}
    assert sorted(table - folders - made_later) == []


def test_the_readme_counts_the_services_as_they_are() -> None:
    catalogue = load_catalogue()
    assert f"{len(catalogue)} 个事项、{len(catalogue.areas)} 个领域" in read("README.md")


def test_every_make_command_in_the_documents_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    for path in markdown_files():
        if path.is_relative_to(ROOT / "web"):
            continue
        said = set(re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert sorted(said - targets) == [], path.name


def test_what_the_make_and_console_commands_start_is_there() -> None:
    started = set(re.findall(r"-m (ops\.\w+)", read("Makefile")))
    started |= set(re.findall(r"from (ops\.\w+) import", read("ops/cli.py")))
    assert started
    assert sorted(name for name in started if importlib.util.find_spec(name) is None) == []


def test_the_test_folders_are_those_that_the_document_names() -> None:
    named = set(re.findall(r"^\| `([\w/]+)/` \|", read("docs/testing.md"), re.MULTILINE))
    assert named
    assert sorted(name for name in named if not (ROOT / name).is_dir()) == []


def links() -> list[tuple[str, str]]:
    found = []
    for path in markdown_files():
        text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:|#", target):
                found.append((path.relative_to(ROOT).as_posix(), target.split("#")[0]))
    return found


@pytest.mark.parametrize(("document", "target"), links())
def test_every_relative_link_leads_somewhere(document: str, target: str) -> None:
    assert ((ROOT / document).parent / target).exists()


def test_the_documents_name_no_path_of_one_machine() -> None:
    # Built from parts, so that this file does not name them either.
    homes = re.compile("(?<![\\w.])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me", "tm" + "p"]) + r")/")
    assert [p.name for p in markdown_files() if homes.search(p.read_text(encoding="utf-8"))] == []
