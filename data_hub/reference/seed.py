"""Forty-one synthetic cases, so that the line can be tried without anybody's data.

Names, numbers and phones are made up; dates count from the day of seeding; every state of
``CaseState`` occurs. Those of ``DEMO_CASES`` are the ones the documentation shows.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from data_hub import fields
from data_hub.identity_rules import digests
from data_hub.memory import CaseRecord
from data_hub.reference.catalogue import write_catalogue
from data_hub.reference.store import CaseRow, MetaRow, Store
from hotline.cases import Case, CaseState, CaseStep, DataCheck
from hotline.catalogue import ServiceItem
from hotline.privacy import mask_name

__all__ = ["CASE_COUNT", "DEMO_CASES", "DemoCase", "seed_cases", "synthetic_cases", "write_catalogue"]

CASE_COUNT = 41


@dataclass(frozen=True)
class DemoCase:
    """A case anybody may try: the two proofs, and what the line should say of it."""

    query_code: str
    applicant: str
    id_last4: str
    state: CaseState
    item_key: str  # where the catalogue has it, else any other
    todo: str = ""


DEMO_CASES: tuple[DemoCase, ...] = (
    DemoCase("613482", "陈小明", "1234", CaseState.CORRECTION_REQUIRED, "JZ02", "补交租赁合同首页"),
    DemoCase("613490", "李丽华", "567X", CaseState.READY_FOR_PICKUP, "SB01", "领取办理结果"),
    DemoCase("613505", "黄志强", "2026", CaseState.IN_REVIEW, "SC01"),
    DemoCase(
        "613518", "梁婉仪", "0427", CaseState.CORRECTION_REQUIRED, "JY01", "网上审核有数据没有比中，请更正或补交证明"
    ),
)

# 无纸化入学: the eight departments whose records are compared, with their subjects, under their names of today.
ENROLMENT_CHECKS: tuple[tuple[str, str, str], ...] = (
    ("南海公安分局", "户籍和亲子关系", "到户籍派出所核对更正，或上传户口簿、出生医学证明"),
    ("区住房城乡建设和水利局", "住房备案", "到镇街住建窗口核对，或上传购房合同、租赁备案"),
    ("流动人口服务管理机构", "居住证", "到镇街流动人口服务窗口核对居住登记和签注，或上传居住证"),
    ("区市场监督管理局", "营业执照", "到镇街大厅市场监管窗口核对，或上传营业执照"),
    ("市自然资源局南海分局", "不动产登记", "到不动产登记窗口核对，或上传不动产权证"),
    ("区税务局", "纳税记录", "向税务部门核对，或上传完税证明"),
    ("市社保局南海分局", "参保年限", "到社保窗口核对参保记录，或上传参保证明"),
    ("区卫生健康局", "计生信息", "到镇街卫健窗口核对，或上传生育登记凭证"),
)
_ENROLMENT = ("JY01", "JY02", "JY03", "JY04")

_SURNAMES = "梁何谭冯邓霍关区潘麦"
_GIVEN = ("建国", "美玲", "伟", "秀英", "家俊", "晓彤", "国荣", "嘉欣")
_FLOW = ("收件", "受理", "审查", "决定", "送达")
_S = CaseState

# State → steps passed, step it is at ("" where none), what is left to do for the applicant.
_SHAPES: dict[CaseState, tuple[int, str, str]] = {
    _S.DRAFT: (0, "", "申请还没有提交，请补全后提交"),
    _S.PRE_REVIEW: (0, "收件", ""),
    _S.PRE_REVIEW_RETURNED: (0, "收件", "按退回意见修改后重新提交"),
    _S.RECEIVED: (1, "受理", ""),
    _S.ACCEPTED: (2, "审查", ""),
    _S.CORRECTION_REQUIRED: (2, "审查", "按补正通知补交材料"),
    _S.IN_REVIEW: (2, "审查", ""),
    _S.SPECIAL_PROCEDURE: (2, "审查", ""),
    _S.COMPLETED: (5, "", ""),
    _S.COMPLETED_REFUSED: (4, "", ""),
    _S.READY_FOR_PICKUP: (4, "送达", "领取办理结果"),
    _S.MAILED: (4, "送达", "留意查收邮件"),
    _S.NOT_ACCEPTED: (1, "", ""),
    _S.WITHDRAWN: (1, "", ""),
    _S.TERMINATED: (2, "", ""),
}
_FINISHED = {_S.COMPLETED, _S.COMPLETED_REFUSED, _S.READY_FOR_PICKUP, _S.MAILED, _S.NOT_ACCEPTED}
_CLOSED_EARLY = {_S.WITHDRAWN, _S.TERMINATED}


def synthetic_cases(items: Sequence[ServiceItem], seed_day: date) -> list[CaseRecord]:
    """The cases over whatever ``items`` there are; none where there are no items."""
    if not items:
        return []
    by_key = {item.key: item for item in items}
    records = []
    for index, demo in enumerate(DEMO_CASES):
        item = by_key.get(demo.item_key, items[index % len(items)])
        records.append(_record(index, demo, item, seed_day))
    states = list(CaseState)
    for index in range(len(DEMO_CASES), CASE_COUNT):
        surname = _SURNAMES[index % len(_SURNAMES)]
        state = states[index % len(states)]
        made = DemoCase(
            query_code=str(620000 + index * 137),
            applicant=surname + _GIVEN[index * 3 % len(_GIVEN)],
            id_last4=f"{(index * 737 + 101) % 1000:03d}{'0123456789X'[index * 5 % 11]}",
            state=state,
            item_key="",
            todo=_SHAPES[state][2],
        )
        records.append(_record(index, made, items[index * 7 % len(items)], seed_day))
    return records


def _record(index: int, demo: DemoCase, item: ServiceItem, seed_day: date) -> CaseRecord:
    passed, current, _ = _SHAPES[demo.state]
    days = 14 + index % 5 if demo.state in _FINISHED | _CLOSED_EARLY else 5 + index % 4
    applied = seed_day - timedelta(days=days)
    accepted = applied + timedelta(days=2) if passed >= 2 else None
    ended = seed_day - timedelta(days=1 + index % 3) if demo.state in _FINISHED | _CLOSED_EARLY else None
    steps = [
        CaseStep(name=name, at=applied + timedelta(days=2 * n), done=True) for n, name in enumerate(_FLOW[:passed])
    ]
    if current:
        steps.append(CaseStep(name=current, at=applied + timedelta(days=2 * passed), done=False))
    case = Case(
        case_number=f"{item.code.upper():0<31.31}{applied:%Y%m%d}{index + 1:04d}",
        query_code=demo.query_code,
        item_key=item.key,
        item_name=item.name,
        applicant_masked=mask_name(demo.applicant),
        state=demo.state,
        current_step=current,
        todo=demo.todo,
        applied_on=None if demo.state is _S.DRAFT else applied,
        accepted_on=accepted,
        promised_on=applied + timedelta(days=22) if accepted and demo.state not in _CLOSED_EARLY else None,
        completed_on=ended,
        steps=steps,
        checks=_checks(item, demo),
        synthetic=True,
        version="1",
    )
    return CaseRecord(case, demo.applicant, demo.id_last4, f"1380000{index + 1:04d}")


def _checks(item: ServiceItem, demo: DemoCase) -> list[DataCheck]:
    """All departments compared; social insurance and residence did not match where something is to be put right."""
    if item.key not in _ENROLMENT:
        return []
    wrong = {"参保年限", "居住证"} if demo.state is CaseState.CORRECTION_REQUIRED else set()
    return [
        DataCheck(department=d, subject=s, matched=s not in wrong, advice=a if s in wrong else "")
        for d, s, a in ENROLMENT_CHECKS
    ]


def seed_cases(store: Store, items: Sequence[ServiceItem], seed_day: date) -> bool:
    """Adds the synthetic cases once in the life of a database. True if it did."""
    records = synthetic_cases(items, seed_day)
    with store.write() as session:
        if not records or session.get(MetaRow, "seeded") is not None:
            return False
        for record in records:
            salt = secrets.token_hex(8)
            proofs = {"name": record.name, "id_last4": record.id_last4, "phone": record.phone}
            session.add(
                CaseRow(
                    number=record.case.case_number,
                    query_code=record.case.query_code,
                    body=fields.case_to_hub(record.case),
                    salt=salt,
                    proofs=digests(proofs, store.key, salt),
                    version=1,
                )
            )
        session.add(MetaRow(name="seeded", value=seed_day.isoformat()))
    return True
