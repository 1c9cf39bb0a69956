"""派单建议: which department, by category and town, and why. A person or a sure proposal decides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from hotline.work_order_record import Proposal, RequestCategory, WorkOrderRecord
from hotline.work_orders import CALL_BACK

# 「镇街城建办」 is each town's own; 「交通部门」 or 「供水企业」 names nobody in particular.
_OF_A_TOWN = re.compile(r"^镇街(?P<office>.*(?:办公室|城建办|劳动监察|执法办))$")
_ONE_OFFICE = re.compile(r"(?:局|分局|交警|办公室|委员会|中心)$")


def propose(record: WorkOrderRecord, categories: Mapping[str, RequestCategory], words: Sequence[str] = ()) -> Proposal:
    """``words``: those of the request that told the category, for the reason."""
    category = categories.get(record.category or "")
    if category is None:
        return _without_category(record)
    told = f"「{'、'.join(words)}」说的是" if words else "诉求类别是"
    because = f"{told}「{category.name}」"
    if not category.department:
        return Proposal(reason=f"{because}，职责表里没有写明主办部门，请人工派单。")
    offices = [_office(unit, record.town) for unit in category.department.split("、")]
    known = [office for office in offices if office]
    lead = known[0] if known else None
    if lead is None:
        missing = "还不知道在哪个镇街" if "镇街" in category.department and not record.town else "没有指明是哪一个单位"
        return Proposal(reason=f"{because}，职责表写的是「{category.department}」，{missing}，请人工派单。")
    where = f"，地点在{record.town}" if record.town else ""
    reason = f"{because}{where}；按职责表（{category.department}），由{lead}主办。"
    sure = offices[0] == lead
    if not sure:
        reason += f"第一主办「{category.department.split('、')[0]}」还不能确定，请核对。"
    return Proposal(department=lead, assisting=[each for each in known[1:] if each != lead], reason=reason, sure=sure)


def _without_category(record: WorkOrderRecord) -> Proposal:
    if record.draft.category == CALL_BACK:
        return Proposal(reason="市民要回电，由热线坐席回电后直接答复，不用派单。")
    if record.draft.department:
        return Proposal(
            department=record.draft.department,
            reason=f"没有读出诉求类别；市民说的事项由{record.draft.department}主管，请核对后派单。",
        )
    return Proposal(reason="没有读出诉求类别，请人工派单。")


def _office(unit: str, town: str | None) -> str | None:
    """The one office that ``unit`` of the table of duties means, if it means one."""
    if of_a_town := _OF_A_TOWN.match(unit):
        return f"{town}{of_a_town['office']}" if town else None
    return unit if _ONE_OFFICE.search(unit) else None


def offices(categories: Iterable[RequestCategory], towns: Sequence[str]) -> list[str]:
    """Every office that the table of duties names, those of the towns by each town's name; to choose from."""
    units = [unit for category in categories for unit in (category.department or "").split("、")]
    found = [office for unit in units for town in (*towns, None) if (office := _office(unit, town))]
    return sorted(dict.fromkeys(found))


def by_key(categories: Iterable[RequestCategory]) -> dict[str, RequestCategory]:
    return {category.key: category for category in categories}
