"""What an agent must not say is stopped, what is curt is questioned, and ordinary sentences pass."""

from __future__ import annotations

import pytest

from desk.assist.warnings import ForbiddenWordsError, Level, check, require_sendable

STOPPED = """
滚，自己看
滚
你滚蛋吧
自己看
你自己看！
网上都有，自己查
那你自己想办法。
指南写得清清楚楚，自己看去
自己睇
你自己看着办
您自己看着办吧
爱办不办
你爱信不信
爱找谁找谁去
跟你说了多少遍了
我都讲过好多遍了
要我说几遍你才懂
跟你说过了
你看不懂字吗
听不懂人话吗
你听不懂
不识字啊
你有病吧
关我什么事
关我屁事
随便你
随你怎么办
少废话，说重点
别啰嗦
你烦不烦
有完没完
懒得理你
你急什么
你吼什么
闭嘴
有话快说
一边去
等着。
你是不是傻
你怎么这么笨
真是刁民
没文化真可怕
神经病
痴线
你懂什么
你以为你是谁
有本事你去投诉
去告我啊
活该
不办拉倒
放屁
你自己不会看吗
不会自己查吗
""".split("\n")

QUESTIONED = """
这事不归我管
不归我们部门管
不是我们负责的，你找别人
找我们也没用
跟我们这边无关
唔关我事
您自己看吧
请自己查。
刚才跟您说过了，要带身份证。
上面不是写了吗
上网查去
谁让您不早点来
别再打来了
我也没办法
""".split("\n")

ORDINARY = """
请您自己看一下短信
您可以自己看办事指南，网址我发给您。
这项可以自己在网上办，也可以到大厅办。
您也可以自己查进度，办件号在回执上。
身份证要本人自己去取。
请您看一下页面滚动条下面的按钮
开水滚烫，请小心。
孩子喜欢摇滚，学校有社团。
社保缴费年限可以滚动计算。
利润滚存结转
精神病院的电话我查一下。
智障人士可以申请残疾人证。
神经病学科在三楼。
您说了三次，我都记下来了。
我再跟您说一遍：带身份证和户口簿。
请您说一下是几号楼。
随时可以打来。
您随便哪一天来都可以。
他们关心的是什么时候办好
请稍等，我查一下。
您等着的时候可以先填表。
我帮您登记，由市场监管所处理。
这件事由住建部门负责，我帮您转过去。
您有病历的话请带上。
孕妇去医院不用预约吗？可以先打电话问。
不好意思，让您久等了。
您听得到吗？
您看不懂吗？我念给您听。
您看得懂这张表吗？不清楚的地方我念给您听。
要带的材料有：身份证、居住证明。
您的老家在乡下，也可以在这里办。
退休金发放时间我查到了。
您别着急，慢慢说。
爱心卡不用年审。
我们不会自己上门收费，请当心诈骗。
投诉电话是 12345，您可以去投诉那家店。
""".split("\n")


@pytest.mark.parametrize("words", filter(None, STOPPED))
def test_insults_curt_orders_and_taunts_are_not_sent(words: str) -> None:
    assert [w for w in check(words) if w.level is Level.STOP], words
    with pytest.raises(ForbiddenWordsError):
        require_sendable(words)


@pytest.mark.parametrize("words", filter(None, QUESTIONED))
def test_brush_offs_are_questioned_and_may_be_sent(words: str) -> None:
    assert {w.level for w in check(words)} == {Level.THINK}, words
    require_sendable(words)


@pytest.mark.parametrize("words", filter(None, ORDINARY))
def test_ordinary_sentences_raise_no_alarm(words: str) -> None:
    assert check(words) == []
