"""Masking personal data before it is stored, logged, shown or spoken.

Masks follow docs/privacy.md: ID card ``4406************12``, phone ``138****1234``, bank card
last four, name ``陈*``. Digits that serve as proof are never kept.
"""

from __future__ import annotations

import re

PROOF_PLACEHOLDER = "［已隐去：身份核对信息］"
CONTACT_PLACEHOLDER = "［已隐去：联系方式］"

# Spoken and typed numbers come with spaces, dashes and Chinese digits between them.
_SEPARATOR = r"[\s\-－—·]"
_SEPARATORS = rf"{_SEPARATOR}?"
_CN_DIGITS = str.maketrans("零〇一幺二两三四五六七八九", "0011223456789")
_DIGIT = r"[0-9０-９零〇一幺二两三四五六七八九]"

_NOT_AFTER_DIGIT = rf"(?<!{_DIGIT})"
_NOT_BEFORE_DIGIT = rf"(?!{_SEPARATORS}{_DIGIT})"

# The number of a receipt (GD, YY and eighteen digits) is the citizen's to keep, and nobody's ID card.
_NO_RECEIPT = r"(?<!GD)(?<!YY)"
_ID_CARD = re.compile(
    rf"{_NO_RECEIPT}{_NOT_AFTER_DIGIT}(?:{_DIGIT}{_SEPARATORS}){{17}}(?:{_DIGIT}|[Xx]){_NOT_BEFORE_DIGIT}"
)
_BANK_CARD = re.compile(
    rf"{_NO_RECEIPT}{_NOT_AFTER_DIGIT}(?:{_DIGIT}{_SEPARATORS}){{15,18}}{_DIGIT}{_NOT_BEFORE_DIGIT}"
)
# The country code (+86, 0086) may stand right before a mobile.
_MOBILE_BEGINS = rf"(?:{_NOT_AFTER_DIGIT}|(?<={_NOT_AFTER_DIGIT}86)|(?<={_NOT_AFTER_DIGIT}0086))[1１一幺]"
_MOBILE = re.compile(rf"{_MOBILE_BEGINS}(?:{_SEPARATORS}{_DIGIT}){{10}}(?!{_DIGIT})")
# Not a part of a longer number said in groups (「440605 1990 0101 123X」).
_LONE_MOBILE = re.compile(rf"(?<!{_DIGIT}{_SEPARATOR})" + _MOBILE.pattern)
# Recognisers put commas between the groups a mobile is said in. In its 3-4-4 groups alone: sums and
# lists have commas too.
_GROUPED_MOBILE = re.compile(
    rf"{_MOBILE_BEGINS}{_DIGIT}{{2}}[，,、.。 ]{{1,2}}{_DIGIT}{{4}}[，,、.。 ]{{1,2}}{_DIGIT}{{4}}(?!{_DIGIT})"
)
_LANDLINE = re.compile(r"(?<!\d)(0\d{2,3}-?)(\d{7,8})(?!\d)")

# Proofs given unasked: 「陈小明，1234」「身份证后四位 567X」「我叫陈小明」.
_SURNAME = (
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高梁郑谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆"
    "范廖石金贾夏付方邹熊白孟秦邱侯江尹薛阎段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严欧莫孔向常汤康易乔赖文施洪关区冼麦霍招伦简甘岑劳邝温]"
)
_LAST_FOUR = re.compile(
    rf"((?:后|末|尾|後)(?:四|4)?(?:位|号|數|数)(?:数字)?[是为：:，, ]*)(?:{_DIGIT}{_SEPARATORS}){{3}}(?:{_DIGIT}|[Xx])"
)
_NAME_AND_FOUR = re.compile(
    rf"(?:(?<![\u4e00-\u9fff])|(?<=[叫是名人]))({_SURNAME})[\u4e00-\u9fff]{{1,2}}([，,、。 ]{{0,2}})(?:{_DIGIT}){{3}}(?:{_DIGIT}|[Xx])(?![元块万年月日号个%]){_NOT_BEFORE_DIGIT}"
)
_OWN_NAME = re.compile(
    rf"((?:我叫|我的名字是|我名字是|姓名[是：: ]?|申请人[是：: ]?|本人)\s*{_SURNAME})[\u4e00-\u9fff]{{1,2}}(?=[，,、。\s\d]|$)"
)

# Somebody named beside what they are to the citizen: 「我同事李丽华的件」「我老婆陈小明嘅居住证」.
_RELATION = (
    "同事|同学|朋友|邻居|街坊|亲戚|老公|老婆|丈夫|妻子|先生|太太|男友|女友|男朋友|女朋友|爸爸|妈妈|父亲|母亲|阿爸|阿妈|老豆|老母|"
    "儿子|女儿|阿仔|阿女|哥哥|弟弟|姐姐|妹妹|爷爷|奶奶|外公|外婆|阿公|阿婆|阿爷|阿嫲|叔叔|阿姨|老板|老细|员工|租客|房东|客户|委托人"
)
_RELATED_NAME = re.compile(
    rf"((?:{_RELATION})(?:叫|是|系)?\s*{_SURNAME})[\u4e00-\u9fff]{{1,2}}(?=[的嘅]|[，,、。？！?!\s\d]|$)"
)


def _plain(number: str) -> str:
    kept = re.sub(r"[\s\-－—·，,、.。]", "", number).translate(_CN_DIGITS)
    return "".join(str(int(c)) if c.isdecimal() else c.upper() for c in kept)


def mask_id_card(number: str) -> str:
    plain = _plain(number)
    return f"{plain[:4]}{'*' * 12}{plain[-2:]}"


def mask_phone(number: str) -> str:
    plain = _plain(number)
    return f"{plain[:3]}****{plain[-4:]}"


def mask_name(name: str) -> str:
    return f"{name[:1]}*" if name else ""


def mask_text(text: str, *, own_words: bool = True) -> str:
    """``text`` with what identifies a person masked.

    ID cards, bank cards, mobiles always. With ``own_words`` (a citizen speaks, not the line) also
    landlines, last fours given as proofs, and names said as one's own or of somebody related: in the
    line's own replies those are offices' numbers. Case numbers and query codes stay: the conversation needs them, and they
    open nothing without the identity check. Masking twice changes nothing more.
    """
    text = _LONE_MOBILE.sub(lambda m: mask_phone(m.group()), text)
    text = _ID_CARD.sub(lambda m: mask_id_card(m.group()), text)
    text = _BANK_CARD.sub(lambda m: f"{'*' * 8}{_plain(m.group())[-4:]}", text)
    text = _MOBILE.sub(lambda m: mask_phone(m.group()), text)
    text = _GROUPED_MOBILE.sub(lambda m: mask_phone(m.group()), text)
    if not own_words:
        return text
    text = _LANDLINE.sub(lambda m: f"{m.group(1)}{'*' * (len(m.group(2)) - 4)}{m.group(2)[-4:]}", text)
    text = _NAME_AND_FOUR.sub(r"\1*\2****", text)
    text = _LAST_FOUR.sub(r"\1****", text)
    text = _RELATED_NAME.sub(r"\1*", text)
    return _OWN_NAME.sub(r"\1*", text)
