"""From a reply's text to what a synthesiser is given: plain sentences, no digits, no marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from voice.spoken_numbers import (
    MEASURES,
    clock,
    counted,
    date_words,
    digits,
    letters,
    money,
    quantity,
    year,
)

_HOTLINES = "12345|12333|12329|12348|12315|12366|12328|12389|12393|12388|12380|12318|12320|12367|12337|" \
            "10086|10010|95598|110|119|120|122|114"  # fmt: skip
_N = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_RANGE = r"\s*(?:-|—|–|~|～|至|到)\s*"
_NOT_IN_NUMBER = r"(?<![\d.A-Za-z])"
_UNITS = {
    "㎡": "平方米", "m²": "平方米", "m2": "平方米", "㎥": "立方米", "m³": "立方米",
    "km²": "平方公里", "km": "公里", "cm": "厘米", "mm": "毫米", "kg": "公斤", "ml": "毫升",
    "m": "米", "g": "克", "t": "吨", "h": "小时", "MB": "兆", "KB": "千字节", "℃": "摄氏度", "°C": "摄氏度",
}  # fmt: skip
_LONG_UNITS = sorted(_UNITS, key=len, reverse=True)
_ASKED_BY_DIGITS = (
    r"电话|热线|拨打|致电|号码|手机|传真|编号|编码|办件号|受理号|查询码|验证码|身份证号|证号|卡号|账号|"
    r"尾号|后四位|末四位|代码|邮编|密码|单号|工单号"
)

Replacement = str | Callable[[re.Match[str]], str]


def _range(unit: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    """「3-5个」: the unit is said once, behind the second number."""
    return lambda m: f"{quantity(m[1])}到{unit(m[2])}"


def _masked(match: re.Match[str]) -> str:
    """138****1234 → 幺三八，尾号幺二三四."""
    return f"{digits(match[1])}，尾号{digits(match[2])}" if match[1] else f"尾号{digits(match[2])}"


def _by_four(part: str) -> list[str]:
    return [part] if len(part) <= 8 else [part[i : i + 4] for i in range(0, len(part), 4)]


def _grouped(number: str) -> str:
    """A dialled or checked number, in groups that an ear can follow."""
    number, _, extension = number.partition("转")
    if extension:
        return f"{_grouped(number)}，转{digits(extension)}"
    parts = [part for part in re.split(r"[-—\s]+|(?<=[A-Za-z])(?=\d{4})", number) if part]
    if len(parts) == 1 and re.fullmatch(r"1\d{10}", number):
        parts = [number[:3], number[3:7], number[7:]]
    elif re.fullmatch(r"\d{17}[\dXx]", number):
        parts = [number[:6], number[6:10], number[10:14], number[14:]]
    else:
        parts = [piece for part in parts for piece in _by_four(part)]
    return "，".join(digits(part) for part in parts)


def _plain_number(match: re.Match[str]) -> str:
    """A number with nothing around it that tells: long or zero-led by digits, else a quantity."""
    number = match[0]
    if "." in number or "," in number:
        return quantity(number)
    if (len(number) >= 5 and not number.endswith("000")) or (len(number) > 1 and number[0] == "0"):
        return _grouped(number)
    return quantity(number)


# In order: what is removed, what is told apart by its neighbours, what is left. Each rule sees
# the text the earlier ones left behind; Chinese digits are never touched again.
_RULES: list[tuple[re.Pattern[str], Replacement]] = [
    # marks of the screen
    (re.compile(r"```.*?```", re.S), "，"),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"<[^<>\n]{1,80}>"), ""),
    (re.compile(r"(?:网址|网站|官网)?[:：\s]*(?:https?://|www\.)[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+", re.I), "网址这里不念"),
    (re.compile(r"(?:电子邮箱|邮箱)?[:：\s]*[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), "邮箱地址这里不念"),
    (re.compile(r"(?<![A-Za-z\d.])(?:[A-Za-z0-9-]+\.)+(?:com|cn|net|org)(?![A-Za-z\d])(?:/[A-Za-z0-9\-._~/?#=&%]*)?", re.I),
     "网址这里不念"),
    (re.compile(r"(?m)^\s*(?:[-*•·●◦▪►>]|#{1,6})\s+"), ""),
    (re.compile(r"\*\*([^*\n]+)\*\*"), r"\1"),
    (re.compile(r"(?m)^\s*[(（]?(\d{1,2})(?:\.(?:\s+|(?=[^\d\s]))|[、)）]\s*)"),
     lambda m: f"第{quantity(m[1])}，"),
    (re.compile(r"[①-⑳]"), lambda m: f"，第{quantity(str(int(unicodedata.numeric(m[0]))))}，"),
    # masks
    (re.compile(r"(\d{2,6})[*＊]{3,}([\dXx]{2,4})"), _masked),
    (re.compile(r"()[*＊]{3,}(\d{4})"), _masked),
    (re.compile(r"(?<=[\u4e00-\u9fff])[*＊]{1,2}(?![*＊])"), "某"),
    (re.compile(r"\*\*|__|~~|`|^\s*[-=_*]{3,}\s*$", re.M), ""),
    # dates and times
    (re.compile(r"(月|日|号|年|点|时|周[一二三四五六日])\s*[-—–~～]+\s*(?=\d|周|星期)"), r"\1到"),
    (re.compile(r"[〔\[(（]((?:19|20)\d\d)[〕\])）]"), lambda m: f"，{digits(m[1], '一')}，"),
    (re.compile(rf"{_NOT_IN_NUMBER}((?:19|20)\d\d)[-/.](\d{{1,2}})[-/.](\d{{1,2}})(?!\d)"),
     lambda m: date_words(m[1], m[2], m[3])),
    (re.compile(r"((?:19|20)\d\d)\s*年\s*(\d{1,2})\s*月(?:\s*(\d{1,2})\s*[日号])?"),
     lambda m: date_words(m[1], m[2], m[3])),
    (re.compile(rf"((?:19|20)\d\d)\s*年?{_RANGE}((?:19|20)\d\d)\s*(学?年)"),
     lambda m: f"{digits(m[1], '一')}到{digits(m[2], '一')}{m[3]}"),
    (re.compile(rf"{_NOT_IN_NUMBER}((?:19|20)\d\d)-(0[1-9]|1[0-2])(?![\d-])"), lambda m: date_words(m[1], m[2], None)),
    (re.compile(rf"{_NOT_IN_NUMBER}((?:19|20)\d\d)(?=\s*(?:版|届|级))"), lambda m: digits(m[1], "一")),
    (re.compile(rf"{_NOT_IN_NUMBER}((?:19|20)\d\d)\s*年(?!限|以上|内)"), lambda m: year(m[1])),
    (re.compile(rf"{_NOT_IN_NUMBER}(\d{{1,2}}){_RANGE}(\d{{1,2}})\s*(月|日|号)(?!楼|窗|线)"),
     lambda m: f"{quantity(m[1])}到{quantity(m[2])}{m[3]}"),
    (re.compile(rf"{_NOT_IN_NUMBER}(\d{{1,2}})\s*月\s*(\d{{1,2}})\s*([日号])"),
     lambda m: f"{quantity(m[1])}月{quantity(m[2])}{m[3]}"),
    (re.compile(rf"{_NOT_IN_NUMBER}(\d{{1,2}})\s*(月|日|号)"), lambda m: f"{quantity(m[1])}{m[2]}"),
    (re.compile(rf"{_NOT_IN_NUMBER}([01]?\d|2[0-4])[:：]([0-5]\d)(?:[:：][0-5]\d)?"
                rf"{_RANGE}([01]?\d|2[0-4])[:：]([0-5]\d)(?:[:：][0-5]\d)?(?!\d)"),
     lambda m: f"{clock(m[1], m[2])}到{clock(m[3], m[4])}"),
    (re.compile(rf"{_NOT_IN_NUMBER}([01]?\d|2[0-4])[:：]([0-5]\d)(?:[:：][0-5]\d)?(?!\d)"),
     lambda m: clock(m[1], m[2])),
    (re.compile(r"7\s*[×xX*]\s*24"), "七乘二十四"),
    (re.compile(r"(?<![满过\d])([5-9]0|00)(?=后(?!\d|位))"), lambda m: digits(m[1])),
    (re.compile(r"(?<![\d.:：])(\d{1,4})[:：](\d{1,5})(?![\d:：.])"), lambda m: f"{quantity(m[1])}比{quantity(m[2])}"),
    # numbers that are dialled or checked
    (re.compile(rf"(?<!\d)(?:{_HOTLINES})(?!\d|\.\d|[-－—]\d|[A-Za-z%％‰]|\s*(?:元|天|个|年|分|人|份|㎡|平))"),
     lambda m: digits(m[0])),
    (re.compile(r"(?<!\d)0\d{2,3}[-—\s]\d{3,4}[-\s]?\d{4}(?:[-—转]\d{1,5})?(?!\d)"),
     lambda m: _grouped(m[0])),
    (re.compile(r"(?:\+|\b00)86[-\s]?(?=1[3-9]\d)"), ""),
    (re.compile(r"(?<![\d.])1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}(?!\d)"), lambda m: _grouped(m[0])),
    (re.compile(r"(?<!\d)[48]00[-\s]\d{3,4}[-\s]\d{3,4}(?!\d)"), lambda m: _grouped(m[0])),
    (re.compile(r"(?<![\dA-Za-z])\d{17}[\dXx](?![\dA-Za-z])"), lambda m: _grouped(m[0])),
    (re.compile(rf"((?:{_ASKED_BY_DIGITS})(?:是|为|[:：])?\s*)((?:[A-Za-z]+-?)?\d[\dA-Za-z]*(?:-\d+)*)"
                rf"(?!\d|[A-Za-z]|\.\d|\s*(?:{MEASURES}|位))"),
     lambda m: m[1] + _grouped(m[2])),
    (re.compile(r"(?<![A-Za-z\d])(?=[A-Za-z\d]*[A-Za-z])[A-Za-z]{1,8}(?:\d[A-Za-z\d]{3,}(?:-\d+)*|-\d{3,}(?:-\d+)*)"),
     lambda m: _grouped(m[0])),
    (re.compile(r"[A-Z][·.]?[A-Z\d]{5,6}(?![A-Za-z\d])(?<=\d)"),
     lambda m: digits(m[0])),
    (re.compile(r"(?<![\d.])(\d{3,4})(?=\s*(?:室|房|号房|路公交|路车))"), lambda m: digits(m[1])),
    (re.compile(r"(?<![A-Za-z\d])([GS])(\d{1,4})(?=\s*(?:高速|国道|省道|线))"), lambda m: digits(m[1] + m[2])),
    (re.compile(r"(?<![A-Za-z])No\.?\s*(\d{1,6})", re.I), lambda m: f"第{quantity(m[1])}号"),
    # money, shares, ranges, units
    (re.compile(r"(?<=[元块角分])\s*/\s*(?=(?:个|每)?(?:平方米|平米|㎡|m²|立方米|月|年|天|日|人|次|份|户|小时|件|学期|亩|吨|度|科|证|张|本|套|辆))"),
     "每"),
    (re.compile(r"(?<![\d.])[-−](?=\d+(?:\.\d+)?\s*(?:℃|°C|摄氏度|度))"), "零下"),
    (re.compile(r"±"), "正负"),
    (re.compile(r"[>＞](?=\s*\d)"), "超过"),
    (re.compile(r"[<＜](?=\s*\d)"), "不到"),
    (re.compile(r"[≥]\s*"), "不少于"),
    (re.compile(r"[≤]\s*"), "不超过"),
    (re.compile(rf"[¥￥]\s*({_N})\s*(万元|亿元|万|亿|元)?"),
     lambda m: money(m[1], "元" if m[2] in (None, "元") else m[2].removesuffix("元") + "元")),
    (re.compile(rf"{_NOT_IN_NUMBER}({_N})\s*元?{_RANGE}({_N})\s*(万元|亿元|元|块钱|块)"),
     lambda m: f"{quantity(m[1])}到{money(m[2], m[3])}"),
    (re.compile(rf"{_NOT_IN_NUMBER}({_N})\s*(万元|亿元|元)"), lambda m: money(m[1], m[2])),
    (re.compile(rf"{_NOT_IN_NUMBER}({_N})\s*[%％]{_RANGE}({_N})\s*[%％]"),
     lambda m: f"百分之{quantity(m[1])}到百分之{quantity(m[2])}"),
    (re.compile(rf"{_NOT_IN_NUMBER}({_N}){_RANGE}({_N})\s*[%％]"),
     lambda m: f"百分之{quantity(m[1])}到百分之{quantity(m[2])}"),
    (re.compile(rf"{_NOT_IN_NUMBER}({_N})\s*[%％]"), lambda m: f"百分之{quantity(m[1])}"),
    (re.compile(rf"{_NOT_IN_NUMBER}({_N})\s*‰"), lambda m: f"千分之{quantity(m[1])}"),
    (re.compile(rf"{_NOT_IN_NUMBER}({_N}){_RANGE}({_N})\s*({'|'.join(map(re.escape, _LONG_UNITS))})(?![A-Za-z\d])"),
     lambda m: f"{quantity(m[1])}到{counted(m[2], _UNITS[m[3]])}"),
    (re.compile(rf"{_NOT_IN_NUMBER}({_N})\s*({'|'.join(map(re.escape, _LONG_UNITS))})(?![A-Za-z\d])"),
     lambda m: counted(m[1], _UNITS[m[2]])),
    (re.compile(rf"{_NOT_IN_NUMBER}(\d{{1,3}})/(\d{{1,3}})(?![\d/])"),
     lambda m: f"{quantity(m[2])}分之{quantity(m[1])}" if int(m[1]) < int(m[2]) else f"{m[1]}、{m[2]}"),
    (re.compile("〇"), "零"),
    (re.compile(rf"{_NOT_IN_NUMBER}({_N}){_RANGE}({_N})\s*({MEASURES})"),
     lambda m: f"{counted(m[1], m[3]).removesuffix(m[3])}到{counted(m[2], m[3])}"),
    (re.compile(r"第\s*(\d{1,4})"), lambda m: f"第{quantity(m[1])}"),
    (re.compile(rf"{_NOT_IN_NUMBER}({_N})\s*({MEASURES})"), lambda m: counted(m[1], m[2])),
    (re.compile(rf"{_NOT_IN_NUMBER}(\d{{1,4}}){_RANGE}(\d{{1,4}})(?![\d-])"), _range(quantity)),
    (re.compile(rf"{_N}"), _plain_number),
    # signs that have a name, then what has none
    (re.compile(r"(?<=[零一二三四五六七八九十百千万])[×xX*](?=[零一二三四五六七八九十两])"), "乘"),
    (re.compile("|".join(map(re.escape, ("㎡", "m²", "㎥", "℃")))), lambda m: _UNITS[m[0]]),
    (re.compile(r"\+"), "加"),
    (re.compile(r"&"), "和"),
    (re.compile(r"[A-Za-z]+"), lambda m: letters(m[0])),
    (re.compile(r"[()（）\[\]【】{}〔〕]"), "，"),
    (re.compile(r"[「」『』“”‘’\"'《》〈〉<>]"), ""),
    (re.compile(r"[→⇒➜]"), "，"),
    (re.compile(r"\s*[/|｜]\s*"), "、"),
    (re.compile(r"——+|…+|\.{3,}|—|–"), "，"),
    (re.compile(r"[*#_~^=\\`@$‰%·•●■□◆★☆※✓✔✕×\-]"), ""),
]  # fmt: skip

_SAME_MARK = re.compile(r"[，、；：,;:\s]*([。！？!?])[，、；：。,;:\s]*")


_SILENT = {"So", "Cf", "Co", "Cn", "Sk", "Mn"}  # emoji, invisible marks
_KEPT = "℃°㎡㎥`^"


def speak_form(text: str) -> str:
    """``text`` as it is to be spoken, in Chinese characters and plain punctuation."""
    said = "".join(c for c in text if unicodedata.category(c) not in _SILENT or c in _KEPT)
    said = said.translate(_WIDTH)
    for pattern, replacement in _RULES:
        said = pattern.sub(replacement, said)
    said = re.sub(r"[ \t]*\n+[ \t]*", "。", said.strip())
    said = re.sub(r"\s+", "", said)
    said = said.translate(str.maketrans(",;:!?", "，；：！？")).replace(".", "。")
    said = _SAME_MARK.sub(r"\1", said)
    said = re.sub(r"[，、；：]*([；：])[，、；：]*", r"\1", said)
    said = re.sub(r"[，、]{2,}", "，", said)
    said = re.sub(r"([。！？])[。]+", r"\1", said)
    return said.strip("，、；：。") + ("。" if said.rstrip("，、；：").endswith("。") else "")


# Full-width digits, letters and signs; Chinese punctuation stays as it is.
_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in "，！？：；（）"} | {0x3000: 0x20}


# ---------------------------------------------------------------- sentences

_FIRST_MAX = 12
_MAX = 56
_STRONG = re.compile(r"[^。！？；\n]+[。！？；]*")
_WEAK = "，、："


def _split_long(sentence: str, limit: int) -> list[str]:
    """At the last comma before ``limit``, again and again; hard at twice the limit."""
    pieces: list[str] = []
    rest = sentence
    while len(rest) > limit:
        at = max((rest.rfind(mark, 4, limit) for mark in _WEAK), default=-1)
        if at < 0:
            later = [i for mark in _WEAK if (i := rest.find(mark, limit)) > 0]
            at = min(later) if later and min(later) < 2 * limit else -1
        if at < 0:
            at = limit - 1 if len(rest) > 2 * limit else len(rest) - 1
        pieces.append(rest[: at + 1])
        rest = rest[at + 1 :]
    return [*pieces, rest] if rest else pieces


def sentences(text: str) -> list[str]:
    """``speak_form`` cut into pieces for the synthesiser, in order.

    The first is short, so that sound leaves early; none is so long that an engine stumbles.
    Nothing is lost: the pieces joined are the spoken text.
    """
    pieces = [piece for piece in _STRONG.findall(speak_form(text)) if piece.strip("。！？；，、： ")]
    result: list[str] = []
    for piece in pieces:
        if not result and len(piece) > _FIRST_MAX:
            head, *tail = _split_long(piece, _FIRST_MAX)
            result.append(head)
            result += _split_long("".join(tail), _MAX) if tail else []
        else:
            result += _split_long(piece, _MAX)
    return result
