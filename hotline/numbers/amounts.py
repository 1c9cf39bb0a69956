"""Sums of money: 三千五, 一百零五块, 三块五毛, 十二万五千, 1.5万, 三蚊."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal

from hotline.numbers.numerals import NUMERAL_CLASS, parse_numeral
from hotline.numbers.symbols import DIGITS
from hotline.numbers.values import Kind, NumberSaid

_H = "一二两三四五六七八九\\d"
_NOT_MONEY = "地砖石板牌玻璃田空布肉儿去表电屏场草匾坪黑肥"  # 「一块地」, 「一块去」
_CURRENCY = rf"(?P<unit>人民币|元整?|圆整?|块钱|块(?![{_NOT_MONEY}])|蚊鸡?|文鸡|银纸|RMB(?![0-9A-Z])|毛钱?|角钱?|毫子|毫(?![米升克])|分钱)"
_NUMERAL = re.compile(
    rf"(?<![{NUMERAL_CLASS}第])(?<!\d[.,])(?<![A-Z])(?P<sign>人民币|RMB|[¥￥])?\s*(?P<num>成?(?:[{NUMERAL_CLASS}]|(?<=\d)[.,](?=\d))+)(?P<vague>[几多来余]十?[百千万亿]*)?\s*"
    rf"(?:(?<![点.])(?P<scale>[百千万亿]*){_CURRENCY}(?P<tail>半(?!年|天|个)|[零〇]?[{_H}](?:[毛角毫](?:[{_H}]分?)?|分|(?![{NUMERAL_CLASS}块元蚊个天年月次件条张位人份间号日平米斤点])))?(?:整|正)?)?"
)
# Rates, shares and counts are no sums; other currencies are not read.
_NOT_A_SUM = re.compile(r"百分之$|分之$|第$|千分之$|万分之$")
_OTHER_CURRENCY = re.compile(
    r"\s*(?:美元|美金|美刀|港元|港币|港纸|欧元|日元|英镑|澳元|加元|澳门元|葡币|个百分点|%|％|‰)"
)
_CUE = re.compile(
    r"(?:工资|人工|月薪|薪水|薪金|收入|金额|费用?|罚款|罚|押金|按金|定金|订金|租金|房租|月租|交了?|收了?|缴了?|花了?|用了|赔偿?|欠薪?|拖欠"
    r"|补贴|补助|津贴|退款?|退回|付了?|价格?|价钱|卖|买|贷款|贷|存款|存|养老金|退休金|公积金|借|转账?|扣了?|扣除|总共|一共|合共|合计|每月|每年"
    r"|本金|货款|工程款|报销|奖金|红包)"
    r"(?:了|我|你|佢|他|是|系|为|有|要|大概|大约|差不多|约|成|共|才|只|个月|一个月|每个月|每月|都|就|:|：|\s|咗|钱|额|标准)*$"
)
_ENDS = re.compile(
    r"\s*(?:$|[，,。；;！!？?、）)》」\"]|[啊呀吧了呢啦喇咯嘅的呐哦噃喔咁咗]|左右|上下|以上|以下|以内|不等|钱|工资|押金|按金|租金|房租|罚款|赔偿|补贴"
    r"|补助|现金|存款|定金|一个月|每个?月|每年|一年|一天|/月|一平|唔该|不对|错了|不是|唔系)"
)
_COUNTED = re.compile(r"\s*[个人户名位家次条件张套间平米公里斤吨步天年月度瓦字页岁期笔分点股%]")
_PARTICLES_OR_END = re.compile(
    r"\s*(?:$|[，,。；;！!？?、）)]|[啊呀吧了呢啦喇咯嘅的哦喔]|左右|上下|不对|错了|不是|唔系|一个?月|一年|一天)"
)
_MULTIPLIED = re.compile(r"[百千万亿佰仟]")
_RATE_FOLLOWS = re.compile(r"一(?=个|年|天|月|次|晚|平|斤|间|套|份|张|人|位|日)")
_CENTS = {"毛": "0.1", "角": "0.1", "毫": "0.1", "分": "0.01"}


def amounts(text: str) -> list[NumberSaid]:
    """The sums of money in prepared ``text``, in yuan. ``valid`` False: not exact (「两千几」, 「五十来块」)."""
    found: list[NumberSaid] = []
    at = 0
    while match := _NUMERAL.search(text, at):
        at = max(match.end(), match.start() + 1)
        said = _read(text, match)
        if said:
            found.append(said)
            at = said.end
    # 「十块八块」: about that much, two sums of nothing.
    side_by_side = {f.start for f, g in itertools.pairwise(found) if f.end == g.start}
    side_by_side |= {g.start for f, g in itertools.pairwise(found) if f.end == g.start}
    return [f for f in found if f.start not in side_by_side]


def _read(text: str, match: re.Match[str]) -> NumberSaid | None:
    num, vague, unit = match["num"], match["vague"], match["unit"]
    before = text[: match.start("num")]
    if (
        _NOT_A_SUM.search(before)
        or before.endswith(("几", "数", "好多", "上"))
        or before.endswith("初")
        or text[match.end() : match.end() + 1] == "几"
    ):
        return None
    end = match.end()
    stripped = num.rstrip("点")
    if stripped != num:
        if unit or match["scale"]:
            return None
        num, end = stripped, match.start("num") + len(stripped)
    about = num.startswith("成")
    num = num.removeprefix("成")
    if unit is None and not vague and (rate := re.search(r"一$", num)) and _RATE_FOLLOWS.match(text, end - 1):
        num, end = num[: rate.start()], end - 1
    scale = (vague or "")[1:] + (match["scale"] or "")  # 20多万
    value = _value(num, scale, exact_unit=unit is not None or bool(vague))
    if value is None or not num:
        return None
    if unit is None:
        if not match["sign"] and not _a_sum_without_unit(text, num + scale, before, end, bool(vague)):
            return None
    elif (unit == "块" and num == "一" and not match["tail"] and not vague and not _ENDS.match(text, end)) or (
        unit.startswith("元") and num == "三" and text[end : end + 1] in tuple("里桥区坊")
    ):
        return None
    if _OTHER_CURRENCY.match(text, end):
        return None
    value = _in_yuan(value, unit, match["tail"])
    return NumberSaid(Kind.AMOUNT, _plain(value), not vague and not about, match.start("num"), end)


def _value(num: str, scale: str, *, exact_unit: bool) -> Decimal | None:
    if num[:1] in tuple("百千万") and exact_unit and len(num) <= 3:
        num = "一" + num  # 千五蚊, 百几蚊
    if re.fullmatch(r"\d+\.\d+[.,].*|.*[.,]{2}.*", num):
        return None
    return parse_numeral(num + scale)


def _a_sum_without_unit(text: str, num: str, before: str, end: int, vague: bool) -> bool:
    """「三千五」, 「工资5000」: money by its form and what stands around it."""
    if num[0] in "百千万亿" or _OTHER_CURRENCY.match(text, end):
        return False
    cued = _CUE.search(before) is not None
    if _MULTIPLIED.search(num):
        return _ENDS.match(text, end) is not None or (cued and not _COUNTED.match(text, end))
    if not cued or vague or not _PARTICLES_OR_END.match(text, end):
        return False
    whole = num.split(".")[0].replace(",", "")
    return "十" in num or (num.isascii() and len(whole) <= 8 and not whole.startswith("0"))


def _in_yuan(value: Decimal, unit: str | None, tail: str | None) -> Decimal:
    if unit and unit[0] in _CENTS:
        base = value * Decimal(_CENTS[unit[0]])
        extra = re.fullmatch(rf"([{_H}])(?:分)?", tail or "")
        return base + (_digit(extra[1]) * Decimal("0.01") if extra and unit[0] != "分" else 0)
    if not tail:
        return value
    if tail.startswith("半"):
        return value + Decimal("0.5")
    digits = [_digit(c) for c in re.findall(rf"[{_H}]", tail)]
    if tail.endswith("分") and len(digits) == 1:
        return value + digits[0] * Decimal("0.01")
    value += digits[0] * Decimal("0.1")
    return value + digits[1] * Decimal("0.01") if len(digits) > 1 else value


def _digit(c: str) -> Decimal:
    return Decimal(DIGITS.get(c, c))


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
