"""办件进度: the number, the identity check, the status. The hub holds and compares the proofs."""

from __future__ import annotations

import re

from rasa_sdk import Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, HotlineAction, heard, intent_of
from actions.case_reference import find_case_reference, find_proof
from actions.flow import came_back, steps_aside
from actions.payload import say
from actions.said import means_no, means_stop, wants_person
from actions.service import ServiceAction
from hotline.cases import Case, CaseState, IdentityProof, VerificationStatus
from hotline.errors import CaseNotFoundError, HubDownError, IdentityRequiredError
from hotline.messages import Aspect, Reply, Source
from hotline.numbers import Kind, hear

FORM = "case_status_form"
_MISREAD_TWICE = 2
_CHECK_WORDS = {True: "比对一致", False: "没有比对上", None: "还没有比对"}

_NO_NUMBER = re.compile(
    r"(?:没有|冇|忘(?:记|了|咗)|不记得|唔记得|不知道|唔知|找不到|揾唔到|丢了|唔见咗|没存|没收到|冇收到).{0,6}(?:号|码|回执|短信|單|单)?$|^(?:没有|冇|不知道|唔知)(?:啊|呀|喔)?$"
)
# Status is for the applicant alone, also where a relative asks. One's own children are not meant:
# their applications are made by the parents.
_SOMEBODY_ELSE = re.compile(
    r"(?:我(?:的|嘅)?)?(?:老公|老婆|先生|太太|丈夫|妻子|爸爸?|妈妈?|阿爸|阿妈|老豆|老母|父亲|母亲|爷爷|奶奶|阿爷|阿嫲|外公|外婆|公公|婆婆|岳父|岳母|哥哥?|姐姐?|弟弟?|妹妹?|亲戚|亲人"
    r"|朋友|同事|邻居|鄰居|隔离屋|隔离邻舍|街坊|老板|员工|租客|房东|前夫|前妻|男友|女友|男朋友|女朋友|别人|人家|第二个人|其他人)(?:的|嘅|家的|屋企嘅|个|張|张|那|嗰|办|申请|交|低保|居住证|积分)"
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
        if asked not in ("case_reference", "identity_outcome"):
            asked = None  # another form's question: this one just begins
        known = tracker.get_slot("case_reference")
        text = heard(tracker)
        if asked is not None and came_back(tracker, FORM):
            return []
        if _asks_for_somebody_else(tracker, text):
            return [SlotSet("case_reference", known or "-"), SlotSet("identity_outcome", "somebody_else")]
        if ended := _ends(tracker, text, str(known or "-")):
            return ended
        # Two steps in one breath (「查613482，陈小明，1234」) are taken in one turn.
        reference = find_case_reference(text) if asked != "identity_outcome" else None
        reference = reference or _corrected(tracker, text)
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
        if _steps_aside(tracker):
            return []  # nothing for the form: it steps aside for the other rules
        if intent_of(tracker) == "check_status":
            return [SlotSet("case_reference", None)]  # the wish once more, no unreadable number
        if _NO_NUMBER.search(text) or (means_no(text) and len(text) <= 8):
            return [SlotSet("case_reference", "-"), SlotSet("identity_outcome", "no_number")]
        return self._misread(tracker, "case_reference", "unreadable")

    async def _open(self, reference: str, text: str) -> Events:
        """A number was given: the hub says whether it is there, and takes proofs given along with it."""
        try:
            verification = await self.tools.hub.verify_identity(reference, find_proof(text, reference))
        except CaseNotFoundError:
            return [
                SlotSet("case_reference", None),
                SlotSet("case_reference_heard", reference),
                SlotSet("form_notice", "not_found"),
            ]
        given = [
            SlotSet("case_reference", reference),
            SlotSet("case_reference_heard", None),
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
            if _steps_aside(tracker):
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


def _steps_aside(tracker: Tracker) -> bool:
    return intent_of(tracker) != "check_status" and steps_aside(tracker, free_text=False, wanted=False)


def _asks_for_somebody_else(tracker: Tracker, text: str) -> bool:
    return bool(_SOMEBODY_ELSE.search(text)) and find_proof(text).id_last4 is None and len(text) < 60


def _ends(tracker: Tracker, text: str, reference: str) -> Events:
    """The form's end where the words are plain and the intent is not."""
    if intent_of(tracker) in ("cancel", "goodbye", "handoff"):
        return []  # the rules end it
    outcome = "cancelled" if means_stop(text) else "person" if wants_person(text) and len(text) <= 16 else ""
    return [SlotSet("case_reference", reference), SlotSet("identity_outcome", outcome)] if outcome else []


def _corrected(tracker: Tracker, text: str) -> str | None:
    """A number that was not found, with the part put right that is said now (「不对，最后是七八九」)."""
    before = tracker.get_slot("case_reference_heard")
    if not before or tracker.get_slot("requested_slot") != "case_reference":
        return None
    kind = Kind.QUERY_CODE if str(before).isdigit() else Kind.CASE_NUMBER
    heard_now = hear(kind, text, hear(kind, str(before)))
    return heard_now.value if heard_now.value != before else None


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


class AskCaseReference(ServiceAction):
    """Asks for the number; the service whose progress is asked after is remembered, if one is named."""

    def name(self) -> str:
        return "action_ask_case_status_form_case_reference"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        notice = tracker.get_slot("form_notice")
        keys = {"not_found": "ask_case_reference_not_found", "unreadable": "ask_case_reference_unreadable"}
        reply = self.tools.wording.reply(keys.get(str(notice), "ask_case_reference"))
        _offer_person(self, tracker, reply)
        key = tracker.get_slot("service_item")
        if intent_of(tracker) == "check_status" and not notice:
            decision = await self.find(heard(tracker), key)
            key = decision.item_key or key
        item = self.tools.catalogue.items.get(str(key))
        say(dispatcher, tracker, reply, aspect=Aspect.STATUS, item=item, expects="case_reference", flow=FORM)
        return [SlotSet("form_notice", None), *([SlotSet("service_item", key)] if item else [])]


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


_ENDS_WITHOUT = {
    "cancelled": "cancel",
    "person": "handoff",
    "no_number": "case_no_number",
    "somebody_else": "safety_third_person_data",
}


class CaseStatus(ServiceAction):
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
        if outcome in _ENDS_WITHOUT:
            return await self._without(dispatcher, tracker, str(outcome), forgotten)
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

    async def _without(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, outcome: str, forgotten: Events
    ) -> Events:
        """Ended before any check: stopped, a person wanted, no number at hand, or somebody else's case."""
        given = tracker.get_slot("case_reference")
        forgotten = [*forgotten, SlotSet("case_reference", None if given == "-" or outcome != "person" else given)]
        if outcome == "person":
            say(dispatcher, tracker, self.tools.wording.reply("handoff"), handoff=True)
            return forgotten
        say(dispatcher, tracker, self.tools.wording.reply(_ENDS_WITHOUT[outcome]), aspect=Aspect.STATUS)
        told = await self.public_procedure(dispatcher, tracker) if outcome == "somebody_else" else []
        return [*forgotten, *told]


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
    if case.checks:
        failed = [check for check in case.checks if check.matched is False]
        open_ones = [check for check in case.checks if check.matched is None]
        told = wording.reply("case_checks", checks=case.checks, failed=failed, waiting=open_ones)
        reply.text += "\n" + told.text
        reply.speech_text += told.speech_text
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
    reply.card["rows"] += [
        {"label": f"{check.department}（{check.subject}）", "value": _CHECK_WORDS[check.matched]}
        for check in case.checks
    ]
    named = ["state", *(["checks"] if case.checks else [])]
    reply.sources = [Source(item_code=case.case_number, field=name, version=case.version) for name in named]
    return reply
