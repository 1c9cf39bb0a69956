"""From text to rows of digits: what was said as one number, with the pauses inside it.

A row is broken by any word that people do not put inside a number. What stays between its groups
(a change of script, a dash, a space, 「呃」「然后」, a comma) has a strength: the segmenter in
``identifiers.py`` cuts a row at strong joints only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hotline.numbers.symbols import (
    DIGIT_CLASS,
    DIGITS,
    HAN_DIGITS,
    LETTER_BY_NAME,
    MISHEARD_ONE,
    RADIO_DIGITS,
)
from hotline.numbers.values import Place

GLUED, DASH, SPACE, FILLED, COMMA, STOP = range(1, 7)
_LONGEST_GAP = 24

_D = f"[{DIGIT_CLASS}]"
_H = f"[{HAN_DIGITS}]"
_RADIO = "".join(RADIO_DIGITS)
# 「一九两个六」: the count of a repetition is no digit of its own.
_HAN = (
    rf"(?:(?!{_H}\s*个\s*{_D}(?![十百千万亿])){_H}|(?:[{_RADIO}](?=[{DIGIT_CLASS}{_RADIO}])|(?<=[{DIGIT_CLASS}{_RADIO}])[{_RADIO}])"
    rf"|(?<![什怎那这多要])[{MISHEARD_ONE}](?={_D}{{3}})|(?<={_D})[{MISHEARD_ONE}](?={_D}))+"
)
# Behind one or two spoken digits these make a quantity or a name of them, not a part of a number.
_MEASURES = (
    "位次遍天年月日号岁楼栋层间座室房人名张本份斤米公路街村组队期级口把名件条台辆部分块元毛蚊角点度倍成种类项步套户家只瓶箱"
    "袋对排站里岸江水会山川龙金洲沙直样起般共定边些旦阵向齐旁半手环楼巷道线门"
)
# 「双一双三」 doubles digits where another follows; elsewhere it counts.
_MEASURE = rf"(?:[{_MEASURES}]|双(?!\s*{_D}))"
_NUMERAL = rf"[{DIGIT_CLASS}点.,]*[十百千万亿廿卅拾佰仟][{DIGIT_CLASS}十百千万亿拾佰仟]*"
_WORD = (
    rf"第{_D}+|百分之{_D}+|{_D}+分之{_D}+|万一|统一|唯一|单一|(?:星期|礼拜|周){_H}"
    r"|(?<!\d)(?:19|20)\d\d\s*[-—~～至到]\s*(?:19|20)\d\d(?!\d)"
    rf"|{_NUMERAL}"
    rf"|(?<!{_D}){_H}{{1,2}}(?={_MEASURE}|个(?!\s*{_D}))"
)
_N = rf"(?P<{{}}>{_D}{{{{1,2}}}}|十{_D}?)"
_PLACE = (
    rf"(?P<nth>倒数第|第){_N.format('nth_n')}(?:个数字|个字|位数字|位数|位)"
    rf"|(?P<tail>最后面?|最尾|后面?|末尾?|尾)的?{_N.format('tail_n')}(?:个?(?:位数字|位数|位|数字|字)|个(?=[是系不唔，,]))"
    rf"|(?P<head>最前面?|前面?|头|开头|首)的?{_N.format('head_n')}个?(?:位数字|位数|位|数字|字)"
    rf"|(?P<mid>中间)的?(?:{_N.format('mid_n')}个?(?:位数字|位数|位|数字|字))?"
    r"|(?P<birth>出生年月日|出生日期|出生|生日)(?:那[几八8]位)?"
    r"|(?P<end>尾号|尾数|末尾|结尾|最后面?)"
    r"|(?P<start>开头|最前面?)"
)
_COUNT = {c: int(d) for c, d in DIGITS.items()}
_REPEAT = rf"(?:(?P<count>[二两三四五六七八九2-9])\s*个|(?P<pair>双|孖|DOUBLE\s?)|(?P<one>一个))\s*(?P<repeated>{_H}|\d(?!\d))(?![十百千万亿]|{_MEASURE}|个(?!\s*{_D}))"
_X_NAME = r"(?:字母|大写的?|小写的?|大|小)?(?:(?<![0-9A-Z])X(?![0-9A-Z])|×|艾克斯|埃克斯|爱克斯|叉叉?(?![路车口]))"
# 「不是1234，是1235」: the digits right behind are not the number.
_NEGATION = rf"(?<![哦噢喔呃])(?:不是|唔系|唔是|不系|并非)(?=\s*{_D})"
_REPLACED_BY = re.compile(r"[，,、。 ]*(?:而|应该|其实|啊|呀|哦)?\s*[是系][，, ]*")
_TOKEN = re.compile(
    rf"(?P<negation>{_NEGATION})|(?P<place>{_PLACE})|(?P<repeat>{_REPEAT})|(?P<word>{_WORD})"
    rf"|(?P<x>{_X_NAME})|(?P<chunk>[0-9A-Z]+)|(?P<han>{_HAN})"
)
_LETTER_NAME = "|".join(sorted(map(re.escape, LETTER_BY_NAME), key=len, reverse=True))
_SPELT_TOKEN = re.compile(
    rf"(?P<repeat>{_REPEAT})|(?P<x>{_X_NAME})|(?P<chunk>[0-9A-Z]+)"
    rf"|(?P<letter>{_LETTER_NAME})|(?P<han>{_HAN})"
)

_LAST_ONE = Place("tail", 1)
_WHOLE_LENGTHS = (11, 18, 43)

_PAUSE = (
    "呃|嗯|额|啊|呀|哦|噢|喔|唉|诶|欸|哎|呢|吧|嘛|咧|啦|啫|即是|即系|那个|这个|嗰个|呢个|然后|跟住|跟着|接着|再来|再|就是|就系"
    "|后面|后边|后头|前面|前边|之后|最后|是|系|为|的|嘅|数字|我想想|让我想想|让我看看|等我睇睇|等我看看|等一下|等阵|等等"
    "|不好意思|我看看|一下|[.…·:]"
)
_DASHES = r"[()]|-|—|－|–|_|/|杠|横杠|横线|减号|\."
_FILLER = re.compile(rf"(?:\s|[，,、。；;！!？?]|{_DASHES}|{_PAUSE})*")
_HEADS = re.compile(r"^(?:TEL|PHONE|MOBILE|ID|NO|QQ|VX|WX|APP)(?=\d)")


@dataclass(frozen=True, slots=True)
class Group:
    """Characters said without a pause. ``joint``: how strongly it is parted from the group before."""

    text: str = field(repr=False)
    start: int
    end: int
    joint: int = 0
    han: bool = False
    place: Place | None = None


@dataclass(slots=True)
class Row:
    """Groups with nothing between them but pauses."""

    groups: list[Group]
    doubtful: bool = False  # a correction fits nowhere in it
    negated: bool = False  # 「不是1234」

    @property
    def start(self) -> int:
        return self.groups[0].start

    @property
    def end(self) -> int:
        return self.groups[-1].end

    @property
    def text(self) -> str:
        return "".join(g.text for g in self.groups)

    def texts(self, first: int, last: int) -> tuple[str, ...]:
        return tuple(g.text for g in self.groups[first : last + 1])

    @property
    def place(self) -> Place | None:
        return self.groups[0].place


def rows(text: str) -> list[Row]:
    """The rows of digits (and Latin letters) in prepared ``text``."""
    return list(_assemble(text, _TOKEN))


def spelt_rows(text: str) -> list[Row]:
    """As :func:`rows`, with letters taken by their Chinese names too: for codes with a check only."""
    return list(_assemble(text, _SPELT_TOKEN))


def _assemble(text: str, token: re.Pattern[str]) -> Iterator[Row]:
    row: list[Group] = []
    place: Place | None = None
    negated = row_negated = False
    between = since_place = ""  # what lies between here and the last group, and the last place named
    at = 0
    for found in token.finditer(text):
        between += text[at : found.start()]
        since_place += text[at : found.start()]
        at = found.end()
        names = found.groupdict()
        if names.get("place"):
            place, since_place = _place(found), ""
            between += " "
            continue
        if names.get("negation"):
            negated = True
            between += found.group()
            continue
        said = _characters(found)
        joint = _joint(between) if said is not None and row else None
        if place and place.where == "nth":
            joint = None  # 「第三位是5」 is said about a number, not inside it
        if place and place == _LAST_ONE and sum(len(g.text) for g in row) in _WHOLE_LENGTHS:
            joint = None  # 「最后一位是六」 behind a whole number puts it right; behind a part it goes on
        if row_negated and _REPLACED_BY.fullmatch(between):
            joint = None
        if place and not _FILLER.fullmatch(since_place):
            place = None
        if joint is None and row:
            yield Row(row, negated=row_negated)
            row = []
        if said is not None:
            start = found.end() - len(said) if _HEADS.match(found.group()) else found.start()
            row_negated = row_negated if row else negated
            row.append(Group(said, start, found.end(), joint or 0, _is_han(found), place))
        place, negated, between = None, False, ""
    if row:
        yield Row(row, negated=row_negated)


def _is_han(found: re.Match[str]) -> bool:
    return found["han"] is not None or found["repeat"] is not None


def _characters(found: re.Match[str]) -> str | None:
    """The digits and letters of a token; None for a word."""
    names = found.groupdict()
    if names.get("word") is not None:
        return None
    if names.get("x") is not None:
        return "X"
    if names.get("letter") is not None:
        return LETTER_BY_NAME[found.group()]
    if names["chunk"] is not None:
        return _HEADS.sub("", found.group(), count=1)
    if names["repeat"] is not None:
        times = 2 if names["pair"] else 1 if names["one"] else _count(names["count"])
        return (DIGITS.get(names["repeated"], names["repeated"])) * times
    return "".join(DIGITS.get(c) or RADIO_DIGITS.get(c) or "1" for c in found.group())


def _count(said: str) -> int:
    return int("".join(DIGITS.get(c, c) for c in said))


def _place(found: re.Match[str]) -> Place:
    names = found.groupdict()

    def count(name: str) -> int:
        said = names[name]
        if not said:
            return 0
        return 10 + _count(said[1:] or "0") if said[0] == "十" else _count(said)

    if names["nth"]:
        return Place("nth", -count("nth_n") if names["nth"].startswith("倒") else count("nth_n"))
    for name, where in (("tail", "tail"), ("head", "head"), ("mid", "middle")):
        if names[name]:
            return Place(where, count(f"{name}_n"))
    return Place("birth" if names["birth"] else "tail" if names["end"] else "head")


def _joint(between: str) -> int | None:
    """The strength of a joint; None where a word parts the digits."""
    if len(between) > _LONGEST_GAP or not _FILLER.fullmatch(between):
        return None
    if not between:
        return GLUED
    if re.search(r"[。；;！!？?]", between):
        return STOP
    if re.search(r"[，,、]", between):
        return COMMA
    if re.fullmatch(rf"(?:\s|{_DASHES}|·)*", between):
        return SPACE if between.isspace() else DASH
    return FILLED
