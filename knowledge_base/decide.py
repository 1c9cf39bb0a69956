"""From ranked services to one of: answer, ask which, go on with the one in talk, say it isn't known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from hotline.ports import SearchHit
from knowledge_base.subject import plain

CLEAR = 0.60  # a service this likely is answered
POSSIBLE = 0.08  # one this likely is worth asking about
BESIDE = 0.85  # beside a service in talk, another one is answered where it is this likely,
RIVAL = 0.60  # asked about where it is this likely,
OTHER = 0.30  # and only this likely where the words speak of another one
# Words that end like a matter of their own and only ask: 「要交费吗」「几时拿证」.
_ONLY_ASKS = re.compile(
    r"(?:手续|工本|交|缴|付|收|免)(?:费|費)|(?:拿|取|领|領|攞|出|办|辦|制|製)(?:证|證)|证件|證件|(?:坐|搭|打|开|停)(?:车|車)|(?:交|要|花|使)钱"
)
# Told of oneself, as a case that may be different: 「我没有房产证呢」「我离婚了可以吗」 ask about the service in talk.
_MY_CASE = re.compile(
    r"^(?:那|咁|但|如果|要是)*(?:我|我们|我哋|佢|他|她|孩子|老人)?(?:也|都|又|就|的|这种|呢种)*"
    r"(?:没有?|冇|不是|唔系|唔係|是|系|係|在|喺|住|租|离|離|結|结|未|还没|户口|戶口|外地|本地|外省).*"
)
_SHORT_CASE = re.compile(_MY_CASE.pattern + r"(?:行吗|可以吗|得吗|得唔得|可唔可以|行不行|行唔行|呢|也行|能办吗)[？?]?$")
_WHOSE = re.compile(r"^(?:那|咁|但|如果|要是)*(?:我|佢|他|她|没有|冇|不是|唔系|唔係|还没|未|外地|外省|本地)")
_SHORT = 6
_PEOPLE = (
    r"(?:老婆|老公|太太|爱人|先生|爸爸?|妈妈?|父亲|母亲|父母|爷爷|奶奶|外公|外婆|阿公|阿婆|阿妈|老豆|老母|岳父|岳母|家婆|家人|屋企人|儿子|女儿|个?仔|阿?女|小孩子?|孩子"
    r"|细路|宝宝|婴儿|未成年人?|学生|老人家?|长者|外地人|外省人|本地人|外国人|港澳居民|香港人|澳门人|台湾人|朋友|同事|员工|别人|其他人|自己|本人)"
)
_SOMEBODY = re.compile(
    rf"(?:那|咁|但|如果|要是|换成|换作|假如|若是|是|系|係|帮|同|俾|给|我们|我哋|我|佢|的|嘅|家|屋企|啲|个)*{_PEOPLE}(?:的|嘅|嗰个|那个|也|都|又|的话|嘅话|去|来|能|可以|得|是|系|办|用|申请|拿|领|行|不行|一样|同样|跟|同|我"
    r"|唔得|唔|咪|得唔得|可唔可以|能不能|可不可以|行不行|代|帮)*(?:呢|吗|嗎|么|咩|啊|呀|吧)*"
)
# 「我哋先结婚半年咋，得唔得」「我征信花了会不会不给」: one's case told, and only whether it will do is asked. Who
# wants something done beside (「我户口迁走了可以迁回来吗」) asks of that.
_MY_CASE_ASKED = re.compile(
    r"(?:那|咁|但|但是|如果|要是|不过|不過)*(?:我|佢|他|她|孩子|小孩|老人)"
    r"(?:(?!想|要办|要去|怎么办|点办|登记|登記|申请|申請|报名|報名|预约|預約|投诉|举报|迁回|转回|补办|换证|领取|提取|入户|缴费)[\u4e00-\u9fff\d]){3,18}?"
    r"(?:得唔得|得咩|得未|可唔可以|可以(?:吗|嗎|嘛|咩|不|的吧)?|可不可以|行不行|行吗|行唔行|算不算|算唔算|算唔算数|认不认|认唔认|認唔認|符不符合|符唔符合|够不够|够唔够|夠唔夠"
    r"|有没有影响|有冇影响|有影响吗|影响吗|(?:会不会|会唔会|會唔會)(?:不给|不批|不行|唔批|唔俾|唔得|受影响|有影响|被拒|被退|拒绝|影响)|还能(?:办|申请|领|享受)?吗|仲得唔得|算有资格吗|有没有资格|有冇资格)"
    r"(?:呢|呀|啊|㗎|架|咧)*"
)
# 「要带户口本吗」「使唔使体检」「一定要公证吗」: a thing that the service in talk may need.
_NEEDS = re.compile(
    r"(?:那|咁|是不是|系咪|还|仲|一定|必须|都|也|要不要|需不需要|用不用|使唔使|需唔需要|要唔要|需要|需|要|使|先|再|去)*"
    r"(?:要不要|需不需要|用不用|使唔使|需唔需要|要唔要|需要|必须|一定要|要)(?:先|再|都|也)?(?:带|交|提供|出示|准备|攞|有|做|拿|去)*(?!办|申请|登记|查|投诉|预约).{1,6}?(?:吗|嗎|么|咩|啊|呀|先|呢|架|㗎)*"
)
# 「那去哪里反映」 asks to whom, of whatever is in talk.
_TO_WHOM = re.compile(
    r"(?:那|咁|我|应该|可以|要|先)*(?:去|到|向|跟|同|找|揾|搵)?(?:哪里|哪儿|边度|谁|边个|(?:哪|什么|边)个?部门|哪个单位)(?:去|可以)?(?:反映|投诉|举报|告|申诉)(?:呢|啊|呀|好)*"
)
_SAME = re.compile(r"(?:也|都)是?(?:这个|呢个|同一个|一样)(?:办法|手续|流程|地方|窗口)?(?:吗|嗎|么|咩|嘛|吧|架|㗎)?$")
# Words that name a matter of their own: 「那宠物证要带什么」 leaves the service in talk, even for one
# that isn't known; 「那我自己交要多少」 doesn't.
_NAMES_A_MATTER = re.compile(
    r"[证證卡照牌籍贴貼金险險贷貸税稅费費房车車]$|登记|登記|许可|許可|户口|戶口|补贴|補貼|保险|学校|入学|贷款|公司|执照"
)
MOST_CANDIDATES = 3
_A_WORD = 2  # one character left over is no matter of its own
_LEFT = 0.05


class Outcome(StrEnum):
    FOUND = "found"
    CONTEXT = "context"
    ASK_WHICH = "ask_which"  # candidates are offered
    ASK_SUBJECT = "ask_subject"  # nothing was named, and nothing is in talk
    UNKNOWN = "unknown"


class Decision(BaseModel):
    """``item_key`` for FOUND and CONTEXT; ``candidates`` for ASK_WHICH, and the nearest ones for UNKNOWN."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    item_key: str | None = None
    candidates: list[str] = []


def decide(
    hits: Sequence[SearchHit],
    subject: str,
    context_key: str | None,
    clear: float = CLEAR,
    *,
    switching: bool = False,
    said: str = "",
) -> Decision:
    """What to do with a question whose matter is ``subject`` (see knowledge_base.subject).

    ``context_key`` is the service the talk is about, if any. ``clear``: how likely a service must be
    to be answered. ``switching``: the words turn to another service than the one in talk (「那正式的呢」,
    「不是租房，是离职」), which is then not the one meant if any other fits. ``said``: all the words.
    """
    if len(subject) < _A_WORD:
        if context_key:
            return Decision(outcome=Outcome.CONTEXT, item_key=context_key)
        if not subject or not hits or hits[0].score < clear:
            return Decision(outcome=Outcome.ASK_SUBJECT)
    if switching and context_key:
        hits = without(hits, context_key)
    if context_key and not switching and about_oneself(said, subject):
        return Decision(outcome=Outcome.CONTEXT, item_key=context_key)
    if context_key and not switching and hits and hits[0].item_key != context_key:
        clear = max(clear, BESIDE)
    if hits and hits[0].score >= clear:
        return Decision(outcome=Outcome.FOUND, item_key=hits[0].item_key)
    if context_key:
        return _beside_the_talk(hits, subject, context_key, switching, said)
    possible = [h.item_key for h in hits if h.score >= POSSIBLE]
    if possible:
        # The best is unclear because another is near: both are offered, though the other alone scores low.
        offered = [h.item_key for h in hits[: max(2, len(possible))]]
        return Decision(outcome=Outcome.ASK_WHICH, candidates=offered[:MOST_CANDIDATES])
    return Decision(outcome=Outcome.UNKNOWN, candidates=[h.item_key for h in hits[:2]])


def about_oneself(said: str, subject: str, *, switching: bool = False) -> bool:
    """Whether ``said`` asks of the service in talk for one's own case, another person, or one thing it may need:
    「我没有房产证呢」「我老婆也一样吗」「要带户口本吗」. ``switching``: the words sound like another service
    (「离职呢」), so only what says whose case it is counts."""
    asked = plain(said)
    if len(subject) <= _SHORT and _SHORT_CASE.search(asked) and (not switching or _WHOSE.search(asked)):
        return True
    return bool(
        _MY_CASE_ASKED.fullmatch(asked)
        or _SOMEBODY.fullmatch(asked)
        or _NEEDS.fullmatch(asked)
        or _SAME.search(asked)
        or _TO_WHOM.fullmatch(asked)
    )


def without(hits: Sequence[SearchHit], key: str) -> list[SearchHit]:
    """``hits`` where ``key`` is known not to be meant: its probability is shared out among all others.

    Where it alone was likely, the little that is left says nothing of the others, and stays little.
    """
    left = 1.0 - next((h.score for h in hits if h.item_key == key), 0.0)
    others = [h for h in hits if h.item_key != key]
    return [h.model_copy(update={"score": min(1.0, h.score / max(left, _LEFT))}) for h in others]


def _beside_the_talk(hits: Sequence[SearchHit], subject: str, context_key: str, switching: bool, said: str) -> Decision:
    """No service is clearly named, and one is in talk: it goes on, unless the words speak of another."""
    likely = OTHER if switching else RIVAL
    rivals = [h.item_key for h in hits if h.score >= likely and h.item_key != context_key]
    if not switching and _MY_CASE.search(said):
        return Decision(outcome=Outcome.CONTEXT, item_key=context_key)
    if rivals:
        return Decision(outcome=Outcome.ASK_WHICH, candidates=[*rivals, context_key][:MOST_CANDIDATES])
    if hits and hits[0].item_key == context_key and hits[0].score >= POSSIBLE:
        return Decision(outcome=Outcome.CONTEXT, item_key=context_key)
    if _NAMES_A_MATTER.search(_ONLY_ASKS.sub("", subject)):
        possible = [h.item_key for h in hits if h.score >= POSSIBLE and h.item_key != context_key]
        if possible:
            return Decision(outcome=Outcome.ASK_WHICH, candidates=[*possible[: MOST_CANDIDATES - 1], context_key])
        return Decision(outcome=Outcome.UNKNOWN, candidates=[h.item_key for h in hits[:2]])
    return Decision(outcome=Outcome.CONTEXT, item_key=context_key)
