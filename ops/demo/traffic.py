"""Conversations of a generated year, each with its trail, as the line would have left it."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any, NamedTuple

from hotline.catalogue import ServiceItem
from hotline.insights import LOCAL, OrderFacts, TrailConversation, TrailEvent
from hotline.messages import Aspect
from hotline.privacy import PROOF_PLACEHOLDER
from knowledge_base.catalogue import Catalogue
from ops.demo.bursts import Burst, kinds, moments, plant, said_of
from ops.demo.flaws import flaw_of, flaws
from ops.demo.rhythm import Storm, area_weights, day_weight, hour_weights, rhythm, storms, year_before

TURNS_A_TALK = 2.45
BURST_AT = 30_000
"""Conversations a year at which the bursts have the sizes of bursts.yml; more grow with the root."""

_FOLLOW_UPS: dict[Aspect, list[str]] = {
    Aspect.MATERIALS: ["要带什么材料", "那要什么资料", "使带咩证件"],
    Aspect.CONDITIONS: ["要什么条件", "我符合条件吗"],
    Aspect.STEPS: ["怎么办理", "流程是怎样的", "点样办"],
    Aspect.TIME_LIMIT: ["那要多久", "几耐办好", "几天能拿到"],
    Aspect.FEE: ["要钱吗", "收多少钱", "使唔使钱"],
    Aspect.WHERE: ["去哪里办", "边度办", "在哪个窗口"],
    Aspect.ONLINE: ["网上能办吗", "手机能不能办"],
    Aspect.PHONE: ["有没有电话", "打哪个电话"],
}
_ASPECTS = list(_FOLLOW_UPS)
_ASPECT_SHARES = [30, 12, 18, 12, 8, 12, 6, 4]
_OUTSIDE = (
    "公园里能不能放风筝 哪里有好吃的肠粉 今天会不会下雨 帮我订一张高铁票 附近有没有羽毛球场 股票今天涨了吗 邻居不还钱怎么办 "
    "怎么做红烧肉 去广州塔怎么走 我想学粤语 手机没信号找谁 快递几天没到 哪家医院看牙好 彩票中奖去哪领 宠物狗走丢了 "
    "共享单车怎么退押金 家里有蚂蚁怎么办 游泳馆几点开门 电视没信号 网购假货找谁退"
).split()
_BOT_REASONS = ("asked", "not_understood", "emergency")
_AGENTS = [f"坐席{n:02d}" for n in range(1, 13)]
_DUTY = {"consult": 2, "help": 10, "suggestion": 10, "complaint": 15, "report": 15}
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_FIRST_PHONE = 13800000000


class Talk(NamedTuple):
    """A conversation, its trail, and for each event its data as JSON, ready to be stored."""

    trail: TrailConversation
    data: list[str]
    state: str
    rating: int | None
    ended_at: datetime


@dataclass
class Year:
    """What a year will be: made from the seed, the same each time."""

    catalogue: Catalogue
    days: list[date]
    talks: int
    seed: int
    bursts: list[Burst]
    storms: dict[date, Storm]

    @classmethod
    def of(cls, catalogue: Catalogue, last: date, turns: int, seed: int, days: int = 365, bursts: int = 40) -> Year:
        chance = random.Random(seed)
        span = year_before(last, days)
        talks = max(1, round(turns / TURNS_A_TALK))
        grown = max(1.0, (talks / BURST_AT) ** 0.5)
        planted = [
            Burst(b.burst_id, b.what, b.town, b.begins, b.ends, round(b.calls * grown))
            for b in plant(span, min(bursts, max(0, days // 9)), chance)
        ]
        return cls(catalogue, span, talks, seed, planted, storms(span, chance))

    def talks_in_order(self) -> Iterator[Talk]:
        """Every conversation of the year, day by day."""
        maker = _Maker(self.catalogue, random.Random(self.seed + 1), self.talks, self.seed)
        weights = [day_weight(day) for day in self.days]
        chance = random.Random(self.seed + 2)
        by_day: dict[date, list[tuple[datetime, Burst]]] = {}
        for burst in self.bursts:
            for at in moments(burst, chance):
                by_day.setdefault(at.date(), []).append((at, burst))
        for day, weight in zip(self.days, weights, strict=True):
            expected = self.talks * weight / sum(weights)
            storm = self.storms.get(day)
            plan = maker.plan(day, _poisson(chance, expected), storm)
            plan += [(at, burst.town, ("burst", burst.what)) for at, burst in by_day.get(day, [])]
            plan += maker.quiet(day, self.talks / BURST_AT)
            for at, town, about in sorted(plan, key=lambda p: p[0]):
                yield maker.talk(at, town, about)

    def orders(self) -> Iterator[OrderFacts]:
        """Work orders of the year: about one for eight conversations."""
        chance = random.Random(self.seed + 3)
        requests = list(self.catalogue.requests.values())
        towns, shares = list(rhythm()["towns"]), list(rhythm()["towns"].values())
        end = datetime.combine(self.days[-1], time(23, 59), LOCAL)
        shares_so_far = list(accumulate(day_weight(day) for day in self.days))
        for n in range(self.talks // 8):
            day = chance.choices(self.days, cum_weights=shares_so_far)[0]
            filed = datetime.combine(day, time(chance.randint(8, 20), chance.randint(0, 59)), LOCAL)
            kind = chance.choices(list(_DUTY), [25, 35, 8, 28, 4])[0]
            limit = _DUTY[kind]
            due = _working_days(filed.date(), limit)
            took = chance.gammavariate(2.2, limit * 0.3) * 1.4
            done: datetime | None = filed + timedelta(days=took)
            if done is not None and done > end:
                done = None
            request = chance.choice(requests)
            yield OrderFacts(
                f"NH{filed:%Y%m%d}{n:06d}", 1, kind, chance.choices(towns, shares)[0],
                (request.department or "待派单").split("、")[0], request.key,
                "completed" if done else chance.choice(["dispatched", "in_progress", "answered"]), filed, due, done,
                chance.choices([5, 4, 3, 2, 1], [55, 25, 10, 6, 4])[0] if done and chance.random() < 0.4 else None,
                chance.random() < 0.07, chance.random() < 0.04, chance.random() < 0.03,
            )  # fmt: skip


class _Maker:
    """Makes conversations. Answers are rendered once a service and aspect."""

    def __init__(self, catalogue: Catalogue, chance: random.Random, talks: int, seed: int = 0) -> None:
        self.seed = seed
        self.items = list(catalogue.items.values())
        self.by_area: dict[str, list[ServiceItem]] = {}
        for item in self.items:
            self.by_area.setdefault(item.area, []).append(item)
        self.by_key = catalogue.items
        self.chance = chance
        self.towns = list(rhythm()["towns"])
        self.town_shares = list(rhythm()["towns"].values())
        self.channels = list(rhythm()["channels"])
        self.channel_shares = list(rhythm()["channels"].values())
        self.short = {town.name: [town.short, *(p.name for p in town.places)] for town in catalogue.towns.values()}
        self._answers: dict[tuple[str, Aspect], str] = {}
        self._n = 0
        self.frequent = max(20, talks // 150)
        self.recent: deque[tuple[str, tuple[str, str]]] = deque(maxlen=60)
        # Within an area a few services are asked far more than others.
        self.shares = {area: [1.0 / (1 + n) for n in range(len(items))] for area, items in self.by_area.items()}
        self.phrases = {item.key: [*item.questions, *item.aliases[:6]] for item in self.items}

    def plan(self, day: date, talks: int, storm: Storm | None) -> list[tuple[datetime, str, Any]]:
        """Moment, town and matter of each conversation of a day."""
        weights = area_weights(day)
        areas, area_shares = list(weights), list(weights.values())
        hours = self.chance.choices(range(24), hour_weights(day), k=talks)
        picked = self.chance.choices(areas, area_shares, k=talks)
        towns = self.chance.choices(self.towns, self.town_shares, k=talks)
        made: list[tuple[datetime, str, Any]] = []
        for hour, area, town in zip(hours, picked, towns, strict=True):
            item = self.chance.choices(self.by_area[area], self.shares[area])[0]
            made.append((self._at(day, hour), town, ("item", item.key)))
        if storm is not None:
            share = talks * 0.004 * storm.times
            for town in storm.towns:
                for _ in range(_poisson(self.chance, share / len(storm.towns))):
                    at = self._at(day, min(23, max(0, round(self.chance.gauss(16, 3)))))
                    made.append((at, town, ("item", self.chance.choice(storm.items))))
        return made

    def quiet(self, day: date, scale: float) -> list[tuple[datetime, str, Any]]:
        """What the bursts are about is now and then told of on any day."""
        made: list[tuple[datetime, str, Any]] = []
        for what, kind in kinds().items():
            for town, share in zip(self.towns, self.town_shares, strict=True):
                mean = kind["quiet"] / 30 * share * len(self.towns) / 100 * scale
                for _ in range(_poisson(self.chance, mean)):
                    hour = self.chance.choices(range(24), hour_weights(day))[0]
                    made.append((self._at(day, hour), town, ("burst", what)))
        return made

    def _at(self, day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour, self.chance.randrange(60), self.chance.randrange(60)), LOCAL)

    def talk(self, at: datetime, town: str, about: tuple[str, str]) -> Talk:
        return _Script(self, at.astimezone(UTC), town, about).play()

    def next_id(self) -> str:
        self._n += 1
        return f"demo{self._n:08d}"

    def answer(self, item: ServiceItem, aspect: Aspect) -> str:
        """The reply as JSON, open at its end for the understanding."""
        key = (item.key, aspect)
        if key not in self._answers:
            fact = next(iter(item.facts.get(aspect, [])), None)
            said = (
                fact.text or "、".join([*fact.items, *(d.name for d in fact.documents)]) if fact and fact.known else ""
            )
            text = f"「{item.name}」：{said[:160] or '没有核实，请以当地办事指南为准。'}"
            reply = {
                "text": text, "speech_text": text, "buttons": [], "card": None,
                "sources": [{"item_code": item.code, "field": f"facts.{aspect.value}", "version": item.version}],
            }  # fmt: skip
            self._answers[key] = _json(reply)[:-1]
        return self._answers[key]


_PLAIN = '{"text":"%s","speech_text":"%s","buttons":[],"card":null,"sources":[]'
_GREETED = {
    "web": {"greeting": "您好，我是人工智能助手，不是真人。"},
    "voice": {"greeting": "您好，我是人工智能助手，请讲。"},
}
_AGENTS_LINE = "（坐席的话，演示）"
_AGENTS_WORDS = ("forbidden_words", "advertisement")
_AT_THE_END = ("status_unproved", "status_proved", "unanswered")
_SENTENCES = {
    "refused": "抱歉，这个我答不了，可以转人工。",
    "person": "好的，已经为您登记转人工，请稍候。",
    "flow": "好的，我来帮您登记，请说一下地点。",
    "emergency": "如果有危险，请马上拨打 119。",
}


class _Script:
    """One conversation, turn by turn, on its own clock."""

    def __init__(self, maker: _Maker, at: datetime, town: str, about: tuple[str, str]) -> None:
        self.m, self.c, self.now, self.town, self.about = maker, maker.chance, at, town, about
        self.id = maker.next_id()
        self.flaw = flaw_of(maker.seed, self.id)
        self.odd = random.Random(self.id) if self.flaw else maker.chance
        self.channel = self.c.choices(maker.channels, maker.channel_shares)[0]
        self.began = at
        self.events: list[TrailEvent] = []
        self.data: list[str] = []
        self.turn = 0
        self.state = "bot"
        self.rating: int | None = None
        self.caller: str | None = None
        if self.channel != "web" or self.c.random() < 0.2:
            # Most people call once or twice a year, some often, and some of them again within days.
            often = self.c.random() < 0.12
            self.caller = (
                f"often{self.c.randrange(maker.frequent):05d}" if often else f"once{self.c.randrange(900_000):06d}"
            )
            if maker.recent and self.c.random() < 0.1:
                self.caller, self.about = self.c.choice(maker.recent)
            maker.recent.append((self.caller, self.about))

    def leave(self, kind: str, data: dict[str, Any], text: str | None = None, turn: str | None = None) -> None:
        self.events.append(TrailEvent(len(self.events) + 1, turn, kind, self.now, data))
        self.data.append(text if text is not None else _json(data))

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def play(self) -> Talk:
        self.leave("conversation_started", {"channel": self.channel, "state": "bot", **self._greeted()})
        if self.channel == "voice":
            self.wait(0.4)
            self.leave("call_started", {"call_id": self.id, "encoding": "pcm_s16le", "sample_rate": 16000, "caller": None, "caller_key": self.caller})  # fmt: skip
        kind, what = self.about
        if kind == "burst":
            self._tell(what)
        else:
            self._ask(self.m.by_key[what])
        if self.flaw in _AT_THE_END and self.state == "bot" and kind == "item":
            self._flawed_end()
        if self.state == "queued":
            self._queue()
        if self.c.random() < 0.16:
            good = [70, 15, 6, 5, 4] if not any(e.data.get("understanding", {}).get("intent") == "nlu_fallback" for e in self.events) else [25, 20, 15, 20, 20]  # fmt: skip
            self.rating = self.c.choices([5, 4, 3, 2, 1], good)[0]
            self.wait(self.c.uniform(3, 40))
            self.leave("rating", {"score": self.rating, "comment": ""})
            if self.rating >= 3:
                self.wait(4)
                # No draw of its own: the year of a seed stays the one that was measured.
                self.leave("recall_consent", {"agreed": self.turn % 2 == 0})
        if self.channel == "voice":
            self.wait(self.c.uniform(1, 8))
            self.leave("call_ended", {"call_id": self.id, "reason": "caller"})
        trail = TrailConversation(self.id, self.channel, self.caller, self.began, len(self.events), self.events)
        return Talk(trail, self.data, self.state if self.state != "agent" else "closed", self.rating, self.now)

    def say(self, text: str, with_town: bool) -> str:
        self.turn += 1
        turn_id = f"{self.id}t{self.turn}"
        if with_town and self.town:
            place = self.c.choice(self.m.short[self.town])
            text = self.c.choice((f"我在{place}，{text}", f"{place}{text}", f"请问{place}{text}"))
        self.wait(self.c.uniform(4, 25))
        if self.channel == "voice":
            heard = min(1.0, self.c.betavariate(9, 1.6))
            self.leave("transcript", {"text": text, "confidence": round(heard, 3)}, turn=turn_id)
        self.leave("citizen_message", {"text": text, "confidence": 1.0}, turn=turn_id)
        return turn_id

    def reply(self, turn_id: str, opened: str, intent: str, confidence: float, aspect: str | None = None, item: ServiceItem | None = None, candidates: list[str] | None = None, card: dict[str, Any] | None = None) -> None:  # fmt: skip
        understanding = {
            "intent": intent, "aspect": aspect, "confidence": round(confidence, 3), "item_key": item.key if item else None,
            "item_code": item.code if item else None, "item_name": item.name if item else None, "candidates": candidates or [],
        }  # fmt: skip
        told = _json(understanding)
        if self.flaw == "late_answer":
            self.flaw = None  # once
            self.wait(self.odd.uniform(*flaws()["late_s"]))
        sources = _sources(item, aspect)
        if self.flaw == "no_source" and sources:
            self.flaw, sources = None, []
            opened = _json({**json.loads(opened + "}"), "sources": []})[:-1]
        self.wait(self.c.lognormvariate(-1.6, 0.5) if self.channel != "voice" else self.c.lognormvariate(0.9, 0.4))
        self.leave(
            "reply",
            {"understanding": understanding, "sources": sources, **({"card": card} if card else {})},
            f'{opened},"understanding":{told}}}',
            turn_id,
        )

    def plain(self, turn_id: str, what: str, intent: str, confidence: float) -> None:
        sentence = _SENTENCES[what]
        self.reply(turn_id, _PLAIN % (sentence, sentence), intent, confidence)

    def _ask(self, item: ServiceItem) -> None:
        c = self.c
        if c.random() < 0.05:
            self.plain(self.say(c.choice(_OUTSIDE), False), "refused", "out_of_scope", c.betavariate(3, 4))
            if c.random() < 0.35:
                self._hand_off("handoff")
            return
        with_town = c.random() < 0.72
        aspect = c.choices(_ASPECTS, _ASPECT_SHARES)[0]
        turn_id = self.say(c.choice(self.m.phrases[item.key]), with_town)
        if c.random() < 0.07:
            self.plain(turn_id, "refused", "nlu_fallback", c.betavariate(2, 6))
            if c.random() < 0.4:
                return self._hand_off("handoff")
            turn_id = self.say(c.choice(self.m.phrases[item.key]), with_town)
        if c.random() < 0.08:
            others = [i.key for i in c.sample(self.m.by_area[item.area], min(2, len(self.m.by_area[item.area])))]
            self.reply(turn_id, _PLAIN % ("您问的是哪一项？", "您问的是哪一项？"), f"ask_{aspect.value}", c.betavariate(5, 3), aspect.value, None, others)  # fmt: skip
            turn_id = self.say(item.name, False)
        self.reply(
            turn_id, self.m.answer(item, aspect), f"ask_{aspect.value}", c.betavariate(8, 1.6), aspect.value, item
        )
        while c.random() < 0.6:
            aspect = c.choices(_ASPECTS, _ASPECT_SHARES)[0]
            turn_id = self.say(c.choice(_FOLLOW_UPS[aspect]), False)
            self.reply(
                turn_id, self.m.answer(item, aspect), f"ask_{aspect.value}", c.betavariate(7, 2), aspect.value, item
            )
        if c.random() < 0.12:
            self._hand_off("handoff")

    def _tell(self, what: str) -> None:
        """Somebody tells of something: most are taken down as requests, some are not understood."""
        turn_id = self.say(said_of(what, self.c), True)
        if self.c.random() < 0.35:
            self.plain(turn_id, "refused", "nlu_fallback", self.c.betavariate(2, 5))
            if self.c.random() < 0.5:
                self._hand_off("handoff")
        else:
            self.plain(turn_id, "flow", "complain", self.c.betavariate(6, 2))

    def _greeted(self) -> dict[str, str]:
        if self.flaw in ("greeting", "ai_notice") and self.channel in _GREETED:
            return {"greeting": flaws()[self.flaw][self.channel]}
        return _GREETED.get(self.channel, {})

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """What a flaw adds is drawn from its own chance: the rest of the year stays as it was."""
        mine, self.c = self.c, self.odd
        try:
            yield
        finally:
            self.c = mine

    def _flawed_end(self) -> None:
        told = flaws()
        with self._apart():
            if self.flaw == "unanswered":
                self.say(told["unanswered"], False)
                return
            turn_id, words = self.say(told["status"]["asked"], False), told["status"]
            if self.flaw == "status_proved":
                self.reply(turn_id, _PLAIN % (words["proof"], words["proof"]), "check_status", 0.93)
                turn_id = self.say(PROOF_PLACEHOLDER, False)
            card = {"kind": "case", "title": "办件进度", "rows": [{"label": "状态", "value": "正在审核"}], "steps": []}
            opened = _PLAIN.replace('"card":null', f'"card":{json.dumps(card, ensure_ascii=False)}')
            self.reply(turn_id, opened % (words["told"], words["told"]), "check_status", 0.93, card=card)

    def _hand_off(self, intent: str) -> None:
        if self.flaw == "not_queued":
            with self._apart():
                self.plain(self.say("我要人工", False), "person", intent, 0.97)
        turn_id = self.say(self.c.choice(("转人工", "我要人工", "揾个人同我讲")), False)
        self.plain(turn_id, "person", intent, 0.97)
        self.state = "queued"
        self.leave("state", {"state": "queued"}, turn=turn_id)
        self.leave("queue", {"position": 1}, turn=turn_id)

    def _queue(self) -> None:
        c = self.c
        hour = (self.now.hour + 8) % 24
        busy = 1.6 if hour in (9, 10, 15) else 1.0
        waited = c.expovariate(1 / (11 * busy))
        if c.random() < min(0.5, waited / 160):
            self.wait(waited)
            self.state = "closed" if self.channel == "voice" else "bot"
            if self.state == "bot":
                self.leave("state", {"state": "bot"})
            return
        self.wait(waited)
        agent = c.choices(_AGENTS, [1 + n % 4 for n in range(len(_AGENTS))])[0]
        self.state = "agent"
        self.leave("state", {"state": "agent"})
        self.leave("handling", {"agent": agent, "what": "took"})
        words = self.odd.choice(flaws()[self.flaw]) if self.flaw in _AGENTS_WORDS else _AGENTS_LINE
        for _ in range(c.randint(1, 4)):
            self.wait(c.uniform(15, 70))
            self.leave("agent_message", {"text": words, "agent": agent})
            words = _AGENTS_LINE
        self.wait(c.uniform(5, 60))
        self.state = "closed"
        self.leave("state", {"state": "closed"})


def _sources(item: ServiceItem | None, aspect: str | None) -> list[dict[str, str]]:
    return [] if item is None else [{"field": f"facts.{aspect}", "version": item.version}]


def _poisson(chance: random.Random, mean: float) -> int:
    """A Poisson number; by the normal curve where the mean is large."""
    if mean > 50:
        return max(0, round(chance.gauss(mean, mean**0.5)))
    limit, product, n = 2.718281828459045**-mean, chance.random(), 0
    while product > limit:
        product *= chance.random()
        n += 1
    return n


def _working_days(day: date, number: int) -> date:
    """``number`` weekdays after ``day``; the real calendar is the work orders' own."""
    while number:
        day += timedelta(days=1)
        number -= day.weekday() < 5
    return day
