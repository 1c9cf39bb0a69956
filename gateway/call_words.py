"""Words about the call itself, known by a pattern: the engine need not be asked, nor be up."""

from __future__ import annotations

import re

_MARKS = re.compile(r"[\s，,。．.、；;：:！!？?…~]+")
_POLITE = (
    r"(?:麻烦|唔该|请|请你|请您|不好意思|唔好意思|对不起|你|您|能|能不能|可以|可唔可以|可不可以|帮我|同我|给我|我|啊|喂|诶|嗯|先|刚才|刚刚|头先|"
    r"信号不好|太快了|太快|电话断断续续)"
)
_AGAIN = (
    r"(?:再(?:说|讲|念|报|来)(?:多)?(?:一)?(?:遍|次|下|啲)|再重复(?:一)?(?:遍|次|下)?|再讲|(?:说|讲|念|报)多(?:一)?(?:遍|次)|重复(?:一)?(?:遍|次|下)?|重(?:说|讲)(?:一)?(?:遍|次)?|"
    r"(?:你|您)?(?:刚才|刚刚|头先)?(?:说|讲|话)(?:的|了|咗|紧)?(?:是)?(?:什么|啥|咩|乜|乜嘢)|咩话|(?:我)?(?:没|冇|唔)(?:有)?听(?:得)?(?:清|清楚|到|见)|"
    r"听(?:唔|不)(?:清|清楚|到|见))"
)
_TAIL = r"(?:一下|一遍|一次|好吗|好不好|可以吗|行吗|吗|得唔得|得吗|唔该|麻烦你|谢谢|啊|呀|吧|嘛|啦|喇|了|俾我听|畀我听|给我听|哦|呢|那句|号码)"
_ASKS_AGAIN = re.compile(rf"{_POLITE}*{_AGAIN}(?:{_TAIL}|{_AGAIN})*")
_REFUSES = re.compile(
    r"(?<!要)(?:不要|不想|不用|不准|不许|不可以|不同意|不能|不|别|拒绝|停止|停咗|取消|关掉|唔好|唔想|唔准|唔同意|唔畀|唔俾|咪|唔)"
    r"(?:再|继续|你们|你哋|给我|帮我|被|对我|将我)?(?:录音|录低|录我的音|录我|录下来|录)(?:了|啦|呀|啊|吧)?(?=$|[^像入取用])"
)
_AROUND_REFUSAL = re.compile(
    r"我|请|你们?|您|可以|可唔可以|能不能|能|吗|啊|呀|谢谢|唔该|这个|呢个|通话|电话|好|的|嘅|喂|得唔得|行|同意"
)


def asks_again(text: str) -> bool:
    """「再说一遍」「头先讲咩」, and nothing else in it."""
    return _ASKS_AGAIN.fullmatch(_MARKS.sub("", text)) is not None


def refuses_recording(text: str) -> bool:
    """「不要录音」「唔好录音」, also beside other words."""
    return _REFUSES.search(_MARKS.sub("", text)) is not None


def only_refuses(text: str) -> bool:
    """Nothing is left in it to be answered."""
    left = _REFUSES.sub("", _MARKS.sub("", text), count=1)
    return len(_AROUND_REFUSAL.sub("", left)) <= 1
