"""Where an application stands: told to who proves to be the applicant, and to nobody else."""

from __future__ import annotations

import json
import re

from running_line import Line

# The demonstration cases of the reference hub; people and numbers are made up.
WRONG_NAMES = ("欧秋桐", "简若谷", "岑望舒")
WRONG_ID_LAST4 = ("808X", "919X", "727X")


def everything_said(line: Line, talk) -> str:
    return json.dumps(talk.history(), ensure_ascii=False)


def test_an_applicant_who_proves_it_is_told_the_status_and_never_hears_the_proofs_back(line, talk):
    assert talk.say("查办件进度")["expects"] == "case_reference"
    assert talk.say("613482")["expects"] == "identity_proof"
    answer = talk.say("陈小明，1234")
    reply = answer["replies"][-1]
    assert answer["expects"] is None
    assert "补正" in reply["text"]
    assert "补交租赁合同首页" in reply["text"]
    assert "演示数据" in reply["text"]
    assert reply["card"]["kind"] == "case"
    assert reply["sources"][0]["field"] == "state"
    shown = json.dumps(answer, ensure_ascii=False) + everything_said(line, talk)
    assert "陈小明" not in shown
    assert not re.search(r"1234(?!5)", shown)


def test_code_name_and_digits_in_one_breath_are_taken_in_one_turn(line, talk):
    talk.say("查办件进度")
    answer = talk.say("613490，李丽华，567X")
    assert "待取件" in answer["replies"][-1]["text"]
    assert "567X" not in everything_said(line, talk)
    assert "李丽华" not in everything_said(line, talk)


def test_a_case_that_does_not_exist_is_said_not_to_be_found(talk):
    talk.say("查办件进度")
    answer = talk.say("699999")
    assert "没有查到" in answer["replies"][-1]["text"]
    assert answer["expects"] == "case_reference"


def test_a_question_in_between_is_answered_and_the_check_goes_on(talk):
    talk.say("查办件进度")
    answer = talk.say("居住证要带什么材料")
    assert "居住" in answer["replies"][0]["text"]
    assert answer["expects"] == "case_reference"
    assert talk.say("613490")["expects"] == "identity_proof"


def test_three_wrong_proofs_lock_the_case_and_offer_a_person(line, talk):
    talk.say("查办件进度")
    talk.say("613505")
    tries = [talk.say(f"{name}，{digits}") for name, digits in zip(WRONG_NAMES, WRONG_ID_LAST4, strict=True)]
    assert "还可以试 2 次" in tries[0]["replies"][-1]["text"]
    assert "还可以试 1 次" in tries[1]["replies"][-1]["text"]
    locked = tries[2]["replies"][-1]
    assert "锁定" in locked["text"]
    assert "转人工" in [b["payload"] for b in locked["buttons"]]
    # The right proofs, and from another conversation: it stays locked.
    other = line.talk()
    other.say("查办件进度")
    answer = other.say("613505")
    if answer["expects"] == "identity_proof":
        answer = other.say("黄志强，2026")
    assert "锁定" in answer["replies"][-1]["text"]
    assert "审核中" not in json.dumps(answer, ensure_ascii=False)


def test_nothing_of_the_proofs_rests_in_a_database_or_a_log(line, talk):
    """Depends on no other test: proofs are given here, the right ones and wrong ones."""
    talk.say("查办件进度")
    talk.say("613490")
    talk.say(f"{WRONG_NAMES[0]}，{WRONG_ID_LAST4[0]}")
    assert "待取件" in talk.say("李丽华 567X")["replies"][-1]["text"]
    talk.say("我的手机号是13800000001，身份证号是990605190001012346")

    people = ("陈小明", "李丽华", "黄志强", *WRONG_NAMES)
    secrets = [p.encode() for p in people] + [json.dumps(p)[1:-1].encode() for p in people]
    secrets += [digits.encode() for digits in ("567X", *WRONG_ID_LAST4, "13800000001", "990605190001012346")]
    files = [
        *line.data_dir.glob("hotline.db*"),
        *line.data_dir.glob("engine-tracker.db*"),
        *line.data_dir.glob("hub.db*"),
        *(line.data_dir / "log").iterdir(),
        line.output,
    ]
    names = {f.name for f in files}
    assert {"hotline.db", "engine-tracker.db", "hub.db", "gateway.log", "actions.log", "rasa.log"} <= names
    kept = {f.name: f.read_bytes() for f in files}
    assert any(talk.conversation_id.encode() in held for held in kept.values()), "this talk is in the files read"
    found = [(name, secret.decode()) for name, held in kept.items() for secret in secrets if secret in held]
    assert found == []
    # Four plain digits occur in many numbers; standing alone they are the proof of 613482.
    alone = re.compile(rb"(?<![0-9A-Za-z._:-])1234(?![0-9A-Za-z._:-])")
    assert [name for name, held in kept.items() if alone.search(held)] == []
