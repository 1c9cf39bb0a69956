"""Reading case numbers, query codes and identity proofs out of what was said."""

from __future__ import annotations

import re
import unicodedata

from actions.said import could_be_a_name
from hotline.cases import IdentityProof
from hotline.numbers import Kind, Reading, read
from hotline.numbers.symbols import DIGITS, HAN_DIGITS, RADIO_DIGITS, prepare

_WORK_ORDER = re.compile(r"(?<![0-9A-Z])(?:GD)?\s*(20\d{6}\d{6,10})(?!\d)")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9\s\-_/.]*")
_CODE_DIGITS = 4
_COURTESY = re.compile(
    r"^(?:你好|您好|喂|请问|唔该|帮我查(?:一?下)?|我?(?:的|嘅)?(?:编号|号码|单号|码)(?:是|系|係)?|[，,：:。\s])+|[，,。！!？?\s]+$"
)
_LAST_FOUR = re.compile(r"\d{3}[\dX]")
_SPOKEN_DIGITS = str.maketrans({**DIGITS, **RADIO_DIGITS})
# What surrounds a name when people say it; longest first.
_AROUND_NAME = re.compile(
    r"申请人姓名|申请人|我的名字叫|我的名字|名字叫|名字|姓名|身份证号码|身份证号|身份证|证件|后四位数字|后四位|后4位|末四位|尾号"
    r"|最后四位|号码|手机|电话|我叫|我是|叫做|本人|就是|应该|数字|是|叫|系|係|嘅|的|呃|嗯|额|啊|呀|哦|和|跟|还有|以及|查询码|查"
)
_NAME = re.compile(r"[\u4e00-\u9fff·]{2,8}")
# Characters most Chinese family names begin with. A guess that only decides whether to hand a
# word to the hub as a name; the hub compares, so a wrong guess discloses nothing.
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高梁郑谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆"
    "汪范廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严欧莫孔向常汤康易乔赖文施洪关区冼麦霍"
    "招伦简甘岑劳邝温植布老利敖游骆凌柯翁岳单阮屈柳祝耿庄涂房古时纪项焦左鲍席路娄裴管符辛柏卓詹聂车倪"
)


def digits_as_said(text: str) -> str:
    """``text`` with spoken digits as figures and no spaces or dashes between digits; upper case."""
    said = prepare(text).translate(_SPOKEN_DIGITS)
    return re.sub(r"(?<=[0-9])[\s\-—,，、.。]+(?=[0-9X])", "", said)


def find_case_reference(text: str) -> str | None:
    """The case number or the 6 to 8 digit query code in ``text``."""
    values = [v for v in read(text).values if v.valid]
    for kind in (Kind.CASE_NUMBER, Kind.QUERY_CODE):
        if found := next((v.value for v in values if v.kind is kind), None):
            return found
    return None


def find_work_order_number(text: str) -> str | None:
    """A work order's number, with or without its letters, typed or said digit by digit."""
    found = _WORK_ORDER.search(digits_as_said(text).replace(" ", ""))
    return f"GD{found.group(1)}" if found else None


def strange_code(text: str) -> str | None:
    """Letters and digits and nothing else, of no kind that this line knows (「NH123456」); as it was said."""
    if read(text).values:  # a telephone, an identity card: known, and not to be said back
        return None
    code = _COURTESY.sub("", unicodedata.normalize("NFKC", text)).strip()
    return code if _CODE.fullmatch(code) and len(re.findall(r"\d", code)) >= _CODE_DIGITS else None


def find_proof(text: str, case_reference: str | None = None, name_asked: bool = False) -> IdentityProof:
    """Name, last four of the ID card and mobile number, as far as ``text`` holds them.

    Where only the name was asked for (``name_asked``), any short word is taken for one: rare
    family names are no reason to ask again.
    """
    reading = read(text)
    # The hub compares what was said: an ID number with a wrong check digit is its to refuse.
    phone = next((v.value for v in reading.values if v.kind is Kind.PHONE and v.valid), None)
    return IdentityProof(
        name=_find_name(unicodedata.normalize("NFKC", text).upper(), name_asked),
        id_last4=_find_last_four(reading, text, case_reference),
        phone=phone,
    )


def _find_last_four(reading: Reading, text: str, case_reference: str | None) -> str | None:
    """Four by themselves, those named as the last first; or the last four of a whole ID number."""
    # The digits of the reference are not a proof; nor is a year.
    loose = [d for d in reading.loose if d.digits != case_reference and text[d.end : d.end + 1] != "年"]
    fours = [d for d in loose if _LAST_FOUR.fullmatch(d.digits)]
    named = [d.digits for d in fours if d.place and d.place.where == "tail"]
    whole = [v.value[-4:] for v in reading.values if v.kind is Kind.ID_CARD and len(v.value) == 18]
    return next(iter([*named, *whole, *(d.digits for d in fours)]), None)


def _find_name(text: str, any_word: bool) -> str | None:
    # Spoken digits (「一二三四」) are no names, though a few are family names' neighbours.
    without_digits = re.sub(rf"[{HAN_DIGITS}{''.join(RADIO_DIGITS)}]{{3,}}", " ", text)
    for word in _NAME.findall(_AROUND_NAME.sub(" ", without_digits)):
        if (any_word or word[0] in _SURNAMES) and could_be_a_name(word):
            return str(word)
    return None
