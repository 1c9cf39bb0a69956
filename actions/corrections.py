"""「不是社保，是医保」「我问的是多少钱，不是几天」「反了，我是要新开一个」: what is put right, and in which respect."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotline.messages import Aspect
from knowledge_base.subject import matter, simplified, whole

_IS = r"(?:是|系|係)"
_NOT = r"(?:并不是|不是|唔系|唔係|不要|没有问|冇问|没问|没有|冇|不|唔)"
_ASKED = r"(?:我(?:们|哋)?)?(?:刚才|头先)?(?:想|要)?(?:问|说|讲|话|要|办|查)?(?:的|嘅)?"
_END = r"[，,。！!？? 啊呀喎啦吧嘅的]*$"
_WRONG_THEN_RIGHT = re.compile(
    rf"(?:不是|唔系|唔係|没有|冇)(?P<wrong>[^，,。；]{{1,16}}?)(?:[，,。；、 ]*(?:而|我)?{_ASKED}{_IS}|[，,。；、 ]+我(?:是|系|係)?(?:想|要|问))(?P<right>[^是系係].*?){_END}"
)
_RIGHT_THEN_WRONG = re.compile(
    rf"{_ASKED}{_IS}?(?P<right>[^，,。；不唔]{{2,20}}?)[，,。；、 ]*(?:而)?(?:不是|唔系|唔係|唔系问|不是问){_ASKED}(?P<wrong>[^，,。；]{{1,16}}?){_END}"
)
_MISTAKEN = re.compile(
    rf"^[^，,。]{{0,4}}(?:搞错|弄错|听错|说错|讲错|答错|问错|错了|错咗|错啦|反了|不对|唔啱|更正)[^，,。]{{0,4}}[，,。！! ]+"
    rf"(?:而|应该)?{_ASKED}(?:{_IS})?(?:说|讲|问|要|话)?(?P<right>.{{2,}}?){_END}"
)
# 「没丢，是到期了」 is strict enough above; 「不是临时的，正式的多久」 says no second 是.
_LOOSE = re.compile(
    rf"^(?:不是|唔系|唔係|没|唔)(?P<wrong>[^，,。；吗嗎么？?]{{1,10}})[，,]+(?:而)?{_IS}?(?P<right>[^是系係].+?){_END}"
)
# 「谁说个体户啊，我开公司」「你答咗几耐，我问喺边度办」「条件我知道了，我问能领多少」
_WHO_SAID = re.compile(
    rf"^(?:谁|边个|几时|什么时候|我几时|我什么时候)(?:有)?(?:说|讲|话|问|提)(?:过|的|嘅|咗|了)?(?P<wrong>[^，,。]{{1,10}}?)[呀啊了㗎？?！!]*[，,。？?！! ]+{_ASKED}{_IS}?(?P<right>.{{2,}}?){_END}"
)
_ANSWERED_ELSE = re.compile(
    rf"(?:你|您)(?:刚才|头先|而家)?(?:答|讲|说|话|报)(?:的|嘅|咗|了|的是|嘅系)?(?P<wrong>[^，,。]{{1,12}})[，,。 ]+(?:但|但是|而)?我{_IS}?(?:想|要)?问(?:的|嘅|紧|你|您|的是|嘅系)*(?P<right>[^，,。]{{2,}}?){_END}"
)
_ASKED_ELSE = re.compile(
    rf"我{_IS}?(?:想|要)?问(?:的|嘅|紧|你|您|的是|嘅系)*(?P<right>[^，,。]{{2,16}})[，,。 ]+(?:但|但是|点解|怎么|为什么)?(?:你|您)(?:刚才|头先|而家)?(?:答|讲|说|话|报)(?:的|嘅|咗|了|的是|嘅系)?(?P<wrong>[^，,。]{{1,12}}?){_END}"
)
_KNOWN = re.compile(
    rf"^(?P<wrong>[^，,。]{{2,10}}?)(?:我|我都|我已经)?(?:知道?|清楚|明白|晓得|有|够|齐|知够)(?:了|晒|咗|㗎|的|嘅|啦|喇)*[，,。 ]+我{_IS}?(?:想|要)?问(?:的|嘅|紧|你|您|的是|嘅系)*(?P<right>[^，,。]{{2,}}?){_END}"
)
_NO_BUT = re.compile(
    rf"^(?:不是|不对|唔系|唔係|唔啱|错了|错咗|no)(?:的|啊|呀|嘅|喎|啦)*[，,。 ]+(?:我)?(?:先|就)?(?:想|要)?(?:说|讲|问|话|要|办)?(?:的|嘅)?(?:{_IS}|先问|想问)(?P<right>.{{2,}}?){_END}",
    re.IGNORECASE,
)
_AHEM = re.compile(r"^(?:[哦嗯呃啊喂唉诶欸噢][，, ]*)+(?=不|唔|错|我|你|讲|说)")
_DENIES_FIRST = re.compile(
    r"^(?:(?:不是|不对|唔系|唔係|唔啱|错了|错咗|哎呀?|嗯|呃|哦)[，,。 啊呀的]*){2,}(?=我|他|她|系|是)"
)
_LEADING = re.compile(r"^(?:那个|嗰个|我|们|哋|刚才|头先|想|要|问|说|讲|话|的|嘅|是|系|係|应该|其实|而)+(?=.{2})")

# What is asked, told by its words. The first that is found holds.
_ASPECTS: tuple[tuple[Aspect, re.Pattern[str]], ...] = tuple(
    (aspect, re.compile(pattern))
    for aspect, pattern in (
        (Aspect.AMOUNT, r"(?:领|拿|取|补贴?|报销?|发|贷|提|赔|给)(?:到|得)?(?:多少|几成|几多|几钱)|金额|额度|报销比例|发放标准|补贴标准"),
        (Aspect.FEE, r"多少钱|几钱|收费|收不收|费用|工本费|手续费|要钱|要不要钱|交多少|贵不贵|免费|价钱|价格"),
        (Aspect.TIME_LIMIT, r"多久|几天|几日|多长时间|几个工作日|时限|期限|有效期|截止|什么时候(?:能|可以)?(?:拿|取|好|办好|下来|到账)|几时(?:好|拿|有)|几个月"),
        (Aspect.WHEN_OPEN, r"几点|周末|周[六日天]|星期[六日天]|礼拜[六日天]|上班时间|办公时间|开门|上不上班|收工"),
        (Aspect.MATERIALS, r"材料|资料|证件|带(?:那个|这个|个|些|啲)?(?:什么|啥|哪些|些什么)|什么证明|哪些证明|复印件|照片|表格|交什么"),
        (Aspect.CONDITIONS, r"条件|资格(?!认证|审核|证)|要求|够不够格|符合|什么人能|谁能"),
        (Aspect.ONLINE, r"网上|手机|线上|小程序|微信|支付宝|粤省事|网址|app"),
        (Aspect.WHERE, r"哪里|在哪|去哪|哪儿|地址|地点|地方|哪个(?:窗口|大厅|派出所|部门|单位)"),
        (Aspect.PHONE, r"电话|热线|打几号|联系方式"),
        (Aspect.STEPS, r"怎么(?:办|申请|弄|搞|做|办理|报名|领|拿|交|取|报|查|续|换|补)|如何(?:办|申请|领)|流程|步骤|手续"),
        (Aspect.GENERAL, r"是什么|什么意思|介绍"),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Correction:
    """``right``: what is meant, in the citizen's words; ``wrong``: what is not, where it was said."""

    right: str
    wrong: str = ""


def correction_of(text: str) -> Correction | None:
    """What ``text`` puts right; None where it corrects nothing."""
    said = _DENIES_FIRST.sub("", _AHEM.sub("", simplified(text).strip()))
    for pattern in (_WHO_SAID, _ANSWERED_ELSE, _ASKED_ELSE, _KNOWN):
        if found := pattern.search(said):
            return Correction(_bare(found["right"]), _bare(found["wrong"]))
    if found := _WRONG_THEN_RIGHT.search(said):
        return Correction(_bare(found["right"]), _bare(found["wrong"]))
    if (found := _RIGHT_THEN_WRONG.search(said)) and len(_bare(found["right"])) > 1:
        return Correction(_bare(found["right"]), _bare(found["wrong"]))
    if found := _MISTAKEN.search(said) or _NO_BUT.search(said):
        return Correction(_bare(found["right"]))
    if found := _LOOSE.search(said):
        return Correction(_bare(found["right"]), _bare(found["wrong"]))
    return None


def aspect_said(text: str) -> Aspect | None:
    """The aspect that ``text`` names by its words, Mandarin or Cantonese; None where it names none."""
    said = whole(text)
    return next((aspect for aspect, pattern in _ASPECTS if pattern.search(said)), None)


def names_a_matter(text: str) -> bool:
    """Whether ``text`` is about something beside what it asks of it."""
    return len(matter(text)) > 1


def _bare(part: str) -> str:
    return _LEADING.sub("", part.strip("，,。；、 "))
