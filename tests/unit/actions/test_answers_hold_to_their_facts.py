"""How an answer is put together: order, forms for the eye and the ear, what is unknown, what follows.

That nothing is said which its sources don't say is test_no_reply_says_what_its_sources_do_not.py.
"""

from __future__ import annotations

import re
from datetime import date

import pytest
from line_parts import CATALOGUE, TODAY, WORDING

from actions.answers import OVERVIEW_SPEECH, answer
from hotline.catalogue import Contact, Fact, RegionScope, RequiredDocument, ServiceItem
from hotline.messages import Aspect, Reply

_EVERY = [(key, aspect) for key in CATALOGUE.items for aspect in Aspect]


def _answer(item: ServiceItem, aspect: Aspect, **more: object) -> Reply:
    return answer(WORDING, item, aspect, TODAY, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", list(CATALOGUE.items))
def test_an_answer_has_text_a_form_for_the_ear_and_sources(key: str) -> None:
    for aspect in Aspect:
        reply = _answer(CATALOGUE.items[key], aspect)
        assert reply.sources
        assert reply.text.strip()
        assert reply.speech_text.strip()
        assert not re.search(r"(?m)^\s*(?:\d+[.、)]|[-*•])\s", reply.speech_text), "a list mark would be read aloud"
        assert not re.search(r"\d+\. ", reply.speech_text)
        assert "\n" not in reply.speech_text
        assert "{" not in reply.text


def _fact(**more: object) -> Fact:
    base = {"source": "S9", "as_of": date(2026, 11, 2), "confidence": "S", "region_scope": "区"}
    return Fact.model_validate(base | more)


def _item(facts: dict[Aspect, list[Fact]], **more: object) -> ServiceItem:
    base: dict[str, object] = {
        "key": "ZZ01",
        "code": "TESTZZ01",
        "name": "试办事项",
        "area": "residence",
        "department": "试办部门",
        "contact": Contact(number="86000000", name="试办窗口"),
        "summary": "只为试验而设",
        "version": "7",
        "facts": facts,
    }
    return ServiceItem.model_validate(base | more)


_UNSURE = _fact(confidence="U", unknown="补卡工本费", source="U")


def test_what_is_generally_known_of_a_service_is_told_with_its_summary() -> None:
    reply = _answer(CATALOGUE.items["JZ02"], Aspect.GENERAL)
    assert "电子居住证与实体居住证有同等效力" in reply.text
    assert [s.field for s in reply.sources][:2] == ["summary", "general"]


@pytest.mark.parametrize("aspect", list(Aspect))
def test_an_unsure_fact_is_named_as_unknown_with_whom_to_ask(aspect: Aspect) -> None:
    reply = _answer(_item({aspect: [_UNSURE]}), aspect)
    assert re.search("不能乱说.*补卡工本费", reply.text)
    assert "86000000（试办窗口）" in reply.text
    assert [s.field for s in reply.sources if s.field != "summary"] == ["contact"]
    assert "资料整理于" not in reply.text


def test_a_service_without_facts_is_told_by_its_summary_and_whom_to_ask() -> None:
    reply = _answer(_item({}), Aspect.GENERAL)
    assert "只为试验而设" in reply.text
    assert "86000000" in reply.text
    assert [s.field for s in reply.sources] == ["summary", "contact"]


@pytest.mark.parametrize("aspect", [aspect for aspect in Aspect if aspect != Aspect.GENERAL])
def test_an_aspect_without_facts_is_said_to_be_unknown(aspect: Aspect) -> None:
    reply = _answer(_item({}), aspect)
    assert WORDING.table("aspect_names")[aspect] in reply.text
    assert "不能乱说" in reply.text
    assert "86000000" in reply.text


def test_what_is_known_is_told_before_what_is_not() -> None:
    reply = _answer(_item({Aspect.FEE: [_fact(text="补卡30元"), _UNSURE]}), Aspect.FEE)
    assert reply.text.index("补卡30元") < reply.text.index("补卡工本费")
    assert [s.field for s in reply.sources] == ["fee", "contact"]
    assert reply.sources[0].version == "S9 2026-11-02"
    assert "2026-11-02" in reply.text


def test_an_expired_fact_is_not_told() -> None:
    old = _fact(text="补卡20元", valid_to=date(2026, 11, 21))
    reply = _answer(_item({Aspect.FEE: [old]}), Aspect.FEE)
    assert "20" not in reply.text
    assert "不能乱说" in reply.text


def test_another_citys_fact_is_said_as_such_and_only_where_nothing_of_our_own_is_known() -> None:
    theirs = _fact(text="广州收10元", region_scope=RegionScope.OTHER_CITY)
    alone = _answer(_item({Aspect.FEE: [theirs]}), Aspect.FEE)
    assert alone.text.index("外市的口径") < alone.text.index("广州收10元")
    both = _answer(_item({Aspect.FEE: [theirs, _fact(text="不收费")]}), Aspect.FEE)
    assert "广州" not in both.text
    assert "不收费" in both.text


def test_what_lacks_a_page_to_cite_comes_with_whom_to_ask() -> None:
    reply = _answer(_item({Aspect.FEE: [_fact(text="不收费", confidence="G", source="G")]}), Aspect.FEE)
    assert "以当地办事指南为准" in reply.text
    assert "86000000" in reply.text
    assert [s.field for s in reply.sources] == ["fee", "contact"]


def test_documents_are_numbered_to_read_and_counted_to_hear() -> None:
    papers = [
        RequiredDocument(name="身份证", copies=2),
        RequiredDocument(name="委托书", required=False, note="代办时"),
    ]
    reply = _answer(_item({Aspect.MATERIALS: [_fact(documents=papers)]}), Aspect.MATERIALS)
    assert "1. 身份证（复印件2份）\n2. 委托书（非必要，代办时）" in reply.text
    assert "第一，身份证（复印件2份）；第二，委托书（非必要，代办时）。" in reply.speech_text
    assert reply.card is None  # the text says it all; a card would say it twice


def test_a_fact_with_items_and_documents_loses_neither() -> None:
    fact = _fact(text="要带：", items=["本人到场"], documents=[RequiredDocument(name="身份证")])
    reply = _answer(_item({Aspect.MATERIALS: [fact]}), Aspect.MATERIALS)
    assert "本人到场" in reply.text
    assert "身份证" in reply.text


def test_a_long_list_goes_on_after_the_tenth() -> None:
    entries = [f"第{c}样" for c in "甲乙丙丁戊己庚辛壬癸子丑"]
    reply = _answer(_item({Aspect.MATERIALS: [_fact(items=entries)]}), Aspect.MATERIALS)
    assert all(entry in reply.speech_text for entry in entries)
    assert "12. 第丑样" in reply.text


def test_synthetic_halls_say_so_to_the_eye_and_to_the_ear() -> None:
    halls = CATALOGUE.halls_of("狮山镇")
    assert len(halls) > 1
    assert all(hall.synthetic for hall in halls)
    reply = _answer(CATALOGUE.items["JZ02"], Aspect.WHERE, halls=halls)
    assert "地址和电话没有核实" in reply.text
    assert "没有核实过" in reply.speech_text
    assert all(hall.name in reply.text for hall in halls)
    assert not any(hall.address in reply.text for hall in halls)
    assert {h.code for h in halls} <= {s.item_code for s in reply.sources}
    assert "- " not in reply.speech_text


def test_an_answer_the_hub_did_not_confirm_says_so() -> None:
    assert "没能和中台核对" in _answer(CATALOGUE.items["JZ02"], Aspect.FEE, hub_checked=False).text
    assert "中台" not in _answer(CATALOGUE.items["JZ02"], Aspect.FEE).text


def test_who_spoke_of_a_death_is_answered_gently() -> None:
    item = _item({Aspect.FEE: [_fact(text="不收费")]}, tone="grief")
    assert _answer(item, Aspect.FEE, bereaved=True).text.startswith("请您节哀。")
    assert "节哀" not in _answer(item, Aspect.FEE).text


def test_the_follow_ups_offered_are_known_and_not_just_told() -> None:
    for key, aspect in _EVERY:
        item = CATALOGUE.items[key]
        for button in _answer(item, aspect).buttons:
            assert button.payload.startswith(f'/choose_item{{"item_key":"{key}"')
            offered = Aspect(button.payload.split('"aspect":"')[1].rstrip('"}'))
            assert offered is not aspect
            assert any(f.known for f in item.facts_of(offered))


def test_counts_are_told_where_they_are_known_and_left_out_where_not() -> None:
    papers = [
        RequiredDocument(name="户口簿", originals=1, copies=2),
        RequiredDocument(name="身份证", originals=1),
        RequiredDocument(name="结婚证", required=False, waived=True),
        RequiredDocument(name="申请表", originals=0, copies=0, required=None, waived=False),
    ]
    text = _answer(_item({Aspect.MATERIALS: [_fact(documents=papers)]}), Aspect.MATERIALS).text
    assert "1. 户口簿（原件1份、复印件2份）\n2. 身份证（原件1份）\n3. 结婚证（非必要，免提交）\n4. 申请表\n" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("法定时限是10个工作日", "法定时限是10个工作日\n"),
        ("受理后10个工作日内发放", "受理后10个工作日内发放（法定时限）"),
        ("受理后两周内发放", "受理后两周内发放（法定时限10个工作日）"),
    ],
)
def test_a_time_limit_says_which_it_is(text: str, told: str) -> None:
    limit = {"kind": "法定", "number": 10, "unit": "工作日"}
    assert told in _answer(_item({Aspect.TIME_LIMIT: [_fact(text=text, limit=limit)]}), Aspect.TIME_LIMIT).text


@pytest.mark.parametrize("aspect", [Aspect.STEPS, Aspect.GENERAL])
def test_an_overview_names_the_result_and_the_legal_basis(aspect: Aspect) -> None:
    reply = _answer(CATALOGUE.items["MZ01"], aspect)
    assert "办理结果：结婚证" in reply.text
    assert "设定依据：2025年的婚姻登记条例（国务院令第804号）" in reply.text
    assert "设定依据" not in reply.speech_text
    assert {"result", "legal_basis"} <= {s.field for s in reply.sources}


@pytest.mark.parametrize("aspect", [Aspect.STEPS, Aspect.GENERAL])
def test_an_overview_is_short_by_ear_and_says_what_else_may_be_asked(aspect: Aspect) -> None:
    lengths = {key: len(_answer(item, aspect).speech_text) for key, item in CATALOGUE.items.items()}
    longer = [key for key, length in lengths.items() if length > OVERVIEW_SPEECH]
    assert len(longer) <= 10, longer  # one long sentence is told whole
    assert max(lengths.values()) <= 150
    assert "，可以接着问我" in _answer(CATALOGUE.items["BD01"], aspect).speech_text


@pytest.mark.parametrize(("aspect", "named"), [(Aspect.FEE, "这项收费"), (Aspect.AMOUNT, "这项金额标准")])
def test_an_amount_that_is_unknown_is_left_to_who_publishes_it(aspect: Aspect, named: str) -> None:
    reply = _answer(_item({aspect: [_UNSURE]}), aspect)
    for said in (reply.text, reply.speech_text):
        assert f"{named}以经办部门公布的为准，我查不到核实过的确切数" in said
        assert "86000000" in said
