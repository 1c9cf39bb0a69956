"""Which numbers a row of digits holds: phones, ID numbers, codes. Never a piece cut out of a longer one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hotline.numbers.checks import (
    id_birth_can_be,
    is_case_number,
    is_credit_code,
    is_id_card,
    is_query_code,
)
from hotline.numbers.said_digits import COMMA, DASH, FILLED, GLUED, SPACE, Group, Row
from hotline.numbers.values import Kind

_CUES: tuple[tuple[Kind | None, str], ...] = (
    (Kind.ID_CARD, r"身份证|证件号|身份号码|身份证明|ID(?:号|卡)"),
    (Kind.CREDIT_CODE, r"信用代码|统一代码|社会代码|税号|纳税人识别号|执照号|营业执照"),
    (Kind.QUERY_CODE, r"查询码|查询号|查询编号|受理号|受理编号|办件号|办件编号|回执号?|业务号|流水号|编号"),
    (Kind.PHONE, r"手机|电话|联系方式|联络方式|打给|致电|拨打|座机|固话"),
    (
        None,
        r"银行卡|卡号|账号|账户|邮编|邮政编码|微信|QQ|密码|验证码|校验码|户号|电表|水表|煤气表|社保号|学号|工号|房号|快递|运单"
        r"|订单|准考证|车架|发动机|房产证|护照",
    ),
)
_CUE = re.compile("|".join(f"(?P<c{i}>{words})" for i, (_, words) in enumerate(_CUES)))
_CUE_REACH = 16
_CLOSE = re.compile(r"(?:号码?|代码|数字|是|系|为|就|有|我的?|的|嘅|呃|嗯|[:：,，。\s])*")
_PHONE_FOLLOWS = re.compile(r"\s*(?:是|系)[^，。,]{0,6}(?:电话|手机|座机)")
_QUANTITY_FOLLOWS = re.compile(r"\s*(?:[元块圆蚊毛角分个人户平米万亿千百度吨斤年%‰]|多|几|RMB(?![0-9A-Z]))")
_LONGEST = 50  # a case number has 43 characters; a wrong one may have more
# GB 32100: who registered (first character) and what kind of body it is (second).
_CREDIT_BEGINS = re.compile(r"1[1239]|2[19]|3[1-59]|4[19]|5[1239]|6[129]|7[129]|8[19]|9[123]|A[19]|N[1239]|Y1")
_ALPHABETIC = re.compile(r"[A-Z]+")


@dataclass(frozen=True, slots=True)
class Found:
    """A number in groups ``first`` to ``last`` (inclusive) of a row."""

    kind: Kind
    value: str = field(repr=False)
    valid: bool
    first: int
    last: int
    score: float


@dataclass(frozen=True, slots=True)
class _Cue:
    """What the words before a row announce. ``kind`` None with ``said``: some other number.

    ``close``: nothing stands between them and the row (「电话86281234」, not 「打电话查613482」).
    """

    said: bool = False
    kind: Kind | None = None
    close: bool = False


def _cue(row: Row, text: str, expecting: Kind | None) -> _Cue:
    cues = list(_CUE.finditer(text, max(0, row.start - _CUE_REACH), row.start))
    if cues:
        kind = _CUES[int((cues[-1].lastgroup or "c0")[1:])][0]
        return _Cue(True, kind, _CLOSE.fullmatch(text, cues[-1].end(), row.start) is not None)
    if _PHONE_FOLLOWS.match(text, row.end):
        return _Cue(True, Kind.PHONE, True)
    return _Cue(expecting is not None, expecting, expecting is not None)


def identifiers(row: Row, text: str, expecting: Kind | None = None) -> list[Found]:
    """The numbers in ``row``, in order. ``expecting``: the kind asked for, where one was."""
    cue = _cue(row, text, expecting)
    plus = text[max(0, row.start - 1) : row.start] == "+"
    best = _best_cover(row, text, cue, plus)
    kept = best
    while True:
        kept = [f for f in best if _stands_alone(row, text, f, kept)]
        if kept == best:
            return kept
        best = kept


def _best_cover(row: Row, text: str, cue: _Cue, plus: bool) -> list[Found]:
    groups = row.groups
    best: list[tuple[float, list[Found]]] = [(0.0, [])]
    for end in range(1, len(groups) + 1):
        choice = best[end - 1]
        said = ""
        for first in range(end - 1, -1, -1):
            said = groups[first].text + said
            if len(said) > _LONGEST:
                break
            found = _classify(row, text, first, end - 1, said, cue, plus and first == 0)
            if found and best[first][0] + found.score > choice[0]:
                choice = (best[first][0] + found.score, [*best[first][1], found])
        best.append(choice)
    return best[-1][1]


def _classify(row: Row, text: str, first: int, last: int, said: str, cue: _Cue, plus: bool) -> Found | None:
    groups = row.groups[first : last + 1]
    joints = [g.joint for g in groups[1:]]
    weight = len(said) * 2 - 0.2 * sum(joints) - 1

    def found(kind: Kind, value: str, valid: bool, bonus: float) -> Found:
        return Found(kind, value, valid and not row.doubtful, first, last, weight + bonus)

    if is_case_number(said):
        return found(Kind.CASE_NUMBER, said, True, 10)
    if len(said) == 18 and (eighteen := _eighteen(said, cue.kind)):
        return found(*eighteen)
    mobile = re.fullmatch(r"(?:0086|86)?(1[3-9]\d{9})", said)
    if mobile and (len(said) == 11 or plus or len(said) == 15 or not cue.said or cue.kind is Kind.PHONE):
        return found(Kind.PHONE, mobile[1], True, 6)
    whole_row = first == 0 and last == len(row.groups) - 1
    if re.fullmatch(r"0(?:10|2\d|[3-9]\d\d)\d{7,8}|400\d{7}|800\d{7}", said):
        return found(Kind.LANDLINE, said, True, 4)
    if re.fullmatch(r"[2-8]\d{7}", said) and cue.kind is Kind.PHONE and cue.close:
        return found(Kind.LANDLINE, said, True, 4)
    if is_query_code(said) and _may_be_query_code(row, text, first, last, cue):
        return found(Kind.QUERY_CODE, said, True, 0)
    if whole_row and row.place is None and (bad := _announced_but_wrong(said, cue.kind)):
        return found(bad, said, False, 0)
    return None


def _eighteen(said: str, cue: Kind | None) -> tuple[Kind, str, bool, float] | None:
    """(kind, value, valid, bonus) of 18 characters: an ID number or a credit code; the checks decide."""
    like_id = re.fullmatch(r"\d{17}[\dX]", said) is not None
    if like_id and is_id_card(said):
        return Kind.ID_CARD, said, True, 10
    # One wrong ID number in 31 passes the other check by chance.
    born = like_id and id_birth_can_be(said)
    announced = cue is Kind.CREDIT_CODE
    plausible = not like_id or (cue is None and _CREDIT_BEGINS.match(said) is not None)
    if is_credit_code(said) and (announced or (not born and plausible)):
        return Kind.CREDIT_CODE, said, True, 10
    if cue is Kind.CREDIT_CODE or (not like_id and re.match(r"[1-9AHNY][1-9A-Z]\d{6}", said)):
        return Kind.CREDIT_CODE, said, False, 2
    if like_id and cue in (None, Kind.ID_CARD, Kind.PHONE, Kind.QUERY_CODE):
        return Kind.ID_CARD, said, False, 2
    return None


def _announced_but_wrong(said: str, cue: Kind | None) -> Kind | None:
    """The kind of a number that its own words announce and its digits do not make."""
    if cue is Kind.ID_CARD and re.fullmatch(r"\d{15,19}X?|\d{14,18}X", said):
        return Kind.ID_CARD
    if re.fullmatch(r"[1-6]\d{14}", said) and id_birth_can_be(said[:6] + "19" + said[6:] + "X"):
        return Kind.ID_CARD  # the old 15-digit numbers are no longer valid
    if cue is Kind.PHONE and re.fullmatch(r"1[3-9]\d{7,8}|1[3-9]\d{10,11}|1[0-2]\d{9}", said):
        return Kind.PHONE
    if cue in (None, Kind.QUERY_CODE) and re.fullmatch(r"[0-9A-Z]{36,50}", said):
        return Kind.CASE_NUMBER
    if cue is Kind.QUERY_CODE and re.fullmatch(r"\d{3,5}|\d{9,14}", said):
        return Kind.QUERY_CODE
    return None


def _may_be_query_code(row: Row, text: str, first: int, last: int, cue: _Cue) -> bool:
    groups = row.groups[first : last + 1]
    joints = [g.joint for g in groups[1:]]
    if cue.said and (cue.kind is None or (cue.close and cue.kind is not Kind.QUERY_CODE)):
        return False  # another number, or a piece of one
    if groups[0].place and groups[0].place.where != "head":
        return False  # 「后六位是……」: a part of something
    if _QUANTITY_FOLLOWS.match(text, groups[-1].end) or text[groups[0].start - 1 : groups[0].start] in tuple("¥￥$."):
        return False
    if (
        text[groups[-1].end : groups[-1].end + 2].startswith(".")
        and text[groups[-1].end + 1 : groups[-1].end + 2].isdigit()
    ):
        return False
    if cue.kind is Kind.QUERY_CODE or all(j in (GLUED, FILLED) for j in joints):
        return True
    lengths = {len(g.text) for g in groups}
    if len(set(joints)) > 1 or (lengths != {1} and (1 in lengths or max(lengths) > 4)):
        return False
    if all(g.han for g in groups) or lengths == {1}:
        return True
    # Figures: sums and lists have commas, times and sizes dashes and dots.
    if joints[0] == SPACE:
        return True
    return joints[0] == DASH and 3 in lengths | {min(lengths)} and "." not in text[groups[0].end : groups[-1].start]


def _stands_alone(row: Row, text: str, item: Found, kept: list[Found]) -> bool:
    """Whether ``item`` is a number by itself and not a piece of the digits around it."""
    groups = row.groups
    inner = max((g.joint for g in groups[item.first + 1 : item.last + 1]), default=0)
    taken = {i for f in kept if f is not item for i in range(f.first, f.last + 1)}
    for near, joint in (
        (item.first - 1, groups[item.first].joint),
        (item.last + 1, groups[item.last + 1].joint if item.last + 1 < len(groups) else 0),
    ):
        if not 0 <= near < len(groups):
            continue
        if near in taken and (item.kind is not Kind.QUERY_CODE or inner == 0):
            continue
        if not _parted(groups[near], joint, inner, text, before=near < item.first):
            return False
    return True


def _parted(near: Group, joint: int, inner: int, text: str, *, before: bool) -> bool:
    """Whether the digits ``near`` an item belong to something else (「三水」, a last four after a space)."""
    if joint <= inner:
        return False
    outside = text[near.start - 1 : near.start] if before else text[near.end : near.end + 1]
    if joint == GLUED:
        return near.han and len(near.text) == 1 and "\u4e00" <= outside <= "\u9fff"
    if joint >= COMMA or _ALPHABETIC.fullmatch(near.text):
        return True
    # A single digit or two after a space: the tail of a number that is too long, or a quantity.
    return len(near.text) >= 3 or "\u4e00" <= outside <= "\u9fff"
