"""What all forms share: who may interrupt them, how they are left, how their questions are put together."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker

from actions.base import heard, intent_of
from actions.said import bare, is_question, wants_person
from actions.service import option_place
from actions.wording import Wording
from hotline.messages import Reply

# Inside a form these are answered by the rule of the form, and then the form goes on.
QUESTIONS = frozenset(
    "ask_materials ask_conditions ask_steps ask_time_limit ask_fee ask_where ask_when_open ask_online ask_phone "
    "ask_amount ask_general".split()
)
CHOICES = frozenset("choose_option choose_item none_of_them switch_service correct_service".split())
COURTESIES = frozenset("greet thank bot_challenge slower louder choose_language".split())
ANSWERED = frozenset("abuse_words prompt_injection political_provocation".split())
ASIDE = QUESTIONS | CHOICES | COURTESIES | ANSWERED | {"repeat", "out_of_scope", "rate", "cancel_handoff"}
# With these the form is left.
CARE = frozenset("emergency_report crisis third_person_data".split())
ENDS = frozenset("cancel goodbye".split())
SWITCHES = {
    "complain": re.compile(r"投诉|举报|反映|建议|表扬|报(?:个)?案|没人管|冇人理|要告"),
    "check_status": re.compile(
        r"办件|进度|查询码|批(?:了|咗|下来)|办(?:到|好|完|成)|审(?:批|核)|做好|搞掂|出(?:来|咗)|寄|状态|我(?:的|嘅)?(?:申请|证|件)|取(?:证|件)|查(?:一下|下)?(?:个|個)?件"
    ),
    "check_work_order": re.compile(
        r"工单|投诉|反映|举报|建议|单号|嗰单|那单|诉求|处理(?:得|到|成|结果)|跟进|回复|答复"
    ),
    "check_enrolment": re.compile(
        r"网(?:报|审)|学位|入学|报名|比(?:对|中|唔中)|审核|小一|小升初|积分|社保|房产|户(?:口|籍)|流管|执照|税|计生|唔啱|对(?:不|唔)上"
    ),
    "book_appointment": re.compile(r"约|预订|订个|取号|排号"),
    "call_back": re.compile(
        r"回(?:个)?电|回拨|打(?:返|回|电话|过来|俾|畀|给)|覆(?:我|电)|联系我|留(?:个)?(?:言|号码|电话)"
    ),
}
PERSON = frozenset({"handoff"})
LEAVES = CARE | ENDS | PERSON | frozenset(SWITCHES)

_SURE = 0.5
_VERY_SURE = 0.65
_CERTAIN = 0.85
_WAITING = 0.3  # somebody who waits for a person may well not want to any more
_SHORT = 12
_SAYS_REPEAT = re.compile(
    r"再(?:说|讲|念|报|来)|没听(?:清|到|懂|见)|听唔(?:清|到)|重(?:复|讲|说)|讲多|说什么|讲咩|讲乜|咩话|什么[？?]?$|^啊[？?]$"
)
_ASKS_AFTER_SOMEBODY = re.compile(r"查|打听|问下.{0,6}(?:有没有|批)|知道.{0,8}(?:有没有|批)")
_SAYS_NO_PERSON = re.compile(r"转|轉|人工|排队|排隊|等|真人|接线|坐席|座席|返回机器|问机器|看错|睇错|弄错|搞错|虚惊")
_SAYS_RATING = re.compile(r"评价|好评|差评|打(?:个)?分|满意|\d分|[一二三四五]分|[一二三四五]星")


def confidence_of(tracker: Tracker) -> float:
    return float((tracker.latest_message.get("intent") or {}).get("confidence") or 0.0)


def starts(tracker: Tracker, slot: str) -> bool:
    """Whether the form that asks for ``slot`` begins with this turn."""
    return bool(tracker.get_slot("requested_slot") != slot)


def asks_something(tracker: Tracker) -> bool:
    """Whether the turn is a question about a service, or about what is not ours."""
    return intent_of(tracker) in QUESTIONS | {"out_of_scope"} and is_question(heard(tracker))


def came_back(tracker: Tracker, form: str) -> bool:
    """Whether the form is run again in a turn that something else has already answered."""
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            return False
        if event.get("event") == "action" and event.get("name") not in (form, "action_listen", None):
            return True
    return False


def steps_aside(tracker: Tracker, *, free_text: bool, wanted: bool) -> bool:
    """Whether this turn is for another rule and not for the form.

    ``free_text``: what was asked for may be any words, so an intent alone proves little;
    ``wanted``: the turn holds what the form asked for, so only the plainest wish goes before it.
    """
    text, intent, sure = heard(tracker), intent_of(tracker), confidence_of(tracker)
    said = bare(text)
    if intent == "choose_item":
        return True
    if intent in PERSON:
        return wants_person(text) or (not wanted and sure >= _SURE)
    if intent in CARE:
        # The gateway has looked for danger in every turn before: here only what is all but certain.
        if intent == "third_person_data":
            return bool(_ASKS_AFTER_SOMEBODY.search(text)) and not wanted and sure >= _SURE
        return sure >= (_CERTAIN if free_text or wanted else _SURE)
    if intent == "cancel_handoff":
        waiting = (tracker.latest_message.get("metadata") or {}).get("state") == "queued"
        return sure >= (_WAITING if waiting else _SURE) and bool(_SAYS_NO_PERSON.search(text))
    if wanted:
        return False
    if intent in ENDS:
        return len(said) <= _SHORT and (not free_text or sure >= _SURE)
    if intent in SWITCHES:
        return sure >= 0.4 and bool(SWITCHES[intent].search(text))
    if intent in QUESTIONS:
        return is_question(text) and (sure >= 0.35 if not free_text else sure >= _SURE)
    if intent == "repeat":
        return bool(_SAYS_REPEAT.search(text)) or len(said) <= 4
    if intent in COURTESIES:
        return len(said) <= _SHORT + 4 and (not free_text or sure >= _SURE)
    if intent == "rate":
        return bool(_SAYS_RATING.search(text)) and sure >= _SURE
    if intent in CHOICES:
        offered = tracker.get_slot("candidates") or []
        if intent == "choose_option":
            return bool(offered) and option_place(text, len(offered)) is not None
        if intent == "none_of_them":
            return bool(offered)
        return sure >= _VERY_SURE and not free_text
    if intent in ANSWERED:
        return sure >= _VERY_SURE
    if intent == "out_of_scope":
        return is_question(text) and sure >= _SURE
    return False


def compose(wording: Wording, *parts: tuple[str, dict[str, Any]]) -> Reply:
    """Several sentences of the wording as one reply; the buttons are the last one's."""
    replies = [wording.reply(key, **facts) for key, facts in parts]
    return Reply(
        text="\n".join(r.text for r in replies),
        speech_text="".join(r.speech_text for r in replies),
        buttons=replies[-1].buttons,
        sources=[s for r in replies for s in r.sources],
    )


def spoken_number(number: str) -> str:
    """A receipt's number in groups that an ear can follow: 「GD，二零二六，一一二二，…」."""
    letters = re.match(r"[A-Za-z]*", number)
    head = letters.group() if letters else ""
    digits = number[len(head) :]
    names = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))
    groups = ["".join(names.get(c, c) for c in digits[i : i + 4]) for i in range(0, len(digits), 4)]
    return "，".join([*([" ".join(head)] if head else []), *groups])
