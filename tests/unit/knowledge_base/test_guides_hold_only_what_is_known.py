"""The guides as they are committed."""

from __future__ import annotations

import re
from datetime import date

import pytest

from hotline.catalogue import Confidence, Element, Fact, RegionScope
from hotline.messages import Aspect
from knowledge_base.catalogue import DEFAULT_FOLDER, Catalogue, load_catalogue
from knowledge_base.lint import ELSEWHERE, SHIPPED, lint

REVIEWED = date(2026, 11, 23)

# The service list: an area's letters and how many services it has.
SERVICES = {
    "HZ": 8, "JZ": 5, "CJ": 3, "JT": 6, "SB": 17, "YB": 8, "GJ": 4, "JY": 9, "BD": 6, "ZJ": 5, "NC": 1, "SC": 5,
    "MZ": 8, "WJ": 5, "CL": 2, "TY": 1, "SW": 3, "CG": 4, "HB": 2, "GY": 1, "SF": 3, "RC": 1,
}  # fmt: skip
# Asked of every service by itself; amounts and general facts are not there for all.
ELEMENTS = (
    Aspect.MATERIALS, Aspect.CONDITIONS, Aspect.STEPS, Aspect.TIME_LIMIT, Aspect.FEE, Aspect.WHERE,
    Aspect.WHEN_OPEN, Aspect.ONLINE, Aspect.PHONE,
)  # fmt: skip


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_the_guides_have_no_lint_findings(catalogue: Catalogue) -> None:
    assert lint(catalogue, today=REVIEWED) == []


def every_fact(catalogue: Catalogue) -> list[Fact]:
    groups = [g for item in catalogue.items.values() for g in [*item.facts.values(), *item.elements.values()]]
    return [fact for group in groups for fact in group]


def test_the_catalogue_holds_the_services_of_the_list_and_no_others(catalogue: Catalogue) -> None:
    listed = {f"{letters}{n:02}" for letters, count in SERVICES.items() for n in range(1, count + 1)}
    assert len(listed) == 107
    assert set(catalogue) == listed


def test_every_service_has_every_official_element_known_or_named_as_unknown(catalogue: Catalogue) -> None:
    for item in catalogue.items.values():
        assert [a for a in ELEMENTS if not item.facts.get(a)] == [], item.key
        assert [e for e in Element if not item.elements.get(e)] == [], item.key
        for group in [*item.facts.values(), *item.elements.values()]:
            assert all(fact.known or fact.unknown for fact in group), item.key


def test_every_service_is_known_by_many_names_and_questions(catalogue: Catalogue) -> None:
    for item in catalogue.items.values():
        assert len(item.aliases) >= SHIPPED.aliases, item.key
        assert len(item.questions) >= SHIPPED.questions, item.key


def test_the_guides_are_plain_yaml_that_people_can_edit() -> None:
    for path in (DEFAULT_FOLDER / "guides").rglob("*.yml"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?m)(?:: |- )[&*]\w+\s*$", text), f"{path.name}: an anchor"
        assert "\t" not in text, path.name
        assert text.startswith("#"), f"{path.name}: the first line names the service"


def test_every_cited_source_is_on_record(catalogue: Catalogue) -> None:
    cited = {key for fact in every_fact(catalogue) for key in fact.source.split()}
    assert cited <= set(catalogue.sources)
    assert len(cited) > 10


def test_no_unsure_fact_states_anything(catalogue: Catalogue) -> None:
    unsure = [f for f in every_fact(catalogue) if not f.known]
    assert len(unsure) > 100
    for fact in unsure:
        assert not any([fact.text, fact.items, fact.documents, fact.limit])
        assert not re.search(r"\d", fact.unknown)


def test_every_service_says_where_to_ask_and_where_to_go(catalogue: Catalogue) -> None:
    for item in catalogue.items.values():
        assert any(f.known for f in item.facts[Aspect.PHONE]), item.key
        assert item.facts[Aspect.WHERE], item.key


def test_opening_hours_are_nowhere_claimed_for_a_hall(catalogue: Catalogue) -> None:
    for item in catalogue.items.values():
        for fact in item.facts[Aspect.WHEN_OPEN]:
            assert not fact.known or "12345" in fact.text, item.key


def test_another_citys_practice_always_names_that_city(catalogue: Catalogue) -> None:
    elsewhere = [fact for fact in every_fact(catalogue) if fact.region_scope is RegionScope.OTHER_CITY]
    assert elsewhere
    for fact in elsewhere:
        assert fact.text.startswith(ELSEWHERE)
        assert "没有核实" in fact.text


@pytest.mark.parametrize(
    ("key", "aspect", "missing"),
    [
        ("HZ01", Aspect.TIME_LIMIT, "办理时限"),
        ("CJ02", Aspect.FEE, "签注的收费"),
        ("JZ04", Aspect.FEE, "工本费金额"),
        ("YB01", Aspect.FEE, "缴费标准"),
        ("YB02", Aspect.AMOUNT, "佛山现在实际的门诊报销比例"),
        ("MZ04", Aspect.AMOUNT, "津贴的标准"),
        ("SB05", Aspect.TIME_LIMIT, "多长时间"),
        ("ZJ01", Aspect.CONDITIONS, "人均居住面积"),
        ("CL01", Aspect.FEE, "鉴定费"),
    ],
)
def test_what_could_not_be_found_is_named_as_unknown(
    catalogue: Catalogue, key: str, aspect: Aspect, missing: str
) -> None:
    unsure = [f for f in catalogue[key].facts[aspect] if f.confidence is Confidence.UNSURE]
    assert any(missing in fact.unknown for fact in unsure)


@pytest.mark.parametrize(
    ("key", "aspect", "said"),
    [
        ("HZ06", Aspect.FEE, "40元"),
        ("JZ02", Aspect.TIME_LIMIT, "10个工作日"),
        ("CJ01", Aspect.FEE, "120元"),
        ("BD01", Aspect.FEE, "80元"),
        ("SB09", Aspect.AMOUNT, "24个月"),
        ("SB10", Aspect.CONDITIONS, "注册满12个月"),
        ("MZ01", Aspect.CONDITIONS, "全国通办"),
        ("WJ02", Aspect.AMOUNT, "3600元"),
    ],
)
def test_known_figures_are_spoken_from_their_own_aspect(
    catalogue: Catalogue, key: str, aspect: Aspect, said: str
) -> None:
    assert any(said in text for f in catalogue[key].facts[aspect] for text in [f.text, *f.items])


def test_grief_and_sensitive_services_slow_down(catalogue: Catalogue) -> None:
    assert catalogue["HZ08"].tone == "grief"
    assert {catalogue[k].tone for k in ("MZ02", "WJ01", "CL01")} == {"neutral"}


def test_halls_are_placeholders_until_a_district_fills_them_in(catalogue: Catalogue) -> None:
    assert {hall.town for hall in catalogue.halls.values()} == {"南海区", *catalogue.towns}
    assert all(hall.synthetic and "未核实" in hall.address for hall in catalogue.halls.values())
    assert len(catalogue.halls_of("狮山镇")) == 7


@pytest.mark.parametrize(
    ("said", "town"),
    [("罗村", "狮山镇"), ("贵城", "桂城街道"), ("言步", "大沥镇"), ("和顺", "里水镇"), ("桂城", "桂城街道")],
)
def test_old_and_misheard_place_names_find_their_town(catalogue: Catalogue, said: str, town: str) -> None:
    found = catalogue.town_named(said)
    assert found is not None
    assert found.name == town


def test_a_place_across_two_districts_is_no_town_but_a_question(catalogue: Catalogue) -> None:
    assert catalogue.town_named("禅桂") is None
    assert any(place.word == "禅桂" for place in catalogue.ambiguous_places)


def test_made_up_codes_cannot_be_taken_for_real_ones(catalogue: Catalogue) -> None:
    for code, item in catalogue.by_code.items():
        assert item.synthetic_code
        assert code.startswith("TEST440605")
        assert len(code) == 31
        assert item.catalog_code or code[19:21] == "99"  # no real base code begins with 99
