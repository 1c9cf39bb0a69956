"""An appointment in the making: which hall, which day, which half of it, for whom."""

from __future__ import annotations

import re
import uuid
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, Field

from hotline.catalogue import ServiceHall
from hotline.numbers import Kind, read_numbers
from knowledge_base.catalogue import Catalogue
from knowledge_base.places import find_town, simplified

FORM = "appointment_form"
OUTCOME = "appointment_outcome"
DRAFT = "appointment_draft"
BOOKABLE_DAYS = 14
Period = Literal["上午", "下午"]
_MORNING = re.compile(r"上午|上昼|早上|朝早|早晨|今早|听朝|朝头早|(?<![一二])[八九十8９9]点|10点|11点|十一点")
_AFTERNOON = re.compile(r"下午|下昼|晏昼|下晏|(?:一|两|二|三|四|五|[1-5])点|1[3-7]点|十[三四五六七]点")
_ANY_PERIOD = re.compile(r"都(?:可以|行|得|好|没所谓|冇所谓)|随便|任何|无所谓|冇所谓|看哪个|边个都")
_WEEKDAYS = "一二三四五六日"


class AppointmentTalk(BaseModel):
    """``halls`` are the codes that were offered; ``asked`` and ``notice`` as in a request."""

    item_key: str | None = None
    town: str | None = None
    hall: str | None = None
    halls: list[str] = Field(default_factory=list)
    day: date | None = None
    period: Period | None = None
    name: str | None = None
    mobile: str | None = None
    digits: str = ""
    asked: str = ""
    notice: str = ""
    tried: list[str] = Field(default_factory=list)
    misread: int = 0
    fresh: bool = True
    key: str = Field(default_factory=lambda: uuid.uuid4().hex)
    number: str = ""

    def next_question(self) -> str:
        if not self.item_key and "item" not in self.tried:
            return "item"
        if not self.hall:
            return "hall"
        if not self.day:
            return "day"
        if not self.period:
            return "period"
        return "confirm" if self.mobile and self.name else "contact"

    def ask_next(self) -> None:
        self.asked = self.next_question()
        if self.asked == "item":
            self.tried.append("item")

    def take_hall(self, text: str, catalogue: Catalogue, place: int | None = None) -> bool:
        """A hall by its town, an old place name, its own name, or its place among those offered."""
        said = simplified(text)
        if place is not None and self.halls and place < len(self.halls):
            self.hall = self.halls[place]
            return True
        by_place = [h for h in catalogue.halls.values() if (inner := _inner(h)) and inner in said]
        if len(by_place) == 1:
            self._choose(by_place)
            return True
        if (
            re.search(r"区(?:行政|政务)?(?:服务)?(?:中心|大厅)|区里|南海区行政", said)
            and not find_town(said, catalogue)[0]
        ):
            self._choose([h for h in catalogue.halls.values() if h.town == "南海区"])
            return bool(self.hall)
        town = find_town(said, catalogue)[0] or (t.name if (t := catalogue.town_named(said)) else None)
        if town is None:
            if self.halls and re.search(r"本部|镇里|镇上|总的|主的|中心(?:本身|那个)|行政服务中心$", said):
                self.hall = self.halls[0]
                return True
            return False
        halls = catalogue.halls_of(town)
        old_name = next((n for n in catalogue.towns[town].names[2:] if n in said), None)
        at_old_name = [h for h in halls if old_name and _inner(h) == old_name]
        self.town = town
        if re.search(r"本部|镇行政服务中心$|(?:的|嘅)?(?:办事|服务|政务|行政服务)?(?:大厅|中心)", said):
            halls = [h for h in halls if not _inner(h)] or halls
        self._choose(at_old_name or halls)
        return True

    def _choose(self, halls: list[ServiceHall]) -> None:
        self.halls = [h.code for h in halls]
        self.hall = halls[0].code if len(halls) == 1 else None
        if halls:
            self.town = halls[0].town

    def take_day(self, text: str, today: date) -> bool:
        """The day in ``text``; one that cannot be booked is told of (``notice``)."""
        said = re.sub(r"听日|听朝", "明天", simplified(text)).replace("后日", "后天")
        found = [
            n for n in read_numbers(said, today, Kind.DATE if self.asked == "day" else None) if n.kind is Kind.DATE
        ]
        if not found:
            return False
        chosen = next((n for n in found if n.valid), None)
        if chosen is None:
            self.notice = "appointment_which_day"
            return True
        day = date.fromisoformat(chosen.value)
        if not today < day <= today + timedelta(days=BOOKABLE_DAYS):
            self.notice = "appointment_day_range"
            return True
        self.day = day
        return True

    def take_period(self, text: str) -> bool:
        said = simplified(text)
        morning, afternoon = bool(_MORNING.search(said)), bool(_AFTERNOON.search(said))
        if re.search(r"下午|下昼|晏昼", said):
            morning = bool(re.search(r"上午|上昼|早上|朝早", said))
        if morning == afternoon:
            return False
        self.period = "上午" if morning else "下午"
        return True


def any_period(text: str) -> bool:
    return bool(_ANY_PERIOD.search(simplified(text)))


def day_words(day: date) -> str:
    """「11月25日（星期三）」."""
    return f"{day.month}月{day.day}日（星期{_WEEKDAYS[day.weekday()]}）"


def _inner(hall: ServiceHall) -> str:
    found = re.search(r"（(.+)）", hall.name)
    return found.group(1) if found else ""
