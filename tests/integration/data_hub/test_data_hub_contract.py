"""One contract, two hubs: in memory, and the reference hub over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from data_hub.client import HttpDataHub
from data_hub.memory import InMemoryDataHub
from data_hub.reference.seed import synthetic_cases
from hotline.cases import CaseState, IdentityProof, Verification, VerificationStatus
from hotline.errors import CaseNotFoundError, IdentityRequiredError, NotFoundError
from hotline.ports import DataHub
from tests.unit.data_hub.hub_samples import HALLS, ITEMS, RESIDENCE_PERMIT, TOKEN, Clock

CODE = "613482"
RIGHT = IdentityProof(name="陈小明", id_last4="1234")
WRONG = IdentityProof(name="陈小明", id_last4="4321")
S = VerificationStatus


@pytest.fixture(params=["memory", "http"])
async def hub(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[DataHub]:
    if request.param == "memory":
        yield InMemoryDataHub(ITEMS, HALLS, synthetic_cases(ITEMS, clock().date()), now=clock)
        return
    start: Callable[[], object] = request.getfixturevalue("start_hub")
    client = HttpDataHub(start().url, "nanhai-hotline", TOKEN, timeout_s=5, now=clock)  # type: ignore[attr-defined]
    yield client
    await client.aclose()


async def fail(hub: DataHub, times: int) -> list[Verification]:
    return [await hub.verify_identity(CODE, WRONG) for _ in range(times)]


async def test_a_service_is_found_by_code_and_by_key(hub: DataHub) -> None:
    assert await hub.service_item(RESIDENCE_PERMIT.code) == RESIDENCE_PERMIT
    assert await hub.service_item("JZ02") == RESIDENCE_PERMIT


@pytest.mark.parametrize("reference", ["ZZ99", "", " ", "没有", "../cases", "a/b", "x" * 500, "%2e"])
async def test_an_unknown_service_is_not_found(hub: DataHub, reference: str) -> None:
    with pytest.raises(NotFoundError):
        await hub.service_item(reference)


async def test_halls_are_those_of_a_town_or_all(hub: DataHub) -> None:
    assert await hub.service_halls() == HALLS
    assert await hub.service_halls("狮山镇") == HALLS[1:]
    assert await hub.service_halls("没有镇") == []


async def test_a_case_opens_by_query_code_and_by_number_after_both_proofs(hub: DataHub) -> None:
    verification = await hub.verify_identity(CODE, RIGHT)
    assert verification.status is S.VERIFIED
    case = await hub.case(CODE, verification.verification_id)
    assert (case.state, case.todo) == (CaseState.CORRECTION_REQUIRED, "补交租赁合同首页")
    assert case.applicant_masked == "陈*"
    assert await hub.case(case.case_number, verification.verification_id) == case


async def test_proofs_are_collected_over_two_calls(hub: DataHub) -> None:
    first = await hub.verify_identity(CODE, IdentityProof(name="陈小明"))
    assert (first.status, first.missing, first.attempts_left) == (S.NEEDS_MORE, ["id_last4"], 3)
    with pytest.raises(IdentityRequiredError):
        await hub.case(CODE, first.verification_id)
    second = await hub.verify_identity(CODE, IdentityProof(id_last4="1234"), first.verification_id)
    assert (second.status, second.verification_id) == (S.VERIFIED, first.verification_id)


async def test_no_proof_at_all_says_which_are_needed(hub: DataHub) -> None:
    answer = await hub.verify_identity(CODE, IdentityProof())
    assert (answer.status, answer.missing) == (S.NEEDS_MORE, ["name", "id_last4"])


async def test_a_phone_is_an_extra_and_has_to_match(hub: DataHub) -> None:
    phone_only = await hub.verify_identity(CODE, IdentityProof(name="陈小明", phone="13800000001"))
    assert (phone_only.status, phone_only.missing) == (S.NEEDS_MORE, ["id_last4"])
    wrong = await hub.verify_identity(CODE, RIGHT.model_copy(update={"phone": "13800000099"}))
    assert wrong.status is S.FAILED
    right = await hub.verify_identity(CODE, RIGHT.model_copy(update={"phone": "13800000001"}))
    assert right.status is S.VERIFIED


async def test_a_name_may_be_written_with_spaces_and_an_x_in_lower_width(hub: DataHub) -> None:
    proof = IdentityProof(name=" 李 丽华", id_last4="567X")
    assert (await hub.verify_identity("613490", proof)).status is S.VERIFIED


async def test_a_failed_comparison_costs_one_attempt_and_forgets_the_proofs(hub: DataHub) -> None:
    failed = await hub.verify_identity(CODE, WRONG)
    assert (failed.status, failed.attempts_left) == (S.FAILED, 2)
    half = await hub.verify_identity(CODE, IdentityProof(id_last4="1234"), failed.verification_id)
    assert (half.status, half.missing) == (S.NEEDS_MORE, ["name"])


async def test_three_failures_lock_a_case_whatever_the_verification(hub: DataHub) -> None:
    answers = await fail(hub, 3)
    assert [a.status for a in answers] == [S.FAILED, S.FAILED, S.LOCKED]
    assert [a.attempts_left for a in answers] == [2, 1, 0]
    assert len({a.verification_id for a in answers}) == 3


async def test_a_locked_case_never_compares(hub: DataHub, clock: Clock) -> None:
    await fail(hub, 3)
    clock.advance(minutes=29, seconds=59)
    locked = await hub.verify_identity(CODE, RIGHT)
    assert locked.status is S.LOCKED
    with pytest.raises(IdentityRequiredError):
        await hub.case(CODE, locked.verification_id)
    by_number = await hub.verify_identity("613490", RIGHT)  # another case is not locked with it
    assert by_number.status is S.FAILED


async def test_a_lock_ends_after_half_an_hour_with_three_new_attempts(hub: DataHub, clock: Clock) -> None:
    locked = (await fail(hub, 3))[-1]
    clock.advance(minutes=30)
    half = await hub.verify_identity(CODE, IdentityProof(name="陈小明"), locked.verification_id)
    assert (half.status, half.attempts_left) == (S.NEEDS_MORE, 3)
    assert (await hub.verify_identity(CODE, RIGHT)).status is S.VERIFIED


async def test_proofs_given_to_a_locked_case_are_not_kept_for_later(hub: DataHub, clock: Clock) -> None:
    locked = (await fail(hub, 3))[-1]
    await hub.verify_identity(CODE, IdentityProof(name="陈小明"), locked.verification_id)
    clock.advance(minutes=30)
    later = await hub.verify_identity(CODE, IdentityProof(id_last4="1234"), locked.verification_id)
    assert later.missing == ["name"]


async def test_a_success_gives_all_attempts_back(hub: DataHub) -> None:
    await fail(hub, 2)
    assert (await hub.verify_identity(CODE, RIGHT)).attempts_left == 3
    assert (await hub.verify_identity(CODE, WRONG)).attempts_left == 2


async def test_a_verification_opens_its_own_case_only(hub: DataHub) -> None:
    verification = await hub.verify_identity(CODE, RIGHT)
    with pytest.raises(IdentityRequiredError):
        await hub.case("613490", verification.verification_id)


async def test_proofs_do_not_wander_from_one_case_to_another(hub: DataHub) -> None:
    first = await hub.verify_identity(CODE, IdentityProof(name="李丽华"))
    other = await hub.verify_identity("613490", IdentityProof(id_last4="567X"), first.verification_id)
    assert (other.status, other.missing) == (S.NEEDS_MORE, ["name"])
    assert other.verification_id != first.verification_id


async def test_a_verification_ends_after_ten_minutes(hub: DataHub, clock: Clock) -> None:
    verification = await hub.verify_identity(CODE, RIGHT)
    clock.advance(minutes=9, seconds=59)
    assert await hub.case(CODE, verification.verification_id)
    clock.advance(seconds=1)
    with pytest.raises(IdentityRequiredError):
        await hub.case(CODE, verification.verification_id)
    again = await hub.verify_identity(CODE, IdentityProof(), verification.verification_id)
    assert (again.status, again.missing) == (S.NEEDS_MORE, ["name", "id_last4"])


async def test_a_proof_left_lying_for_ten_minutes_is_forgotten(hub: DataHub, clock: Clock) -> None:
    first = await hub.verify_identity(CODE, IdentityProof(name="陈小明"))
    clock.advance(minutes=10, seconds=1)
    second = await hub.verify_identity(CODE, IdentityProof(id_last4="1234"), first.verification_id)
    assert second.missing == ["name"]


@pytest.mark.parametrize("token", ["", "made-up", "核对编号", "a\nb"])
async def test_a_made_up_verification_opens_nothing(hub: DataHub, token: str) -> None:
    with pytest.raises(IdentityRequiredError):
        await hub.case(CODE, token)


@pytest.mark.parametrize("reference", ["000000", "", "a/b", "没有", "x" * 200])
async def test_an_unknown_case_is_not_found(hub: DataHub, reference: str) -> None:
    with pytest.raises(CaseNotFoundError):
        await hub.verify_identity(reference, RIGHT)
    with pytest.raises(CaseNotFoundError):
        await hub.case(reference, "any")


async def test_a_ping_returns(hub: DataHub) -> None:
    await hub.ping()
