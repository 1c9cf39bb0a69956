"""办件进度: the number, the identity check, the status. The hub holds and compares the proofs."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, HotlineAction, heard, intent_of
from actions.case_reference import find_case_reference, find_proof
from actions.payload import say
from hotline.cases import Case, CaseState, IdentityProof, VerificationStatus
from hotline.errors import CaseNotFoundError, HubDownError, IdentityRequiredError
from hotline.messages import Aspect, Reply, Source

FORM = "case_status_form"
_MISREAD_TWICE = 2

# Said inside the form, these are no answer to its question: other rules take them.
_LEAVES_THE_FORM = frozenset(
    "ask_materials ask_conditions ask_steps ask_time_limit ask_fee ask_where ask_when_open ask_online ask_phone "
    "ask_amount ask_general greet thank bot_challenge slower emergency_report crisis abuse_words "
    "prompt_injection third_person_data cancel goodbye handoff call_back complain".split()
)

_OPEN_STATES = frozenset(
    {
        CaseState.PRE_REVIEW, CaseState.RECEIVED, CaseState.ACCEPTED, CaseState.CORRECTION_REQUIRED,
        CaseState.IN_REVIEW, CaseState.SPECIAL_PROCEDURE,
    }
)  # fmt: skip
_APPEALABLE = frozenset({CaseState.NOT_ACCEPTED, CaseState.COMPLETED_REFUSED})


class ValidateCaseStatusForm(HotlineAction):
    """Reads what was said inside the form: a number, then name and last four of the ID card.

    ``identity_outcome`` ends the form: ``verified``, ``locked`` or ``unavailable`` (hub down).
    """

    def name(self) -> str:
        return "validate_case_status_form"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        asked = tracker.get_slot("requested_slot")
        known = tracker.get_slot("case_reference")
        text = heard(tracker)
        # Two steps in one breath (「查613482，陈小明，1234」) are taken in one turn.
        reference = find_case_reference(text) if asked != "identity_outcome" else None
        try:
            if reference and reference != known:
                return await self._open(reference, text)
            if known and asked != "case_reference":
                return await self._prove(tracker, str(known), text, asked)
        except HubDownError:
            # The number given is kept: it is not asked for again when the hub is back.
            kept = reference or known or "-"
            return [SlotSet("case_reference", kept), SlotSet("identity_outcome", "unavailable")]
        if asked is None:
            return []  # just started, nothing given yet: the form asks
        if intent_of(tracker) in _LEAVES_THE_FORM:
            return []  # nothing for the form: it steps aside for the other rules
        return self._misread(tracker, "case_reference", "repeat" if intent_of(tracker) == "repeat" else "unreadable")

    async def _open(self, reference: str, text: str) -> Events:
        """A number was given: the hub says whether it is there, and takes proofs given along with it."""
        try:
            verification = await self.tools.hub.verify_identity(reference, find_proof(text, reference))
        except CaseNotFoundError:
            return [SlotSet("case_reference", None), SlotSet("form_notice", "not_found")]
        given = [
            SlotSet("case_reference", reference),
            SlotSet("verification_id", verification.verification_id),
        ]
        return [
            *given,
            *_after(verification.status, verification.missing, verification.attempts_left, first=True),
        ]

    async def _prove(self, tracker: Tracker, reference: str, text: str, asked: str | None) -> Events:
        notice = tracker.get_slot("form_notice")
        proof = find_proof(text, reference, name_asked=notice == "needs_name")
        if proof == IdentityProof():
            if asked is None:  # asked about the status again: what was verified is tried first
                return [] if tracker.get_slot("identity_outcome") else [SlotSet("form_notice", None)]
            if intent_of(tracker) in _LEAVES_THE_FORM:
                return []  # nothing for the form: it steps aside for the other rules
            return self._misread(tracker, "identity_outcome", "unreadable")
        try:
            verification = await self.tools.hub.verify_identity(reference, proof, tracker.get_slot("verification_id"))
        except CaseNotFoundError:
            return [SlotSet("case_reference", None), SlotSet("form_notice", "not_found")]
        return [
            SlotSet("verification_id", verification.verification_id),
            *_after(verification.status, verification.missing, verification.attempts_left, first=False),
        ]

    def _misread(self, tracker: Tracker, slot: str, notice: str) -> Events:
        retries = float(tracker.get_slot("form_retries") or 0) + 1
        return [
            SlotSet(slot, None),
            SlotSet("form_notice", notice),
            SlotSet("form_retries", min(retries, 10.0)),
        ]


def _after(status: VerificationStatus, missing: list[str], attempts_left: int, *, first: bool) -> Events:
    """The slots after the hub's word on the proofs."""
    read = SlotSet("form_retries", 0)
    match status:
        case VerificationStatus.VERIFIED:
            return [read, SlotSet("identity_outcome", "verified"), SlotSet("form_notice", None)]
        case VerificationStatus.LOCKED:
            return [read, SlotSet("identity_outcome", "locked"), SlotSet("form_notice", None)]
        case VerificationStatus.FAILED:
            return [
                read,
                SlotSet("identity_outcome", None),
                SlotSet("form_notice", f"failed:{attempts_left}"),
            ]
        case VerificationStatus.NEEDS_MORE:
            both = first and len(missing) > 1
            notice = None if both or not missing else f"needs_{missing[0]}" if len(missing) == 1 else "unreadable"
            return [read, SlotSet("identity_outcome", None), SlotSet("form_notice", notice)]


class AskCaseReference(HotlineAction):
    def name(self) -> str:
        return "action_ask_case_status_form_case_reference"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        notice = tracker.get_slot("form_notice")
        keys = {"not_found": "ask_case_reference_not_found", "unreadable": "ask_case_reference_unreadable"}
        reply = self.tools.wording.reply(keys.get(str(notice), "ask_case_reference"))
        _offer_person(self, tracker, reply)
        say(dispatcher, tracker, reply, aspect=Aspect.STATUS, expects="case_reference", flow=FORM)
        return [SlotSet("form_notice", None)]


class AskIdentity(HotlineAction):
    def name(self) -> str:
        return "action_ask_case_status_form_identity_outcome"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        notice = str(tracker.get_slot("form_notice") or "")
        kind, _, attempts_left = notice.partition(":")
        keys = {
            "failed": "ask_identity_failed",
            "unreadable": "ask_identity_unreadable",
            "needs_name": "ask_identity_needs_name",
            "needs_id_last4": "ask_identity_needs_id_last4",
        }
        reply = self.tools.wording.reply(keys.get(kind, "ask_identity"), attempts_left=attempts_left)
        _offer_person(self, tracker, reply)
        say(dispatcher, tracker, reply, aspect=Aspect.STATUS, expects="identity_proof", flow=FORM)
        # needs_name stays: it tells how to read the next answer.
        return [] if kind == "needs_name" else [SlotSet("form_notice", None)]


def _offer_person(action: HotlineAction, tracker: Tracker, reply: Reply) -> None:
    if float(tracker.get_slot("form_retries") or 0) >= _MISREAD_TWICE:
        reply.buttons = action.tools.wording.reply("not_understood_again").buttons


class CaseStatus(HotlineAction):
    """The form has ended: the status, or why there is none."""

    def name(self) -> str:
        return "action_case_status"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        wording = self.tools.wording
        outcome = tracker.get_slot("identity_outcome")
        forgotten: Events = [SlotSet("identity_outcome", None), SlotSet("verification_id", None)]
        if outcome == "locked":
            say(dispatcher, tracker, wording.reply("identity_locked"), aspect=Aspect.STATUS)
            return [*forgotten, SlotSet("case_reference", None)]
        if outcome != "verified":
            say(
                dispatcher,
                tracker,
                wording.reply("hub_down"),
                aspect=Aspect.STATUS,
                part_down=HubDownError.code,
            )
            reference = tracker.get_slot("case_reference")
            return [*forgotten, SlotSet("case_reference", None if reference == "-" else reference)]
        reference, verification = (
            str(tracker.get_slot("case_reference")),
            str(tracker.get_slot("verification_id")),
        )
        try:
            case = await self.tools.hub.case(reference, verification)
        except IdentityRequiredError:
            # The check has run out (ten minutes): the form asks for it again, not for the number.
            # Outside the form the proofs would be read as a question.
            return [*forgotten, FollowupAction(FORM)]
        except HubDownError:
            say(
                dispatcher,
                tracker,
                wording.reply("hub_down"),
                aspect=Aspect.STATUS,
                part_down=HubDownError.code,
            )
            return []
        item = self.tools.catalogue.items.get(case.item_key or "")
        say(dispatcher, tracker, status_reply(self, case), aspect=Aspect.STATUS, item=item)
        return [SlotSet("service_item", item.key)] if item else []


def status_reply(action: HotlineAction, case: Case) -> Reply:
    """What the applicant is told: state, step, what is still to do, the last day. No ID digits."""
    wording = action.tools.wording
    state = wording.table("case_states")[case.state.value]
    reply = wording.reply(
        "case_status",
        case=case,
        state=state,
        open=case.state in _OPEN_STATES,
        remedy=case.state in _APPEALABLE,
    )
    rows = [{"label": "状态", "value": state}, {"label": "当前环节", "value": case.current_step}]
    if case.todo:
        rows.append({"label": "需要您做", "value": case.todo})
    if case.promised_on and case.state in _OPEN_STATES:
        rows.append({"label": "最迟办结", "value": case.promised_on.isoformat()})
    reply.card = {
        "kind": "case",
        "title": case.item_name,
        "rows": [row for row in rows if row["value"]],
        "steps": [step.model_dump(mode="json") for step in case.steps],
    }
    reply.sources = [Source(item_code=case.case_number, field="state", version=case.version)]
    return reply
