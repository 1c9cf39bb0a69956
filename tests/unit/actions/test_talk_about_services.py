"""Answers, choices, switches and everything said around them, by the action objects themselves."""

from __future__ import annotations

import asyncio

import pytest
from line_parts import CATALOGUE, Line, make_hub, make_tools, words

from actions.service import option_place
from hotline.errors import BadInputError, HubDownError, NotFoundError
from hotline.messages import Aspect
from hotline.ports import SearchHit


class FixedSearch:
    """Ranks what it is told, whatever is asked."""

    def __init__(self, **scores: float) -> None:
        self._hits = [SearchHit(item_key=k, score=s) for k, s in scores.items()]
        self.asked: list[str] = []

    def search(self, text: str, limit: int = 5) -> list[SearchHit]:
        self.asked.append(text)
        return self._hits[:limit]


def line(hub: object = None, **scores: float) -> Line:
    return Line(make_tools(hub, search=FixedSearch(**scores)))


@pytest.mark.parametrize(
    ("text", "count", "place"),
    [
        ("第一个", 3, 0),
        ("第二个", 3, 1),
        ("第2个", 3, 1),
        ("二", 3, 1),
        ("2", 2, 1),
        ("要第三项", 3, 2),
        ("两", 2, 1),
        ("前面那个", 3, 0),
        ("上面那个", 2, 0),
        ("最后一个", 3, 2),
        ("中间那个", 3, 1),
        ("头先第一个", 3, 0),
        ("头一个", 2, 0),
        ("选2", 3, 1),
        ("后面嗰个", 3, 2),
        ("最尾嗰个", 2, 1),
        ("后面那个", 2, 1),
        ("第二个，不要第一个", 3, 1),
        ("一样的，第二个", 3, 1),
        ("倒数第二个", 2, 0),
        ("倒数第一个", 2, 1),
        ("第三个", 2, None),
        ("第四个", 3, None),
        ("第十二个", 3, None),
        ("12", 3, None),
        ("都要", 3, None),
        ("", 3, None),
    ],
)
def test_a_place_in_the_list_is_read(text: str, count: int, place: int | None) -> None:
    assert option_place(text, count) == place


async def test_a_clear_service_is_answered_and_remembered() -> None:
    talk = line(JZ02=0.9, JZ03=0.1)
    sent = await talk.run("action_answer_service", "居住证要带什么材料", "ask_materials")
    assert "申领居住证" in words(sent)
    assert sent[0]["understanding"] == {
        "intent": "ask_materials",
        "aspect": "materials",
        "confidence": 0.9,
        "item_key": "JZ02",
        "item_code": CATALOGUE.items["JZ02"].code,
        "item_name": "申领居住证",
        "candidates": [],
    }
    assert talk.slots["service_item"] == "JZ02"
    assert talk.slots["last_aspect"] == "materials"


async def test_a_follow_up_stays_with_the_service_in_talk() -> None:
    talk = line()
    talk.slots["service_item"] = "JZ02"
    sent = await talk.run("action_answer_service", "那要几天", "ask_time_limit")
    assert sent[0]["understanding"]["item_key"] == "JZ02"
    assert "办理时限" in words(sent)


async def test_nothing_named_and_nothing_in_talk_is_asked_for() -> None:
    talk = line()
    sent = await talk.run("action_answer_service", "要带什么材料", "ask_materials")
    assert "哪一项服务" in words(sent)
    assert talk.slots["last_aspect"] == "materials"


async def test_two_near_services_are_offered_and_the_choice_keeps_the_aspect() -> None:
    talk = line(JZ02=0.4, JZ03=0.3)
    sent = await talk.run("action_answer_service", "居住证收费吗", "ask_fee")
    assert sent[0]["understanding"]["candidates"] == ["JZ02", "JZ03"]
    assert sent[0]["understanding"]["item_key"] is None
    assert [b["title"] for b in sent[0]["reply"]["buttons"]][-1] == "都不是"
    sent = await talk.run("action_choose_option", "第二个", "choose_option")
    assert sent[0]["understanding"]["item_key"] == "JZ03"
    assert sent[0]["understanding"]["aspect"] == "fee"
    assert talk.slots["candidates"] is None


async def test_a_button_chooses_whatever_was_offered_last() -> None:
    talk = line()
    entities = {"item_key": "JZ04", "aspect": "where"}
    sent = await talk.run("action_choose_option", "/choose_item", "choose_item", entities)
    assert sent[0]["understanding"]["item_key"] == "JZ04"
    assert sent[0]["understanding"]["aspect"] == "where"


async def test_a_place_beyond_the_list_is_asked_again_with_the_names() -> None:
    talk = line()
    talk.slots |= {"candidates": ["JZ02", "JZ03"], "last_aspect": "fee"}
    sent = await talk.run("action_choose_option", "第五个", "choose_option")
    assert CATALOGUE.items["JZ03"].name in words(sent)
    assert sent[0]["understanding"]["candidates"] == ["JZ02", "JZ03"]


async def test_none_of_them_forgets_the_offers() -> None:
    talk = line()
    talk.slots |= {"candidates": ["JZ02"], "service_item": "JZ03"}
    await talk.run("action_none_of_them", "都不是", "none_of_them")
    assert talk.slots["candidates"] is None
    assert talk.slots["service_item"] is None


async def test_another_service_gets_the_same_question() -> None:
    talk = line(HZ06=0.9)
    talk.slots |= {"service_item": "JZ02", "last_aspect": "fee"}
    sent = await talk.run("action_switch_service", "那身份证呢", "switch_service")
    assert sent[0]["understanding"]["item_key"] == "HZ06"
    assert sent[0]["understanding"]["aspect"] == "fee"


async def test_a_correction_searches_for_what_is_meant_and_not_for_what_is_not() -> None:
    talk = line(HZ06=0.9)
    await talk.run("action_switch_service", "不是社保卡，是身份证", "correct_service")
    assert talk.tools.search.asked == ["身份证"]  # type: ignore[attr-defined]


async def test_the_town_asked_from_is_not_searched_for() -> None:
    talk = line(JZ02=0.9)
    await talk.run("action_answer_service", "狮山居住证去哪里办", "ask_where", {"town": "狮山"})
    assert "狮山" not in talk.tools.search.asked[0]  # type: ignore[attr-defined]
    assert "狮山镇行政服务中心" in words(talk.said)


async def test_an_unknown_service_is_not_guessed_at() -> None:
    talk = line(JZ02=0.05)
    sent = await talk.run("action_answer_service", "飞碟驾驶证要带什么材料", "ask_materials")
    assert "没有查到" in words(sent)
    assert sent[0]["understanding"]["item_key"] is None
    assert "转人工" in {b["payload"] for b in sent[0]["reply"]["buttons"]}


async def test_a_short_question_is_read_back_as_it_was_asked() -> None:
    sent = await line(JZ02=0.05).run("action_answer_service", "狮山为什么有飞碟？", "ask_general")
    assert "「狮山为什么有飞碟」" in words(sent)


async def test_a_code_of_no_known_kind_is_told_what_the_known_ones_look_like() -> None:
    sent = await line(JZ02=0.9).run("action_inform", "NH123456", "inform")
    assert "「NH123456」" in words(sent)
    assert "查询码" in words(sent)
    assert sent[0]["understanding"]["item_key"] is None


@pytest.mark.parametrize("number", ["13800001234", "990101199001011234"])
async def test_somebodys_number_alone_is_not_said_back(number: str) -> None:
    sent = await line(JZ02=0.05).run("action_inform", number, "inform")
    assert number not in words(sent)


async def test_a_work_orders_number_alone_is_followed() -> None:
    talk = line()
    await talk.run("action_inform", "GD2026112500000001", "inform")
    assert talk.follow_up == "work_order_form"


async def test_a_benefit_that_costs_nothing_to_claim_is_asked_how_much_it_gives() -> None:
    talk = line(SB09=0.99)
    sent = await talk.run("action_answer_service", "失业金几多钱", "ask_fee")
    assert sent[0]["understanding"]["aspect"] == "amount"
    sent = await line(SB09=0.99).run("action_answer_service", "领失业金收费吗", "ask_fee")
    assert sent[0]["understanding"]["aspect"] == "fee"


async def test_a_service_put_right_is_answered_with_what_was_asked_before() -> None:
    talk = line(BD03=0.99)
    talk.slots |= {"service_item": "BD05", "last_aspect": "materials"}
    sent = await talk.run("action_fallback", "讲错咗，系屋企人走咗要继承过户", "nlu_fallback")
    assert (sent[0]["understanding"]["item_key"], sent[0]["understanding"]["aspect"]) == ("BD03", "materials")


async def test_a_hub_that_is_down_leaves_the_guide_and_is_named() -> None:
    hub = make_hub()
    hub.available = False
    sent = await line(hub, JZ02=0.9).run("action_answer_service", "居住证收费吗", "ask_fee")
    assert "首次申领居住证不收费" in words(sent)
    assert "没能和中台核对" in words(sent)


async def test_who_waits_for_a_person_is_not_told_what_this_line_does_not_do() -> None:
    talk = line(JZ02=0.99)
    sent = await talk.run("action_fallback", "我好怕", "out_of_scope", metadata={"state": "queued"})
    assert "正在帮您转人工" in words(sent) or "在帮您转人工" in words(sent)
    assert "110" in words(sent)


async def test_two_misses_in_a_row_bring_the_offer_of_a_person() -> None:
    talk = line()
    first = await talk.run("action_fallback", "吧啦吧啦", "nlu_fallback")
    second = await talk.run("action_fallback", "吧啦吧啦", "nlu_fallback")
    assert not first[0]["reply"]["buttons"]
    assert [b["payload"] for b in second[0]["reply"]["buttons"]] == ["转人工"]
    await talk.run("action_small_talk", "谢谢", "thank")
    assert talk.slots["misunderstandings"] == 0


async def test_what_is_not_ours_is_said_not_to_be_ours() -> None:
    talk = line(JZ02=0.99)
    sent = await talk.run("action_fallback", "今天天气怎么样", "out_of_scope")
    assert "不在我能回答的范围" in words(sent)
    assert sent[0]["understanding"]["item_key"] is None


async def test_a_service_named_in_its_own_words_is_answered_though_the_question_sounds_foreign() -> None:
    talk = line(JY06=0.99)
    talk.ranking = [("out_of_scope", 0.8), ("ask_time_limit", 0.1)]
    sent = await talk.run("action_fallback", "幼儿园什么时候报名", "out_of_scope")
    assert (sent[0]["understanding"]["item_key"], sent[0]["understanding"]["aspect"]) == ("JY06", "time_limit")


async def test_a_foreign_question_near_a_service_is_refused_with_that_one_offered() -> None:
    talk = line(SC04=0.99)
    talk.ranking = [("out_of_scope", 0.8), ("ask_steps", 0.1)]
    sent = await talk.run("action_fallback", "采矿许可证办理", "out_of_scope")
    assert sent[0]["understanding"]["item_key"] is None
    assert talk.slots["candidates"] == ["SC04"]
    assert "不能乱说" in words(sent)


async def test_words_unknown_to_the_service_found_are_asked_about_where_the_classifier_doubts() -> None:
    talk = line(SC04=0.99)
    talk.ranking = [("ask_steps", 0.7), ("out_of_scope", 0.2)]
    sent = await talk.run("action_answer_service", "旅行社经营许可证怎么办", "ask_steps")
    assert sent[0]["understanding"]["item_key"] is None


async def test_how_much_of_a_benefit_asks_what_is_given() -> None:
    talk = line(WJ02=0.99)
    sent = await talk.run("action_answer_service", "育儿补贴多少钱", "ask_fee")
    assert sent[0]["understanding"]["aspect"] == "amount"
    sent = await talk.run("action_answer_service", "申请育儿补贴要交费吗", "ask_fee")
    assert sent[0]["understanding"]["aspect"] == "fee"


async def test_a_number_alone_opens_the_status_form() -> None:
    talk = line()
    sent = await talk.run("action_inform", "613482", "inform")
    assert sent == []
    assert talk.follow_up == "case_status_form"
    assert talk.slots["case_reference"] == "613482"


async def test_a_bare_name_answers_the_question_that_waited_for_it() -> None:
    talk = line(JZ02=0.9)
    talk.slots["last_aspect"] = "fee"
    sent = await talk.run("action_inform", "居住证", "inform")
    assert sent[0]["understanding"]["aspect"] == "fee"


async def test_the_last_reply_is_repeated_word_for_word() -> None:
    talk = line(JZ02=0.9)
    nothing = await talk.run("action_repeat", "再说一遍", "repeat")
    assert "还没有说过" in words(nothing)
    said = await talk.run("action_answer_service", "居住证收费吗", "ask_fee")
    again = await talk.run("action_repeat", "再说一遍", "repeat")
    assert again[0]["reply"] == said[0]["reply"]


@pytest.mark.parametrize("intent", ["emergency_report", "crisis"])
async def test_danger_signals_a_person_at_once(intent: str) -> None:
    sent = await line().run("action_safety", "…", intent)
    assert sent[0]["handoff"] is True
    assert sent[0]["urgent"] is True


@pytest.mark.parametrize("intent", ["abuse_words", "prompt_injection", "third_person_data"])
async def test_abuse_signals_no_emergency(intent: str) -> None:
    sent = await line().run("action_safety", "…", intent)
    assert sent[0]["handoff"] is False
    assert sent[0]["urgent"] is False


async def test_a_person_is_called_and_called_off() -> None:
    talk = line()
    assert (await talk.run("action_handoff", "转人工", "handoff"))[0]["handoff"] is True
    waiting = await talk.run("action_cancel_handoff", "不用转了", "cancel_handoff", metadata={"state": "queued"})
    assert waiting[0]["handoff_cancelled"] is True
    idle = await talk.run("action_cancel_handoff", "不用转了", "cancel_handoff", metadata={"state": "bot"})
    assert idle[0]["handoff_cancelled"] is False


async def test_cancelling_forgets_what_was_proved() -> None:
    talk = line()
    talk.slots |= {"case_reference": "613482", "identity_outcome": "verified", "verification_id": "v"}
    await talk.run("action_cancel", "算了", "cancel")
    assert not any(talk.slots[s] for s in ("case_reference", "identity_outcome", "verification_id"))


# ---------------------------------------------------------------- when something goes wrong


class FailingHub:
    """Every lookup of a service fails in its own way."""

    def __init__(self, failure: BaseException | None) -> None:
        self._failure = failure

    async def service_item(self, item_code: str) -> object:
        if self._failure is not None:
            raise self._failure
        await asyncio.Event().wait()  # never answers: the action's own deadline ends it
        return None


async def test_a_late_action_says_so_and_names_the_part() -> None:
    talk = Line(make_tools(FailingHub(None), search=FixedSearch(JZ02=0.9), deadline_s=0.02))
    sent = await talk.run("action_answer_service", "居住证收费吗", "ask_fee")
    assert "数据中台暂时联系不上" in words(sent)
    assert [m["part_down"] for m in sent] == ["hub_down"]
    assert talk.slots == {}


@pytest.mark.parametrize(
    ("failure", "code"), [(BadInputError("坏"), "bad_input"), (ValueError("defect"), "internal_error")]
)
async def test_a_failing_action_says_a_sentence_and_signals_its_code(failure: Exception, code: str) -> None:
    talk = Line(make_tools(FailingHub(failure), search=FixedSearch(JZ02=0.9)))
    sent = await talk.run("action_answer_service", "居住证收费吗", "ask_fee")
    assert len(sent) == 1
    assert "刚才没能查到" in words(sent)
    assert sent[0]["part_down"] == code
    assert "转人工" in {b["payload"] for b in sent[0]["reply"]["buttons"]}


@pytest.mark.parametrize("failure", [HubDownError(), RuntimeError("defect")])
async def test_nothing_half_said_goes_out(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    from actions.payload import say
    from actions.talk import SmallTalk
    from hotline.messages import Reply

    async def half(self, dispatcher, tracker):  # type: ignore[no-untyped-def]
        say(dispatcher, tracker, Reply(text="收费是"))
        raise failure

    monkeypatch.setattr(SmallTalk, "act", half)
    sent = await line().run("action_small_talk", "你好", "greet")
    assert "收费是" not in words(sent)
    assert len(sent) == 1


async def test_a_service_the_hub_does_not_know_is_told_from_the_guide() -> None:
    talk = Line(make_tools(FailingHub(NotFoundError()), search=FixedSearch(JZ02=0.9)))
    sent = await talk.run("action_answer_service", "居住证收费吗", "ask_fee")
    assert "没能和中台核对" in words(sent)


def test_every_aspect_has_an_intent_of_its_own() -> None:
    from actions.service import _aspect_of_intent

    for aspect in set(Aspect) - {Aspect.STATUS}:
        assert _aspect_of_intent(f"ask_{aspect.value}") is aspect
    assert _aspect_of_intent("greet") is Aspect.GENERAL


async def test_a_correction_of_the_aspect_stays_with_the_service() -> None:
    talk = line(JZ02=0.99)
    await talk.turn("居住证要几天", "ask_time_limit")
    said = await talk.turn("我问的是多少钱，不是几天", "ask_time_limit")
    assert said[0]["understanding"]["aspect"] == "fee"
    assert talk.slots["service_item"] == "JZ02"


async def test_turning_to_another_service_leaves_the_one_in_talk_though_it_ranks_first() -> None:
    talk = line(HZ07=0.75, HZ06=0.24)
    talk.slots |= {"service_item": "HZ07", "last_aspect": "steps"}
    await talk.turn("那正式的身份证呢", "switch_service")
    assert talk.slots["service_item"] == "HZ06"


async def test_an_aspect_alone_asks_again_among_those_offered() -> None:
    talk = line(JT03=0.9)
    talk.slots["candidates"] = ["HZ01", "HZ08"]
    said = await talk.turn("要几耐", "ask_time_limit")
    assert said[0]["understanding"]["candidates"] == ["HZ01", "HZ08"]
    assert said[0]["understanding"]["aspect"] == "time_limit"


async def test_an_aspect_alone_goes_on_with_the_service_in_talk_whatever_the_classifier_thinks() -> None:
    talk = line(JT03=0.9)
    talk.slots["service_item"] = "MZ04"
    said = await talk.turn("怎么领", "out_of_scope")
    assert said[0]["understanding"]["item_key"] == "MZ04"


async def test_name_and_digits_out_of_place_are_not_searched_for_nor_said_back() -> None:
    talk = line(JZ02=0.2)
    said = await talk.turn("黄志强，2026", "inform")
    assert "黄志强" not in words(said)
    assert talk.tools.search.asked == []


@pytest.mark.parametrize(
    ("text", "state", "cancelled"),
    [
        ("不用等了，居住证要几天", "queued", True),
        ("唔使转住，居住证要几天", "queued", True),
        ("居住证不用等多久吧", "queued", False),
        ("不用转了，居住证要几天", "bot", False),
    ],
)
async def test_that_nobody_is_waited_for_may_be_said_beside_a_question(text: str, state: str, cancelled: bool) -> None:
    talk = line(JZ02=0.99)
    said = await talk.run("action_answer_service", text, "ask_time_limit", metadata={"state": state})
    assert bool(said[0].get("handoff_cancelled")) is cancelled


async def test_what_the_service_in_talk_replaces_is_asked_of_it() -> None:
    talk = line(HZ07=0.5)
    talk.slots["service_item"] = "HZ06"
    sent = await talk.run("action_switch_service", "丢了", "switch_service")
    assert sent[0]["understanding"]["item_key"] == "HZ06"


async def test_a_word_of_the_service_in_talk_is_no_sign_of_another() -> None:
    talk = line(JT03=0.97)
    talk.slots["service_item"] = "ZJ02"
    sent = await talk.run("action_answer_service", "不备案会罚款吗", "ask_general")
    assert sent[0]["understanding"]["item_key"] != "JT03"
