"""How a request would be filed, and which ones tell of the same thing."""

from __future__ import annotations

import pytest

from hotline.work_orders import RequestType, Urgency
from knowledge_base.catalogue import load_catalogue
from knowledge_base.places import find_place, place_answer
from knowledge_base.times import find_when, without_times
from knowledge_base.triage import load_categories, triage

CATALOGUE = load_catalogue()
CATEGORIES = load_categories()
T, U = RequestType, Urgency


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("楼下烧烤档夜夜烟到死", T.COMPLAINT),
        ("我要投诉路灯坏了", T.COMPLAINT),
        ("路灯坏了半个月", T.HELP),
        ("请尽快派人来修路灯", T.HELP),
        ("我要举报有人偷排污水", T.REPORT),
        ("天台僭建有冇人理", T.REPORT),
        ("建议在村口加个公交站", T.SUGGESTION),
        ("希望能多开一趟去医院的公交", T.SUGGESTION),
        ("表扬一下窗口的小姑娘", T.PRAISE),
        ("窗口的小李办事很耐心", T.PRAISE),
        ("居住证要带什么材料", T.CONSULT),
        ("我想问一下公积金能不能提取", T.CONSULT),
        ("有没有人管啊，垃圾堆成山", T.COMPLAINT),
        ("煤气泄漏了快来人", T.HELP),
    ],
)
def test_a_request_has_the_type_that_is_said_or_that_such_matters_have(text: str, kind: RequestType) -> None:
    assert triage(text, CATALOGUE, CATEGORIES).type is kind


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("井盖不见了", U.URGENT),
        ("路边个渠盖冇咗好危险", U.URGENT),
        ("电线掉下来了", U.URGENT),
        ("停电了家里有个病人用呼吸机", U.URGENT),
        ("落大雨条村浸晒", U.URGENT),
        ("电梯困住了人", U.EMERGENCY),
        ("物业乱收停车费", U.NORMAL),
        ("居住证要带什么材料", U.NORMAL),
    ],
)
def test_a_hazard_is_urgent_and_a_danger_to_life_an_emergency(text: str, urgency: Urgency) -> None:
    assert triage(text, CATALOGUE, CATEGORIES).urgency is urgency


def test_what_the_gateways_list_calls_danger_is_an_emergency() -> None:
    assert triage("……", CATALOGUE, is_danger=lambda _: True).urgency is U.EMERGENCY


def test_the_category_names_the_department_and_what_is_unknown_stays_open() -> None:
    known = triage("大沥河涌又黑又臭，有工厂偷排", CATALOGUE, CATEGORIES)
    assert known.category == "pollution"
    assert known.department
    assert triage("有件事", CATALOGUE, CATEGORIES).department is None


@pytest.mark.parametrize(
    ("text", "place", "town", "precise"),
    [
        ("桂城南海大道昨晚十一点还在打桩吵死了", "桂城南海大道", "桂城街道", True),
        ("大沥黄岐广佛路128号楼下的烧烤档烟到死", "大沥黄岐广佛路128号楼下", "大沥镇", True),
        ("里水和顺文教路口红绿灯坏了", "里水和顺文教路口", "里水镇", True),
        ("狮山罗村有个井盖没了", "狮山罗村", "狮山镇", False),
        ("我要投诉南海大道北的路灯不亮", "南海大道北", None, True),
        ("楼下烧烤档夜夜烟到死", "", None, False),
        ("健身房跑路了不退钱", "", None, False),
        ("我们小区有人跳广场舞", "", None, False),
        ("大沥黄岐广场对面烧烤档太吵", "大沥黄岐广场对面", "大沥镇", True),
        ("盐步医院门口日日塞车", "盐步医院门口", "大沥镇", True),
        ("大沥广场舞好嘈", "大沥", "大沥镇", False),
        ("狮山市场监管局不理我", "狮山", "狮山镇", False),
    ],
)
def test_a_place_is_read_out_of_a_sentence_and_nothing_else_is_taken_for_one(
    text: str, place: str, town: str | None, precise: bool
) -> None:
    found = find_place(text, CATALOGUE)
    assert (found.place, found.town, found.precise) == (place, town, precise)


@pytest.mark.parametrize(
    ("text", "outside"),
    [
        ("顺德大良有工厂排污", "佛山市顺德区"),
        ("广州番禺大石", "广州市"),
        ("禅城张槎", "佛山市禅城区"),
        ("广佛路有个坑", None),
        ("顺德菜馆油烟大", None),
        ("广州车牌乱停在桂城海五路", None),
    ],
)
def test_what_lies_outside_the_district_is_known_by_name(text: str, outside: str | None) -> None:
    found = find_place(text, CATALOGUE).outside
    assert (found.name if found else None) == outside


def test_where_only_a_place_was_asked_for_the_whole_answer_is_the_place() -> None:
    assert place_answer("就在桂城海三路", CATALOGUE).place == "桂城海三路"
    assert place_answer("贵城", CATALOGUE).town == "桂城街道"
    assert find_place("禅桂那边", CATALOGUE).ask


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("桂城南海大道昨晚十一点还在打桩", "昨晚十一点"),
        ("每天晚上十点以后", "每天晚上十点以后"),
        ("上个星期三下午", "上个星期三下午"),
        ("今朝", "今朝"),
        ("路灯坏咗成个月", "成个月"),
        ("老板拖欠我们三个月工资", ""),
        ("广佛路128号", ""),
        ("你们几点下班", ""),
    ],
)
def test_a_time_is_kept_as_it_is_said(text: str, when: str) -> None:
    assert find_when(text) == when
    assert not when or when not in without_times(text)
