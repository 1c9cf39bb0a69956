"""Where something happens, read out of a sentence: the words for the place and the town it lies in.

Chinese is written without spaces, so a place's end is told by what places are called by (路, 村,
花园 …) and its beginning by the words that lead up to it (在, 我家 …). What is not found is asked
for; a wrong guess would send somebody to the wrong street, so little is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from opencc import OpenCC
from pydantic import BaseModel, ConfigDict

from knowledge_base.catalogue import Catalogue
from knowledge_base.times import without_times

_TO_SIMPLIFIED = OpenCC("t2s")
_NEIGHBOURS_FILE = Path(__file__).with_name("neighbours.yml")


class Neighbour(BaseModel):
    """A place outside the district, and whom to turn to there."""

    model_config = ConfigDict(frozen=True)

    name: str
    words: list[str]
    line: str
    owner: str


@dataclass(frozen=True)
class PlaceReading:
    """``place`` as said; ``precise`` where it names more than a town; ``ask`` a question that must
    be settled first; ``outside`` where it lies in another district or city."""

    place: str = ""
    town: str | None = None
    precise: bool = False
    outside: Neighbour | None = None
    ask: str = ""


# What places are called by. Longest first, so that 大道 goes before 道.
_ENDS = sorted(
    "大道中 大道东 大道西 大道南 大道北 大道 中路 东路 西路 南路 北路 路段 路口 路 街 巷 村 社区 小区 花园 家园 新村 新城 公园 广场 市场 商场 商业城 工业区 工业园 产业园 "
    "科技园 园区 小学 中学 学校 幼儿园 幼稚园 大学 学院 医院 卫生院 社区卫生服务中心 大厦 酒店 宾馆 大酒楼 酒楼 中心 城 苑 府 "
    "豪庭 华庭 雅居 名居 公寓 宿舍 地铁站 公交站 车站 客运站 站 立交桥 天桥 大桥 桥 隧道 涌 河 湖 水库 码头 停车场 居委会 村委会 "
    "行政服务中心 派出所 工厂 制品厂 加工厂 家具厂 厂 公司 超市 餐厅 饭店 茶餐厅 健身房 美容院 培训机构 药店 加油站 收费站 水厂 "
    "村口 市集 圩 墟 步行街 美食城 美食街 夜市 一期 二期 三期 四期".split(),
    key=len,
    reverse=True,
)
_TAIL = (
    r"(?:[0-9A-Za-z一二三四五六七八九十百]{1,6}(?:号楼(?![下上顶])|号|栋|座|幢|楼|单元|室|期|区|街|巷|米)|交界处?|交汇处?|路口|门口|旁边|旁|附近"
    r"|对面|隔离|后面|后门|正门|前面|里面|楼下|楼上|楼顶|天台|地下|转角|段|一带|边|侧|口|工地|地盘)"
)
_STOP = (
    r"[在喺位我你您他她哋们佢有冇没被把俾畀给要想请这那呢嗰个间条啲是系係到从住说讲又还仲都就的嘅了咗着紧很好太真吵嘈臭乱跳偷坏烂塞拖堆，,。.！!？?；;：:、\s（）()「」“”]"
    r"|投诉|举报|反映|建议|希望|表扬|居然|经常|天天|附近(?=有)|麻烦|帮忙|求助|隔壁|楼下(?!的)|所有|多次|一直|最近|旁边有|门口有|对面有"
    r"|而家|现在|刚刚|今日|昨日"
)
_LEAD_WORDS = re.compile(
    r"投诉|举报|反映|建议|希望|表扬|求助|居然|经常|麻烦|帮忙|多次|最近|我要|我想|有人|有间|有个|有家"
)
_NAME = rf"(?:(?!{_STOP}).){{1,9}}?"
_END = "|".join(re.escape(end) + ("(?![灯面边人牌障肩况过费])" if end.endswith("路") else "") for end in _ENDS)
_CHAIN = re.compile(
    rf"(?P<name>{_NAME})(?P<end>{_END})(?:(?:和|与|同|跟|与|、|的|嘅)?(?:(?!{_STOP}).){{0,9}}?(?:{_END}))*(?:(?:的|嘅)?{_TAIL})*"
)
# A town has few enough of these that its name tells which: 「黄岐广场」. A 「大沥小区」 may be any.
_ONE_OF_ITS_KIND = (
    "广场(?!舞) 公园 市场(?!监|主体) 商业城 医院 卫生院 中学 小学 大桥 立交桥 地铁站 客运站 汽车站 收费站 派出所 码头 水厂 步行街 美食城 夜市"
    " 工业园 工业区 科技园 产业园 文化中心 体育馆 体育中心 行政服务中心 政府"
).split()
_CALLED_AFTER = re.compile(
    rf"(?<![的嘅])(?:{'|'.join(_ONE_OF_ITS_KIND)})(?:(?:(?!{_STOP}).){{0,9}}?(?:{_END}))*(?:(?:的|嘅)?{_TAIL})*"
)
# These have the ending of a place and name none.
_GENERIC = re.compile(
    r"^(?:马|走|修|道|公|铁|线|半|条|成条|整条|一条|门前|门口|村|小|大|逛|满|全|农|本|某|城|旧|老|新|山|水|村道|机耕|盲|人行|行人|高速|主|内|市区|"
    r"成条|屋企|附近|隔离|楼下|楼上|对面|家门口|上下|过|出|入|回|问|领|带|开|让|拦|堵|占|挖|铺|塞|步行|消防|绿|电|网|排|通|进|双|公交|地铁|"
    r"一家|有家|某家|家|食品|黑|加工|家具|无证|违规|工|好多|很多|两|几|三|.*[跑走修过问赶绕掘挖停不])$"
)
_STREET_NUMBER = re.compile(r"\d+号|[一二三四五六七八九十]+号楼?|\d+栋|\d+座")
_NOT_A_PLACE_AFTER = r"(?!路|大道|街|菜|人|牌|话|口音|户口|户籍|籍|公司|银行|车牌|那边人|房价|塔|南站|大学|医科)"
_LEADS = re.compile(
    r"^(?:[嗯呃啊哦喂]|那个|这个|就是|就在|就喺|应该是|应该在|大概在|好像在|地点是|地点在|地址是|地址在|位置是|位置在|地方是|地点|地址|位置"
    r"|发生在|我住在|我住喺|我家在|我屋企喺|我们在|我哋喺|我在|我喺|系喺|是在|在|喺|位于|系|是|改成|改为|不对|不是|应该|，|,|：|:|\s)+"
)
_TRAILS = re.compile(
    r"(?:那里|那边|嗰度|嗰边|这里|呢度|这边|呢边|啦|啊|呀|吧|咯|喇|㗎|嘅|的|谢谢|唔该|，|,|。|！|!|\.|\s)+$"
)
_UNKNOWN = re.compile(
    r"(不|唔)(知道?|清楚|记得|好讲|好说)|说不清|讲唔清|(没有|冇)(具体)?(的)?(地点|地址|位置|地方)|忘(记|咗)?了?$"
)


def find_place(text: str, catalogue: Catalogue) -> PlaceReading:
    """The place ``text`` tells of, if it does."""
    said = simplified(text)
    if ask := next((a.ask for a in catalogue.ambiguous_places if a.word in said), ""):
        return PlaceReading(ask=ask)
    town, spans = find_town(said, catalogue)
    if town is None and (outside := find_outside(said)):
        return PlaceReading(outside=outside)
    phrase = _phrase(without_times(said), [said[a:b] for a, b in spans])
    bare = phrase
    for a, b in spans:
        bare = bare.replace(said[a:b], "")
    bare = re.sub(r"佛山市?|南海区?|广东省?|^(?:镇|街道)|[的嘅\s]", "", bare)
    return PlaceReading(place=phrase, town=town, precise=len(bare) >= 2)


def place_answer(text: str, catalogue: Catalogue) -> PlaceReading:
    """The place where nothing but a place was asked for: the whole answer, tidied."""
    found = find_place(text, catalogue)
    if found.ask or found.outside:
        return found
    said = _TRAILS.sub("", _LEADS.sub("", simplified(without_times(text)))).strip("，, 。")
    town = found.town or _misheard(said, catalogue)
    if found.precise and (len(said) > 24 or len(said) - len(found.place) > 8):
        return PlaceReading(found.place, town, True)  # a story around it
    bare = re.sub(r"佛山市?|南海区?|广东省?|[镇街道区]$", "", said)
    is_town = catalogue.town_named(said) is not None or catalogue.town_named(bare) is not None
    return PlaceReading(said, town, bool(bare) and not is_town)


_LOOKS_LIKE_A_PLACE = re.compile(
    rf"^(?:就)?(?:在|喺|位于|住|系喺|是在)|(?:{_END})(?:的|嘅)?(?:那里|那边|嗰边|嗰度|里面|这里)?$|{_TAIL}$|(?:那条|嗰条|那个|嗰个|那间|嗰间|那家)"
)


def looks_like_a_place(text: str, catalogue: Catalogue) -> bool:
    """Whether an answer to where tells of a place, and not of what happened."""
    said = _TRAILS.sub("", simplified(text)).strip("，, 。")
    found = find_place(text, catalogue)
    return bool(
        found.place or found.outside or found.ask or _misheard(said, catalogue) or _LOOKS_LIKE_A_PLACE.search(said)
    )


def is_unknown(text: str) -> bool:
    """「不知道」「没有具体地点」."""
    return bool(_UNKNOWN.search(simplified(text)))


def find_town(said: str, catalogue: Catalogue) -> tuple[str | None, list[tuple[int, int]]]:
    """The town that is named first, and where its names stand in ``said``."""
    names = _town_names(tuple(sorted((n, t.name) for t in catalogue.towns.values() for n in t.names)))
    pattern, owner = names
    found = list(pattern.finditer(said))
    if not found:
        return None, []
    # The full name beats an old place name of another town (「狮山镇金沙路」).
    best = max(found, key=lambda m: (m.group().endswith(("镇", "街道")), -m.start()))
    return owner[best.group()], [m.span() for m in found]


@cache
def _town_names(pairs: tuple[tuple[str, str], ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    owner = dict(pairs)
    words = sorted(owner, key=len, reverse=True)
    # 金沙洲 is no 金沙, 九江大桥 is in 九江; a road called after a town lies anywhere (「和顺路」).
    pattern = "|".join(re.escape(w) + ("(?!洲|江)" if w == "金沙" else "") + "(?!路(?!口)|大道)" for w in words)
    return re.compile(pattern), owner


def find_outside(said: str) -> Neighbour | None:
    for neighbour in _neighbours():
        if any(re.search(re.escape(w) + _NOT_A_PLACE_AFTER, said) for w in neighbour.words):
            return neighbour
    return None


def neighbour_named(name: str) -> Neighbour | None:
    return next((n for n in _neighbours() if n.name == name), None)


@cache
def _neighbours() -> tuple[Neighbour, ...]:
    rows = yaml.safe_load(_NEIGHBOURS_FILE.read_text(encoding="utf-8"))["neighbours"]
    return tuple(Neighbour.model_validate(row) for row in rows)


def _misheard(said: str, catalogue: Catalogue) -> str | None:
    town = catalogue.town_named(said) or catalogue.town_named(re.sub(r"[镇街道区]+$", "", said))
    return town.name if town else None


def _phrase(said: str, towns: list[str]) -> str:
    """The longest run that names a place: towns and what follows them, or a street, estate, village."""
    best = ""
    said = _LEAD_WORDS.sub("，", said)
    for clause in re.split(r"[，,。！!？?；;\s]+", said):
        start = min((clause.find(t) for t in towns if t in clause), default=-1)
        if start >= 0:
            lead = re.search(r"(?:广东省?)?(?:佛山市?)?(?:南海区?)?$", clause[:start])
            candidate = _from_town(clause[lead.start() if lead else start :], towns)
        else:
            candidate = _street(clause)
        if len(candidate) > len(best):
            best = candidate
    return best.strip("的嘅、和与")


def _from_town(clause: str, towns: list[str]) -> str:
    head = re.match(
        rf"(?:广东省?|佛山市|南海区|(?:佛山|南海)(?!大道|路)|{'|'.join(map(re.escape, sorted(set(towns), key=len, reverse=True)))}|镇|街道|的|嘅)+",
        clause,
    )
    if head is None:
        return ""
    if rest := _CALLED_AFTER.match(clause, head.end()):
        return clause[: rest.end()]
    if rest := _CHAIN.match(clause, head.end()):
        return clause[: rest.end()]
    tail = re.compile(rf"(?:的|嘅)?{_TAIL}+").match(clause, head.end())
    return clause[: tail.end()] if tail and _STREET_NUMBER.search(tail.group()) else head.group()


def _street(clause: str) -> str:
    for found in _CHAIN.finditer(clause):
        if len(found["name"]) >= 2 and not _GENERIC.match(found["name"]):
            return found.group()
    return ""


def simplified(text: str) -> str:
    """``text`` in simplified script; Cantonese 嗰 has a simplified form that nobody writes."""
    return str(_TO_SIMPLIFIED.convert(text)).replace("𠮶", "嗰")
