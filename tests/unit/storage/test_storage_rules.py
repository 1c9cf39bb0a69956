"""The rules both stores share."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from hotline.messages import Channel
from storage.engine import async_url, make_engine
from storage.errors import UnmaskedTextError
from storage.ports import NewConversation
from storage.rules import external_key, hash_token, require_masked

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PHONE = "13800000000"


def test_a_token_is_kept_as_its_sha256() -> None:
    assert hash_token("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_raw_token_is_not_taken_for_a_hash() -> None:
    with pytest.raises(ValidationError):
        NewConversation(conversation_id="c1", channel=Channel.WEB, token_hash="raw-token", at=NOW)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValidationError):
        NewConversation(
            conversation_id="c1",
            channel=Channel.WEB,
            token_hash=hash_token("s"),
            at=NOW.replace(tzinfo=None),
        )


@pytest.mark.parametrize(
    "value",
    [
        PHONE,
        {"comment": PHONE},
        {"rows": [{"value": f"电话 {PHONE}"}]},
        {"caller": int(PHONE)},
        [["a", PHONE]],
    ],
)
def test_personal_numbers_are_found_however_deep(value: object) -> None:
    with pytest.raises(UnmaskedTextError) as refused:
        require_masked(value, "event")
    assert PHONE not in str(refused.value)
    assert refused.value.where.startswith("event")


@pytest.mark.parametrize(
    "value",
    [
        "您尾号的手机138****0000已登记",
        {"call_id": f"a{PHONE}b", "item_code": "TEST4406050000000001", "payload": f"/x{PHONE}"},
        {"confidence": 0.12345678901234567, "position": 3, "final": True, "none": None},
        "办件号 NH2026030200001",
    ],
)
def test_masked_texts_identifiers_and_plain_figures_pass(value: object) -> None:
    require_masked(value, "event")


def test_only_senders_named_by_a_personal_number_are_digested() -> None:
    assert external_key("sender-7") == "sender-7"
    assert external_key(None) is None
    digest = external_key(PHONE)
    assert digest is not None
    assert digest.startswith("sha256:")
    assert PHONE not in digest


def test_urls_get_an_asynchronous_driver() -> None:
    assert async_url("sqlite:///a.db").drivername == "sqlite+aiosqlite"
    assert async_url("sqlite+aiosqlite:///a.db").drivername == "sqlite+aiosqlite"
    assert async_url("postgresql://u@h/d").drivername == "postgresql+asyncpg"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite:///:memory:"])
def test_sqlite_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="MemoryStore"):
        make_engine(url)
