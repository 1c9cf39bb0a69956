"""Danger is heard in the words people use, and not in questions about services."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import yaml

from gateway.emergencies import EmergencyWatch

WATCH = EmergencyWatch()
GATEWAY = Path(__file__).parents[3] / "gateway"
TABLE = yaml.safe_load((GATEWAY / "emergencies.yml").read_text(encoding="utf-8"))
NLU_DATA = Path(__file__).parents[3] / "nlu_data"
KINDS = {"suicide", "fire", "medical", "crime", "traffic", "fraud", "fraud_suspected"}

EMERGENCIES = [
    ("我家着火了", "119"),
    ("楼下起火咗，好大烟", "119"),
    ("厨房烧起来了怎么办", "119"),
    ("隔壁冒浓烟", "119"),
    ("家里煤气泄漏了", "119"),
    ("我闻到很浓的煤气味", "119"),
    ("屋企有瓦斯味", "119"),
    ("有小孩掉进河里了", "119"),
    ("有人溺水快来", "119"),
    ("我被困在电梯里", "119"),
    ("困喺電梯入面", "119"),
    ("工厂爆炸了", "119"),
    ("我爸晕倒了", "120"),
    ("阿嫲暈低咗，叫唔醒", "120"),
    ("老人家没有呼吸了", "120"),
    ("我胸口好痛，喘不过气", "120"),
    ("有人触电了", "120"),
    ("我老婆要生了", "120"),
    ("流了好多血止不住", "120"),
    ("我孩子吃错药中毒了", "120"),
    ("帮我叫救护车", "120"),
    ("我妈突然昏迷不醒", "120"),
    ("老豆好似中風", "120"),
    ("小孩抽搐了", "120"),
    ("呼吸困难，快不行了", "120"),
    ("救命啊", "110"),
    ("有人正在打架，拿着刀", "110"),
    ("楼下有人砍人", "110"),
    ("我老公打我", "110"),
    ("我老公在打我", "110"),
    ("被家暴了，很害怕", "110"),
    ("有贼进屋了", "110"),
    ("我被人跟踪", "110"),
    ("我的孩子不见了", "110"),
    ("细路唔見咗", "110"),
    ("我刚刚被骗了二十万", "110"),
    ("有人抢劫", "110"),
    ("我不想活了", "12356"),
    ("唔想活喇", "12356"),
    ("我站在楼顶想跳楼", "12356"),
    ("活着没意思", "12356"),
    ("我吞了一瓶安眠药", "12356"),
    ("发生车祸了", "122"),
    ("我撞到人了", "122"),
    ("俾車撞咗", "122"),
    # A word of some service in them makes them no less an emergency.
    ("我爸晕倒了，医保卡在身上", "120"),
    ("我被抢了，身份证也被拿走了", "110"),
    ("我老公打我，还扣了我的户口本", "110"),
    ("着火了，以前没遇到过，怎么办", "119"),
    ("孩子不见了，身上有身份证", "110"),
]

LOOK_ALIKES = [
    "居住证怎么办",
    "火灾保险怎么理赔",
    "消防验收怎么申请",
    "消防安全检查证要什么材料",
    "公众聚集场所的消防许可怎么办",
    "怎么预防火灾",
    "去年我家着火，现在想申请救助",
    "燃气开户怎么办",
    "煤气费在哪里交",
    "燃气热水器怎么报装",
    "天然气改名过户",
    "防火证明怎么开",
    "电梯使用登记怎么办",
    "医保报销要什么材料",
    "中风后遗症能办残疾证吗",
    "门诊特定病种怎么申请",
    "心脏病发住院医保报多少",
    "生孩子的医保报销",
    "生育津贴几时到账",
    "快要生了，怎么办准生证",
    "食物中毒的鉴定报告在哪开",
    "救护车收费标准的报销",
    "工伤认定要多久",
    "身份证不见了怎么补",
    "孩子的户口本不见了",
    "儿子的出生证不见了怎么补办",
    "老人卡不见了",
    "老人的社保卡不见了怎么挂失",
    "小孩的身份证丢了",
    "救命钱什么时候发",
    "法律援助怎么申请",
    "被家暴了怎么申请法律援助",
    "人身安全保护令怎么申请",
    "去年被骗的钱怎么追",
    "打人事件处理结果出来没有",
    "打架斗殴会影响落户吗",
    "交通事故认定书怎么查",
    "车祸赔偿怎么算",
    "撞车了保险怎么理赔",
    "心理健康讲座怎么报名",
    "心理咨询师怎么考",
    "今天热死了",
    "排队排得累死我",
    "笑死我了",
    "刀具怎么快递",
    "买菜刀要实名吗",
    "养老金领取资格认证",
    "死亡证明怎么开",
    "户口注销要什么",
    "烟草专卖零售许可证怎么办",
    "献血证丢了怎么补",
    "爆竹燃放许可",
    "驾驶证被扣怎么办",
    "溺水预防宣传资料哪里领",
]


def cases() -> list[tuple[str, str]]:
    """(numbers joined by +, or -; what was said) of every line of the table."""
    lines = Path(__file__).with_name("dangers.tsv").read_text(encoding="utf-8").splitlines()
    return [(line.split("\t")[0], line.split("\t")[1]) for line in lines if line and not line.startswith("#")]


CASES = cases()


@pytest.mark.parametrize(
    ("said", "numbers"), EMERGENCIES + [(said, numbers) for numbers, said in CASES if numbers != "-"]
)
def test_an_emergency_brings_the_right_numbers(said: str, numbers: str) -> None:
    found = WATCH.look(said)
    assert found is not None
    for number in numbers.split("+"):
        assert number in found.numbers
        assert number in found.reply.text


@pytest.mark.parametrize("said", LOOK_ALIKES + [said for numbers, said in CASES if numbers == "-"])
def test_a_question_about_a_service_is_no_emergency(said: str) -> None:
    found = WATCH.look(said)
    assert found is None, found.signs if found else None


def test_the_table_is_large_and_no_sentence_stands_twice_in_it() -> None:
    said = [text for _, text in CASES]
    assert len(said) == len(set(said))
    assert sum(numbers == "-" for numbers, _ in CASES) >= 800
    assert sum(numbers != "-" for numbers, _ in CASES) >= 800


def test_spaces_fillers_and_the_traditional_script_hide_no_danger() -> None:
    for said in ("我 家 着 火 了", "屋企著火喇", "我爸暈倒了", "呃，那个，我家、我家着火了啊啊啊", "着着火了！！！"):
        assert WATCH.look(said) is not None, said


@pytest.mark.parametrize(
    "said", ["我家找火了", "没起泄漏了", "有人昏谜不醒", "老婆杨水破了", "我不想火了", "被枪劫了", "有人运倒了"]
)
def test_a_word_heard_wrongly_is_known_by_its_sound(said: str) -> None:
    assert WATCH.look(said) is not None


@pytest.mark.parametrize(
    "said",
    [
        "张三 1234",
        "我叫李炎火，后四位四三二一",
        "陈晕 0012",
        "613482",
        "杨刀，五五六六",
        "13800000000",
        "是的",
        "都不是",
    ],
)
def test_names_numbers_and_short_answers_in_a_form_are_no_emergency(said: str) -> None:
    assert WATCH.look(said) is None


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("我被骗了五万，刚转过去", "fraud"),
        ("自称公安要我转账到安全账户，还没转，是真的吗", "fraud_suspected"),
        ("我站在桥上准备跳下去", "suicide"),
        ("有人跌落水", "fire"),
        ("他拿刀追人", "crime"),
        ("出车祸了有人流血", "traffic"),
        ("羊水穿咗", "medical"),
    ],
)
def test_each_kind_is_told_apart(said: str, kind: str) -> None:
    found = WATCH.look(said)
    assert found is not None
    assert found.kind == kind
    assert found.number == found.numbers[0]


def test_a_plan_or_an_act_calls_police_and_ambulance_and_the_support_line() -> None:
    thought, plan = WATCH.look("我不想活了"), WATCH.look("我喝了农药，不想活了")
    assert thought is not None
    assert plan is not None
    assert thought.numbers == ("12356",)
    assert set(plan.numbers) == {"110", "120", "12356"}


def test_a_child_who_is_harmed_brings_police_and_a_person_and_is_not_questioned() -> None:
    found = WATCH.look("继父对孩子动手动脚，孩子身上有伤")
    assert found is not None
    assert "110" in found.numbers
    assert "转人工" in found.reply.text


def test_who_has_called_already_is_told_to_wait_for_them() -> None:
    found = WATCH.look("我已经打了119，火越烧越大怎么还没到")
    assert found is not None
    assert "已经打通的" in found.reply.text


def test_what_is_only_likely_is_asked() -> None:
    asked = WATCH._words.reply("doubtful", ("110",), called=False)
    assert asked.text.startswith("是不是")
    assert all(number in asked.text for number in ("110", "119", "120", "122"))


@pytest.mark.parametrize(
    "said",
    ["虚惊一场，锅烧焦了，已经灭了，不用转了", "已经关好了走出来了，不用排队了，取消", "唔使叫消防，警钟误鸣"],
)
def test_who_says_that_it_is_over_and_nobody_is_needed_raises_no_alarm(said: str) -> None:
    assert WATCH.look(said) is None


@pytest.mark.parametrize(
    "said",
    [
        "警察走了他又来砸门",
        "救护车走了我爸又晕倒了",
        "消防走了又着火了",
        "我没看错，不是做梦，楼下着火了",
        "别叫警察，他说要杀了我",
    ],
)
def test_a_danger_that_is_back_or_was_never_over_is_heard(said: str) -> None:
    assert WATCH.look(said) is not None


def test_who_thinks_of_dying_is_heard_though_he_wants_nobody() -> None:
    assert WATCH.look("没事了，不用转了，我只是不想活了")


@pytest.mark.parametrize("sign", [*TABLE["signs"], *TABLE["second"]["classes"].values()])
def test_every_sign_can_be_answered_to_the_eye_and_to_the_ear(sign: dict[str, object]) -> None:
    assert sign["kind"] in KINDS
    numbers = tuple(map(str, sign["numbers"]))  # type: ignore[call-overload]
    reply = WATCH._words.reply(str(sign["reply"]), numbers, called=False)
    for form in (reply.text, reply.speech_text):
        assert "转人工" in form
        assert not re.search(r"[{}]", form)
        assert all(number in form for number in numbers)
    assert "拨打" in reply.text
    assert len(reply.speech_text) <= len(reply.text)


def test_replies_promise_nothing_but_a_person() -> None:
    for words in TABLE["replies"].values():
        assert not re.search("警察(会|马上|正在)|已经(派|报|通知)|马上(派|到)|消防车会|救护车会", words["text"])


def test_sentences_of_the_other_intents_raise_next_to_no_alarm() -> None:
    """A guard, not a measure: a part of these sentences is among the examples learnt from."""
    said = [
        re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line.removeprefix("- "))
        for name in ("aspects.yml", "flows.yml", "smalltalk.yml", "out_of_scope.yml")
        for block in yaml.safe_load((NLU_DATA / name).read_text(encoding="utf-8"))["nlu"]
        for line in block["examples"].splitlines()
    ]
    alarms = [text for text in said if WATCH.look(text)]
    assert len(alarms) <= 0.01 * len(said), alarms


def test_a_turn_is_looked_at_within_milliseconds() -> None:
    """Bounds are wide, the machine may be busy: alone it takes well under a millisecond."""
    said = [text for _, text in CASES[:200]]
    started = time.perf_counter()
    for text in said:
        WATCH.look(text)
    assert (time.perf_counter() - started) / len(said) < 0.02
    started = time.perf_counter()
    WATCH.look("我想问一下居住证怎么办要带什么材料" * 29)
    assert time.perf_counter() - started < 0.5
