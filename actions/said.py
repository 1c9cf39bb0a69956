"""What short answers mean wherever they are given: yes, no, stop, a question, a way to be reached.

The engine's intent is one voice among two: in the middle of a form an answer is read by its words
first, for 「昨晚十一点」 looks like many things to a classifier that does not know what was asked.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from hotline.numbers import Kind, read
from hotline.privacy import mask_name
from knowledge_base.places import simplified

_FILLER = re.compile(
    r"^(?:[嗯呃啊哦喂哎唉诶]|那个|这个|就是|咁|那|好吧)+|[啊呀啦吧喇咯哦嘅㗎的了呢哈嘛\s，,。.！!~～]+$|唔该|谢谢|麻烦你?了?|多谢晒?"
)
_YES = re.compile(
    r"(?:是|对|好|行|可以|确认|确定|提交|没错|没有错|没问题|没有问题|正确|同意|嗯|系|係|啱|冇错|冇问题|得|无错|要|需要|就这样|就咁|就系咁|继续|完全正确|都对|全对|都啱"
    r"|没有要改|不用改|唔使改|不改|帮我(?:提交|登记|办|预约|交)|请?(?:提交|登记|预约|确认)|登记|ok|okay|yes|好嘅|对头|是这样|系咁样?|确认(?:提交|无误|登记|预约)|内容正确|无误)"
)
_ALL_YES = re.compile(rf"{_YES.pattern}(?:[啊呀的嘅啦了，,、。 ]*(?:{_YES.pattern}))*[啊呀的嘅啦了]*", re.IGNORECASE)
_NO = re.compile(
    r"^(?:不是|不对|不|唔系|唔係|唔啱|错|不行|不好|不可以|不正确|有错|有误|搞错|不确认|先不要|先别|别|唔好|要改|改|改一下|修改|改下|唔对|等等|等一下|有问题|没有|冇|不要)"
)
_STOP = re.compile(
    r"^(?:(?:还是|都系|那就|咁就|那|咁)?(?:算了|算数|算啦|取消|不用(?:了|登记|投诉|预约|查)|不(?:投诉|报|登记|办|弄|搞|约|预约|查|说|填|反映|评价|改|要)了?"
    r"|唔(?:投诉|报|登记|搞|约|预约|查|讲|填|反映|评价|改)(?:住|喇|啦|了)?|停止?|退出|放弃|撤销|撤回|返回|先不(?:弄|搞|投诉|办)了?|下次再说|改天再说|迟啲先|别记了|唔记喇)"
    r"(?:投诉|登记|预约|查询|这个|呢个|这次|刚才的?|申请|流程|工单|办理|评价|提交)*(?:了|喇|啦|吧|咯|算了|住|先|费事|太麻烦|拜拜|谢谢)*)+$"
)
_PERSON = re.compile(
    r"转人工|轉人工|^人工|人工(?:客服|服务|坐席)|真人|找(?:个|個)?人(?:工|来|跟|同|听)|接线员|接線員|[揾搵](?:个|個)?(?:真)?人|工作人员来|活人"
)
_NO_PERSON = re.compile(r"(?:不用|不要|不想|别|唔使|唔好|唔要|取消)(?:再)?(?:转|轉)?(?:接)?人工")
_QUESTION = re.compile(
    r"[吗嗎麼么][？?。]?$|[？?]$|怎么|怎样|怎麼|点样|点(?:办|搞|申请|交|查|换|补|领|算)|如何|什么(?!都|也)|甚麼|咩|乜|哪(?:里|些|个|家|边|天)|边(?:度|个|间)|几(?:多|钱|耐|时|点(?!几)|(?<![好这呢十了]几)[天日](?![了前来晚])|个工作日)|多少|多久|找谁|归谁|问谁|[揾搵]边个"
    r"|能不能|可不可以|可唔可以|得唔得|要不要|使唔使|需不需要|是不是|系咪|有没有|有冇|收不收|呢[？?。]?$"
)
_AGAIN = re.compile(r"再(?:提交|试|交|发|登记|来)(?:一次|一下|一遍)?|重新提交|重试|试多次|再试")
_NAME_WORDS = r"(?:先生|小姐|女士|太太|师傅|生|太|姑娘|老师|阿姨|叔|伯|婆|姐|哥|同学|医生)"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高梁郑谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆汪范廖石金韦"
    "贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严欧莫孔向常汤康易乔赖文施洪关区冼麦霍招伦简甘岑劳邝温植布老利敖"
    "游骆凌柯翁岳单阮屈柳祝耿庄涂房古时纪项焦左鲍席路娄裴管符辛柏卓詹聂车倪仝"
)
_CALLED = re.compile(
    rf"(?:我?(?:姓名|名字|称呼|联系人)(?:是|系|叫|：|:)?|我(?:叫|姓|是|系|係)|叫我|姓|免贵姓|本人)\s*(?P<full>[{_SURNAMES}欧诸司上][\u4e00-\u9fff]{{0,3}})"
)
_TITLED = re.compile(
    rf"(?<![\u4e00-\u9fff])(?:我(?:是|系|姓)|叫我|姓|我)?(?P<titled>[{_SURNAMES}]{_NAME_WORDS})(?![\u4e00-\u9fff]{{4,}})"
)
_BARE_NAME = re.compile(
    rf"(?<![\u4e00-\u9fff])(?P<bare>(?:欧阳|司徒|上官|诸葛|[{_SURNAMES}])[\u4e00-\u9fff]{{1,2}})(?![\u4e00-\u9fff])"
)
_NO_NAME = re.compile(
    r"什么|怎么|咩|乜|哪|多少|点解|点样|点算|可以|材料|人工|真人|取消|返回|继续|确认|再说|再讲|听不|听唔|慢点|慢啲|大声|查询|查件|进度"
    r"|不用|唔使|谢谢|唔该|知道|明白|电话|手机|身份证|号码|刚才|头先|上午|下午|上昼|下昼|星期|礼拜|周[一二三四五六日]|没有|明天|听日|后天|转接|帮我|我要|我想|不是|唔系"
)
_SELDOM_IN_NAMES = re.compile(r"[谁几能要唔不冇没有听说讲查办补改等号码吗呢吧啊呀喇啦嘅的了是系在喺去来嚟]")
_REFUSES = re.compile(
    r"(?:不(?:想|方便|愿意?|要|用|肯|便|给|留|提供|透露)|唔(?:想|方便|使|好|留|俾|畀|提供|讲)|没有|冇|不能|先不).{0,6}(?:留|给|俾|畀|提供|透露|说|讲|联系|电话|手机|号码|名)"
    r"|^(?:不(?:留|给|用|想|要|方便|提供|愿意)|唔(?:留|俾|畀|使|想|方便|要))(?:了|喇|啦|吧|的)?$|匿名|保密.{0,4}不.{0,3}留|没有(?:手机|电话)|冇(?:手机|电话)"
)


@dataclass(frozen=True)
class Contact:
    """``mobile`` 11 digits; ``digits`` a number that is none (a part, a landline); ``refused``: not given on purpose."""

    mobile: str | None = None
    name: str | None = None
    digits: str = ""
    refused: bool = False


def bare(text: str) -> str:
    """``text`` without politeness and hesitation, in simplified script."""
    said = re.sub(r"\s+", "", simplified(unicodedata.normalize("NFKC", text))).lower()
    for _ in range(3):
        said = _FILLER.sub("", said)
    return said.strip("，,。.！!？?")


def means_yes(text: str) -> bool:
    """A yes and nothing else."""
    said = bare(text) or simplified(text)
    return bool(_ALL_YES.fullmatch(said))


def means_no(text: str) -> bool:
    """Begins with a no."""
    said = bare(text)
    return bool(_NO.match(said)) and not _ALL_YES.fullmatch(said)


def means_stop(text: str) -> bool:
    """「算了」「取消」「我不投诉了」 and nothing else."""
    said = re.sub(r"^(?:我|唔该|还是|都系|帮我|请)+", "", bare(text))
    full = re.sub(r"[，,。！!\s]", "", simplified(text))
    return any(
        bool(_STOP.match(re.sub(r"[，,。！!]", "", s)))
        for s in (said, re.sub(r"^(?:我|唔该|还是|都系|帮我|请|好吧|那|咁)+", "", full))
        if s
    )


def wants_person(text: str) -> bool:
    return bool(_PERSON.search(text)) and not _NO_PERSON.search(text)


def is_question(text: str) -> bool:
    return bool(_QUESTION.search(simplified(text).strip("。 ")))


def tries_again(text: str) -> bool:
    """「再提交」「再试一次」."""
    return bool(_AGAIN.search(simplified(text)))


def could_be_a_name(word: str) -> bool:
    """Whether two to four characters may be a person's name where one was asked for.

    Rare family names are no reason to ask again; a yes, a no, a question or a wish is.
    """
    if not re.fullmatch(r"[\u4e00-\u9fff·]{2,4}", word) or _NO_NAME.search(word):
        return False
    if word[0] not in _SURNAMES and _SELDOM_IN_NAMES.search(word):
        return False
    return not (means_yes(word) or means_no(word) or means_stop(word) or is_question(word))


def shown_name(name: str | None) -> str:
    """A name as it may stand on the screen: 「陈*」; a bare 「陈先生」 tells no more than that."""
    if not name or _TITLED.fullmatch(name) or name.endswith("姓市民"):
        return name or ""
    return mask_name(name)


def find_mobile(text: str) -> str | None:
    """A mobile number in ``text``, typed or said digit by digit."""
    found = read(text, expecting=Kind.PHONE).values
    return next((v.value for v in found if v.kind is Kind.PHONE and v.valid), None)


def find_contact(text: str, asked: bool = True) -> Contact:
    """How to reach who speaks. ``asked``: a bare name counts, and so does a refusal."""
    reading = read(text, expecting=Kind.PHONE)
    mobile = next((v.value for v in reading.values if v.kind is Kind.PHONE and v.valid), None)
    digits = ""
    if asked and not mobile:
        digits = "".join(d.digits for d in reading.loose) or "".join(
            v.value for v in reading.values if v.kind in (Kind.PHONE, Kind.LANDLINE, Kind.QUERY_CODE)
        )
        digits = digits if digits.isdigit() and len(digits) >= 3 else ""
    spans = [(v.start, v.end) for v in reading.values if v.kind is Kind.PHONE]
    rest = text
    for start, end in sorted(spans, reverse=True):
        rest = f"{rest[:start]} {rest[end:]}"
    refused = asked and not mobile and bool(_REFUSES.search(simplified(text)))
    return Contact(mobile, _name(simplified(rest), asked or mobile is not None), digits, refused)


def _name(said: str, bare_counts: bool) -> str | None:
    said = re.sub(r"\d+", " ", said)
    if titled := _TITLED.search(said):
        return titled["titled"]
    if called := _CALLED.search(said):
        name = re.split(r"[，,。、\s]|电话|手机|号码|的|嘅|住|啊|呀", called["full"])[0]
        return f"{name}姓市民" if len(name) == 1 else name
    if bare_counts:
        rest = re.sub(r"我的|我嘅|手机号?码?|电话号?码?|号码|联系|打我|可以|就是|是|系|：|:", " ", said)
        if found := _BARE_NAME.search(rest):
            return found["bare"]
    return None
