"""Guides saved while the line runs: good ones are taken whole, bad ones are told and left out."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from line_parts import CATALOGUE, Line, make_hub, make_tools, words

from actions.base import Events, HotlineAction, Tools
from actions.live_catalogue import HubOfGuides, LiveCatalogue
from hotline.errors import NotFoundError
from hotline.ports import ServiceSearch
from knowledge_base.catalogue import DEFAULT_FOLDER, Catalogue, load_catalogue
from knowledge_base.memory import PhraseSearch

GUIDE = "guides/residence/JZ04.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "knowledge"
    shutil.copytree(DEFAULT_FOLDER / "guides", copied / "guides")
    for table in DEFAULT_FOLDER.glob("*.yml"):
        shutil.copy(table, copied / table.name)
    return copied


def edit(folder: Path, old: str, new: str, name: str = GUIDE) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def make_search(catalogue: Catalogue) -> ServiceSearch:
    return PhraseSearch(catalogue.items.values())


def running(folder: Path) -> tuple[Line, LiveCatalogue]:
    catalogue = load_catalogue(folder)
    hub = make_hub()
    tools = make_tools(hub=hub, catalogue=catalogue, search=make_search(catalogue))
    line = Line(make_tools(hub=HubOfGuides(hub, catalogue), requests=hub, catalogue=catalogue, search=tools.search))
    return line, LiveCatalogue(line.tools, list(line._actions.values()), make_search, folder)


async def test_nothing_saved_changes_nothing(folder: Path) -> None:
    line, live = running(folder)
    assert not await live.look()
    assert live.tools is line.tools


async def test_a_new_alias_is_understood_at_the_next_turn(folder: Path) -> None:
    line, live = running(folder)
    edit(folder, "aliases:\n", "aliases:\n  - 居住小绿卡\n")
    assert await live.look()
    assert live.problem == ""
    (message,) = await line.run("action_answer_service", "居住小绿卡", "ask_fee")
    assert message["understanding"]["item_key"] == "JZ04"


async def test_an_edited_fact_is_told_though_the_reference_hub_has_a_copy_of_the_old_one(folder: Path) -> None:
    line, live = running(folder)
    edit(folder, "补领、换领居住证收取工本费\n", "补领、换领居住证先登记再收取工本费\n")
    assert await live.look()
    assert "先登记再收取工本费" in words(await line.run("action_answer_service", "补居住证", "ask_fee"))


async def test_a_bad_edit_is_told_in_chinese_and_the_last_good_catalogue_goes_on(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    line, live = running(folder)
    edit(folder, "summary:", "sumary:")
    assert not await live.look()
    assert "JZ04.yml" in live.problem
    assert "sumary" in live.problem
    assert "没有这个字段" in live.problem
    assert "JZ04.yml" in caplog.text
    assert "工本费" in words(await line.run("action_answer_service", "补居住证", "ask_fee"))
    edit(folder, "sumary:", "summary:")
    await live.look()
    assert live.problem == ""


async def test_an_edited_table_needs_no_new_search(folder: Path) -> None:
    _, live = running(folder)
    before = live.tools
    edit(folder, "words: [噪音,", "words: [噪音扰人, 噪音,", "requests.yml")
    assert await live.look()
    assert live.tools.search is before.search
    assert "噪音扰人" in next(c for c in live.tools.categories if c.key == "noise").words


async def test_a_bad_table_is_told_too(folder: Path) -> None:
    _, live = running(folder)
    edit(folder, "service_key: CG01", "service: CG01", "requests.yml")
    assert not await live.look()
    assert "requests.yml" in live.problem


async def test_a_new_service_is_answered_before_the_hub_knows_it(folder: Path) -> None:
    line, live = running(folder)
    text = (folder / GUIDE).read_text(encoding="utf-8")
    own = CATALOGUE["JZ04"]
    text = (
        text.replace("key: JZ04", "key: JZ09").replace(own.code, own.code[:-3] + "909").replace(own.name, "居住小绿卡")
    )
    (folder / "guides/residence/JZ09.yml").write_text(text, encoding="utf-8")
    assert await live.look()
    (message,) = await line.run("action_answer_service", "居住小绿卡", "ask_fee")
    assert message["understanding"]["item_key"] == "JZ09"
    assert "中台" not in message["reply"]["text"]


async def test_a_search_that_cannot_be_rebuilt_leaves_the_old_one(folder: Path) -> None:
    line, live = running(folder)

    def fails(_: Catalogue) -> ServiceSearch:
        raise MemoryError

    live._make_search = fails
    edit(folder, "aliases:\n", "aliases:\n  - 居住小绿卡\n")
    assert not await live.look()
    assert "没有重建成" in live.problem
    assert live.tools is line.tools
    assert "工本费" in words(await line.run("action_answer_service", "补居住证", "ask_fee"))


class _TwoLooks(HotlineAction):
    """Looks at its tools, waits, and looks again."""

    def __init__(self, tools: Tools, meanwhile: asyncio.Event, entered: asyncio.Event) -> None:
        super().__init__(tools)
        self.meanwhile, self.entered, self.looks = meanwhile, entered, list[Tools]()

    def name(self) -> str:
        return "action_two_looks"

    async def act(self, dispatcher: object, tracker: object) -> Events:
        self.looks.append(self.tools)
        self.entered.set()
        await self.meanwhile.wait()
        self.looks.append(await asyncio.to_thread(lambda: self.tools))
        return []


async def test_a_turn_ends_with_the_catalogue_it_began_with() -> None:
    old, new = make_tools(), make_tools()
    meanwhile, entered = asyncio.Event(), asyncio.Event()
    action = _TwoLooks(old, meanwhile, entered)
    line = Line(old)
    line._actions[action.name()] = action
    turn = asyncio.create_task(line.run(action.name(), "你好"))
    await entered.wait()
    action.renew(new)
    meanwhile.set()
    await turn
    assert action.looks == [old, old]
    assert action.tools is new


async def test_the_hub_is_right_where_no_guide_was_edited() -> None:
    hub = HubOfGuides(make_hub(), CATALOGUE)
    item = CATALOGUE["JZ02"]
    assert await hub.service_item(item.code) == item
    assert [h.town for h in await hub.service_halls("狮山镇")] == ["狮山镇"] * 7
    with pytest.raises(NotFoundError):
        await hub.service_item("TEST")
