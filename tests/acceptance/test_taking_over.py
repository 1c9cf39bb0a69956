"""An agent takes over from the running line and gives back: the bot was silent, and knows what was said."""

from __future__ import annotations

from desk_agent import Agent
from running_line import Talk


def test_what_an_agent_was_told_the_bot_does_not_ask_again(agent: Agent, talk: Talk) -> None:
    talk.say("居住证要带什么材料")
    talk.say("转人工")
    with agent.screen():
        seen = agent.ask("GET", f"/conversations/{talk.conversation_id}").json()
        assert seen["service"]["key"] == "JZ02"
        assert seen["slots"]["service_item"] == "JZ02"
        assert "材料" in seen["summary"]["text"]
        agent.of(talk, "take")
        assert talk.say("我住在西樵")["replies"] == []
        agent.of(talk, "messages", text="好的，西樵。", client_message_id="m1")
        back = agent.of(talk, "return", note="住西樵，要问在哪里办", slots={"town": "西樵镇"})
        assert back["slots_set"] is True
    answer = talk.say("那去哪里办")
    assert answer["state"] == "bot"
    assert answer["understanding"]["item_key"] == "JZ02"  # the service is kept
    assert "西樵" in answer["replies"][0]["text"]  # and so is what the agent filled in


def test_a_complaint_after_the_hand_back_is_not_asked_for_its_town(agent: Agent, talk: Talk) -> None:
    talk.say("转人工")
    with agent.screen():
        agent.of(talk, "take")
        agent.of(talk, "return", note="住桂城，要投诉噪音", slots={"town": "桂城街道"})
    told = talk.say("我要投诉，南海大道昨晚有工地半夜施工很吵")
    assert told["expects"] == "contact", told  # what, where, when are known: only how to reach them is asked


def test_assist_finds_the_passage_and_the_fields(agent: Agent, talk: Talk) -> None:
    talk.say("桂城南海大道的路灯坏了好几天没人修")
    talk.say("转人工")
    found = agent.ask(
        "GET", f"/conversations/{talk.conversation_id}/assist", text="居住证要带什么材料", aspect="materials"
    )
    passages = found.json()["passages"]
    assert passages[0]["item_key"] == "JZ02"
    assert passages[0]["reply"]["sources"]
    fields = found.json()["fields"]
    assert (fields["town"], fields["category"]) == ("桂城街道", "manholes_and_lamps")
    talk.say("不用转了")


def test_two_misunderstandings_bring_a_person(talk: Talk) -> None:
    states = [talk.say(text)["state"] for text in ("呜哩哇啦嘎嘎嘎", "嘎嘎哇啦哩哩呜")]
    assert states == ["bot", "queued"]
    assert talk.say("不用转了")["state"] == "bot"
