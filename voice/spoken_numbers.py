"""Numbers as a Chinese speaker says them: quantities, digit strings, dates, times, money."""

from __future__ import annotations

import re

import cn2an

from hotline.numbers.symbols import LETTER_NAMES

_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
# The reader knows letters by more names than these; what is said is always the first.
_LETTERS = {letter: names[0] for letter, names in LETTER_NAMES.items()}

# 「两」 before these, 「二」 elsewhere (二月, 二号, 第二, 二楼).
MEASURES = (
    "个工作日|个自然日|个月|个|天|周岁|周|岁|小时|分钟|秒|年|次|份|张|位|名|人|家|条|项|种|类|套|件|笔|户|处|"
    "本|页|册|寸|倍|元|块|毛|万元|亿元|千元|百元|万|亿|千|公里|平方米|平方公里|立方米|千米|米|厘米|毫米|"
    "公斤|千克|吨|克|毫升|升|度|点|代|遍|间|栋|级|层|路|台|辆|部|步|遍|证|孩|轮|批|期|届"
)
_LIANG = re.compile(r"^(?!级|层|路|期|届|度)")  # these keep 「二」: 二级, 二层, 二期


def digits(text: str, one: str = "幺") -> str:
    """Digit by digit; letters by name. ``one`` is 「幺」 in numbers that are dialled or checked."""
    spoken = {**_DIGITS, "1": one, **_LETTERS}
    return "".join(spoken.get(c.upper(), "") for c in text)


def letters(text: str) -> str:
    """Latin letters by their names, so that a Chinese voice can say them."""
    return "".join(_LETTERS.get(c.upper(), c) for c in text)


def quantity(number: str) -> str:
    """``1,234.50`` → 一千二百三十四点五零, as an amount."""
    plain = number.replace(",", "").replace("，", "")
    whole, _, fraction = plain.partition(".")
    if len(whole) > 12:
        return digits(plain, one="一")
    spoken: str = cn2an.an2cn(str(int(whole or "0")), "low")
    if spoken.startswith("一十"):
        spoken = spoken[1:]
    spoken = re.sub(r"^二(?=[千万亿])", "两", spoken)
    return spoken + ("点" + "".join(_DIGITS[d] for d in fraction) if fraction else "")


def counted(number: str, measure: str) -> str:
    """A quantity in front of a measure word: 2个 → 两个, 2级 → 二级, 12个 → 十二个."""
    spoken = quantity(number)
    if spoken == "二" and _LIANG.match(measure):
        spoken = "两"
    return spoken + measure


def money(number: str, unit: str = "元") -> str:
    """``12.50`` → 十二元五角; ``1234.05`` → 一千二百三十四元零五分; 万元 stays a decimal."""
    whole, _, fraction = number.replace(",", "").partition(".")
    fraction = fraction.rstrip("0")
    if unit != "元" or len(fraction) > 2:
        return counted(number.rstrip("0").rstrip(".") if "." in number else number, unit)
    if not fraction:
        return counted(whole, unit)
    jiao, fen = int(fraction[0]), int(fraction[1]) if len(fraction) > 1 else 0
    said = counted(whole, unit) if int(whole or "0") else ""
    if jiao:
        said += f"{_DIGITS[str(jiao)]}角"
    elif said:
        said += "零"
    return said + (f"{_DIGITS[str(fen)]}分" if fen else "")


def clock(hour: str, minute: str) -> str:
    """8:30 → 八点半, 14:05 → 十四点零五分, 9:00 → 九点."""
    h, m = int(hour), int(minute)
    said = ("两" if h == 2 else quantity(str(h))) + "点"
    if m == 0:
        return said
    if m == 30:
        return said + "半"
    return said + ("零" if m < 10 else "") + quantity(str(m)) + "分"


def year(number: str) -> str:
    return digits(number, one="一") + "年"


def date_words(y: str | None, month: str, day: str | None) -> str:
    said = year(y) if y else ""
    said += quantity(month) + "月"
    return said + (quantity(day) + "日" if day else "")
