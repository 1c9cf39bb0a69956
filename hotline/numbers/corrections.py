"""「不对，是七八九」: what a correction makes of the digits said before it."""

from __future__ import annotations

import re
from dataclasses import replace

from hotline.numbers.checks import is_case_number, is_credit_code, is_id_card, is_mobile
from hotline.numbers.said_digits import Row
from hotline.numbers.values import Place

# Said between the wrong digits and the right ones.
MARK = re.compile(
    r"不对|唔对|唔啱|错[了咗啦]|[说讲搞打念读报记写]错|口误|不是(?![\d零〇一幺二两三四五六七八九])|唔系(?![\d零〇一幺二两三四五六七八九])|更正|纠正"
    r"|改成|改为|改一下|应该是|应该系|应为|重新[说讲来念报]|再来过|重[说讲来]|从头来|[哦噢啊喔呃]不|不不|(?<![\u4e00-\u9fff])不(?=[，, ])|SORRY"
)
# These may also only introduce the rest of a number.
_MILD = re.compile(r"应该是|应该系|应为")
# Nothing else may stand between, or the digits are another number.
_AROUND_MARK = re.compile(
    rf"(?:{MARK.pattern}|\s|[，,、。.；;！!？?：:…—-]|是|系|我|刚才|头先|啱啱|先头|上面|前面|后面|那个|这个|嗰个|呢个|说|讲|的|嘅|了|咗|啦|啊|呀|哦|噢|喔"
    r"|呃|嗯|额|啲|一下|一遍|一次|过|号码|电话|手机号?|号|数字|其实|而|才|对|正确|唔好意思|不好意思|对唔住|对不起|等等|等一下|等阵|哎呀|哎|唉|吧|嘛|应该|就"
    r"|有|应|有一?位|最尾|最后面?|后面|尾号|尾数|末尾|结尾|中间|开头|最前面?|前面"
    r"|(?:倒数)?第?[\d一二两三四五六七八九十]{1,2}个?(?:位数字|位数|位|数字|字|个)|[最后尾末前头首]|出生(?:年月日|日期)?|生日|身份证号?码?|车牌号?码?|查询码)*"
)
NEGATED = re.compile(r"(?:不是|唔系|唔是|不系|并非)\s*$")
REPLACED_BY = re.compile(r"[，,、。 ]*(?:而|应该|其实|啊|呀|哦)?\s*[是系][，, ]*")
_LONGEST_GAP = 40


def corrects(gap: str) -> bool:
    """Whether ``gap`` between two numbers says that the second puts the first right."""
    return len(gap) <= _LONGEST_GAP and MARK.search(gap) is not None and _AROUND_MARK.fullmatch(gap) is not None


def only_around(gap: str) -> bool:
    """Whether ``gap`` holds nothing but words that lead to digits (no correction need be named)."""
    return len(gap) <= _LONGEST_GAP and _AROUND_MARK.fullmatch(gap) is not None


def corrects_loosely(gap: str) -> bool:
    """As :func:`corrects`, with other words in between: enough where a whole number follows."""
    return len(gap) <= _LONGEST_GAP and MARK.search(gap) is not None


def correct_row(before: Row, after: Row, gap: str) -> Row:
    """``before`` as put right by ``after``; ``doubtful`` where it fits nowhere for certain."""
    old, new = before.text, after.text
    place = after.place
    if place is None and is_whole(new, old):
        return after
    text, sure = amend(old, new, place, _widths(before), mild=_MILD.search(gap) is not None)
    return _as_row(before, after, text, doubtful=not sure or before.doubtful)


def replace_digits(before: Row, old: Row, new: Row) -> Row:
    """「不是1234，是1235」 said of ``before``."""
    text, sure = exchange(before.text, old.text, new.text, old.place)
    return _as_row(before, new, text, doubtful=not sure)


def exchange(number: str, old: str, new: str, place: Place | None) -> tuple[str, bool]:
    """``number`` with ``old`` replaced by ``new``, and whether it was clear where."""
    if place and (span := span_of(place, number, old)) and number[slice(*span)] == old:
        return number[: span[0]] + new + number[span[1] :], True
    if number.endswith(old) and place is None:  # what was said last is what is taken back
        return number[: -len(old)] + new, True
    if number.count(old) == 1:
        return number.replace(old, new), True
    return number, False


def amend(
    number: str, new: str, place: Place | None, widths: tuple[int, ...] = (), *, mild: bool = False
) -> tuple[str, bool]:
    """``number`` with its wrong part replaced by ``new``, and whether it was clear which part.

    ``place``: where the speaker said it stands; else a whole number's end is meant, and an
    unfinished one goes on behind the correction. ``widths``: the lengths it was said in.
    """
    if place is not None:
        span = span_of(place, number, new)
        if span is None or span[1] - span[0] != len(new):
            return number, False
        return number[: span[0]] + new + number[span[1] :], True
    wanted = wanted_length(number)
    if len(number) == wanted:
        if len(new) > wanted:
            return number, False
        put = number[: wanted - len(new)] + new
        return put, not _nearer_elsewhere(number, new, widths)
    cut = wanted - len(new)
    if len(number) < wanted and 0 <= cut <= len(number):
        return number[:cut] + new, cut < len(number) or mild
    return number, False


def span_of(place: Place, number: str, new: str) -> tuple[int, int] | None:
    """Where ``place`` lies in ``number``; None where it does not."""
    length, count = len(number), place.count or len(new)
    if place.where == "nth":
        at = place.count - 1 if place.count > 0 else length + place.count
        return (at, at + 1) if 0 <= at < length and len(new) == 1 else None
    if count > length:
        return None
    if place.where == "head":
        return 0, count
    if place.where == "tail":
        return length - count, length
    if length == 18:
        return 6, 14
    return (3, 7) if length == 11 and place.where == "middle" else None


def wanted_length(number: str) -> int:
    """How long the number that begins like this is when it is whole."""
    if len(number) > 18:
        return 43
    if re.match(r"1[3-9]", number) and len(number) <= 11:
        return 11
    return 18 if len(number) > 8 else len(number)


def is_whole(new: str, old: str) -> bool:
    """Whether ``new`` is a number by itself, not a piece of ``old`` said again."""
    if is_mobile(new) or is_id_card(new) or is_credit_code(new) or is_case_number(new):
        return True
    if len(new) >= 18 and len(new) >= len(old):
        return True
    # Codes of six to eight digits. What began like a mobile goes on as one.
    if not 6 <= len(new) <= 8 or len(old) > 8:
        return False
    return len(new) == len(old) or not re.match(r"1[3-9]", old) or (len(old) < 6 and new[:2] == old[:2])


def _nearer_elsewhere(number: str, new: str, widths: tuple[int, ...]) -> bool:
    """Whether another group of the same length is more like ``new`` than the end is."""
    tail = _differences(number[-len(new) :], new)
    at = 0
    for width in widths:
        group = number[at : at + width]
        if width == len(new) and at + width < len(number) and _differences(group, new) < tail:
            return True
        at += width
    return False


def _differences(a: str, b: str) -> int:
    return sum(x != y for x, y in zip(a, b, strict=True)) if len(a) == len(b) else max(len(a), len(b))


def _widths(row: Row) -> tuple[int, ...]:
    return tuple(len(g.text) for g in row.groups)


def _as_row(before: Row, after: Row, text: str, *, doubtful: bool) -> Row:
    group = replace(before.groups[0], text=text, end=after.end)
    return Row([group], doubtful=doubtful)
