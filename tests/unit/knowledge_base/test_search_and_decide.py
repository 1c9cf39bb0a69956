"""From what was said to a service: its subject, the ranking, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hotline.ports import SearchHit, ServiceSearch
from knowledge_base.catalogue import load_catalogue
from knowledge_base.decide import CLEAR, MOST_CANDIDATES, POSSIBLE, RIVAL, Decision, Outcome, decide
from knowledge_base.fusion import FEATURES, Fusion, load_fusion, save_fusion
from knowledge_base.memory import PhraseSearch
from knowledge_base.search import DOUBTFUL, HybridSearch
from knowledge_base.subject import matter, plain, subject_of, whole

ITEMS = load_catalogue().items
SOME = [ITEMS[key] for key in ("HZ06", "JZ02", "SB01", "SB09", "GJ01", "YB01")]


class PairEncoder:
    """Unit vectors from hashed character pairs: near texts lie near, and no model is loaded."""

    name = "pairs"

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded += len(texts)
        rows = np.full((len(texts), 256), 1e-3, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for a, b in pairwise(text):
                row[(ord(a) * 31 + ord(b)) % 256] += 1.0
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def hybrid() -> HybridSearch:
    return HybridSearch(ITEMS.values(), PairEncoder())


@pytest.fixture(scope="module", params=["hybrid", "phrases"])
def search(request: pytest.FixtureRequest, hybrid: HybridSearch) -> ServiceSearch:
    return hybrid if request.param == "hybrid" else PhraseSearch(ITEMS.values())


# ---------------------------------------------------------------- the contract of a search


def test_every_service_is_found_by_its_own_name(search: ServiceSearch) -> None:
    for key, item in ITEMS.items():
        assert key in [hit.item_key for hit in search.search(item.name, 3)], key


def test_hits_are_ranked_probabilities_of_known_services_each_once(search: ServiceSearch) -> None:
    for text in ("居住证怎么办", "社保卡丢了", "身份证", "飞碟", "公积金提取要什么材料"):
        hits = search.search(text, 4)
        scores = [hit.score for hit in hits]
        assert len(hits) <= 4
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert len({hit.item_key for hit in hits}) == len(hits)
        assert {hit.item_key for hit in hits} <= set(ITEMS)


@pytest.mark.parametrize("text", ["", " ", "？！", "。。。"])
def test_nothing_said_finds_nothing(search: ServiceSearch, text: str) -> None:
    assert search.search(text) == []


def test_script_width_and_punctuation_do_not_change_what_is_found(search: ServiceSearch) -> None:
    assert search.search("居住證，怎麼辦？") == search.search("居住证怎么办")
    assert search.search("ＳＯＳ居住证") == search.search("sos居住证")


# ---------------------------------------------------------------- the hybrid one


def test_a_question_that_names_no_matter_finds_nothing(hybrid: HybridSearch) -> None:
    assert hybrid.search("那要带什么材料") == []
    assert hybrid.search("要多少钱") == []


def test_the_chances_of_all_services_and_of_none_add_up_to_one(hybrid: HybridSearch) -> None:
    for text in ("居住证怎么办", "飞碟驾驶证", "补贴"):
        assert sum(hit.score for hit in hybrid.search(text, len(ITEMS))) <= 1.000001


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("舍保卡", "SB01"), ("举住证点办", "JZ02"), ("公基金租房", "GJ01"), ("实业金", "SB09"), ("身份政唔見咗", "HZ06")],
)
def test_what_sounds_alike_is_found(hybrid: HybridSearch, wrong: str, right: str) -> None:
    assert right in [hit.item_key for hit in hybrid.search(wrong, 3)]


def test_an_empty_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        HybridSearch([], PairEncoder())


def test_one_service_alone_can_be_searched() -> None:
    search = HybridSearch(SOME[:1], PairEncoder())
    assert [hit.item_key for hit in search.search("身份证")] == [SOME[0].key]


def test_vectors_and_classifier_are_made_once_and_kept(tmp_path: Path) -> None:
    encoder = PairEncoder()
    first = HybridSearch(SOME, encoder, tmp_path)
    made = encoder.encoded
    second = HybridSearch(SOME, encoder, tmp_path)
    assert encoder.encoded == made
    assert second.search("居住证怎么办") == first.search("居住证怎么办")
    assert sorted(f.suffix for f in tmp_path.iterdir()) == [".joblib", ".npz"]


def test_one_new_phrase_costs_one_new_vector(tmp_path: Path) -> None:
    encoder = PairEncoder()
    HybridSearch(SOME, encoder, tmp_path)
    made = encoder.encoded
    longer = SOME[0].model_copy(update={"questions": [*SOME[0].questions, "证件相片不像本人要重拍"]})
    HybridSearch([longer, *SOME[1:]], encoder, tmp_path)
    assert encoder.encoded == made + 1


def test_another_model_gets_vectors_of_its_own(tmp_path: Path) -> None:
    encoder, other = PairEncoder(), PairEncoder()
    other.name = "another"
    HybridSearch(SOME, encoder, tmp_path)
    HybridSearch(SOME, other, tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_kept_files_that_were_cut_short_are_made_again(tmp_path: Path) -> None:
    first = HybridSearch(SOME, PairEncoder(), tmp_path)
    for file in list(tmp_path.iterdir()):
        for content in (b"", file.read_bytes()[: file.stat().st_size // 2], b"nothing of ours"):
            file.write_bytes(content)
            again = HybridSearch(SOME, PairEncoder(), tmp_path)
            assert again.search("居住证怎么办") == first.search("居住证怎么办")


def test_a_large_catalogue_is_searched_by_a_shortlist(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = HybridSearch(SOME, PairEncoder(), fusion=load_fusion(with_classifier=False))
    monkeypatch.setattr("knowledge_base.search.EXACT_LIMIT", 10)
    monkeypatch.setattr("knowledge_base.search.MOST_SERVICES", 1)
    monkeypatch.setattr("knowledge_base.search.SHORTLIST", 20)
    short = HybridSearch(SOME, PairEncoder())
    for text in ("居住证怎么办", "失业金几时攞得", "社保卡丢了"):
        assert short.search(text)[0].item_key == exact.search(text)[0].item_key
    assert short.search("zzz") == [] or short.search("zzz")[0].score < RIVAL


def test_a_service_is_likelier_the_nearer_its_phrases_lie() -> None:
    fusion = load_fusion(with_classifier=False)
    far, near = np.zeros((2, len(FEATURES)), np.float32), np.zeros((2, len(FEATURES)), np.float32)
    near[0, :-1] = 0.9
    chances = fusion.probabilities(near)
    assert chances[0] > 0.9 > chances[1]
    assert fusion.probabilities(far).max() < POSSIBLE


def test_fitted_weights_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "fusion.yml"
    part: dict[str, object] = {"weights": {"vectors": 2.5}, "none": 1.25}
    save_fusion({"with_classifier": part, "without_classifier": part}, file)
    fusion = load_fusion(with_classifier=False, file=file)
    assert fusion.none == 1.25
    assert fusion.weights[FEATURES.index("vectors")] == 2.5
    assert fusion.weights[FEATURES.index("characters")] == 0.0


def test_equal_services_share_the_chance() -> None:
    same = np.full((2, len(FEATURES)), 0.9, np.float32)
    chances = Fusion(np.ones(len(FEATURES)) * 5, none=0.0).probabilities(same)
    assert chances[0] == pytest.approx(chances[1]) == pytest.approx(0.5, abs=1e-6)


# ---------------------------------------------------------------- what to do with the ranking


def _hits(*scores: float) -> list[SearchHit]:
    return [SearchHit(item_key=f"k{n}", score=score) for n, score in enumerate(scores)]


_SHORT, _LONG = "我自己交", "飞碟驾驶证"  # the one names no matter of its own, the other does
_UNSURE, _SOME = POSSIBLE - 0.01, POSSIBLE + 0.01

TABLE = [
    # hits, subject, in talk → outcome, item, candidates
    ([], "", None, Outcome.ASK_SUBJECT, None, []),
    ([], "", "JZ02", Outcome.CONTEXT, "JZ02", []),
    (_hits(0.99), "", "JZ02", Outcome.CONTEXT, "JZ02", []),
    (_hits(CLEAR), "居住证", None, Outcome.FOUND, "k0", []),
    (_hits(0.99), "居住证", "SB09", Outcome.FOUND, "k0", []),
    (_hits(CLEAR - 0.01, 0.3), "居住证", None, Outcome.ASK_WHICH, None, ["k0", "k1"]),
    (_hits(_SOME, _UNSURE), "居住证", None, Outcome.ASK_WHICH, None, ["k0", "k1"]),
    (_hits(_SOME), "居住证", None, Outcome.ASK_WHICH, None, ["k0"]),
    (_hits(0.5, 0.4, 0.3, 0.2), "居住证", None, Outcome.ASK_WHICH, None, ["k0", "k1", "k2"]),
    (_hits(_SOME, _UNSURE), _SHORT, "JZ02", Outcome.CONTEXT, "JZ02", []),
    (_hits(_UNSURE), _SHORT, "JZ02", Outcome.CONTEXT, "JZ02", []),
    (_hits(RIVAL + 0.01, _UNSURE), _SHORT, "JZ02", Outcome.ASK_WHICH, None, ["k0", "JZ02"]),
    (_hits(_SOME, _UNSURE), _LONG, "JZ02", Outcome.ASK_WHICH, None, ["k0", "JZ02"]),
    (_hits(_UNSURE), "要交费", "JZ02", Outcome.CONTEXT, "JZ02", []),
    (_hits(_UNSURE), "几时拿证", "JZ02", Outcome.CONTEXT, "JZ02", []),
    (_hits(_UNSURE), _LONG, "JZ02", Outcome.UNKNOWN, None, ["k0"]),
    (_hits(0.05, 0.04, 0.03), _LONG, None, Outcome.UNKNOWN, None, ["k0", "k1"]),
    ([], _LONG, None, Outcome.UNKNOWN, None, []),
    ([], _SHORT, None, Outcome.UNKNOWN, None, []),
]


@pytest.mark.parametrize(("hits", "subject", "in_talk", "outcome", "item", "candidates"), TABLE)
def test_the_ranking_decides(
    hits: list[SearchHit], subject: str, in_talk: str | None, outcome: Outcome, item: str | None, candidates: list[str]
) -> None:
    assert decide(hits, subject, in_talk) == Decision(outcome=outcome, item_key=item, candidates=candidates)


def test_words_that_seem_out_of_scope_need_a_clearer_service() -> None:
    assert decide(_hits(0.8), "商标注册", None).outcome is Outcome.FOUND
    assert decide(_hits(0.8), "商标注册", None, clear=0.97).outcome is Outcome.ASK_WHICH


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(0, 1), max_size=6),
    st.sampled_from(["", "居", "居住证", "居住证延期"]),
    st.sampled_from([None, "JZ02"]),
)
def test_a_decision_always_says_what_it_is_about(scores: list[float], subject: str, in_talk: str | None) -> None:
    decision = decide(_hits(*sorted(scores, reverse=True)), subject, in_talk)
    answered = decision.outcome in (Outcome.FOUND, Outcome.CONTEXT)
    assert (decision.item_key is not None) is answered
    assert len(decision.candidates) <= MOST_CANDIDATES
    if decision.outcome is Outcome.ASK_WHICH:
        assert decision.candidates
    if decision.outcome is Outcome.CONTEXT:
        assert decision.item_key == in_talk
        assert not subject.endswith("证")  # a matter named is never taken for the one in talk


# ---------------------------------------------------------------- the subject


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("那居住证要带什么材料", "居住证"),
        ("居住證要帶咩嘢", "居住证"),
        ("那要带什么材料", ""),
        ("要多少钱呢？", ""),
        ("咁要幾耐呀", "咁"),
        ("几点开门", ""),
        ("在哪里办", ""),
        ("怎么办理", ""),
        ("网上能办吗", ""),
        ("请问一下社保卡怎么补", "社保卡补"),
        ("１２３", ""),
        ("", ""),
        ("？！", ""),
    ],
)
def test_the_subject_is_what_remains_without_the_asking(text: str, subject: str) -> None:
    assert subject_of(text) == subject


def test_every_service_still_has_a_subject() -> None:
    for item in ITEMS.values():
        assert subject_of(item.name), item.name
        for alias in item.aliases:
            assert subject_of(alias), alias


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("張居住證唔見咗點補", "居住证丢补"),
        ("嗰張社保卡喺邊度攞", "社保卡领"),
        ("要带咩嘢去", ""),
        ("几时攞得", ""),
        ("劳动仲裁点搞", "劳动仲裁"),
        ("银行几点开门", "银行"),
    ],
)
def test_cantonese_is_read_as_written_chinese(said: str, about: str) -> None:
    assert matter(said).replace("张", "") == about


def test_a_converter_that_is_too_learned_is_put_right() -> None:
    assert plain("嗰張") == "嗰张"
    assert whole("嗰度") == "那里"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40))
def test_plain_text_is_plain(text: str) -> None:
    once = plain(text)
    assert not any(c.isspace() for c in once)
    assert all(c.isalnum() or c == "_" or c.isidentifier() or not c.isascii() for c in once)
    assert not any(c.isspace() for c in subject_of(text))


# ---------------------------------------------------------------- the packaged model


def test_the_packaged_model_gives_unit_vectors_that_tell_likeness() -> None:
    from knowledge_base.search import SentenceEncoder

    encoder = SentenceEncoder()
    near, far = "怎么申请居住证", "今天天气怎么样"
    rows = encoder.encode(["居住证怎么办", near, far])
    assert rows.shape == (3, 512)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
    assert np.allclose(encoder.encode(["居住证怎么办"])[0], rows[0], atol=1e-5)
    assert encoder.name


def test_a_short_word_that_many_services_share_names_none_of_them(hybrid: HybridSearch) -> None:
    for word in ("补贴", "公积金", "社保"):
        assert hybrid.search(word)[0].score <= DOUBTFUL < CLEAR, word


def test_a_short_word_that_one_service_is_called_by_names_it(hybrid: HybridSearch) -> None:
    assert hybrid.search("居住证")[0].item_key == "JZ02"
    assert hybrid.search("居住证")[0].score > hybrid.search("补贴")[0].score
