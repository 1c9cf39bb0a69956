"""Mining, naming, events, and what is kept from run to run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_vectors import HashEncoder, principal_plane
from trails import Trail

from hotline.errors import BadInputError
from hotline.insights import Said, Topic
from insights.reading import Reader, with_repeats
from insights.topics.events import find_events
from insights.topics.keeping import POOL, TopicKeeper
from insights.topics.mining import mine
from insights.topics.naming import name_topics
from insights.topics.table import agreement, as_json, mine_table, read_table
from insights.topics.vectors import Space, packed
from insights.topics.words import WordCutter
from storage.insight_facts import text_key
from storage.insight_memory import InsightMemory, MemoryLineFacts, MemoryMarks, MemoryTextShelf, MemoryTopicShelf

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CUTTER = WordCutter()
THEMES = {
    "居住证": ["居住证到期换领", "居住证丢了补办", "居住证地址变更", "申领居住证", "居住证签注", "补领居住证", "居住证到期签注"],
    "公积金": ["公积金提取租房", "公积金贷款额度", "公积金账户转移", "租房提取公积金", "公积金贷款买房", "公积金提取", "提取公积金买房"],
    "小学": ["小学报名入学", "小学学位申请", "小学转学", "报名小学一年级", "小学入学年龄", "入学小学报名时间", "小学一年级报名"],
}  # fmt: skip
TEXTS = [text for texts in THEMES.values() for text in texts]


SAYS_ALL = Reader({}, lambda text: Said(None, text))


class RecountedShelf(MemoryTopicShelf):
    """Remembers from which day on topics were to be counted anew."""

    def __init__(self, memory: InsightMemory) -> None:
        super().__init__(memory)
        self.recounted: list[int | None] = []

    async def recount(self, since: int | None = None) -> None:
        self.recounted.append(since)


class Shelves:
    """What was said, in memory: ``texts`` each as often as they say."""

    def __init__(self, texts: dict[str, int]) -> None:
        self.memory = InsightMemory()
        self.texts, self.shelf, self.marks = MemoryTextShelf(self.memory), RecountedShelf(self.memory), MemoryMarks(self.memory)  # fmt: skip
        self._facts = MemoryLineFacts(self.memory, with_repeats)
        self._said = texts

    async def say(self, texts: dict[str, int]) -> None:
        """Each time by somebody else."""
        for text, times in texts.items():
            before = sum(turn.text == text for turn in self.memory.turns.values())
            talks = [Trail(f"{text}{before + n}").answered(text, 1).made() for n in range(times)]
            await self._facts.count([SAYS_ALL.read(talk) for talk in talks])

    async def ready(self) -> Shelves:
        await self.say(self._said)
        return self

    def topic_of(self, text: str) -> Topic | None:
        topic = self.memory.texts[text_key(text)]["topic_id"]
        return None if topic == POOL else self.memory.topics[topic].topic

    async def edit(self, topic_id: int, **values: Any) -> None:
        await self.shelf.edit(topic_id, values)


async def keeper_of(shelves: Shelves) -> TopicKeeper:
    keeper = TopicKeeper(
        shelves.texts, shelves.shelf, shelves.marks, HashEncoder.name, HashEncoder.blocks, CUTTER, lambda: NOW, principal_plane
    )  # fmt: skip
    while await keeper.encode_new(HashEncoder()):
        pass
    return keeper


def whole(texts: list[str]) -> Any:
    raw = HashEncoder().encode(texts)
    return Space.of(raw, HashEncoder.blocks).whole(raw)


def test_texts_about_one_thing_are_one_topic_named_by_what_people_said() -> None:
    found = mine(TEXTS, whole(TEXTS), CUTTER, 3, layout=principal_plane)
    labels = [theme for theme, texts in THEMES.items() for _ in texts]
    assert agreement(labels, found.labels.tolist())["ari"] > 0.8
    for topic in found.topics:
        theme = labels[topic.members[0]]
        assert theme in topic.name or theme in topic.words
        assert topic.name.split("（")[0] in "".join(TEXTS)
    assert sum(t.size for t in found.topics) == len(TEXTS)


def test_the_real_layout_finds_the_same() -> None:
    asked = ["怎么办", "去哪里", "要多久", "收费吗", "网上办"]
    rows = [(text + how, theme) for theme, texts in THEMES.items() for text in texts for how in asked]
    texts = [text for text, _ in rows]
    found = mine(texts, whole(texts), CUTTER, 3)
    assert agreement([theme for _, theme in rows], found.labels.tolist())["nmi"] > 0.6


def test_two_texts_are_one_topic_and_none_are_none() -> None:
    assert len(mine(["停水了", "停电了"], whole(["停水了", "停电了"]), CUTTER).topics) == 1
    assert mine([], np.zeros((0, 896), dtype=np.float32), CUTTER).topics == []


def test_a_name_is_a_phrase_that_was_said_and_no_stop_words() -> None:
    names = name_topics(CUTTER, [["请问红绿灯坏了怎么办", "红绿灯坏了没人修"], ["公交车不停站", "公交车改线"]], [["红绿灯"], ["公交车"]])  # fmt: skip
    assert names[0].startswith("红绿灯")
    assert names[1].startswith("公交车")


def test_examples_are_masked() -> None:
    found = mine(["停水了打13800000001"] * 2, whole(["停水了打13800000001"] * 2), CUTTER)
    assert "13800000001" not in str(found.topics[0].examples)


def test_the_same_event_told_by_many_is_found_and_single_tales_are_not() -> None:
    texts = ["翠湖花园停水了", "翠湖花园停水一天", "翠湖花园又停水了", "公积金怎么提取", "小学几时报名"]
    raw = HashEncoder().encode(texts)
    events = find_events(Space.of(raw, HashEncoder.blocks).last(raw), near=0.9)
    assert [sorted(e.members) for e in events] == [[0, 1, 2]]


async def test_topic_numbers_and_a_managers_choices_stay_on_the_next_run() -> None:
    shelves = await Shelves(dict.fromkeys(TEXTS, 6)).ready()
    keeper = await keeper_of(shelves)
    await keeper.whole_run(3)
    before = {text: shelves.topic_of(text) for text in TEXTS}
    renamed, merged = before["申领居住证"], before["公积金提取"]
    assert renamed is not None
    assert merged is not None
    await shelves.edit(renamed.topic_id, given_name="居住证的事", pinned=True)
    await shelves.edit(merged.topic_id, merged_into=renamed.topic_id)
    await shelves.say({"居住证几时领": 6, "公积金怎么贷款": 6})
    await keeper_of(shelves)
    run = await keeper.whole_run(3)
    after = shelves.topic_of("申领居住证")
    assert run.new_topics == 0
    assert after is not None
    assert (after.topic_id, after.title, after.pinned) == (renamed.topic_id, "居住证的事", True)
    assert shelves.memory.topics[merged.topic_id].topic.merged_into == renamed.topic_id


async def test_a_pinned_topic_that_no_cluster_is_any_more_keeps_its_texts() -> None:
    shelves = await Shelves(dict.fromkeys(TEXTS, 6)).ready()
    keeper = await keeper_of(shelves)
    await keeper.whole_run(3)
    pinned = shelves.topic_of("小学转学")
    assert pinned is not None
    await shelves.edit(pinned.topic_id, pinned=True)
    await keeper.whole_run(2)
    assert not shelves.memory.topics[pinned.topic_id].topic.retired
    assert any(row["topic_id"] == pinned.topic_id for row in shelves.memory.texts.values())


async def test_by_night_new_texts_join_topics_and_what_fits_none_becomes_a_topic_once_many_say_it() -> None:
    shelves = await Shelves(dict.fromkeys(TEXTS, 6)).ready()
    keeper = await keeper_of(shelves)
    await keeper.whole_run(3)
    known = shelves.topic_of("居住证签注")
    await shelves.say({"居住证签注到期": 2})
    strange = ["放风筝翠湖公园", "翠湖公园放风筝", "可以翠湖公园放风筝", "翠湖公园放风筝吗"]
    await shelves.say(dict.fromkeys(strange, 1))
    await keeper_of(shelves)
    run = await keeper.night()
    assert (run.texts, run.new_topics) == (5, 0)
    assert shelves.topic_of("居住证签注到期") == known
    assert [shelves.topic_of(t) for t in strange] == [None] * 4
    await shelves.say(dict.fromkeys(strange, 8) | {"翠湖公园风筝": 9})
    await keeper_of(shelves)
    assert (await keeper.night()).new_topics == 1
    fresh = shelves.topic_of(strange[0])
    assert fresh is not None
    assert "风筝" in fresh.name + "".join(fresh.words)
    assert shelves.shelf.recounted[-1] is None  # texts of earlier days have a topic now


def test_a_table_is_mined_and_says_how_well_it_agrees(tmp_path: Path) -> None:
    file = tmp_path / "t.tsv"
    rows = [
        f"{text}\t{theme}\t2026-0{1 + n % 2}-01"
        for n, (theme, text) in enumerate((k, t) for k, v in THEMES.items() for t in v)
    ]
    file.write_text("话\t类\t日\n" + "\n".join(rows) + '\n孤"引号\t小学\t2026-02-01\n', encoding="utf-8")
    table = read_table(file, "话", "类", "日")
    told = as_json(mine_table(table, HashEncoder(), CUTTER, 3), table)
    assert len(told["assignments"]) == len(table.texts) == len(TEXTS) + 1
    assert {"id", "name", "words", "size", "examples", "over_time"} == set(told["topics"][0])
    assert sum(sum(t["over_time"].values()) for t in told["topics"]) == len(table.texts)


def test_a_table_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="有的是：话"):
        read_table(_file(tmp_path, "话\n停水了\n"), "文字")
    with pytest.raises(BadInputError, match="没有一行"):
        read_table(_file(tmp_path, "话\n\n"), "话")
    with pytest.raises(BadInputError, match="读不出来"):
        read_table(tmp_path / "没有.tsv", "话")


def _file(folder: Path, content: str) -> Path:
    file = folder / "x.tsv"
    file.write_text(content, encoding="utf-8")
    return file


def test_vectors_survive_being_stored_in_half_precision() -> None:
    raw = HashEncoder().encode(["停水了"])
    assert np.allclose(np.frombuffer(packed(raw[0]), dtype=np.float16), raw[0], atol=1e-3)
