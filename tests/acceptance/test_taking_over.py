"""An agent takes over from the running line and gives back: the bot was silent, and knows what was said."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from running_line import ROOT, Line, Talk
from websockets.sync.client import connect

PASSWORD = "Feng-Huang-2026"


class Agent:
    """An agent signed in, with the screen open."""

    def __init__(self, line: Line, token: str) -> None:
        self.line = line
        self.token = token

    def ask(self, verb: str, path: str, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        sent = {"params": body} if verb == "GET" else {"json": body}
        return httpx.request(verb, f"{self.line.address}/api/v1/desk{path}", headers=headers, timeout=20, **sent)

    def of(self, talk: Talk, step: str, **body: Any) -> dict[str, Any]:
        answer = self.ask("POST", f"/conversations/{talk.conversation_id}/{step}", **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    @contextmanager
    def screen(self) -> Iterator[Any]:
        address = self.line.address.replace("http", "ws")
        with connect(f"{address}/api/v1/desk/events?token={self.token}") as socket:
            assert json.loads(socket.recv(timeout=10))["type"] == "hello"
            yield socket


@pytest.fixture(scope="module")
def agent(line: Line) -> Agent:
    command = [str(ROOT / "bin" / "hotline"), "users", "add", "mei", "--role", "agent", "--password-stdin"]
    env = os.environ | {"DATA_DIR": str(line.data_dir)}
    subprocess.run(command, input=PASSWORD.encode(), env=env, check=True, capture_output=True)
    body = {"username": "mei", "password": PASSWORD}
    answer = httpx.post(f"{line.address}/api/v1/auth/login", json=body, timeout=20)
    return Agent(line, answer.json()["token"])


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
