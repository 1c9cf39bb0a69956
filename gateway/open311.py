"""Open311 GeoReport v2: our work orders in its words, as JSON and as XML.

Only what anybody may know leaves here: no contact, no confidential report, and no receipt number,
which is half of the proof that opens an order. What a citizen told in a talk is theirs: of it only
the category and the town are shown. Words and places of requests that came by Open311 itself are
shown masked, as their senders expect.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from desk.work_orders.names import STATES, TYPES
from desk.work_orders.service import CHINA
from hotline.errors import HotlineError
from hotline.privacy import mask_text
from hotline.settings import ROOT
from hotline.work_order_flow import CLOSED
from hotline.work_order_record import RequestCategory, WorkOrderRecord
from hotline.work_orders import RequestType, WorkOrderState

REQUESTS_FILE = ROOT / "knowledge_base" / "requests.yml"
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
MOST = 1000
LONGEST_SPAN_DAYS = 90
CHANNEL = "open311"
_NOT_SHOWN = frozenset({RequestType.CONSULT, RequestType.REPORT})

# What the list of an element's children is called, and each child.
_ITEMS = {
    "services": "service",
    "service_requests": "request",
    "errors": "error",
    "attributes": "attribute",
    "values": "value",
    "endpoints": "endpoint",
    "formats": "format",
}


class Open311Error(HotlineError):
    """An error in the specification's own shape: 400, 403 or 404 alone."""

    code = "geo_report"

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def to_xml(root: str, value: Any) -> bytes:
    """``value`` under ``root``: lists as the specification nests them, no value as an empty element."""
    element = ET.Element(root)
    _fill(element, value)
    body: bytes = ET.tostring(element, encoding="utf-8", xml_declaration=False)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + body


def _fill(element: ET.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _fill(ET.SubElement(element, name), inner)
    elif isinstance(value, list):
        for inner in value:
            _fill(ET.SubElement(element, _ITEMS[element.tag]), inner)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    elif value is not None:
        # XML has no place for control characters, whatever somebody pasted.
        element.text = "".join(c for c in str(value) if c in "\t\n\r" or ord(c) >= 0x20)


def service(category: RequestCategory) -> dict[str, Any]:
    return {
        "service_code": category.key,
        "service_name": category.name,
        "description": f"要说清：{'、'.join(category.elements)}。" if category.elements else category.name,
        "metadata": True,
        "type": "realtime",
        "keywords": ", ".join(category.words),
        "group": category.department or "由热线派单",
    }


def definition(category: RequestCategory) -> dict[str, Any]:
    """What may be told beside the place: the kind of request, and when."""
    kinds = [{"key": kind.value, "name": TYPES[kind]} for kind in RequestType if kind is not RequestType.CONSULT]
    return {
        "service_code": category.key,
        "attributes": [
            _attribute("TYPE", 1, "诉求类型（不填按求助登记）", "singlevaluelist", kinds),
            _attribute("WHEN", 2, "什么时候发生的", "string", None),
        ],
    }


def _attribute(
    code: str, order: int, description: str, datatype: str, values: list[dict[str, str]] | None
) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "variable": True,
        "code": code,
        "datatype": datatype,
        "required": False,
        "datatype_description": None,
        "order": order,
        "description": description,
    }
    return shape | ({"values": values} if values else {})


def request(record: WorkOrderRecord, categories: Mapping[str, RequestCategory]) -> dict[str, Any]:
    """One request as anybody may see it."""
    category = categories.get(record.category or "other")
    due = record.clock.due_on
    own = record.draft.channel == CHANNEL
    return {
        "service_request_id": record.public_id,
        "status": "closed" if record.state in CLOSED else "open",
        "status_notes": "Duplicate request." if record.state is WorkOrderState.MERGED else STATES[record.state],
        "service_name": category.name if category else "其他诉求",
        "service_code": category.key if category else "other",
        "description": mask_text(record.summary) if own else None,
        "agency_responsible": record.department,
        "service_notice": None,
        "requested_datetime": moment(record.created_at),
        "updated_datetime": moment(record.updated_at),
        "expected_datetime": moment(datetime.combine(due, time(23, 59, 59), CHINA)) if due else None,
        "address": mask_text(record.draft.place) if own else record.town,
        "address_id": None,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }


def is_public(record: WorkOrderRecord) -> bool:
    return not record.confidential and record.type not in _NOT_SHOWN


def moment(at: datetime) -> str:
    """W3C date and time in China's offset, to the second."""
    return at.astimezone(CHINA).isoformat(timespec="seconds")


def read_moment(text: str) -> datetime:
    """Raises Open311Error: not a W3C date and time with its offset."""
    try:
        at = datetime.fromisoformat(text.strip().replace(" ", "+"))  # a plus that a form has eaten
    except ValueError:
        raise Open311Error(400, f"日期时间要写成 2026-01-01T00:00:00Z 这样（W3C 格式，带时区）：{text[:40]}") from None
    if at.tzinfo is None:
        raise Open311Error(400, f"日期时间要带时区，例如 2026-01-01T00:00:00Z：{text[:40]}")
    return at.astimezone(UTC)


def discovery(base_url: str, contact_number: str) -> dict[str, Any]:
    changeset = _changeset()
    return {
        "changeset": changeset,
        "contact": f"南海智能语音政务服务热线，请拨打 {contact_number}",
        "key_service": f"申请 api_key，请拨打 {contact_number}，由热线管理员发放",
        "endpoints": [
            {
                "specification": SPECIFICATION,
                "url": base_url,
                "changeset": changeset,
                "type": "production",
                "formats": ["text/xml", "application/json"],
            }
        ],
    }


def _changeset() -> str:
    """When services or their definitions last changed; clients refresh what they keep by it."""
    newest = max(file.stat().st_mtime for file in (REQUESTS_FILE, Path(__file__)))
    return datetime.fromtimestamp(newest, CHINA).strftime("%Y-%m-%d %H:%M")
