"""Services, halls and a clock for the data hub's tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hotline.catalogue import (
    Confidence,
    Contact,
    Fact,
    RegionScope,
    RequiredDocument,
    ServiceHall,
    ServiceItem,
)
from hotline.messages import Aspect

TOKEN = "token-of-the-tests"
START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


class Clock:
    """A clock that moves when told to."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


def fact(text: str = "", **more: object) -> Fact:
    known = {"text": text} if text else {}
    return Fact.model_validate(
        {
            "source": "省条例",
            "as_of": date(2026, 11, 22),
            "confidence": Confidence.SOURCED,
            "region_scope": RegionScope.PROVINCE,
            **known,
            **more,
        }
    )


def item(key: str, name: str, catalog_code: str = "442106041002", **more: object) -> ServiceItem:
    return ServiceItem.model_validate(
        {
            "key": key,
            "code": f"TEST440605{key}{0:06d}5{catalog_code}",
            "catalog_code": catalog_code,
            "name": name,
            "area": "户政与居住",
            "department": "公安部门",
            "contact": Contact(number="12345", name="政务服务便民热线"),
            "summary": f"办理{name}的说明",
            "version": "2026-11-22",
            **more,
        }
    )


RESIDENCE_PERMIT = item(
    "JZ02",
    "申领居住证",
    aliases=["办居住证"],
    questions=["居住证怎么办"],
    related=["JZ01"],
    facts={
        Aspect.FEE: [fact("首次申领免费")],
        Aspect.MATERIALS: [
            fact(documents=[RequiredDocument(name="居民身份证"), RequiredDocument(name="住址证明", copies=1)])
        ],
        Aspect.AMOUNT: [
            fact(unknown="补证工本费", confidence=Confidence.UNSURE, valid_to=date(2027, 1, 1), synthetic=True)
        ],
    },
)
ITEMS = [
    RESIDENCE_PERMIT,
    item("SB01", "社保卡申领", "442011001001", area="社保就业", tone="neutral"),
    item("SC01", "个体工商户设立", "440125044001", area="市场主体", valid_to=date(2028, 12, 31)),
]
HALLS = [
    ServiceHall(
        code=f"44060500{n}",
        town=town,
        name=f"{town}行政服务中心（示例）",
        address="示例地址",
        phone="12345",
        opening_hours="以当地公布为准",
        synthetic=True,
        source="仿真数据",
    )
    for n, town in enumerate(("桂城街道", "狮山镇"))
]
