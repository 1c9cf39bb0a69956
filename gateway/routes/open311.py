"""Open311 GeoReport v2 under ``/open311/v2`` (docs/work-orders.md)."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from desk.work_orders.service import check_draft
from gateway import open311
from gateway.open311 import Open311Error
from gateway.services import Services, services_of
from hotline.errors import BadInputError, HotlineError
from hotline.work_order_record import WorkOrderFilter
from hotline.work_orders import RequestType, WorkOrderDraft

Format = Literal["json", "xml"]
House = Annotated[Services, Depends(services_of)]
_FORM = "application/x-www-form-urlencoded"
_STATUSES = frozenset({"open", "closed"})


class Open311Route(APIRoute):
    """Errors leave in the specification's shape and in the format that was asked for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_in_shape(request: Request) -> Response:
            try:
                return await handle(request)
            except HotlineError as error:
                status, told = (error.status if error.status in (403, 404) else 400), error.detail
            except RequestValidationError:
                status, told = 400, "地址或参数不对：格式只有 .xml 和 .json。"
            return _answer(_format_of(request), "errors", [{"code": status, "description": told}], status)

        return handle_in_shape


router = APIRouter(prefix="/open311/v2", tags=["Open311"], route_class=Open311Route)


def _format_of(request: Request) -> Format:
    return "json" if request.url.path.endswith(".json") else "xml"


def _answer(format_: Format, root: str, value: Any, status: int = 200) -> Response:
    if format_ == "xml":
        return Response(open311.to_xml(root, value), status, media_type="text/xml; charset=utf-8")
    # Not Starlette's own name for JSON: the specification asks for the charset.
    return JSONResponse(value, status, media_type="application/json; charset=utf-8")


def _of_this_place(house: Services, jurisdiction_id: str | None) -> None:
    """Optional, as one place is served; a wrong one is told. Raises Open311Error."""
    if jurisdiction_id and jurisdiction_id != house.settings.open311_jurisdiction:
        raise Open311Error(
            404,
            f"jurisdiction_id {jurisdiction_id[:60]} was not found（这里只有 {house.settings.open311_jurisdiction}）",
        )


@router.get("/discovery.{format_}", summary="服务发现")
async def discovery(format_: Format, house: House, request: Request) -> Response:
    base = f"{str(request.base_url).rstrip('/')}{router.prefix}"
    return _answer(format_, "discovery", open311.discovery(base, house.settings.handoff_number))


@router.get("/services.{format_}", summary="诉求类别")
async def services(format_: Format, house: House, jurisdiction_id: str | None = None) -> Response:
    _of_this_place(house, jurisdiction_id)
    return _answer(format_, "services", [open311.service(each) for each in house.orders.desk.categories.values()])


@router.get("/services/{service_code}.{format_}", summary="一个类别要填什么")
async def definition(service_code: str, format_: Format, house: House, jurisdiction_id: str | None = None) -> Response:
    _of_this_place(house, jurisdiction_id)
    category = house.orders.desk.categories.get(service_code)
    if category is None:
        raise Open311Error(404, f"service_code {service_code[:60]} was not found（没有这个类别）")
    return _answer(format_, "service_definition", open311.definition(category))


@router.post("/requests.{format_}", status_code=201, summary="登记一件诉求")
async def post_request(format_: Format, house: House, request: Request) -> Response:
    form = await _form(request)
    _of_this_place(house, form.get("jurisdiction_id"))
    _allowed(house, form.get("api_key") or request.query_params.get("api_key") or "")
    draft = _draft(house, form)
    record, _ = await house.orders.desk.file(draft, f"open311:{uuid.uuid4().hex}", "open311")
    days = house.orders.desk.house.limits.by_type.get(draft.type)
    notice = f"已登记，工单号 {record.number}，凭它和手机号可以查办理情况。" + (
        f"按规定在 {days} 个工作日内答复。" if days else ""
    )
    made = {
        "service_request_id": record.public_id,
        "service_notice": notice,
        "account_id": form.get("account_id") or None,
    }
    return _answer(format_, "service_requests", [made], 201)


@router.get("/requests.{format_}", summary="诉求列表")
async def requests(
    format_: Format,
    house: House,
    jurisdiction_id: str | None = None,
    service_request_id: str | None = None,
    service_code: str | None = None,
    start_date: str | None = None,
    end_date: str | None = None,
    status: str | None = None,
) -> Response:
    _of_this_place(house, jurisdiction_id)
    numbers = _several(service_request_id)
    if numbers:  # overrides all other arguments
        wanted = WorkOrderFilter(public_ids=frozenset(numbers[: open311.MOST]))
        wanted_statuses = _STATUSES
    else:
        wanted_statuses = frozenset(_several(status)) or _STATUSES
        if unknown := wanted_statuses - _STATUSES:
            raise Open311Error(400, f"status 只有 open 和 closed，没有 {'、'.join(sorted(unknown))[:60]}")
        since, until = _span(start_date, end_date)
        wanted = WorkOrderFilter(created_from=since, created_to=until)
    codes = frozenset(_several(service_code)) if not numbers else frozenset()
    shown = await _public(house, wanted, wanted_statuses, codes)
    return _answer(format_, "service_requests", shown)


@router.get("/requests/{service_request_id}.{format_}", summary="一件诉求")
async def one_request(
    service_request_id: str, format_: Format, house: House, jurisdiction_id: str | None = None
) -> Response:
    _of_this_place(house, jurisdiction_id)
    shown = await _public(house, WorkOrderFilter(public_ids=frozenset({service_request_id})), _STATUSES)
    if not shown:
        raise Open311Error(404, f"service_request_id {service_request_id[:60]} was not found（没有这件诉求）")
    return _answer(format_, "service_requests", shown)


@router.get("/tokens/{token}.{format_}", summary="由 token 取单号（本站当场给单号，不发 token）")
async def token(token: str, format_: Format, house: House, jurisdiction_id: str | None = None) -> Response:
    _of_this_place(house, jurisdiction_id)
    raise Open311Error(404, f"token {token[:60]} was not found（这里登记当场给单号，不发 token）")


async def _public(
    house: Services, wanted: WorkOrderFilter, statuses: frozenset[str], codes: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    page = 1
    while len(shown) < open311.MOST:
        found = (await house.orders.desk.house.store.find(wanted, page, 200)).orders
        for record in found:
            if open311.is_public(record):
                told = open311.request(record, house.orders.desk.categories)
                if told["status"] in statuses and (not codes or told["service_code"] in codes):
                    shown.append(told)
        if len(found) < 200:
            break
        page += 1
    return shown[: open311.MOST]


async def _form(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != _FORM:
        raise Open311Error(400, f"请用 {_FORM} 提交。")
    try:
        pairs = parse_qsl(
            (await request.body()).decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except ValueError:  # not UTF-8, or too many fields
        raise Open311Error(400, "表单读不出来，请用 UTF-8 编码，最多 100 个字段。") from None
    return {name: value.strip() for name, value in pairs if value.strip()}


def _allowed(house: Services, api_key: str) -> None:
    keys = [key.strip() for key in house.settings.open311_api_keys.split(",") if key.strip()]
    if not any(hmac.compare_digest(key.encode(), api_key.encode()) for key in keys):
        raise Open311Error(
            403, "Missing or invalid api_key -- can't proceed with create_request.（api_key 没有给或不对）"
        )


def _draft(house: Services, form: dict[str, str]) -> WorkOrderDraft:
    code = form.get("service_code")
    if not code:
        raise Open311Error(400, "service_code was not provided（没有给类别）")
    category = house.orders.desk.categories.get(code)
    if category is None:
        raise Open311Error(404, f"service_code {code[:60]} was not found（没有这个类别）")
    place = form.get("address_string") or _coordinates(form)
    if not place:
        raise Open311Error(400, "要给地点：address_string，或 lat 和 long。")
    description = form.get("description", category.name)
    name = f"{form.get('last_name', '')}{form.get('first_name', '')}"
    phone = "".join(c for c in form.get("phone", "") if c.isdigit())
    mobile = phone[-11:] if len(phone) >= 11 and phone[-11:].startswith("1") else None
    try:
        draft = WorkOrderDraft(
            type=RequestType(form.get("attribute[TYPE]", RequestType.HELP)),
            category=code,
            happened=description,
            place=place,
            when=form.get("attribute[WHEN]", ""),
            anonymous=mobile is None,
            contact_name=name if mobile and len(name) >= 2 else None,
            contact_mobile=mobile,
            channel=open311.CHANNEL,
        )
    except ValueError:
        raise Open311Error(400, "attribute[TYPE] 不是服务定义里列出的值。") from None
    try:
        check_draft(draft)
    except BadInputError as error:
        raise Open311Error(400, error.detail) from None
    return draft


def _coordinates(form: dict[str, str]) -> str:
    if not (form.get("lat") and form.get("long")):
        return ""
    try:
        lat, long = float(form["lat"]), float(form["long"])
    except ValueError:
        raise Open311Error(400, "lat、long 要是数字（WGS84）。") from None
    if not (-90 <= lat <= 90 and -180 <= long <= 180):
        raise Open311Error(400, "lat、long 超出了范围（WGS84）。")
    return f"坐标 {lat:.6f}, {long:.6f}（WGS84）"


def _span(start_date: str | None, end_date: str | None) -> tuple[datetime, datetime]:
    longest = timedelta(days=open311.LONGEST_SPAN_DAYS)
    since = open311.read_moment(start_date) if start_date else None
    until = open311.read_moment(end_date) if end_date else None
    if since and until and (until < since or until - since > longest):
        raise Open311Error(400, "start_date 到 end_date 不能倒过来，也不能超过 90 天。")
    until = until or (min(since + longest, datetime.now(UTC)) if since else datetime.now(UTC))
    return since or until - longest, until


def _several(value: str | None) -> list[str]:
    return [part.strip() for part in (value or "").split(",") if part.strip()]
