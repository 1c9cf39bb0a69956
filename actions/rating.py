"""好差评: a score of 1 to 5, said in figures, stars or words."""

from __future__ import annotations

import re

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.base import Events, HotlineAction, heard
from actions.payload import say
from knowledge_base.places import simplified

_DIGITS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
_TEN = {"六": 3, "七": 4, "八": 4, "九": 5, "十": 5, "6": 3, "7": 4, "8": 4, "9": 5, "10": 5, "零": 1, "0": 1}
# In order: the stronger words first, and a no before what it denies.
_WORDS: tuple[tuple[str, int], ...] = (
    (r"非常(?:的)?不满意|(?:极|很|十分|好|超级|太)(?:之)?不满意|好唔满意|非常唔满意|一分都(?:不|唔)|零分|太差|好差(?!评)|差劲|恶劣|极差|非常差|很差|垃圾(?:服务)?", 1),
    (r"不太满意|不(?:是很|怎么|大)?满意|唔(?:系几|系好)?满意|差评|不好|唔好|失望|没解决|冇解决|态度差", 2),
    (r"基本满意|一般|还(?:可以|行|好)|麻麻|凑合|过得去|马马虎虎|普通|中等|勉强", 3),
    (r"(?<!不)非常(?:的)?满意|十分满意|(?:极|超)满意|(?:完全|特别|太)满意|好评|满分|最高分|非常好|太好|好正|一流|最好|棒|很满意|好满意", 5),
    (r"挺满意|比较满意|几满意|满意|不错|几好|挺好|很好|好好|赞", 4),
)  # fmt: skip
_STARS = re.compile(r"([一二两三四五六七八九十零\d]{1,2})\s*(?:分|星|颗星|粒星)")
_BARE = re.compile(r"^(?:打|给|俾|畀|评|选)?([一二三四五1-5])(?:吧|啦|啊)?$")


def find_score(text: str) -> int | None:
    """The score in ``text`` (5 非常满意 … 1 非常不满意); eight of ten is four of five."""
    said = re.sub(r"[，,。！!\s]", "", simplified(text))
    if re.search(r"一分都(?:不|唔)", said):
        return 1
    if found := _STARS.search(said) or _BARE.search(said):
        return {**_DIGITS, **_TEN}.get(found[1])
    return next((score for pattern, score in _WORDS if re.search(pattern, said)), None)


class Rate(HotlineAction):
    """Thanks for the score, which the gateway keeps; asks for one only where none was said."""

    def name(self) -> str:
        return "action_rate"

    async def act(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> Events:
        wording = self.tools.wording
        score = find_score(heard(tracker))
        if score is None:
            say(dispatcher, tracker, wording.reply("ask_rating"))
            return []
        level = wording.table("rating_levels")[str(score)]
        # Who was told something and is content is asked once whether to be told should it turn out wrong.
        answered = (tracker.latest_message.get("metadata") or {}).get("recall_answered")
        asks = tracker.get_slot("service_item") and not answered
        key = "rated_badly" if score <= 2 else "rated_recall" if asks else "rated"
        say(dispatcher, tracker, wording.reply(key, level=level), rating=score)
        return []
