"""办件: where an application stands, and the identity check in front of it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class CaseState(StrEnum):
    """The states a citizen is told (the fifteen official ones fold into these)."""

    DRAFT = "draft"  # 暂存
    PRE_REVIEW = "pre_review"  # 待预审
    PRE_REVIEW_RETURNED = "pre_review_returned"  # 预审退回
    RECEIVED = "received"  # 已收件
    ACCEPTED = "accepted"  # 已受理
    CORRECTION_REQUIRED = "correction_required"  # 补正中
    IN_REVIEW = "in_review"  # 审核中
    SPECIAL_PROCEDURE = "special_procedure"  # 特别程序，停表
    COMPLETED = "completed"  # 已办结，准予
    COMPLETED_REFUSED = "completed_refused"  # 已办结，不予
    READY_FOR_PICKUP = "ready_for_pickup"  # 待取件
    MAILED = "mailed"  # 已邮寄
    NOT_ACCEPTED = "not_accepted"  # 不予受理
    WITHDRAWN = "withdrawn"  # 已撤回
    TERMINATED = "terminated"  # 已终止（补正逾期）


class CaseStep(BaseModel):
    """One step done or under way. ``at`` is a day."""

    model_config = ConfigDict(frozen=True)

    name: str
    at: date | None = None
    done: bool = False


class DataCheck(BaseModel):
    """One department's comparison of what an application says with its own records (无纸化入学).

    ``matched`` None: not compared yet. ``advice``: what to do where it did not match.
    """

    model_config = ConfigDict(frozen=True)

    department: str
    subject: str  # 户籍, 房产, 社保 …
    matched: bool | None = None
    advice: str = ""


class Case(BaseModel):
    """An application as it may be told to its own applicant: masked names, no ID digits."""

    model_config = ConfigDict(frozen=True)

    case_number: str
    query_code: str
    item_key: str | None
    item_name: str
    applicant_masked: str
    state: CaseState
    current_step: str = ""
    todo: str = ""
    applied_on: date | None = None
    accepted_on: date | None = None
    promised_on: date | None = None
    completed_on: date | None = None
    steps: list[CaseStep] = Field(default_factory=list)
    checks: list[DataCheck] = Field(default_factory=list)
    synthetic: bool = False
    version: str = ""


class VerificationStatus(StrEnum):
    NEEDS_MORE = "needs_more"  # ``missing`` names the proofs still to be given
    VERIFIED = "verified"
    FAILED = "failed"  # the proofs together did not match; ``attempts_left`` remain
    LOCKED = "locked"


class IdentityProof(BaseModel):
    """What a citizen said to prove who they are. Never stored by us, never spoken back."""

    model_config = ConfigDict(frozen=True)

    name: str | None = None
    id_last4: str | None = Field(default=None, pattern=r"^\d{3}[\dX]$")
    phone: str | None = Field(default=None, pattern=r"^1\d{10}$")


class Verification(BaseModel):
    """The hub's word on an identity check. It alone holds and compares the proofs."""

    model_config = ConfigDict(frozen=True)

    verification_id: str
    status: VerificationStatus
    missing: list[str] = Field(default_factory=list)  # of: name, id_last4
    attempts_left: int = 3
