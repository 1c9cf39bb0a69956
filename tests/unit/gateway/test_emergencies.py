"""Danger is heard in the words people use, and not in questions about services."""

from __future__ import annotations

import pytest

from gateway.emergencies import EmergencyWatch

WATCH = EmergencyWatch()

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


@pytest.mark.parametrize(("said", "number"), EMERGENCIES)
def test_an_emergency_brings_the_right_number(said: str, number: str) -> None:
    found = WATCH.look(said)
    assert found is not None
    assert found.number == number
    assert number in found.reply.text


@pytest.mark.parametrize("said", LOOK_ALIKES)
def test_a_question_about_a_service_is_no_emergency(said: str) -> None:
    found = WATCH.look(said)
    assert found is None, found.kind if found else None


def test_spaces_and_the_traditional_script_hide_no_danger() -> None:
    assert WATCH.look("我 家 着 火 了") is not None
    assert WATCH.look("屋企著火喇") is not None
    assert WATCH.look("我爸暈倒了") is not None


@pytest.mark.parametrize("said", [said for said, _ in EMERGENCIES])
def test_the_words_of_danger_say_whom_to_call_and_that_a_person_comes(said: str) -> None:
    found = WATCH.look(said)
    assert found is not None
    assert "转人工" in found.reply.text
    assert "拨打" in found.reply.text
