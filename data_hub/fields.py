"""The one place that knows the hub's field names.

Names follow the national exchange tables (``up_task_general_basic`` for services, ``up_pro_*``
for cases). What those tables lack (key, area, aliases, and above all ``facts`` with source,
day, confidence and region) travels beside them under names of our own. A district whose hub
uses other names changes this file and nothing else.

``parse_*`` turns a hub's answer into the kernel's types and raises HubDownError for anything
that is not one: the line never speaks from half an answer. (Longer than other modules, so that
this stays one table in one place.)
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hotline.cases import Case, CaseState, CaseStep, DataCheck, Verification, VerificationStatus
from hotline.catalogue import Confidence, Contact, Element, Fact, RegionScope, ServiceHall, ServiceItem
from hotline.errors import HubDownError
from hotline.messages import Aspect

log = logging.getLogger(__name__)
T = TypeVar("T")

IDENTITY_HEADER = "x-identity-token"

STATUS_NAMES: dict[CaseState, str] = {
    CaseState.DRAFT: "暂存",
    CaseState.PRE_REVIEW: "待预审",
    CaseState.PRE_REVIEW_RETURNED: "预审退回",
    CaseState.RECEIVED: "已收件",
    CaseState.ACCEPTED: "已受理",
    CaseState.CORRECTION_REQUIRED: "补正中",
    CaseState.IN_REVIEW: "审核中",
    CaseState.SPECIAL_PROCEDURE: "特别程序",
    CaseState.COMPLETED: "已办结（准予）",
    CaseState.COMPLETED_REFUSED: "已办结（不予）",
    CaseState.READY_FOR_PICKUP: "待取件",
    CaseState.MAILED: "已邮寄",
    CaseState.NOT_ACCEPTED: "不予受理",
    CaseState.WITHDRAWN: "已撤回",
    CaseState.TERMINATED: "已终止",
}
_STATES = {name: state for state, name in STATUS_NAMES.items()}

EVENT_PASSED, EVENT_RETURNED, EVENT_OTHER = 1, 2, 3  # eventName: 1 通过, 2 退回, 3 其他

_LEVELS = {
    1: RegionScope.NATION,
    2: RegionScope.PROVINCE,
    3: RegionScope.CITY,
    4: RegionScope.DISTRICT,
    5: RegionScope.TOWN,
    6: RegionScope.TOWN,
}


class HubModel(BaseModel):
    """A shape on the wire: made and read by the hub's names, extra fields ignored.

    The first words of a shape's docstring, up to the full stop, are its title in the OpenAPI file.
    """

    model_config = ConfigDict(
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        model_title_generator=lambda shape: (shape.__doc__ or shape.__name__).split(".")[0],
    )


class HubServiceItem(HubModel):
    """事项. ``facts`` maps an aspect to its facts; the optional national texts fill its gaps."""

    task_name: str = Field(alias="taskName", title="事项名称")
    task_code: str = Field(alias="taskCode", title="实施编码")
    catalog_code: str | None = Field(None, alias="catalogCode", title="基本编码（12 位）")
    dept_name: str = Field(alias="deptName", title="实施主体")
    task_version: str = Field(alias="taskVersion", title="事项版本")
    plan_cancel_date: date | None = Field(None, alias="planCancelDate", title="计划取消日期")
    key: str = Field(title="热线短编码")
    synthetic: bool = Field(title="实施编码是否仿真")
    area: str = Field(title="业务领域")
    aliases: list[str] = Field(default_factory=list, title="日常用语")
    questions: list[str] = Field(default_factory=list, title="常见问法")
    contact: Contact | None = Field(None, title="咨询电话")
    summary: str = Field(title="一句话说明")
    tone: str = Field("plain", title="语气")
    related: list[str] = Field(default_factory=list, title="相关事项")
    facts: dict[Aspect, list[Fact]] = Field(default_factory=dict, title="事实（含来源、日期、可信度、适用范围）")
    elements: dict[Element, list[Fact]] = Field(default_factory=dict, title="办理结果、设定依据、办理形式")
    use_level: int | None = Field(None, alias="useLevel", ge=1, le=6, title="行使层级")
    accept_condition: str | None = Field(None, alias="acceptCondition", title="受理条件")
    handle_flow: str | None = Field(None, alias="handleFlow", title="办理流程")
    promise_day: int | None = Field(None, alias="promiseDay", ge=0, title="承诺时限")
    promise_type: str | None = Field(None, alias="promiseType", title="承诺时限单位（工作日或自然日）")
    transact_addr: str | None = Field(None, alias="transactAddr", title="办理地点")
    transact_time: str | None = Field(None, alias="transactTime", title="办理时间")
    link_way: str | None = Field(None, alias="linkWay", title="咨询方式")
    cd_time: str | None = Field(None, alias="cdTime", title="同步时间")


class HubServiceHall(HubModel):
    """大厅."""

    hall_code: str = Field(alias="hallCode", title="大厅编码")
    town_name: str = Field(alias="townName", title="镇街")
    hall_name: str = Field(alias="hallName", title="大厅名称")
    transact_addr: str = Field(alias="transactAddr", title="地址")
    link_way: str = Field(alias="linkWay", title="电话")
    transact_time: str = Field(alias="transactTime", title="办公时间")
    synthetic: bool = Field(title="是否仿真数据")
    source: str = Field(title="来源")


class HubStep(HubModel):
    """环节. One that is not passed yet has a start and no end."""

    process_name: str = Field(alias="processName", min_length=1, max_length=50, title="环节")
    event_name: int = Field(alias="eventName", ge=1, le=3, title="动作：1 通过、2 退回、3 其他")
    event_start_time: date | None = Field(None, alias="eventStartTime", title="开始日期")
    event_end_time: date | None = Field(None, alias="eventEndTime", title="结束日期")


class HubCheck(HubModel):
    """部门数据比对. ``matched`` is missing while a department has not compared yet."""

    dept_name: str = Field(alias="deptName", min_length=1, max_length=50, title="比对的部门")
    subject: str = Field(min_length=1, max_length=30, title="比对的内容")
    matched: bool | None = Field(None, title="是否比中")
    advice: str = Field("", max_length=200, title="没比中时怎么办")


class HubCaseFields(HubModel):
    """办件内容. What a case holds whichever way it travels."""

    task_name: str = Field("", alias="taskName", max_length=200, title="事项名称")
    status: CaseState = Field(title="办件状态", description="、".join(STATUS_NAMES.values()))
    current_step: str = Field("", alias="currentStep", max_length=50, title="当前环节")
    todo: str = Field("", max_length=200, title="还要申请人做什么")
    apply_date: date | None = Field(None, alias="applyDate", title="申请日期")
    accept_date: date | None = Field(None, alias="acceptDate", title="受理日期")
    promise_date: date | None = Field(None, alias="promiseDate", title="承诺办结日期")
    result_date: date | None = Field(None, alias="resultDate", title="办结日期")
    steps: list[HubStep] = Field(default_factory=list, max_length=50, title="办理环节")
    checks: list[HubCheck] = Field(default_factory=list, max_length=20, title="部门数据比对（无纸化入学）")
    synthetic: bool = Field(False, title="是否仿真数据")

    @field_validator("status", mode="before")
    @classmethod
    def _read_status(cls, value: object) -> object:
        return _STATES.get(value, value) if isinstance(value, str) else value


class HubCase(HubCaseFields):
    """办件, as its own applicant may see it."""

    project_no: str = Field(alias="projectNo", min_length=1, title="办件编号")
    query_code: str = Field(alias="queryCode", min_length=1, title="查询码")
    task_name: str = Field(alias="taskName", min_length=1, title="事项名称")
    applyer_name: str = Field(alias="applyerName", title="申请人（已隐去）")
    item_key: str | None = Field(None, alias="itemKey", title="热线短编码")
    version: str = Field("", title="记录版本")


class HubVerification(HubModel):
    """身份核对的结果."""

    verification_id: str = Field(alias="verificationId", min_length=1, title="核对编号")
    status: VerificationStatus = Field(title="结果")
    missing: list[str] = Field(default_factory=list, title="还缺的核对信息")
    attempts_left: int = Field(alias="attemptsLeft", ge=0, title="剩余次数")


def dump(shape: HubModel) -> dict[str, Any]:
    """``shape`` as JSON-ready data under the hub's names."""
    data = shape.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(shape, HubCaseFields):
        data["status"] = STATUS_NAMES[shape.status]
    return data


def parsed(reader: Callable[[Any], T], data: object) -> T:
    """``reader(data)``. Raises HubDownError where ``data`` is not what it should be."""
    try:
        return reader(data)
    except ValidationError as error:
        # Field names only: a hub's answer may hold personal data.
        places = sorted({".".join(map(str, e["loc"])) for e in error.errors()})
        log.warning("the hub's answer cannot be read: %s", ", ".join(places))
        raise HubDownError from None


def item_to_hub(item: ServiceItem) -> dict[str, Any]:
    return dump(
        HubServiceItem(
            task_name=item.name,
            task_code=item.code,
            catalog_code=item.catalog_code,
            dept_name=item.department,
            task_version=item.version,
            plan_cancel_date=item.valid_to,
            synthetic=item.synthetic_code,
            **{name: getattr(item, name) for name in _SAME_NAME},
        )
    )


_SAME_NAME = ("key", "area", "aliases", "questions", "contact", "summary", "tone", "related", "facts", "elements")


def parse_item(data: object) -> ServiceItem:
    """One service. Raises HubDownError."""
    return parsed(_item, data)


def _item(data: object) -> ServiceItem:
    hub = HubServiceItem.model_validate(data)
    return ServiceItem.model_validate(
        {
            **{name: getattr(hub, name) for name in _SAME_NAME},
            "name": hub.task_name,
            "code": hub.task_code,
            "catalog_code": hub.catalog_code,
            "department": hub.dept_name,
            "version": hub.task_version,
            "valid_to": hub.plan_cancel_date,
            "synthetic_code": hub.synthetic,
            "contact": hub.contact or _contact(hub),
            "facts": {**_national_facts(hub), **hub.facts},
        }
    )


def _contact(hub: HubServiceItem) -> Contact | None:
    number = re.search(r"\d[\d-]{2,}", hub.link_way or "")
    return Contact(number=number.group(), name=hub.dept_name) if number else None


def _national_facts(hub: HubServiceItem) -> dict[Aspect, list[Fact]]:
    """Facts out of the plain national fields, for a hub that has no ``facts``.

    A fact needs its day and its reach to be spoken: without ``cdTime`` or ``useLevel`` the
    fields are left alone, and the line says that it doesn't know.
    """
    try:
        as_of = date.fromisoformat((hub.cd_time or "")[:10])
    except ValueError:
        return {}
    if hub.use_level is None:
        return {}
    texts = {
        Aspect.CONDITIONS: hub.accept_condition,
        Aspect.STEPS: hub.handle_flow,
        Aspect.WHERE: hub.transact_addr,
        Aspect.WHEN_OPEN: hub.transact_time,
        Aspect.PHONE: hub.link_way,
    }
    if hub.promise_day is not None and hub.promise_type in {"工作日", "自然日"}:  # codes differ by vendor
        texts[Aspect.TIME_LIMIT] = f"承诺时限为 {hub.promise_day} 个{hub.promise_type}"
    return {
        aspect: [
            Fact(
                text=text.strip(),
                source=f"数据中台（{hub.dept_name}）",
                as_of=as_of,
                confidence=Confidence.SOURCED,
                region_scope=_LEVELS[hub.use_level],
                valid_to=hub.plan_cancel_date,
            )
        ]
        for aspect, text in texts.items()
        if text and text.strip()
    }


def hall_to_hub(hall: ServiceHall) -> dict[str, Any]:
    return dump(
        HubServiceHall(
            hall_code=hall.code,
            town_name=hall.town,
            hall_name=hall.name,
            transact_addr=hall.address,
            link_way=hall.phone,
            transact_time=hall.opening_hours,
            synthetic=hall.synthetic,
            source=hall.source,
        )
    )


def parse_hall(data: object) -> ServiceHall:
    """One hall. Raises HubDownError."""
    hub = parsed(HubServiceHall.model_validate, data)
    return ServiceHall(
        code=hub.hall_code,
        town=hub.town_name,
        name=hub.hall_name,
        address=hub.transact_addr,
        phone=hub.link_way,
        opening_hours=hub.transact_time,
        synthetic=hub.synthetic,
        source=hub.source,
    )


def step_to_hub(step: CaseStep) -> HubStep:
    if step.done:
        return HubStep(process_name=step.name, event_name=EVENT_PASSED, event_end_time=step.at)
    return HubStep(process_name=step.name, event_name=EVENT_OTHER, event_start_time=step.at)


def case_to_hub(case: Case) -> dict[str, Any]:
    return dump(
        HubCase(
            project_no=case.case_number,
            query_code=case.query_code,
            task_name=case.item_name,
            item_key=case.item_key,
            applyer_name=case.applicant_masked,
            status=case.state,
            current_step=case.current_step,
            todo=case.todo,
            apply_date=case.applied_on,
            accept_date=case.accepted_on,
            promise_date=case.promised_on,
            result_date=case.completed_on,
            steps=[step_to_hub(step) for step in case.steps],
            checks=[
                HubCheck(dept_name=c.department, subject=c.subject, matched=c.matched, advice=c.advice)
                for c in case.checks
            ],
            synthetic=case.synthetic,
            version=case.version,
        )
    )


def parse_case(data: object) -> Case:
    """One case. Raises HubDownError."""
    hub = parsed(HubCase.model_validate, data)
    return Case(
        case_number=hub.project_no,
        query_code=hub.query_code,
        item_key=hub.item_key,
        item_name=hub.task_name,
        applicant_masked=hub.applyer_name,
        state=hub.status,
        current_step=hub.current_step,
        todo=hub.todo,
        applied_on=hub.apply_date,
        accepted_on=hub.accept_date,
        promised_on=hub.promise_date,
        completed_on=hub.result_date,
        steps=[
            CaseStep(
                name=step.process_name,
                at=step.event_end_time or step.event_start_time,
                done=step.event_name == EVENT_PASSED,
            )
            for step in hub.steps
        ],
        checks=[
            DataCheck(department=c.dept_name, subject=c.subject, matched=c.matched, advice=c.advice) for c in hub.checks
        ],
        synthetic=hub.synthetic,
        version=hub.version,
    )


def verification_to_hub(verification: Verification) -> dict[str, Any]:
    return dump(HubVerification.model_validate(verification.model_dump()))


def parse_verification(data: object) -> Verification:
    """The hub's word on a proof. Raises HubDownError."""
    hub = parsed(HubVerification.model_validate, data)
    return Verification(
        verification_id=hub.verification_id,
        status=hub.status,
        missing=hub.missing,
        attempts_left=hub.attempts_left,
    )
