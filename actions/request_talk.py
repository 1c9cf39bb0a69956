"""A request in the making: what has been told of it, and what to ask next."""

from __future__ import annotations

import re
import uuid

from pydantic import BaseModel, Field

from actions.said import Contact, find_contact, means_yes
from hotline.numbers import Kind, hear
from hotline.work_orders import CALL_BACK as CALL_BACK
from hotline.work_orders import RequestType, Urgency, WorkOrderDraft
from knowledge_base.catalogue import Catalogue
from knowledge_base.places import (
    PlaceReading,
    find_outside,
    find_place,
    find_town,
    is_unknown,
    looks_like_a_place,
    place_answer,
    simplified,
)
from knowledge_base.times import find_when, without_times
from knowledge_base.triage import tells_a_nuisance

FORM = "request_form"
OUTCOME = "request_outcome"
DRAFT = "request_draft"
NOT_TOLD = "（没有说明）"
FIELDS = ("happened", "place", "when", "contact")

_BARE = re.compile(
    r"(?:你好|您好|喂|请问|唔该|麻烦|我|我们|想|要|来|係|系|是|帮我|帮忙|可以|能不能|可不可以|打电话|打嚟|嚟|登记|做|提|报|向|你们|你哋|政府|一个|个|一下|下|一件|件|呢度|这里|再|还|有|"
    r"投诉|举报|反映|建议|表扬|求助|情况|问题|事情|件事|事|意见|的|嘅|啊|呀|吗|了|，|,|。|！|!|\s|继续|刚才|头先|那个|嗰个|接着|办|填|单|工单|这是|反应|诉求|些|啲|人|匿名|让|叫|打给我|打俾我"
    r"|打返俾我|打返嚟|回电话?|回个电话|给我|俾我|联系|覆|电话|留|号码|等等|等阵|等|先|但是|不过|不知道|唔知|能不能|得唔得|可唔可以|好|那就|那|就|咁|既然|这样|噉|对|工作人员|安排|约|预约|申请|服务|吧|啦)*"
)
_CONTACT_WORDS = re.compile(
    r"[，,。]?(?:我(?:的|嘅)?)?(?:手机|电话|联系(?:方式|电话)?|号码)(?:号码|号)?(?:是|系|係|：|:)?\s*(?:\+?86)?[0-9０-９一二三四五六七八九零〇幺洞\s\-]{7,}|(?:\+?86)?1[\d\s\-]{10,14}"
    r"|[，,。]?(?:我叫|我姓|姓名[是：:]?|联系人[是：:]?)[\u4e00-\u9fff]{1,4}(?=[，,。\s]|$)"
)
_FIELD_WORDS = {
    "when": re.compile(r"时间|几时|日期|时候|哪天"),
    "place": re.compile(r"地点|地址|位置|地方|边度|镇街|在哪"),
    "contact": re.compile(r"电话|手机|号码|联系方式|联系人|名字|姓名|称呼"),
    "happened": re.compile(r"内容|事情|情况|经过|描述|说法|原因"),
    "type": re.compile(r"类型|(?:改成|改为|算|不是)(?:投诉|举报|建议|表扬|求助)"),
}
_VALUE = re.compile(r"(?:改成|改为|改做|改到|换成|换做|应该是|应该系|其实是|其实系|而是)(?P<value>.+)$")
_IS = re.compile(r"(?:(?<![不唔都还])(?:是|系|係)|[：:])(?P<value>[^是系係]+)$")
_NOT_BUT = re.compile(r"(?:不是|唔系|唔係)(?P<wrong>[^，,。]{1,20})[，,。 ]*(?:而?是|系|係|应该是)(?P<right>.+)$")
_CORRECTS = re.compile(
    r"^(?:不对|不是|唔系|唔啱|唔对|错了?|错咗|说错|讲错|更正|改|等等|等一下|我说错|我讲错|刚才说错)"
    r"|(?:时间|地点|地址|位置|电话|手机|号码|内容|名字|姓名).{0,6}(?:不对|唔啱|唔对|错|有误|改|要改|应该|搞错|弄错)|改(?:一下|下|成|为|个|做)"
)
# 「我要投诉」 around what happened is its type, not its matter.
_FRAME = re.compile(
    r"^(?:你好|您好|喂)?[，, ]*(?:我(?:哋|们)?)?(?:想|要|要来)(?:投诉|投訴|举报|舉報|反映)(?:一下|下|一个问题|一件事|个问题)?[啊呀吧啦]*[，,：: ]+|[，,。；; ]+(?:我(?:哋|们)?)?(?:想|要)(?:投诉|投訴|举报|舉報|反映)(?:一下|下)?[。！!]?$"
)
_GREETING = re.compile(r"^(?:喂|你好|您好|唔该|请问|那个|呃|嗯|啊|[，, ])+")
_ABOUT_ONLY = re.compile(
    r"(?:我(?:要|想)?(?:投诉|举报|反映)?(?:一下|下)?)?(?:一家|一间|一个|一位|某家|某个|我们|我哋|你们|你哋|我家|楼下|楼上|隔壁|附近|这家|呢间|的|嘅|小区|公司|村|街道|镇){0,4}"
    r"(?:物业(?:公司)?|餐厅|饭店|酒楼|商家|店家?|公司|工厂|厂|学校|医院|幼儿园|超市|药店|健身房|培训机构|中介|房东|老板|邻居|司机|老师|医生|工作人员|部门|窗口|村委会?|居委会?|快递|外卖|银行|开发商|公交车|网约车|出租车|人|事)"
)
_ANONYMOUS = re.compile(r"^(?:我)?(?:要|想)?匿名(?:举报|登记|投诉|反映)?(?:吧|啦|的|就行)?$")
_ADDS = re.compile(
    r"^(?:补充|再补充|我?(?:还|仲)(?:要|想)?(?:补充|说|加)|另外(?:再)?|还有就是|还有|仲有|加一句|再加)(?:一下|一点|一句|一样)?[，,：: ]*"
)
_TELLS = 4
_A_STORY = 14  # characters
_AROUND_A_TIME = re.compile(
    r"^(?:[，, ]|就是|就|大概|从|由|都|是|系|係)+|(?:[，, ]|开始|左右|的事|那时候|嗰阵|吧|啦|了|的|嘅|咯)+$"
)
_ANSWER_ONLY = re.compile(r"^(?:是的?|对的?|好的?|嗯+|系|得|可以|不是|不对|没有|冇|唔系|不知道)$")


class RequestTalk(BaseModel):
    """``asked``: what the last question asked for; ``notice``: what to say before the next one.

    ``about`` is whom a complaint is about, where nothing else was said yet (「我要投诉物业」).
    ``tried`` holds the questions that are asked once and not insisted on; ``incident`` the known
    incident that was told.
    """

    kind: str = "request"
    type: RequestType = RequestType.COMPLAINT
    type_said: bool = False
    about: str = ""
    happened: str = ""
    place: str = ""
    town: str | None = None
    precise: bool = False
    when: str = ""
    mobile: str | None = None
    name: str | None = None
    digits: str = ""
    anonymous: bool = False
    service_key: str | None = None
    candidates: list[str] = Field(default_factory=list)
    category: str | None = None
    department: str | None = None
    urgency: Urgency = Urgency.NORMAL
    asked: str = ""
    notice: str = ""
    detail: str = ""
    tried: list[str] = Field(default_factory=list)
    misread: int = 0
    fresh: bool = True
    incident: int = 0
    key: str = Field(default_factory=lambda: uuid.uuid4().hex)
    number: str = ""

    # ------------------------------------------------------------------ what is still to ask

    def next_question(self) -> str:
        """The name of the next question; ``confirm`` where nothing is missing."""
        if self.kind == CALL_BACK:
            order = (("contact", self.mobile), ("when", self.when), ("happened", self.happened))
            return next((name for name, value in order if not value), "confirm")
        if not self.happened:
            return "happened"
        if question := self._place_question():
            return question
        if not self.when and self.type not in (RequestType.SUGGESTION, RequestType.PRAISE):
            return "when"
        if not self.mobile and not self.anonymous:
            return "contact"
        return "confirm"

    def _place_question(self) -> str:
        if self.detail and "which_place" not in self.tried:
            return "which_place"
        if not self.place:
            return "place"
        if self.place == NOT_TOLD:
            return ""
        if self.town is None and "town" not in self.tried:
            return "town"
        return "place_detail" if not self.precise and "place_detail" not in self.tried else ""

    def ask_next(self) -> None:
        self.asked = self.next_question()
        if self.asked in ("town", "place_detail", "which_place"):
            self.tried.append(self.asked)

    # ------------------------------------------------------------------ what was told

    def tell(self, text: str, catalogue: Catalogue) -> None:
        """Takes everything an opening sentence holds."""
        self.tell_matter(text)
        self.absorb(text, catalogue, asked="")

    def tell_matter(self, text: str) -> bool:
        """What happened; False where ``text`` names nothing, or only whom it is about."""
        matter = matter_of(text)
        if matter and not self.about and _ABOUT_ONLY.fullmatch(simplified(matter)):
            self.about = matter
            return False
        if matter:
            self.happened = f"{self.about}：{matter}" if self.about and self.about not in matter else matter
        return bool(matter)

    def absorb(self, text: str, catalogue: Catalogue, asked: str) -> bool:
        """Fills what is still open with what ``text`` tells beside the answer; True where it told anything."""
        before = self.model_dump()
        contact = find_contact(text, asked=asked == "contact")
        if contact.mobile:
            self.take_contact(contact)
        elif _ANONYMOUS.match(simplified(text).strip("，,。 ")):
            self.anonymous = True
        if when := find_when(simplified(text)):
            # Told again and told closer: 「成晚」, then 「十点几到两三点」.
            self.when = (self.when or when) if when in (self.when or when) else _both(self.when, when)
        if self.kind == "request":
            found = find_place(text, catalogue)
            if not self.place or not self.precise or (asked and found.precise and found.place not in self.place):
                self.take_place(found)
        return before != self.model_dump()

    def take_place(self, reading: PlaceReading) -> None:
        """A better place than the one known, or the question it raises."""
        if reading.ask:
            self.detail = reading.ask
        elif reading.outside:
            self.notice, self.detail = "outside", reading.outside.name
        elif reading.place:
            self.place = _joined(self.place, reading.place)
            self.town = reading.town or self.town
            self.precise = self.precise or reading.precise

    def take_contact(self, contact: Contact) -> None:
        self.mobile = contact.mobile or self.mobile
        self.name = contact.name or self.name
        if contact.mobile:
            self.anonymous, self.digits = False, ""

    def answer_place(self, text: str, catalogue: Catalogue, *, complains: bool = False) -> bool:
        """The answer to where; False where it holds none. ``complains``: it sounds like a complaint."""
        if is_unknown(text) or (self.asked == "place_detail" and means_yes(text)):
            self.place = self.place or NOT_TOLD
            return True
        said = simplified(text)
        if self._no_place(said, catalogue, complains and len(said) > 5):
            return True
        found = find_place(text, catalogue)
        if find_when(said) and not found.place and not found.outside and len(without_times(said).strip("，, ")) < 6:
            self._more_of_it(without_times(said))
            return self.absorb(text, catalogue, asked="place")
        reading = place_answer(text, catalogue)
        if self.asked == "town" and reading.town is None and not reading.outside and not reading.ask:
            return self.absorb(text, catalogue, asked="town") or len(said) <= 12
        if not (reading.place or reading.ask or reading.outside) or _ANSWER_ONLY.match(said.strip("。，, ")):
            return False
        if self.asked == "town" and reading.town:
            self.town = reading.town
            if reading.precise and reading.place != self.place:
                self.place = _joined(self.place, reading.place)
            return True
        if self.place == NOT_TOLD:
            self.place = ""
        self.take_place(reading)
        self.absorb(find_when(said), catalogue, asked="place")
        return True

    def _more_of_it(self, rest: str) -> None:
        """Keeps what is told beside a time (「去年还困过人」), if it tells anything."""
        rest = _AROUND_A_TIME.sub("", rest).strip("，,。 ")
        if len(rest) >= _TELLS and rest not in self.happened:
            self.happened = f"{self.happened}；{rest}".strip("；")

    def _no_place(self, said: str, catalogue: Catalogue, complains: bool) -> bool:
        """Takes an answer that tells more of what happened, or how it is to be filed, and no place."""
        if _ANONYMOUS.match(said.strip("，,。 ")):
            self.anonymous = True
            return True
        tells = tells_a_nuisance(said)
        at_length = tells and len(said) >= _A_STORY and not find_place(said, catalogue).place
        if (looks_like_a_place(said, catalogue) and not at_length) or not (complains or tells):
            return False
        matter = matter_of(said)
        if matter and matter not in self.happened:
            self.happened = f"{self.happened}；{matter}".strip("；")
        self.tried = [t for t in self.tried if t not in ("town", "place_detail")]
        return self.absorb(find_when(said), catalogue, asked="") or True

    def answer_which_place(self, text: str, catalogue: Catalogue, place: int | None) -> bool:
        """The answer to 「您说的是禅城区，还是南海区桂城街道」; ``place``: which of the two, where counted."""
        options = re.split(r"，?还是", self.detail.removeprefix("您说的是").rstrip("？?"))
        said = simplified(text)
        chosen = options[place] if place is not None and place < len(options) else ""
        if not chosen:
            chosen = next((o for o in options if any(w in said for w in _names(o))), "")
        if not chosen:
            chosen = said
        outside = find_outside(chosen) or (None if find_town(chosen, catalogue)[0] else find_outside(said))
        self.detail = ""
        if outside:
            self.notice, self.detail = "outside", outside.name
            return True
        town = find_town(chosen, catalogue)[0] or ("九江镇" if "九江镇" in chosen else None)
        if town is None and "江西" in chosen:
            self.notice, self.detail = "outside", "江西省九江市"
            return True
        if town:
            self.place, self.town = town, town
        return town is not None

    def add(self, text: str) -> bool:
        """「补充一下……」 at the end."""
        found = _ADDS.match(simplified(text))
        if not found:
            return False
        self.happened = f"{self.happened}；{text[found.end() :]}".strip("；")
        return True

    # ------------------------------------------------------------------ corrections

    def change(self, text: str, catalogue: Catalogue, *, asked: bool) -> str:
        """Corrects one field by what ``text`` says.

        Answers the field that is now corrected, ``?field`` where its new value is to be asked for,
        or nothing where ``text`` corrects nothing. ``asked``: a correction was invited.
        """
        said = simplified(text)
        if not asked and not _CORRECTS.search(said):
            return ""
        contact = find_contact(text, asked=False)
        if contact.mobile:
            self.take_contact(contact)
            return "contact"
        if self.mobile and _FIELD_WORDS["contact"].search(said):
            # 「电话最后四位错了，是五六七八」: that it was wrong is no part of the number.
            said_part = re.sub(r"错了?[，,]?|不对[，,]?|有误[，,]?|唔啱[，,]?|改成|改为|应该", "", text)
            corrected = hear(Kind.PHONE, said_part, hear(Kind.PHONE, self.mobile)).value
            if corrected and corrected != self.mobile:
                self.mobile = corrected
                return "contact"
        if both := _NOT_BUT.search(said):
            return self._replace(both["wrong"], both["right"], catalogue)
        field = next((name for name, words in _FIELD_WORDS.items() if words.search(said)), "")
        found = _VALUE.search(said) or _IS.search(said)
        value = found["value"].strip("，,。：:的啊呀 ") if found else ""
        if field:
            rest = _FIELD_WORDS[field].sub("", said)
            if not value and field == "when":
                value = find_when(rest)
            if not value and field == "place":
                value = find_place(rest, catalogue).place
            return self._set(field, value, catalogue) if value else f"?{field}"
        if value or asked:
            return self._by_kind(value or said, catalogue)
        return ""

    def _replace(self, wrong: str, right: str, catalogue: Catalogue) -> str:
        wrong, right = wrong.strip(), right.strip("，,。的啊呀 ")
        for field in ("when", "place", "happened"):
            if wrong and wrong in getattr(self, field):
                if field == "happened" and not (find_place(right, catalogue).place or find_when(right)):
                    self.happened = self.happened.replace(wrong, right)
                    return "happened"
                if field != "happened":
                    return self._set(field, right, catalogue)
        return self._by_kind(right, catalogue)

    def _by_kind(self, value: str, catalogue: Catalogue) -> str:
        reading = find_place(value, catalogue)
        when = find_when(value)
        if when and not reading.place:
            return self._set("when", value if len(value) <= len(when) + 4 else when, catalogue)
        if reading.place or reading.outside or reading.ask:
            return self._set("place", value, catalogue)
        return ""

    def _set(self, field: str, value: str, catalogue: Catalogue) -> str:
        if field == "when":
            self.when = value
        elif field == "happened":
            self.happened = value
        elif field == "type":
            named = {"举报": "report", "投诉": "complaint", "建议": "suggestion", "表扬": "praise", "求助": "help"}
            self.type = next((RequestType(v) for w, v in named.items() if w in value), self.type)
        elif field == "contact":
            contact = find_contact(value)
            self.take_contact(contact)
            return "contact" if contact.mobile or contact.name else "?contact"
        elif field == "place":
            self._set_place(place_answer(value, catalogue))
        return field

    def _set_place(self, reading: PlaceReading) -> None:
        kept = (self.place, self.town, self.precise)
        self.place, self.town, self.precise = "", None, False
        self.take_place(reading)
        if not self.place:
            self.place, self.town, self.precise = kept
        elif reading.town is None:
            self.town = kept[1]

    # ------------------------------------------------------------------ filing

    def order(self, channel: str) -> WorkOrderDraft:
        """What is filed. ``channel``: web, rest, voice."""
        happened = f"请回电：{self.happened}" if self.kind == CALL_BACK else self.happened
        return WorkOrderDraft(
            type=self.type,
            category=self.category,
            service_key=self.service_key,
            happened=happened[:1900],
            place="" if self.place == NOT_TOLD else self.place,
            town=self.town,
            when=self.when,
            department=self.department,
            urgency=self.urgency,
            anonymous=self.anonymous,
            contact_name=None if self.anonymous else self.name,
            contact_mobile=None if self.anonymous else self.mobile,
            channel=channel,
        )


def matter_of(text: str) -> str:
    """What a sentence says has happened, without the number to call; empty for a bare 「我要投诉」."""
    said = _GREETING.sub("", _CONTACT_WORDS.sub("", text)).strip("，,。 ")
    if _BARE.fullmatch(simplified(said)) or _ANSWER_ONLY.match(said):
        return ""
    return _FRAME.sub("", said).strip("，,。：: ") or said


def is_correction(text: str) -> bool:
    return bool(_CORRECTS.search(simplified(text)))


def _joined(known: str, said: str) -> str:
    """A place told in two turns, once."""
    if not known or known in said or known == NOT_TOLD:
        return said
    return known if said in known else f"{known}{said}"


def _both(known: str, said: str) -> str:
    return said if known in said else f"{known}，{said}"


def _names(option: str) -> list[str]:
    """What somebody may answer for 「南海区桂城街道」: 桂城, 南海."""
    words = re.findall(r"[\u4e00-\u9fff]{2,}?(?=省|市|区|镇|街道|$)", option)
    return [w.lstrip("省市区镇街道") for w in words if len(w.lstrip("省市区镇街道")) >= 2]
