"""「那离职呢」 after an answer: what two searches make of a word or two, and what stays with the service in talk."""

from __future__ import annotations

import pytest

from hotline.ports import SearchHit
from knowledge_base.catalogue import load_catalogue
from knowledge_base.decide import Outcome, about_oneself
from knowledge_base.strangers import strangers_of
from knowledge_base.subject import matter
from knowledge_base.turning import turned_to

STRANGERS = strangers_of(load_catalogue())


def hits(**scores: float) -> list[SearchHit]:
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])
    return [SearchHit(item_key=key, score=score) for key, score in ranked]


def test_what_both_searches_find_is_answered_though_one_is_unsure() -> None:
    decision = turned_to(hits(GJ04=0.5, SB17=0.14), hits(GJ01=0.9, GJ04=0.02), "离职", "GJ01", corrects=False)
    assert decision
    assert (decision.outcome, decision.item_key) == (Outcome.FOUND, "GJ04")


def test_a_word_that_means_another_thing_in_this_company_is_asked_about() -> None:
    decision = turned_to(hits(HZ02=0.99), hits(WJ03=0.9, HZ01=0.01), "入户", "WJ03", corrects=False)
    assert decision
    assert decision.outcome is Outcome.ASK_WHICH
    assert set(decision.candidates) == {"HZ02", "HZ01"}


def test_a_clear_name_is_believed_alone() -> None:
    decision = turned_to(hits(CJ01=1.0), hits(JZ02=0.9, JZ03=0.05), "护照本", "JZ02", corrects=False)
    assert decision
    assert decision.item_key == "CJ01"


def test_a_word_that_names_nothing_means_something_only_beside_the_service_in_talk() -> None:
    decision = turned_to(hits(JT02=0.5), hits(JZ03=0.6, JZ04=0.2, JZ01=0.01), "丢", "JZ03", corrects=False)
    assert decision
    assert decision.item_key == "JZ04"


def test_the_service_in_talk_named_again_goes_on() -> None:
    decision = turned_to(hits(RC01=0.99), hits(RC01=1.0), "租房补贴", "RC01", corrects=False)
    assert decision
    assert decision.outcome is Outcome.CONTEXT


def test_what_is_doubtful_is_never_answered_after_a_correction_nor_offered_with_the_wrong_one() -> None:
    alone = hits(SB01=0.5, YB06=0.43, YB01=0.02, YB02=0.015)
    decision = turned_to(alone, hits(SB01=1.0), "医保卡", "SB01", corrects=True)
    assert decision
    assert decision.outcome is Outcome.ASK_WHICH
    assert "SB01" not in decision.candidates
    assert len(decision.candidates) > 1


def test_nothing_near_leaves_it_to_the_search_of_the_whole() -> None:
    assert turned_to([], [], "养蜂", "JZ02", corrects=False) is None


@pytest.mark.parametrize(
    "said",
    [
        "我老婆呢",
        "咁我阿妈呢",
        "如果是小孩呢",
        "外地人可以吗",
        "我老婆的也一样吗",
        "要带户口本吗",
        "使唔使体检",
        "一定要公证吗",
        "租房补贴也是这个吗",
        "我没有房产证呢",
    ],
)
def test_ones_own_case_another_person_or_a_needed_thing_stays_with_the_service(said: str) -> None:
    assert about_oneself(said, matter(said))


@pytest.mark.parametrize("said", ["那护照呢", "要办居住证吗", "离婚怎么办", "那社保卡要多少钱", "公证在哪里做"])
def test_another_service_is_no_case_of_ones_own(said: str) -> None:
    assert not about_oneself(said, matter(said))


@pytest.mark.parametrize(
    ("said", "key"), [("烟草专卖零售许可证怎么办", "SC04"), ("深圳入户积分要多少", "HZ04"), ("渔船年审在哪里", "JT04")]
)
def test_a_word_that_no_phrase_of_the_service_knows_is_a_stranger(said: str, key: str) -> None:
    assert STRANGERS.of(said, key)


@pytest.mark.parametrize(
    ("said", "key"), [("食品经营许可证怎么办", "SC04"), ("幼儿园什么时候报名", "JY06"), ("改名字要什么手续", "HZ08")]
)
def test_a_question_in_the_services_own_words_has_no_strangers(said: str, key: str) -> None:
    assert not STRANGERS.of(said, key)


@pytest.mark.parametrize(
    ("said", "own"),
    [
        ("我哋先结婚半年咋，得唔得", True),
        ("我之前征信花了会不会不给", True),
        ("我个厂喺狮山嘅，算唔算", True),
        ("我想办居住证可以吗", False),
        ("我身份证丢了可以补办吗", False),
        ("我户口迁出去了，可以迁回来吗", False),
    ],
)
def test_a_case_told_with_whether_it_will_do_is_asked_of_the_service_in_talk(said: str, own: bool) -> None:
    assert about_oneself(said, matter(said)) is own


def test_a_short_word_that_many_services_are_called_by_is_asked_about() -> None:
    alone = hits(YB01=0.95, YB02=0.02, YB06=0.01)
    decision = turned_to(alone, hits(SB01=0.9), "医保", "SB01", corrects=True, shared=True)
    assert decision
    assert (decision.outcome, decision.candidates) == (Outcome.ASK_WHICH, ["YB01", "YB02", "YB06"])
