"""Days as people name them: 十一月二十三号, 寻日, 上个礼拜三, 三天前, 2026-11-23.

A day that is not certain (月底, a weekday that has gone by, 「三个月前」) has a value with ``valid``
False; a lunar date has none.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from hotline.numbers.numerals import parse_numeral
from hotline.numbers.symbols import DIGITS
from hotline.numbers.values import Kind, NumberSaid

_H = "零〇○一二两三四五六七八九"
_PAUSE = r"(?:[呃嗯额啊,， 嘅的]|那个|就是)*"
_YEARS = {"大前年": -3, "前年": -2, "去年": -1, "旧年": -1, "上年": -1, "今年": 0, "本年": 0, "当年": 0,
          "明年": 1, "出年": 1, "下年": 1, "后年": 2}  # fmt: skip
_YEAR = rf"(?P<y>{'|'.join(_YEARS)}|(?:(?<!\d)\d{{2}}(?:\d\d)?|(?<![{_H}])[{_H}]{{2}}(?:[{_H}]{{2}})?)\s?年)"
_TENS = "一二两三"
_SMALL = rf"(?:\d{{1,2}}|[{_TENS}]?十[一二三四五六七八九]?|廿[一二三四五六七八九]?|卅[一]?|[一二两三四五六七八九])"
# What may not stand behind a day named without 号 or 日.
_NO_DAY_FOLLOWS = rf"(?![\d{_H}十百千万亿.点:：]|[个分块元天年月份成米楼栋岁次位人间种类条张项号%日]|礼拜|星期)"
_NOT_A_DAY = "(?![楼线门窗铺房车机文令院店厅桌路地仓码台口馆站病技子]|出口)"  # 「5号楼」, 「3号线」
_DAY = rf"(?P<d>{_SMALL})(?:\s?[日号]{_NOT_A_DAY}|{_NO_DAY_FOLLOWS})"
_LUNAR = re.compile(
    r"(?:农历|阴历|旧历|古历|老历)\s*(?:[^\s，,。]{0,12})|(?:正月|腊月|冬月)[^\s，,。]{0,4}|(?:[一二三四五六七八九十]+月)?初[一二三四五六七八九十]|(?:年)?三十晚|大年[初三][一二三四五六七八九十]+"
)
_HALF_LUNAR = re.compile(r"^(?:七月十[四五]|八月十五)$")  # without 号 most people mean the festival

_FULL = re.compile(rf"(?:{_YEAR}{_PAUSE})?(?<![\d{_H}十个])(?P<m>{_SMALL})\s?月份?{_PAUSE}{_DAY}")
_NUMERIC = re.compile(
    r"(?<![\dA-Z])(?<!\d[-/.])(?P<y>(?:19|20)\d\d)(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})(?![\dA-Z]|[-/.]\d)"
)
_MONTHS = {"上上": -2, "上": -1, "这": 0, "今": 0, "本": 0, "当": 0, "呢": 0, "下": 1, "下下": 2}
_IN_MONTH = re.compile(
    rf"(?P<which>上上|下下|[上这今本当呢下])个?月(?:份)?{_PAUSE}(?:(?P<d>{_SMALL})\s?[日号]|月?(?P<edge>[底尾末中初头]))"
)
_EDGE = re.compile(
    rf"(?:{_YEAR}{_PAUSE})?(?:(?<![\d{_H}十个])(?P<m>{_SMALL})月份?)?(?P<edge>月[底尾末中初]|(?<=月)[底尾末])"
)
_DAY_ALONE = re.compile(
    rf"(?<![\d{_H}十第月.\-/楼A-Z栋座区米满每隔周共路街巷道村弄里坊])(?:(?P<d>{_SMALL})\s?号|(?P<r>\d{{1,2}}|[{_TENS}]?十[{_H}]?|廿[{_H}]?)\s?日(?![前后内之以])){_NOT_A_DAY}"
)
_DAY_CONTEXT = re.compile(
    r"\s*(?:$|[，,。；;！!？?、]|[啊呀吧呢啦嘅的那这个]?(?:上午|下午|早上|晚上|中午|凌晨|朝早|晏昼|夜晚|晚|之前|之后|以前|以后|前|后|开始|起|截止|来|去|到|交|办"
    r"|报|申|打|停|发|收|做|约|预约|可以|能|得|要|行|方便|有|没|就|才|已经|还|都|拿|取|寄|搬|修|漏|断|了|啊|呀|吧|呢|啦|嘅|的|那天|嗰日|我|你|不对|不是|唔|错|系|是))"
)
_RELATIVE = {"大前天": -3, "大前日": -3, "前天": -2, "前日": -2, "昨天": -1, "昨日": -1, "昨晚": -1, "昨夜": -1, "寻日": -1, "寻晚": -1,
             "琴日": -1, "琴晚": -1, "噚日": -1, "噚晚": -1, "擒日": -1, "今天": 0, "今日": 0, "今早": 0, "今晚": 0, "今朝": 0, "今晨": 0,
             "明天": 1, "明日": 1, "明早": 1, "明晚": 1, "听日": 1, "听朝": 1, "听晚": 1, "后天": 2, "后日": 2, "大后天": 3, "大后日": 3}  # fmt: skip
_RELATIVE_DAY = re.compile("|".join(sorted(_RELATIVE, key=len, reverse=True)))
_WEEKDAYS = {
    **{c: i for i, c in enumerate("一二三四五六")},
    **{str(i + 1): i for i in range(6)},
    "日": 6,
    "天": 6,
    "七": 6,
}
_WEEKDAY = re.compile(
    r"(?<![每逢到至隔\-~—])(?P<which>(?:上上|下下|[上下这今本呢])个?)?(?:礼拜|星期|周|(?<=[上下])拜)(?P<w>[一二三四五六日天1-6])"
    r"(?![、和个年两三次六日天]|上班|本|边|围|岁|期)(?P<range>[至到\-~—])?"
)
_SPAN = re.compile(
    rf"(?P<n>\d{{1,3}}|[{_H}十廿卅百]+|半)\s*(?P<u>天|日|个?星期|个?礼拜|周|个半月|个月|年)(?P<exact>之|以)?(?P<dir>前|后)(?![天日年面])"
)


@dataclass(slots=True)
class _Reader:
    text: str
    today: date
    taken: list[tuple[int, int]]
    found: list[NumberSaid]

    def add(self, match: re.Match[str], value: str, valid: bool, end: int | None = None) -> None:
        start, stop = match.start(), end or match.end()
        if any(start < e and s < stop for s, e in self.taken):
            return
        self.taken.append((start, stop))
        self.found.append(NumberSaid(Kind.DATE, value, valid, start, stop))


def dates(text: str, today: date) -> tuple[list[NumberSaid], list[tuple[int, int]]]:
    """The days in prepared ``text``, and the stretches that name one not read (lunar)."""
    lunar = [m.span() for m in _LUNAR.finditer(text)]
    reader = _Reader(text, today, list(lunar), [])
    for read in (_numeric, _full, _in_month, _edge, _relative, _weekday, _span, _day_alone):
        read(reader)
    return sorted(reader.found, key=lambda d: d.start), lunar


def day_of(said: str) -> int | None:
    """The number in 二十三, 廿三, 23."""
    value = parse_numeral(said)
    return int(value) if value is not None else None


def iso(year: int, month: int, day: int) -> tuple[str, bool]:
    """(``YYYY-MM-DD``, whether there is such a day)."""
    try:
        date(year, month, day)
    except ValueError:
        return f"{year:04d}-{month:02d}-{day:02d}", False
    return f"{year:04d}-{month:02d}-{day:02d}", True


def _year(said: str | None, today: date) -> int:
    if said is None:
        return today.year
    if said in _YEARS:
        return today.year + _YEARS[said]
    number = int("".join(DIGITS.get(c, c) for c in said.removesuffix("年").strip()))
    if number < 100:  # 26年, 85年: at most ten years ahead
        number += 2000 if number <= today.year % 100 + 10 else 1900
    return number


def _numeric(r: _Reader) -> None:
    for m in _NUMERIC.finditer(r.text):
        r.add(m, *iso(int(m["y"]), int(m["m"]), int(m["d"])))


def _full(r: _Reader) -> None:
    for m in _FULL.finditer(r.text):
        month, day = day_of(m["m"]), day_of(m["d"])
        if month is None or day is None:
            continue
        value, valid = iso(_year(m["y"], r.today), month, day)
        r.add(m, value, valid and not _HALF_LUNAR.search(m.group()))


def _in_month(r: _Reader) -> None:
    for m in _IN_MONTH.finditer(r.text):
        year, month = _months_on(r.today, _MONTHS[m["which"]])
        if m["edge"]:
            r.add(m, _edge_day(year, month, m["edge"]), False)
        elif day := day_of(m["d"]):
            r.add(m, *iso(year, month, day))


def _edge(r: _Reader) -> None:
    for m in _EDGE.finditer(r.text):
        month = day_of(m["m"]) if m["m"] else r.today.month
        if month and 1 <= month <= 12:
            r.add(m, _edge_day(_year(m["y"], r.today), month, m["edge"][-1]), False)


def _edge_day(year: int, month: int, edge: str) -> str:
    day = 1 if edge in "初头" else 15 if edge == "中" else calendar.monthrange(year, month)[1]
    return iso(year, month, day)[0]


def _relative(r: _Reader) -> None:
    for m in _RELATIVE_DAY.finditer(r.text):
        r.add(m, (r.today + timedelta(days=_RELATIVE[m.group()])).isoformat(), True)


def _weekday(r: _Reader) -> None:
    monday = r.today - timedelta(days=r.today.weekday())
    for m in _WEEKDAY.finditer(r.text):
        if m["range"] and not m["which"]:
            continue  # 「星期一到星期五」: a rule, no day
        which = (m["which"] or "").removesuffix("个")
        day = monday + timedelta(days=_WEEKDAYS[m["w"]], weeks=_MONTHS[which] if which else 0)
        # Without 上 or 下, a day of this week that is still to come; one gone by may be the next.
        r.add(m, day.isoformat(), bool(which) or day >= r.today or _went_by(r.text, m.end()), m.end("w"))


def _span(r: _Reader) -> None:
    for m in _SPAN.finditer(r.text):
        number = parse_numeral(m["n"]) if m["n"] != "半" else None
        sign = -1 if m["dir"] == "前" else 1
        unit = m["u"].removeprefix("个")
        if m["n"] == "半" or unit in ("月", "半月", "年"):
            _long_span(r, m, int(number) if number is not None else None, sign, unit)
        elif number is not None and number <= 999:
            days = int(number) * (7 if unit in ("星期", "礼拜", "周") else 1)
            # 「3日前」 may also mean before the third; 「三日前」, 「3日之前」 do not.
            exact = unit != "日" or int(number) > 31 or m["exact"] is not None or not m["n"].isdigit()
            r.add(m, (r.today + timedelta(days=sign * days)).isoformat(), exact)


def _long_span(r: _Reader, m: re.Match[str], number: int | None, sign: int, unit: str) -> None:
    """「三个月前」: told to the month, not to the day, so never certain."""
    months = {"年": 12, "月": 1, "半月": 1}.get(unit)
    if months is None or number == 0:
        return
    if number is None:
        if unit == "月":
            r.add(m, (r.today + timedelta(days=15 * sign)).isoformat(), False)
            return
        months, number = months // 2, 1
    if number > 120:
        return
    year, month = _months_on(r.today, sign * months * number)
    day = min(r.today.day, calendar.monthrange(year, month)[1])
    r.add(m, iso(year, month, day)[0], False)


def _day_alone(r: _Reader) -> None:
    """「23号」: of the month named last, else of this one."""
    for m in _DAY_ALONE.finditer(r.text):
        day = day_of(m["d"] or m["r"])
        if day is None or not 1 <= day <= 31 or not _DAY_CONTEXT.match(r.text, m.end()):
            continue
        earlier = [f for f in r.found if f.end <= m.start()]
        if earlier:
            year, month = map(int, max(earlier, key=lambda f: f.end).value.split("-")[:2])
            value, valid = iso(year, month, day)
        else:
            value, valid = iso(r.today.year, r.today.month, day)
            valid = valid and (day >= r.today.day or _went_by(r.text, m.end()))
        r.add(m, value, valid)


def _went_by(text: str, end: int) -> bool:
    """Whether the clause after a day tells of something that has happened."""
    clause = re.split(r"[。；;！!？?]", text[end:], maxsplit=1)[0]
    return re.search(r"[了过咗]|已经|[报交办打收寄拿取停做签买提请诉映来去]的|的(?:$|，)|嘅", clause) is not None


def _months_on(day: date, months: int) -> tuple[int, int]:
    index = day.year * 12 + day.month - 1 + months
    return index // 12, index % 12 + 1
