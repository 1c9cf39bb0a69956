"""Open311 GeoReport v2 as its specification says it: names, nesting, formats, errors.

The constants below are the shapes of the specification's own examples (wiki.open311.org/GeoReport_v2):
the fields in their order, and what nests in what.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
import pytest_asyncio
from running_gateway import Gateway, running_gateway

from gateway import open311
from hotline.work_orders import RequestType, WorkOrderDraft

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/open311/v2"
KEY = "key-of-an-app"
MOBILE = "13800000021"
SERVICE = ["service_code", "service_name", "description", "metadata", "type", "keywords", "group"]
ATTRIBUTE = ["variable", "code", "datatype", "required", "datatype_description", "order", "description"]
REQUEST = (
    "service_request_id status status_notes service_name service_code description agency_responsible service_notice"
    " requested_datetime updated_datetime expected_datetime address address_id zipcode lat long media_url"
).split()
W3C = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")

# The specification's own example of POST Service Request, with our codes and a key that is known here.
POSTED = {
    "api_key": KEY,
    "jurisdiction_id": "nanhai.gov.cn",
    "service_code": "road_damage",
    "lat": "23.0288",
    "long": "113.1435",
    "address_string": "桂城南海大道北 1234 号",
    "email": "smit333@example.org",
    "device_id": "tt222111",
    "account_id": "123456",
    "first_name": "小明",
    "last_name": "陈",
    "phone": MOBILE,
    "description": "路面有个大坑，联系电话13800000021",
    "media_url": "http://example.org/2212426634.jpg",
    "attribute[TYPE]": "complaint",
    "attribute[WHEN]": "昨晚",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(migrated_database: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    folder = tmp_path_factory.mktemp("open311")
    async with running_gateway(migrated_database, folder, open311_api_keys=f"another, {KEY}") as running:
        yield running


async def post(gateway: Gateway, format_: str = "json", **more: Any) -> Any:
    form = {name: value for name, value in (POSTED | more).items() if value is not None}
    return await gateway.http.post(
        f"{PATH}/requests.{format_}",
        content=urlencode(form),
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
    )


async def get(gateway: Gateway, path: str, **query: str) -> Any:
    return await gateway.http.get(f"{PATH}/{path}", params=query)


def names(element: ET.Element) -> list[str]:
    return [child.tag for child in element]


def xml(answer: Any) -> ET.Element:
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.text.startswith('<?xml version="1.0" encoding="utf-8"?>')
    return ET.fromstring(answer.text)


def json_of(answer: Any) -> Any:
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return answer.json()


async def test_discovery_names_the_endpoint_and_its_formats(gateway: Gateway) -> None:
    told = json_of(await get(gateway, "discovery.json"))
    assert list(told) == ["changeset", "contact", "key_service", "endpoints"]
    (endpoint,) = told["endpoints"]
    assert list(endpoint) == ["specification", "url", "changeset", "type", "formats"]
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["url"] == f"http://{gateway.address}{PATH}"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    root = xml(await get(gateway, "discovery.xml"))
    assert (root.tag, names(root)) == ("discovery", list(told))
    assert names(root.find("endpoints/endpoint")) == list(endpoint)
    assert [each.text for each in root.findall("endpoints/endpoint/formats/format")] == endpoint["formats"]


async def test_the_service_list_has_the_shape_of_the_example(gateway: Gateway) -> None:
    services = json_of(await get(gateway, "services.json", jurisdiction_id="nanhai.gov.cn"))
    assert all(list(each) == SERVICE for each in services)
    assert {each["type"] for each in services} == {"realtime"}
    root = xml(await get(gateway, "services.xml"))
    assert root.tag == "services"
    assert [names(each) for each in root.findall("service")] == [SERVICE] * len(services)
    assert root.find("service/metadata").text == "true"
    assert [each.findtext("service_code") for each in root] == [each["service_code"] for each in services]


async def test_a_service_definition_has_the_shape_of_the_example(gateway: Gateway) -> None:
    told = json_of(await get(gateway, "services/road_damage.json"))
    assert list(told) == ["service_code", "attributes"]
    with_values, plain = told["attributes"]
    assert list(with_values) == [*ATTRIBUTE, "values"]
    assert list(plain) == ATTRIBUTE
    assert [each["order"] for each in told["attributes"]] == [1, 2]
    assert all(list(value) == ["key", "name"] for value in with_values["values"])
    root = xml(await get(gateway, "services/road_damage.xml"))
    assert (root.tag, names(root)) == ("service_definition", ["service_code", "attributes"])
    attribute = root.find("attributes/attribute")
    assert names(attribute) == [*ATTRIBUTE, "values"]
    assert attribute.findtext("variable") == "true"
    assert attribute.findtext("datatype_description") == ""
    assert names(attribute.find("values/value")) == ["key", "name"]


async def test_the_posted_example_is_filed_and_comes_back_in_both_formats(gateway: Gateway) -> None:
    answer = await post(gateway)
    assert answer.status_code == 201
    (made,) = json_of(answer)
    assert list(made) == ["service_request_id", "service_notice", "account_id"]
    assert made["account_id"] == "123456"
    (told,) = json_of(await get(gateway, f"requests/{made['service_request_id']}.json"))
    assert list(told) == REQUEST
    assert (told["status"], told["service_code"], told["service_name"]) == ("open", "road_damage", "道路坑洼")
    assert told["address"] == POSTED["address_string"]
    for name in ("requested_datetime", "updated_datetime", "expected_datetime"):
        assert W3C.fullmatch(told[name])
    root = xml(await get(gateway, f"requests/{made['service_request_id']}.xml"))
    assert root.tag == "service_requests"
    assert names(root.find("request")) == REQUEST
    assert root.findtext("request/agency_responsible") == ""
    posted = xml(await post(gateway, "xml", account_id=None))
    assert names(posted.find("request")) == ["service_request_id", "service_notice", "account_id"]
    assert posted.findtext("request/account_id") == ""


async def test_no_personal_data_and_no_receipt_number_leaves(gateway: Gateway) -> None:
    (made,) = json_of(await post(gateway))
    shown = (await get(gateway, f"requests/{made['service_request_id']}.json")).text
    for private in (MOBILE, "陈小明", "smit333", "tt222111", "GD20"):
        assert private not in shown
    assert "138****0021" in shown
    listed = await get(gateway, "requests.json")
    assert "GD20" not in listed.text


async def test_what_was_told_in_a_talk_is_shown_by_category_and_town_alone(gateway: Gateway) -> None:
    draft = WorkOrderDraft(
        type=RequestType.COMPLAINT, category="noise", happened="我家楼下打桩", place="桂城翠湖三栋502", town="桂城街道"
    )
    record, _ = await gateway.services.orders.desk.file(draft, "line:open311-test-1")
    (told,) = json_of(await get(gateway, f"requests/{record.public_id}.json"))
    assert (told["description"], told["address"], told["service_name"]) == (None, "桂城街道", "噪声扰民")


@pytest.mark.parametrize("kind", ["report", "consult"])
async def test_a_confidential_report_and_a_question_are_never_shown(gateway: Gateway, kind: str) -> None:
    draft = WorkOrderDraft(type=RequestType(kind), happened="有人偷排污水")
    record, _ = await gateway.services.orders.desk.file(draft, f"line:open311-{kind}")
    assert (await get(gateway, f"requests/{record.public_id}.json")).status_code == 404
    assert record.public_id not in (await get(gateway, "requests.json")).text
    assert json_of(await get(gateway, "requests.json", service_request_id=record.public_id)) == []


async def test_a_list_is_narrowed_as_the_specification_says(gateway: Gateway) -> None:
    made = [json_of(await post(gateway, service_code=code))[0]["service_request_id"] for code in ("noise", "greening")]

    async def found(**query: str) -> set[str]:
        answer = await get(gateway, "requests.json", **query)
        return {each["service_request_id"] for each in json_of(answer)} & set(made)

    assert await found() == set(made)
    assert await found(service_code="noise") == {made[0]}
    assert await found(service_code="noise,greening", status="open,closed") == set(made)
    assert await found(status="closed") == set()
    # the numbers override every other argument
    assert await found(service_request_id=",".join(made), status="closed", service_code="noise") == set(made)
    assert await found(jurisdiction_id="", service_code="", status="") == set(made)
    now = datetime.now(UTC)
    day = timedelta(days=1)
    assert await found(start_date=open311.moment(now - day), end_date=open311.moment(now + day)) == set(made)
    assert await found(end_date=(now - day).strftime("%Y-%m-%dT%H:%M:%SZ")) == set()


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("services.json", {"jurisdiction_id": "city.gov"}, 404),
        ("services/nothing.json", {}, 404),
        ("requests/nothing.json", {}, 404),
        ("tokens/12345.json", {}, 404),
        ("requests.json", {"status": "lost"}, 400),
        ("requests.json", {"start_date": "yesterday"}, 400),
        ("requests.json", {"start_date": "2026-01-01T00:00:00"}, 400),
        ("requests.json", {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"}, 400),
        ("requests.json", {"start_date": "2026-02-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"}, 400),
    ],
)
async def test_an_error_has_the_shape_of_the_example(
    gateway: Gateway, path: str, query: dict[str, str], status: int
) -> None:
    answer = await get(gateway, path, **query)
    assert answer.status_code == status
    (error,) = json_of(answer)
    assert list(error) == ["code", "description"]
    assert error["code"] == status
    again = await get(gateway, path.replace(".json", ".xml"), **query)
    assert again.status_code == status
    root = xml(again)
    assert (root.tag, names(root), names(root[0])) == ("errors", ["error"], ["code", "description"])


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"api_key": None}, 403),
        ({"api_key": "xyz"}, 403),
        ({"jurisdiction_id": "city.gov"}, 404),
        ({"service_code": None}, 400),
        ({"service_code": "001"}, 404),
        ({"address_string": None, "lat": None}, 400),
        ({"address_string": None, "lat": "91"}, 400),
        ({"address_string": None, "lat": "north"}, 400),
        ({"description": "坑" * 2001}, 400),
        ({"attribute[TYPE]": "gossip"}, 400),
    ],
)
async def test_a_request_that_cannot_be_taken_is_refused_by_the_specifications_code(
    gateway: Gateway, more: dict[str, Any], status: int
) -> None:
    answer = await post(gateway, **more)
    assert answer.status_code == status
    (error,) = json_of(answer)
    assert error["code"] == status


async def test_coordinates_alone_are_a_place(gateway: Gateway) -> None:
    assert (await post(gateway, address_string=None)).status_code == 201


async def test_a_body_that_is_no_form_and_a_format_that_is_none_are_told(gateway: Gateway) -> None:
    body = await gateway.http.post(f"{PATH}/requests.json", json=POSTED)
    assert (body.status_code, body.json()[0]["code"]) == (400, 400)
    assert xml(await get(gateway, "services.csv")).tag == "errors"
    bad = await gateway.http.post(
        f"{PATH}/requests.xml", content=b"api_key=%ff%fe", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert bad.status_code == 400


async def test_words_that_xml_cannot_hold_do_not_break_it(gateway: Gateway) -> None:
    (made,) = json_of(await post(gateway, description="坑\x00\x08 <b>&大"))
    root = xml(await get(gateway, f"requests/{made['service_request_id']}.xml"))
    assert root.findtext("request/description") == "坑 <b>&大"


async def test_without_a_key_in_the_settings_nobody_files_by_open311(running: Gateway) -> None:
    assert (await post(running, api_key="")).status_code == 403
    assert (await post(running)).status_code == 403
