"""A known incident is told to whoever asks about it, with its source, and to nobody once it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from line_parts import Line, make_hub, make_tools, words

from actions.incidents import IncidentBoard
from data_hub.line_incidents import LineIncidents
from hotline.insights import Incident
from storage.insight_alerts import MemoryIncidents

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
TOLD = "狮山镇：部分片区停水抢修（区供水公司，有效至03月02日17:00）"


def water(**more: Any) -> Incident:
    values = {
        "words": ["停水", "没水"], "town": "狮山镇", "text": "部分片区停水抢修", "source": "区供水公司", "valid_from": NOW,
        "valid_until": NOW + timedelta(hours=5),
    }  # fmt: skip
    return Incident.model_validate({**values, **more})


class House:
    """A line whose actions know of incidents, at a moment of the test's own."""

    def __init__(self) -> None:
        self.known, self.at = MemoryIncidents(), NOW
        self.hub = make_hub()
        self.line = Line(make_tools(self.hub, incidents=IncidentBoard(self.known, lambda: self.at)))


@pytest.fixture
async def house() -> House:
    made = House()
    await made.known.add(water())
    return made


async def test_a_question_about_it_is_answered_with_what_is_known_and_nothing_is_taken_down(house: House) -> None:
    said = await house.line.turn("狮山为什么停水", "complain")
    assert TOLD in words(said)
    assert len(said) == 1
    assert said[0]["reply"]["sources"][0]["item_code"] == "incident:1"
    assert house.line.loop is None


@pytest.mark.parametrize("intent", ["ask_general", "nlu_fallback", "out_of_scope", "inform", "switch_service"])
async def test_it_is_told_whatever_the_question_was_taken_for(house: House, intent: str) -> None:
    said = await house.line.turn("狮山为什么停水", intent)
    assert words(said).count(TOLD) == 1


async def test_a_complaint_about_it_hears_of_it_first_once_and_can_still_be_filed(house: House) -> None:
    first = await house.line.turn("我要投诉，狮山博爱路从昨晚停水到现在", "complain")
    assert TOLD in first[0]["reply"]["text"]
    assert first[-1]["expects"]
    rest = [
        await house.line.turn(text, intent) for text, intent in (("13800001234，姓陈", "inform"), ("确认", "affirm"))
    ]
    assert TOLD not in "".join(map(words, rest))
    assert len(house.hub.filed()) == 1


async def test_what_is_complained_about_later_in_the_form_is_heard_too(house: House) -> None:
    await house.line.turn("我要投诉", "complain")
    assert TOLD in words(await house.line.turn("狮山博爱路家里没水两天了", "inform"))


async def test_whoever_wants_it_filed_after_being_told_goes_on_from_what_was_said(house: House) -> None:
    await house.line.turn("狮山博爱路为什么停水", "complain")
    again = await house.line.turn("我要投诉", "complain")
    assert TOLD not in words(again)
    assert house.line.loop == "request_form"


async def test_a_service_it_concerns_is_answered_behind_it_and_what_follows_is_not_told_again(house: House) -> None:
    await house.known.add(water(words=[], item_keys=["JZ02"], town=None, text="居住证系统升级，暂停受理"))
    said = await house.line.turn("申领居住证要带什么材料", "ask_materials")
    assert "居住证系统升级" in said[0]["reply"]["text"]
    assert said[1]["reply"]["sources"][0]["field"] == "materials"
    assert "居住证系统升级" not in words(await house.line.turn("那要多久", "ask_time_limit"))


async def test_nobody_is_told_of_what_is_over_elsewhere_withdrawn_or_another_matter(house: House) -> None:
    for text in ("桂城为什么停水", "居住证怎么办", "狮山路灯坏了"):
        assert "片区停水抢修" not in words(await house.line.run("action_fallback", text, "nlu_fallback"))
    house.at = NOW + timedelta(hours=5)
    assert "片区停水抢修" not in words(await house.line.run("action_fallback", "狮山为什么停水", "nlu_fallback"))
    house.at = NOW
    await house.known.withdraw(1, "m")
    assert "片区停水抢修" not in words(await house.line.run("action_fallback", "狮山为什么停水", "nlu_fallback"))


async def test_the_gateway_is_asked_now_and_then_and_what_was_known_outlives_its_silence_but_not_its_end() -> None:
    asked, clock, up = [0], [0.0], [True]

    def gateway(request: httpx.Request) -> httpx.Response:
        asked[0] += 1
        if not up[0]:
            raise httpx.ConnectError("down")
        assert request.headers["authorization"] == "Bearer t"
        return httpx.Response(200, json={"incidents": [water(incident_id=7).model_dump(mode="json")]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(gateway)) as client:
        news = LineIncidents("http://gateway", "t", client=client, clock=lambda: clock[0])
        assert [i.incident_id for i in await news.current(NOW)] == [7]
        await news.current(NOW)
        assert asked == [1]
        clock[0], up[0] = 10.0, False
        assert [i.incident_id for i in await news.current(NOW)] == [7]
        assert asked == [2]
        assert await news.current(NOW + timedelta(hours=5)) == []
