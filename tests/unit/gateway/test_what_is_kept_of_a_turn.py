"""What a citizen said is stored masked; where proofs may be in it, nothing of it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.turns import _kept_text
from hotline.conversation import ConversationState
from hotline.messages import Channel
from hotline.privacy import CONTACT_PLACEHOLDER, PROOF_PLACEHOLDER
from storage.ports import ConversationRecord


def record(expects: str | None = None) -> ConversationRecord:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return ConversationRecord(
        conversation_id="c1",
        channel=Channel.WEB,
        token_hash="h",
        created_at=now,
        updated_at=now,
        expects=expects,
        external_id=None,
        state=ConversationState.BOT,
    )


@pytest.mark.parametrize(
    "text",
    [
        "查613490，李丽华，567X",
        "613490 李丽华 567x",
        "六一三四九零，李丽华，五六七X",
        "李丽华 567X，613490",
        "查询码613482，陈小明，1234",
    ],
)
def test_number_name_and_last_four_in_one_breath_are_not_kept(text: str) -> None:
    assert _kept_text(text, record()) == PROOF_PLACEHOLDER


def test_a_name_beside_the_number_that_was_asked_for_is_not_kept() -> None:
    assert _kept_text("613490，李丽华", record("case_reference")) == PROOF_PLACEHOLDER


@pytest.mark.parametrize(("expects", "kept"), [("identity_proof", PROOF_PLACEHOLDER), ("contact", CONTACT_PLACEHOLDER)])
def test_answers_to_questions_after_a_person_are_hidden_whole(expects: str, kept: str) -> None:
    assert _kept_text("何小燕", record(expects)) == kept


@pytest.mark.parametrize("text", ["居住证怎么办", "613482", "2026年积分入学要几多分", "查办件进度"])
def test_other_words_are_kept_as_they_are(text: str) -> None:
    assert _kept_text(text, record()) == text
