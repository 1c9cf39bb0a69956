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
from knowledge_base.decide import CLEAR, MOST_CANDIDATES, POSSIBLE, Decision, Outcome, decide
from knowledge_base.memory import PhraseSearch
from knowledge_base.search import HybridSearch, probability
from knowledge_base.subject import plain, subject_of

ITEMS = load_catalogue().items


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
    assert hybrid.scores("要多少钱") == {}


def test_a_service_scores_as_its_best_phrase_does(hybrid: HybridSearch) -> None:
    alias = ITEMS["JZ02"].aliases[0]
    assert hybrid.scores(alias)["JZ02"] == max(hybrid.scores(alias).values())


def test_an_empty_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        HybridSearch([], PairEncoder())


def test_a_phrases_vectors_are_made_once_and_kept(tmp_path: Path) -> None:
    encoder = PairEncoder()
    first = HybridSearch(ITEMS.values(), encoder, tmp_path)
    made = encoder.encoded
    second = HybridSearch(ITEMS.values(), encoder, tmp_path)
    assert encoder.encoded == made
    assert second.search("居住证怎么办") == first.search("居住证怎么办")
    assert [f.suffix for f in tmp_path.iterdir()] == [".npy"]


def test_another_model_or_other_phrases_get_vectors_of_their_own(tmp_path: Path) -> None:
    encoder, other = PairEncoder(), PairEncoder()
    other.name = "another"
    HybridSearch(ITEMS.values(), encoder, tmp_path)
    HybridSearch(ITEMS.values(), other, tmp_path)
    HybridSearch(list(ITEMS.values())[1:], encoder, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_kept_vectors_that_were_cut_short_are_made_again(tmp_path: Path) -> None:
    whole = HybridSearch(ITEMS.values(), PairEncoder(), tmp_path)
    file = next(tmp_path.iterdir())
    for content in (b"", file.read_bytes()[: file.stat().st_size // 2], b"not vectors"):
        file.write_bytes(content)
        encoder = PairEncoder()
        again = HybridSearch(ITEMS.values(), encoder, tmp_path)
        assert encoder.encoded > 0
        assert again.search("居住证怎么办") == whole.search("居住证怎么办")


def test_probability_rises_with_the_score_and_with_the_lead() -> None:
    assert probability(0.2, 0.0) < probability(0.5, 0.0) < probability(0.5, 0.2) < probability(0.9, 0.4) < 1
    assert probability(0.0, 0.0) < POSSIBLE


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
    (_hits(_SOME, _UNSURE), _SHORT, "JZ02", Outcome.ASK_WHICH, None, ["k0", "k1"]),
    (_hits(_UNSURE), _SHORT, "JZ02", Outcome.CONTEXT, "JZ02", []),
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
    assert rows.shape == (3, 384)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
    assert np.allclose(encoder.encode(["居住证怎么办"])[0], rows[0], atol=1e-5)
    assert encoder.name


def test_a_short_word_that_many_services_share_names_none_of_them() -> None:
    index = HybridSearch(ITEMS.values(), PairEncoder())
    for word in ("补贴", "公积金", "社保"):
        assert index.search(word)[0].score < CLEAR, word


def test_a_short_word_that_one_service_is_called_by_names_it() -> None:
    index = HybridSearch(ITEMS.values(), PairEncoder())
    assert index.search("居住证")[0].item_key == "JZ02"
    assert index.search("居住证")[0].score > index.search("补贴")[0].score
