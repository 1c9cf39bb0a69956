"""Parts hang or die: the line says what still works, names the part, and goes on afterwards."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest

ANSWERS_WITHIN_S = 3.0


def say_in_time(talk, text: str) -> dict[str, Any]:
    begun = time.monotonic()
    answer = talk.say(text)
    took = time.monotonic() - begun
    assert took < ANSWERS_WITHIN_S, f"{took:.1f} s"
    assert answer["replies"][0]["text"].strip()
    return answer


def text_of(answer: dict[str, Any]) -> str:
    return "\n".join(r["text"] for r in answer["replies"])


def down_parts(line) -> set[str]:
    status, parts = line.readyz()
    assert status == 503
    return {name for name, state in parts.items() if state["status"] == "down"}


def check_without_hub(line, talk) -> None:
    answer = say_in_time(talk, "居住证要带什么材料")
    assert answer["understanding"]["item_key"] == "JZ02", "guides are answered from the own knowledge base"
    assert "没能和中台核对" in text_of(answer)
    talk.say("查办件进度")
    status = say_in_time(talk, "613482")
    assert "数据中台暂时联系不上" in text_of(status)
    assert "办事指南仍然可以问" in text_of(status)
    assert down_parts(line) == {"hub"}


def check_with_hub(line, talk) -> None:
    line.until_ready()
    answer = talk.say("居住证要带什么材料")
    assert "没能和中台核对" not in text_of(answer)
    talk.say("查办件进度")
    assert talk.say("613482")["expects"] == "identity_proof"


def test_without_the_hub_guides_are_answered_and_cases_are_not_guessed(line, talk):
    with line.hung("hub"):
        check_without_hub(line, talk)
    check_with_hub(line, line.talk())
    with line.killed("hub"):
        check_without_hub(line, line.talk())
    check_with_hub(line, line.talk())


def check_without(line, talk, part: str, words: tuple[str, ...], named: set[str]) -> None:
    answer = say_in_time(talk, "那要多久")
    assert any(word in text_of(answer) for word in words), text_of(answer)
    assert "人工" in text_of(answer)
    assert not answer["replies"][0]["sources"]
    assert down_parts(line) == named, part
    assert "119" in text_of(say_in_time(talk, "着火了")), "danger is answered without the engine"


def test_without_the_action_server_the_line_says_so_and_offers_a_person(line):
    talk = line.talk()
    talk.say("居住证要带什么材料")
    with line.hung("actions"):
        check_without(line, talk, "actions", ("暂时答不上来", "暂时没有响应"), {"actions", "search"})
    line.until_ready()
    assert talk.say("那要多久")["understanding"]["item_key"] == "JZ02"
    with line.killed("actions"):
        check_without(line, talk, "actions", ("查资料的服务暂时没有响应",), {"actions", "search"})
    line.until_ready()
    assert talk.say("那要多久")["understanding"]["item_key"] == "JZ02"


def test_without_the_dialogue_engine_a_person_can_still_be_had_and_the_talk_goes_on_afterwards(line):
    talk = line.talk()
    talk.say("居住证要带什么材料")
    with line.hung("rasa"):
        check_without(line, talk, "rasa", ("智能问答暂时答不上来",), {"rasa"})
    line.until_ready()
    assert talk.say("那要多久")["understanding"]["item_key"] == "JZ02"
    with line.killed("rasa"):
        check_without(line, talk, "rasa", ("智能问答暂时答不上来",), {"rasa"})
        assert say_in_time(line.talk(), "转人工")["state"] == "queued"
    line.until_ready()
    goes_on = talk.say("那要多久")["understanding"]
    assert (goes_on["item_key"], goes_on["aspect"]) == ("JZ02", "time_limit"), "slots outlive the engine"


def test_a_gateway_killed_in_the_middle_of_a_talk_loses_no_word_of_it(line):
    talk = line.talk()
    before = [talk.say("居住证要带什么材料"), talk.say("那身份证呢")]
    seq = talk.history()["seq"]
    gateway = line.part("gateway")
    gateway.send_signal(signal.SIGKILL)
    line.until(lambda: not gateway.is_running(), 10, "the gateway is gone")
    line.until_ready()
    assert line.part("gateway").pid != gateway.pid
    told = talk.history()["messages"]
    assert [m["turn_id"] for m in told] == [b["turn_id"] for b in before]
    assert [m["replies"] for m in told] == [b["replies"] for b in before]
    with talk.events(after=seq) as watcher:
        goes_on = talk.say("那要多久")
        frame = json.loads(watcher.recv(timeout=5))
        assert frame["turn_id"] == goes_on["turn_id"], "nothing twice, nothing missed"
    assert goes_on["understanding"]["item_key"] == before[1]["understanding"]["item_key"]
    assert goes_on["understanding"]["aspect"] == "time_limit"


@pytest.mark.parametrize("part", ["hub", "actions", "rasa", "gateway"])
def test_every_part_is_running_at_the_end(line, part):
    assert line.part(part).is_running()
