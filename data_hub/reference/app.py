"""The reference hub's HTTP face. ``create_app`` is its one composition root."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Header, Query, Response, Security
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from pydantic import AliasChoices, Field
from sqlalchemy import func, or_, select
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from data_hub import fields, record_fields, signing
from data_hub.identity_rules import IdentityRules
from data_hub.reference import cases, catalogue, identity, records, seed
from data_hub.reference.problems import add_problem_handlers, signature_problem
from data_hub.reference.store import HallRow, ItemRow, Store
from hotline.cases import IdentityProof
from hotline.errors import NotFoundError
from hotline.work_orders import WorkOrderState

PREFIX = "/hub/v1"


def utc_now() -> datetime:
    return datetime.now(UTC)


class VerifyRequest(fields.HubModel):
    """核对身份. ``verification_id`` goes on with a check begun earlier for the same case."""

    case_reference: str = Field(
        validation_alias=AliasChoices("case_reference", "caseReference"),
        min_length=1,
        max_length=60,
        title="办件编号或查询码",
    )
    verification_id: str | None = Field(
        None,
        validation_alias=AliasChoices("verification_id", "verificationId"),
        max_length=100,
        title="上一次答复里的核对编号",
    )
    proof: IdentityProof = Field(title="核对信息：姓名、身份证号后四位、手机号")


class SignatureGate:
    """Lets only signed requests through to ``/hub/v1``; nothing of theirs is read before that."""

    def __init__(self, app: ASGIApp, store: Store, token: str, paasid: str | None, now: Callable[[], datetime]) -> None:
        self._app = app
        self._store = store
        self._token = token
        self._paasid = paasid
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            try:
                await anyio.to_thread.run_sync(self._check, Headers(scope=scope))
            except signing.SignatureError as error:
                await signature_problem(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, headers: Headers) -> None:
        signing.check_signature(headers, self._token, self._now(), self._store, self._paasid)


# Only for the OpenAPI document; SignatureGate does the checking.
_SIGNED = [
    Security(APIKeyHeader(name=name, scheme_name=name, description=description, auto_error=False))
    for name, description in (
        (signing.PAASID, "应用号"),
        (signing.TIMESTAMP, "时间戳（秒），与中台相差不超过 180 秒"),
        (signing.NONCE, "随机串，只能用一次"),
        (signing.SIGNATURE, "大写十六进制 SHA-256（时间戳＋令牌＋随机串＋时间戳）"),
    )
]
_ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"description": "签名不对"},
    404: {"description": "没有找到"},
    422: {"description": "字段缺少或格式不对"},
}

Page = Annotated[int, Query(ge=1, le=10_000, title="页码")]
PageSize = Annotated[int, Query(alias="pageSize", ge=1, le=100, title="每页条数")]
Number = Annotated[str, PathParameter(max_length=60, title="编号")]
IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", min_length=8, max_length=100, title="幂等键，重发不重复登记")
]


def create_app(
    database_path: Path,
    catalogue_json_path: Path,
    token: str,
    *,
    paasid: str | None = None,
    now: Callable[[], datetime] = utc_now,
    rules: IdentityRules | None = None,
) -> FastAPI:
    """The hub over ``database_path``, its services and halls from ``catalogue_json_path``.

    Raises:
        CatalogueError: the catalogue file is missing or cannot be read.
        KeyMismatchError: the key file beside the database is not its own.
        ValueError: no token.
    """
    if not token:
        raise ValueError("the hub needs a token")
    items, halls = catalogue.read_catalogue(catalogue_json_path)
    store = Store(database_path)
    catalogue.refresh(store, items, halls)
    seed.seed_cases(store, items, now().astimezone(records.CHINA).date())

    app = FastAPI(
        title="南海区数据中台（参考实现）",
        version="1.0.0",
        description="事项、办件、身份核对、大厅、工单和预约。区里接入自己的中台时，以这份接口为准对应字段。",
    )
    app.state.store = store
    app.add_middleware(SignatureGate, store=store, token=token, paasid=paasid, now=now)
    add_problem_handlers(app)
    app.include_router(_catalogue_routes(store))
    app.include_router(_case_routes(store, now, rules or IdentityRules()))
    app.include_router(_record_routes(store, now))

    @app.get("/healthz", summary="中台是否在运行")
    def healthz() -> dict[str, str]:
        store.ping()
        return {"status": "ok"}

    return app


def _router() -> APIRouter:
    return APIRouter(prefix=PREFIX, dependencies=_SIGNED, responses=_ERRORS)


def _catalogue_routes(store: Store) -> APIRouter:
    router = _router()

    @router.get("/service-items", summary="查事项列表")
    def service_items(
        query: Annotated[str, Query(max_length=100, title="名称、俗称或编码里的字")] = "",
        area: Annotated[str, Query(max_length=50, title="业务领域")] = "",
        town: Annotated[str, Query(max_length=20, title="镇街；全区通办的事项每个镇街都有")] = "",
        page: Page = 1,
        page_size: PageSize = 20,
    ) -> dict[str, Any]:
        chosen = select(ItemRow)
        if query.strip():
            chosen = chosen.where(ItemRow.words.contains(query.strip(), autoescape=True))
        if area:
            chosen = chosen.where(ItemRow.area == area)
        if town:  # the catalogue's services are the district's: a town has all of them, or is not ours
            chosen = chosen.where(select(HallRow.code).where(HallRow.town == town).exists())
        with store.read() as session:
            total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
            rows = session.scalars(chosen.order_by(ItemRow.key).offset((page - 1) * page_size).limit(page_size))
            return {
                "items": [row.body for row in rows],
                "page": page,
                "pageSize": page_size,
                "total": total,
            }

    @router.get(
        "/service-items/{item_code}",
        summary="查一个事项",
        response_model=fields.HubServiceItem,
        response_model_exclude_none=True,
    )
    def service_item(
        item_code: Annotated[str, PathParameter(max_length=60, title="实施编码或热线短编码")],
    ) -> Any:
        with store.read() as session:
            row = session.scalar(select(ItemRow).where(or_(ItemRow.code == item_code, ItemRow.key == item_code)))
            if row is None:
                raise NotFoundError("事项目录里没有这个事项。")
            return row.body

    @router.get("/service-halls", summary="查办事大厅")
    def service_halls(town: Annotated[str, Query(max_length=20, title="镇街")] = "") -> dict[str, Any]:
        chosen = select(HallRow).order_by(HallRow.code)
        if town:
            chosen = chosen.where(HallRow.town == town)
        with store.read() as session:
            return {"halls": [row.body for row in session.scalars(chosen)]}

    return router


def _case_routes(store: Store, now: Callable[[], datetime], rules: IdentityRules) -> APIRouter:
    router = _router()

    @router.get(
        "/cases/{case_reference}",
        summary="查一个办件（须先核对身份）",
        responses={200: {"model": fields.HubCase}, 403: {"description": "还没有核对身份，或已过期"}},
    )
    def read_case(
        case_reference: Annotated[str, PathParameter(max_length=60, title="办件编号或查询码")],
        identity_token: Annotated[
            str | None, Header(alias=fields.IDENTITY_HEADER, title="核对通过后的核对编号，10 分钟有效")
        ] = None,
    ) -> JSONResponse:
        # Sent as it is stored: the state under its Chinese name, not the enum's value.
        return JSONResponse(cases.read_case(store, case_reference, identity_token, now()))

    @router.put(
        "/cases/{case_number}",
        summary="部门推送一个办件",
        responses={
            200: {"model": fields.HubCase, "description": "已更新"},
            201: {"model": fields.HubCase, "description": "已新建"},
            409: {"description": "查询码已属于另一个办件"},
        },
    )
    def push_case(
        case_number: Annotated[cases.CaseNumber, PathParameter(title="办件编号")],
        push: cases.CasePush,
    ) -> JSONResponse:
        body, new = cases.push_case(store, case_number, push)
        return JSONResponse(body, status_code=201 if new else 200)

    @router.post("/identity/verify", summary="核对身份", response_model=fields.HubVerification)
    def verify(request: VerifyRequest) -> JSONResponse:
        answer = identity.verify(store, request.case_reference, request.proof, request.verification_id, now(), rules)
        return JSONResponse(fields.verification_to_hub(answer))

    return router


def _record_routes(store: Store, now: Callable[[], datetime]) -> APIRouter:
    router = _router()

    @router.post("/work-orders", summary="登记工单", status_code=201)
    def post_work_order(
        post: records.WorkOrderPost, idempotency_key: IdempotencyKey, response: Response
    ) -> dict[str, Any]:
        shown, new = records.post_work_order(store, post, idempotency_key, now())
        response.status_code = 201 if new else 200
        return shown

    @router.get("/work-orders", summary="查工单列表")
    def work_orders(
        state: Annotated[WorkOrderState | None, Query(title="状态")] = None,
        page: Page = 1,
        page_size: PageSize = 20,
    ) -> dict[str, Any]:
        shown, total = records.list_work_orders(store, state, page, page_size)
        return {"workOrders": shown, "page": page, "pageSize": page_size, "total": total}

    @router.get("/work-orders/{number}", summary="查一个工单")
    def work_order(
        number: Number,
        contact_mobile: Annotated[
            str | None, Header(alias=record_fields.CONTACT_HEADER, title="市民登记时留的手机；给了就要对得上")
        ] = None,
    ) -> dict[str, Any]:
        return records.read_record(store, records.WORK_ORDER, number, contact_mobile)

    @router.patch("/work-orders/{number}", summary="流转工单", responses={409: {"description": "不能这样流转"}})
    def patch_work_order(number: Number, patch: records.WorkOrderPatch) -> dict[str, Any]:
        return records.patch_work_order(store, number, patch, now())

    @router.put(
        "/work-orders/{number}/moves/{seq}",
        summary="热线已经走完的一步（同一步再推一次不产生变化）",
        responses={409: {"description": "这个序号已是另一步，或来得太晚"}},
    )
    def put_move(
        number: Number, seq: Annotated[int, PathParameter(ge=1, title="热线给的序号，一张工单里只升不降")],
        move: records.WorkOrderMove, response: Response,
    ) -> dict[str, Any]:  # fmt: skip
        shown, new = records.put_move(store, number, seq, move)
        response.status_code = 201 if new else 200
        return shown

    @router.post("/appointments", summary="预约", status_code=201, responses={409: {"description": "时段已约满"}})
    def post_appointment(
        post: records.AppointmentPost, idempotency_key: IdempotencyKey, response: Response
    ) -> dict[str, Any]:
        shown, new = records.post_appointment(store, post, idempotency_key, now())
        response.status_code = 201 if new else 200
        return shown

    @router.get("/appointments", summary="查一天各时段余号")
    def free_slots(
        hall_code: Annotated[str, Query(alias="hallCode", title="大厅编码")],
        day: Annotated[date, Query(alias="date", title="日期")],
    ) -> dict[str, Any]:
        return {"hallCode": hall_code, "date": day, "slots": records.free_slots(store, hall_code, day)}

    @router.get("/appointments/{number}", summary="查一个预约")
    def appointment(number: Number) -> dict[str, Any]:
        return records.read_record(store, records.APPOINTMENT, number)

    return router
