"""A person is asked for: the queue, and back."""

from __future__ import annotations

import json


def test_asking_for_a_person_queues_the_talk_and_tells_the_place(talk):
    with talk.events() as watcher:
        answer = talk.say("转人工")
        assert answer["state"] == "queued"
        assert "12345" in answer["replies"][0]["text"]
        frames = {}
        while not {"reply", "state", "queue"} <= frames.keys():
            frame = json.loads(watcher.recv(timeout=5))
            frames[frame["type"]] = frame
        assert frames["state"]["state"] == "queued"
        assert frames["queue"]["position"] >= 1


def test_who_waits_may_go_on_asking_and_may_stop_waiting(talk):
    talk.say("转人工")
    asked = talk.say("居住证要带什么材料")
    assert asked["understanding"]["item_key"] == "JZ02"
    assert asked["state"] == "queued"
    back = talk.say("不用转了")
    assert back["state"] == "bot"
    assert "取消" in back["replies"][0]["text"]
    assert talk.history()["state"] == "bot"
    assert talk.say("不用转了")["state"] == "bot"


def test_who_comes_later_stands_further_back(line):
    first, second = line.talk(), line.talk()
    first.say("转人工")
    with second.events() as watcher:
        second.say("转人工")
        positions = []
        while not positions:
            frame = json.loads(watcher.recv(timeout=5))
            if frame["type"] == "queue":
                positions.append(frame["position"])
        first_place = positions[0]
        assert first_place >= 2
    first.say("不用转了")
    second.say("不用转了")
    assert second.history()["state"] == "bot"


def test_a_wish_not_to_be_handed_over_is_not_taken_for_its_opposite(talk):
    assert talk.say("不要转人工，我想问居住证怎么办")["state"] == "bot"
