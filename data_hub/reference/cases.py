"""Cases: departments push them, their applicants read them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any

from pydantic import AliasChoices, Field, StringConstraints, field_validator, model_validator
from sqlalchemy import delete, or_, select

from data_hub import fields
from data_hub.identity_rules import digests
from data_hub.reference.identity import find_case, require_verified
from data_hub.reference.problems import ConflictError
from data_hub.reference.store import CaseRow, ItemRow, Store, VerificationRow
from hotline.errors import BadInputError
from hotline.privacy import mask_name

CaseNumber = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{20,50}$")]
QueryCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,8}$")]
Mobile = Annotated[str, StringConstraints(pattern=r"^1[0-9]{10}$")]
Last4 = Annotated[str, StringConstraints(to_upper=True, pattern=r"^[0-9]{3}[0-9Xx]$")]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=50)]


class CasePush(fields.HubCaseFields):
    """办件推送. The full name and the last four are kept as digests only, and never given back."""

    query_code: QueryCode = Field(validation_alias=AliasChoices("queryCode", "query_code"), title="查询码")
    applyer_name: PersonName = Field(validation_alias=AliasChoices("applyerName", "applicant"), title="申请人姓名")
    id_last4: Last4 = Field(validation_alias=AliasChoices("idLast4", "id_last4"), title="身份证号后四位")
    contact_mobile: Mobile = Field(validation_alias=AliasChoices("contactMobile", "phone"), title="联系人手机")
    task_code: str | None = Field(
        None,
        validation_alias=AliasChoices("taskCode", "item_code"),
        max_length=36,
        title="实施编码，与短编码二选一",
    )
    item_key: str | None = Field(
        None, validation_alias=AliasChoices("itemKey", "item_key"), max_length=10, title="热线短编码"
    )

    @field_validator("applyer_name")
    @classmethod
    def _has_letters(cls, name: str) -> str:
        if not any(c.isalpha() for c in name):
            raise ValueError("a name has letters")
        return name

    @model_validator(mode="after")
    def _days_in_order(self) -> CasePush:
        days = [self.apply_date, self.accept_date, self.promise_date]
        known = [day for day in days if day is not None]
        late_result = self.result_date and self.apply_date and self.result_date < self.apply_date
        if known != sorted(known) or late_result:
            raise ValueError("applyDate ≤ acceptDate ≤ promiseDate, applyDate ≤ resultDate")
        if not (self.task_code or self.item_key):
            raise ValueError("taskCode or itemKey")
        return self


def push_case(store: Store, number: str, push: CasePush) -> tuple[dict[str, Any], bool]:
    """Writes a case whole; the same content again changes nothing. → (case as shown, was it new).

    Raises:
        BadInputError: the service is not in the catalogue.
        ConflictError: the query code belongs to another case.
    """
    with store.write() as session:
        item = session.scalar(
            select(ItemRow).where(or_(ItemRow.code == push.task_code, ItemRow.key == push.item_key))
            if push.task_code and push.item_key
            else select(ItemRow).where(
                ItemRow.code == push.task_code if push.task_code else ItemRow.key == push.item_key
            )
        )
        if item is None or (push.task_code and push.item_key and item.key != push.item_key):
            raise BadInputError("事项目录里没有这个事项，请核对实施编码。")
        taken = session.scalar(select(CaseRow).where(CaseRow.query_code == push.query_code))
        if taken is not None and taken.number != number:
            raise ConflictError("这个查询码已属于另一个办件。")

        row = session.get(CaseRow, number)
        salt = row.salt if row else secrets.token_hex(8)
        values = {"name": push.applyer_name, "id_last4": push.id_last4, "phone": push.contact_mobile}
        proofs = digests(values, store.key, salt)
        shape = fields.HubCase.model_validate(
            {
                **push.model_dump(),
                "project_no": number,
                "task_name": push.task_name or item.body["taskName"],
                "applyer_name": mask_name(push.applyer_name),
                "item_key": item.key,
                "version": str(row.version if row else 1),
            }
        )
        body = fields.dump(shape)
        if row is None:
            session.add(
                CaseRow(
                    number=number,
                    query_code=push.query_code,
                    body=body,
                    salt=salt,
                    proofs=proofs,
                    version=1,
                )
            )
            return body, True
        if row.body != body or row.proofs != proofs:
            if row.proofs != proofs:  # who was verified for the old applicant is not for the new one
                session.execute(delete(VerificationRow).where(VerificationRow.case_number == number))
            row.version += 1
            body = {**body, "version": str(row.version)}
            row.query_code, row.body, row.proofs = push.query_code, body, proofs
        return body, False


def read_case(store: Store, reference: str, verification_id: str | None, now: datetime) -> dict[str, Any]:
    """Raises CaseNotFoundError, IdentityRequiredError."""
    with store.read() as session:
        row = find_case(session, reference)
        require_verified(session, row, verification_id, now)
        return row.body
