"""Reading case numbers, query codes and identity proofs out of what was said."""

from __future__ import annotations

import re
import unicodedata

from hotline.cases import IdentityProof

_SPOKEN_DIGITS = str.maketrans("零〇洞一幺二两三四五六七八九", "00011223456789")
_CASE_NUMBER = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{31}\d{12}(?![0-9A-Z])")
_QUERY_CODE = re.compile(r"(?<![0-9A-Z])\d{6,8}(?![0-9A-Z])")
# Four by themselves, or the last four of a whole ID number.
_LAST_FOUR = re.compile(r"(?:(?<![0-9])|(?<=(?<![0-9])\d{14}))(\d{3}[0-9X])(?![0-9A-Z])")
_PHONE = re.compile(r"(?<!\d)1\d{10}(?!\d)")
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
    text = unicodedata.normalize("NFKC", text).upper().translate(_SPOKEN_DIGITS)
    return re.sub(r"(?<=[0-9])[\s\-—,，、.。]+(?=[0-9X])", "", text)


def find_case_reference(text: str) -> str | None:
    """The case number or the 6 to 8 digit query code in ``text``."""
    said = digits_as_said(text)
    if found := _CASE_NUMBER.search(said.replace(" ", "")):
        return found.group()
    # A citizen often gives code, name and last four at once: the digits must not run together.
    apart = unicodedata.normalize("NFKC", text).upper().translate(_SPOKEN_DIGITS)
    for candidate in (apart, said):
        if found := _QUERY_CODE.search(candidate):
            return found.group()
    return None


def find_proof(text: str, case_reference: str | None = None, name_asked: bool = False) -> IdentityProof:
    """Name, last four of the ID card and mobile number, as far as ``text`` holds them.

    Where only the name was asked for (``name_asked``), any short word is taken for one: rare
    family names are no reason to ask again.
    """
    said = unicodedata.normalize("NFKC", text).upper()
    spoken = digits_as_said(said)
    # The digits of the reference are not a proof, and its spoken digits not a name.
    rest = spoken.replace(case_reference, " ") if case_reference else spoken
    phone = _PHONE.search(rest)
    if phone:
        rest = rest.replace(phone.group(), " ")
    last_four = _LAST_FOUR.search(rest)
    return IdentityProof(
        name=_find_name(said, name_asked),
        id_last4=last_four.group(1) if last_four else None,
        phone=phone.group() if phone else None,
    )


def _find_name(text: str, any_word: bool) -> str | None:
    # Spoken digits (「一二三四」) are no names, though a few are family names' neighbours.
    without_digits = re.sub(r"[零〇洞一幺二两三四五六七八九]{3,}", " ", text)
    for word in _NAME.findall(_AROUND_NAME.sub(" ", without_digits)):
        if (any_word or word[0] in _SURNAMES) and 2 <= len(word) <= 4:
            return str(word)
    return None
