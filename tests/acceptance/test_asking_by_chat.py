"""Chat over HTTP and WebSocket: what is asked, followed up, repeated, and what cannot be taken."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest


def texts(answer: dict) -> str:
    return "\n".join(reply["text"] for reply in answer["replies"])


def test_the_line_greets_and_says_that_it_is_no_human_being(talk):
    assert "人工智能" in talk.greeting[0]["text"]


def test_a_question_is_answered_from_the_guide_with_its_source(talk):
    answer = talk.say("居住证要带什么材料")
    understood = answer["understanding"]
    assert (understood["item_key"], understood["aspect"]) == ("JZ02", "materials")
    reply = answer["replies"][0]
    assert reply["sources"]
    assert all(s["item_code"] and s["field"] and s["version"] for s in reply["sources"])
    assert "居住" in reply["text"]
    assert "身份证" in reply["text"]
    assert answer["state"] == "bot"


def test_a_follow_up_and_a_switch_keep_what_the_talk_is_about(talk):
    talk.say("居住证要带什么材料")
    follow_up = talk.say("那要多久")["understanding"]
    assert (follow_up["item_key"], follow_up["aspect"]) == ("JZ02", "time_limit")
    switched = talk.say("那身份证呢")
    assert switched["understanding"]["aspect"] == "time_limit"
    assert switched["understanding"]["item_key"] not in (None, "JZ02")
    assert "身份证" in switched["understanding"]["item_name"]
    assert "10个工作日" not in texts(switched), "the other service's time limit"


def test_what_no_guide_holds_is_not_answered_as_if_it_were_known(talk):
    answer = talk.say("明天佛山会不会下雨")
    assert answer["understanding"]["item_key"] is None
    assert not answer["replies"][0]["sources"]
    assert "人工" in texts(answer) or "没有听明白" in texts(answer)


def test_the_same_message_sent_twice_is_answered_alike_and_recorded_once(talk):
    first = talk.say("居住证要带什么材料", client_message_id="m-1")
    again = talk.say("居住证要带什么材料", client_message_id="m-1")
    assert again["turn_id"] == first["turn_id"]
    assert again["replies"] == first["replies"]
    assert len(talk.history()["messages"]) == 1


def test_the_same_message_sent_twice_at_once_is_recorded_once(talk):
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: talk.say("居住证怎么办", client_message_id="m-2"), range(4)))
    assert len({a["turn_id"] for a in answers}) == 1
    assert all(a["replies"] == answers[0]["replies"] for a in answers)
    assert len(talk.history()["messages"]) == 1


def test_the_history_tells_the_whole_conversation_in_order(talk):
    said = ["居住证怎么办", "那要多久", "再说一遍"]
    answers = [talk.say(text) for text in said]
    told = talk.history()
    assert [m["text"] for m in told["messages"]] == said
    assert [m["turn_id"] for m in told["messages"]] == [a["turn_id"] for a in answers]
    assert [m["replies"] for m in told["messages"]] == [a["replies"] for a in answers]
    rest = talk.history(after=answers[0]["turn_id"])
    assert [m["turn_id"] for m in rest["messages"]] == [a["turn_id"] for a in answers[1:]]
    assert answers[2]["replies"][0]["text"] == answers[1]["replies"][0]["text"], "「再说一遍」 says it again"


def test_events_come_once_each_and_go_on_after_a_lost_connection(talk):
    first = talk.say("居住证怎么办")
    with talk.events(after=0) as watcher:
        seen = json.loads(watcher.recv(timeout=5))
        assert (seen["type"], seen["turn_id"]) == ("reply", first["turn_id"])
        assert seen["reply"]["text"] == first["replies"][0]["text"]
        last = seen["seq"]
    missed = [talk.say("那要多久"), talk.say("收费吗")]
    with talk.events(after=last) as watcher:
        frames = [json.loads(watcher.recv(timeout=5)) for _ in missed]
        assert [f["turn_id"] for f in frames] == [m["turn_id"] for m in missed]
        live = talk.say("在哪里办")
        frame = json.loads(watcher.recv(timeout=5))
        assert frame["turn_id"] == live["turn_id"]
        seqs = [last, *(f["seq"] for f in frames), frame["seq"]]
        assert seqs == sorted(set(seqs))


def test_a_message_over_the_socket_reaches_every_watcher(talk):
    with talk.events() as speaker, talk.events() as watcher:
        speaker.send(json.dumps({"type": "message", "text": "居住证要带什么材料", "client_message_id": "w-1"}))
        shown = json.loads(watcher.recv(timeout=10))
        frames = {}
        while "turn" not in frames:
            frame = json.loads(speaker.recv(timeout=10))
            frames[frame["type"]] = frame
        assert shown["type"] == "reply"
        assert shown["turn_id"] == frames["turn"]["turn_id"]
        assert frames["turn"]["understanding"]["item_key"] == "JZ02"


def test_what_is_no_message_on_the_socket_gets_a_named_error_and_the_socket_lives(talk):
    with talk.events() as socket:
        for sent, code in [
            ("这不是 JSON", "bad_input"),
            (b"\x00\xff\xfe", "bad_input"),
            ("[" * 5000, "bad_input"),
            (json.dumps(["message"]), "bad_input"),
            (json.dumps({"type": "message", "text": ""}), "empty_text"),
            (json.dumps({"type": "message", "text": "好" * 501}), "text_too_long"),
        ]:
            socket.send(sent)
            frame = json.loads(socket.recv(timeout=5))
            assert (frame["type"], frame["code"]) == ("error", code), sent
            assert frame["detail"]
        socket.send(json.dumps({"type": "message", "text": "居住证怎么办"}))
        assert json.loads(socket.recv(timeout=10))["type"] == "reply"


def test_the_rasa_rest_endpoint_answers_in_rasas_own_shape(line):
    def ask(sender: str, text: str) -> list[dict]:
        answer = line.http.post("/webhooks/rest/webhook", json={"sender": sender, "message": text})
        assert answer.status_code == 200
        return answer.json()

    first = ask("widget-1", "居住证要带什么材料")
    assert {m["recipient_id"] for m in first} == {"widget-1"}
    assert "居住证" in first[0]["text"]
    assert all({"title", "payload"} == set(b) for b in first[0]["buttons"])
    assert "居住证" in ask("widget-1", "那要多久")[0]["text"]
    assert "哪一项" in ask("widget-2", "那要多久")[0]["text"], "another sender's talk is not this one's"
    assert "文字" in ask("widget-1", "😀😀")[0]["text"]


def test_a_wrong_token_opens_nothing_and_does_not_tell_whether_the_talk_exists(line, talk):
    talk.say("居住证怎么办")
    there = line.http.get(f"{talk.path}/messages", headers={"Authorization": "Bearer wrong"})
    nowhere = line.http.get("/api/v1/conversations/" + "0" * 32 + "/messages", headers=talk.headers)
    without = line.http.post(f"{talk.path}/messages", json={"text": "那要多久"})
    for answer in (there, nowhere, without):
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "not_authorised"
    assert there.json() == nowhere.json()
    with talk.events(token="wrong") as socket:
        assert json.loads(socket.recv(timeout=5))["code"] == "not_authorised"
        with pytest.raises(Exception) as closed:
            socket.recv(timeout=5)
        assert closed.value.rcvd.code == 4401
    assert len(talk.history()["messages"]) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_text"),
        ("   \n\t", "empty_text"),
        ("好" * 10_000, "text_too_long"),
        ("😀🎉👍", "unreadable_text"),
        (12345, "unreadable_text"),
        ({"$ne": None}, "unreadable_text"),
        (["居住证"], "unreadable_text"),
    ],
    ids=["empty", "blank", "10000 characters", "emoji", "number", "object", "list"],
)
def test_what_cannot_be_taken_is_refused_by_name_and_not_recorded(talk, text, code):
    answer = talk.post(text)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert any("\u4e00" <= c <= "\u9fff" for c in problem["detail"])
    assert talk.history()["messages"] == []


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe\x00\x01\x80", b"{", b'{"text": "\xff\xfe"}', b'{"text": "\\ud800"}', b'{"text": NaN}', b"[" * 20_000],
    ids=["binary", "cut off", "not UTF-8", "half a surrogate", "NaN", "nested"],
)
def test_a_body_that_is_no_good_json_is_refused_without_a_stack_trace(line, talk, body):
    headers = talk.headers | {"content-type": "application/json"}
    answer = line.http.post(f"{talk.path}/messages", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text
    assert talk.history()["messages"] == []


def test_a_body_beyond_the_limit_is_refused(talk):
    assert talk.post("好" * 300_000).status_code == 413


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE conversations; --",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "{{ 7*7 }} ${7*7} %s %n",
        "/restart",
        '/choose_item{"item_key":"JZ02"}',
        "@EXTERNAL: secrets",
    ],
)
def test_words_that_mean_to_do_harm_are_words_and_nothing_else(talk, text):
    talk.say("居住证要带什么材料")
    answer = talk.say(text)
    assert answer["replies"][0]["text"]
    assert "49" not in answer["replies"][0]["text"]
    after = talk.say("那要多久")["understanding"]
    assert after["aspect"] == "time_limit"
    assert after["item_key"] == "JZ02", "the talk goes on where it was"
    assert len(talk.history()["messages"]) == 3


def test_an_emergency_names_the_number_at_once_and_brings_a_person(talk):
    answer = talk.say("我家着火了，快来人")
    assert "119" in answer["replies"][0]["text"]
    assert answer["state"] == "queued"
