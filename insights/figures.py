"""Every figure of the line in one place: its name, formula and unit. docs/insights.md is held to this.

A figure is a sum over a sum of measures (hotline/insights.py), so it can be added up from cells of any
size; where there is nothing to divide by, it is not known (None), never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hotline.insights import MEASURES, ORDER_MEASURES


class Unit(StrEnum):
    COUNT = "count"
    SHARE = "share"  # 0..1
    SECONDS = "seconds"
    SCORE = "score"  # 1..5
    DAYS = "days"
    PROBABILITY = "probability"


@dataclass(frozen=True)
class Figure:
    """``top`` over ``bottom`` (each a sum of measures); a count where ``bottom`` is empty. ``better``:
    up, down, or empty where neither is good in itself. ``orders``: of work orders."""

    key: str
    title: str
    unit: Unit
    formula: str
    top: tuple[str, ...]
    bottom: tuple[str, ...] = ()
    better: str = ""
    orders: bool = False

    def value(self, measures: Mapping[str, float]) -> float | None:
        top = sum(measures.get(name, 0.0) for name in self.top)
        if not self.bottom:
            return float(round(top))
        bottom = self.weight(measures)
        return round(top / bottom, 4) if bottom else None

    def weight(self, measures: Mapping[str, float]) -> float:
        """How many the figure is about: what it is divided by, or the count itself."""
        return float(round(sum(measures.get(name, 0.0) for name in self.bottom or self.top)))


_C, _S, _T, _D = Unit.COUNT, Unit.SHARE, Unit.SECONDS, Unit.DAYS

FIGURES: dict[str, Figure] = {
    f.key: f
    for f in (
        Figure("conversations", "对话", _C, "开始了的对话数", ("conversations",)),
        Figure("calls", "电话", _C, "其中从电话来的", ("calls",)),
        Figure("people", "来的人", _C, "每天第一次来的人数之和；认不出是谁的，一次对话算一人", ("people",)),
        Figure("turns", "轮次", _C, "市民说的句数", ("turns",)),
        Figure("answer_15s", "15 秒内有答复", _S, "说了第一句话，15 秒内听到（看到）答复的对话 ÷ 有答复的对话", ("first_answers_15s",), ("first_answers",), "up"),
        Figure("first_answer_s", "等第一声答复", _T, "从市民的第一句话到第一声答复的秒数之和 ÷ 有答复的对话", ("first_answer_s",), ("first_answers",), "down"),
        Figure("containment", "机器办完", _S, "没有转人工、最后一句是答复而不是「不知道」的对话 ÷ 全部对话", ("contained",), ("conversations",), "up"),
        Figure("repeat_72h", "72 小时内又来", _S, "认得出来电人的对话中，72 小时内为同一领域又来的 ÷ 认得出来电人的对话", ("repeated",), ("identified",), "down"),
        Figure("contained_repeat_72h", "机器办完却又来", _S, "机器办完、认得出来电人的对话中，72 小时内为同一领域又来的 ÷ 机器办完、认得出来电人的对话", ("contained_repeated",), ("identified_contained",), "down"),
        Figure("refusal", "说不知道", _S, "机器说不知道、没听懂的轮 ÷ 全部轮次", ("refused_turns",), ("turns",), "down"),
        Figure("asked_back", "反问是哪一项", _S, "机器反问是哪一项的轮 ÷ 全部轮次", ("asked_back_turns",), ("turns",)),
        Figure("understanding", "理解的把握", Unit.PROBABILITY, "各轮意图把握之和 ÷ 有意图的轮", ("confidence_sum",), ("understood_turns",), "up"),
        Figure("low_understanding", "把握低的轮", _S, "意图把握低于 0.5 的轮 ÷ 有意图的轮", ("low_confidence_turns",), ("understood_turns",), "down"),
        Figure("recognition", "识别的把握", Unit.PROBABILITY, "电话各句识别把握之和 ÷ 识别出的句", ("recognition_sum",), ("recognised_turns",), "up"),
        Figure("low_recognition", "识别把握低的句", _S, "识别把握低于 0.6 的句 ÷ 识别出的句", ("recognition_low",), ("recognised_turns",), "down"),
        Figure("handoffs", "转人工", _C, "进过人工排队的对话", ("handoffs",)),
        Figure("handoff_rate", "转人工的比例", _S, "进过人工排队的对话 ÷ 全部对话", ("handoffs",), ("conversations",)),
        Figure("handoff_asked", "市民要人工", _S, "因市民自己要求而转的 ÷ 转人工的对话", ("handoff_asked",), ("handoffs",)),
        Figure("handoff_not_understood", "没听懂而转", _S, "紧接着「不知道」「没听懂」而转的 ÷ 转人工的对话", ("handoff_not_understood",), ("handoffs",), "down"),
        Figure("handoff_emergency", "紧急而转", _S, "因紧急情况而转的 ÷ 转人工的对话", ("handoff_emergency",), ("handoffs",)),
        Figure("handoff_part_down", "部件停用而转", _S, "因部件停用而转的 ÷ 转人工的对话", ("handoff_part_down",), ("handoffs",), "down"),
        Figure("connected", "人工接通", _S, "坐席接起的对话 ÷ 转人工的对话", ("agent_taken",), ("handoffs",), "up"),
        Figure("agent_15s", "人工 15 秒接起", _S, "排队 15 秒内由坐席接起的对话 ÷ 坐席接起的对话", ("agent_taken_15s",), ("agent_taken",), "up"),
        Figure("abandonment", "排队时离开", _S, "排队时离开（挂断、关闭）、没有人接的对话 ÷ 转人工的对话", ("abandoned",), ("handoffs",), "down"),
        Figure("bot_s", "机器接待时长", _T, "机器接待的秒数之和 ÷ 全部对话", ("bot_s",), ("conversations",)),
        Figure("queue_s", "排队时长", _T, "排队的秒数之和 ÷ 转人工的对话", ("queue_s",), ("handoffs",), "down"),
        Figure("agent_s", "坐席接待时长", _T, "坐席接待的秒数之和 ÷ 坐席接起的对话", ("agent_s",), ("agent_taken",)),
        Figure("corrected", "答过又要人工", _S, "机器刚答过、两分钟内就要人工的对话 ÷ 转人工的对话", ("corrected",), ("handoffs",), "down"),
        Figure("ratings", "评价", _C, "评价了的对话", ("ratings",)),
        Figure("satisfaction", "满意度", Unit.SCORE, "评价分之和 ÷ 评价数（5 非常满意，1 非常不满意）", ("rating_sum",), ("ratings",), "up"),
        Figure("satisfied", "满意率", _S, "非常满意、满意、基本满意 ÷ 评价数", ("rated_5", "rated_4", "rated_3"), ("ratings",), "up"),
        Figure("dissatisfied", "差评率", _S, "不满意、非常不满意 ÷ 评价数", ("rated_2", "rated_1"), ("ratings",), "down"),
        Figure("emergencies", "紧急情况", _C, "认出紧急情况的对话", ("emergencies",)),
        Figure("parts_down", "碰到部件停用", _C, "碰到部件停用的对话", ("parts_down",), (), "down"),
        Figure("orders_filed", "登记工单", _C, "这段时间登记的工单", ("filed",), (), "", True),
        Figure("orders_completed", "办结工单", _C, "这段时间办结的工单", ("completed",), (), "", True),
        Figure("orders_in_time", "按时办结", _S, "办结的工单中答复不晚于期限的 ÷ 办结的工单", ("completed_in_time",), ("completed",), "up", True),
        Figure("order_days", "办理天数", _D, "登记到办结的自然日之和 ÷ 办结的工单", ("handling_days",), ("completed",), "down", True),
        Figure("order_returned", "退单", _S, "被退单过的 ÷ 这段时间登记的工单", ("returned",), ("filed",), "down", True),
        Figure("order_escalated", "督办", _S, "被督办过的 ÷ 这段时间登记的工单", ("escalated",), ("filed",), "down", True),
        Figure("order_reopened", "重办", _S, "办结后重办的 ÷ 这段时间登记的工单", ("reopened",), ("filed",), "down", True),
        Figure("order_satisfaction", "工单满意度", Unit.SCORE, "工单评价分之和 ÷ 工单评价数", ("order_rating_sum",), ("order_ratings",), "up", True),
        Figure("order_dissatisfied", "工单差评率", _S, "工单 1、2 级评价 ÷ 工单评价数", ("order_rated_badly",), ("order_ratings",), "down", True),
    )
}  # fmt: skip
"""In the order in which they are shown."""

_unknown = {n for f in FIGURES.values() for n in (*f.top, *f.bottom)} - {*MEASURES, *ORDER_MEASURES}
if _unknown:
    raise ValueError(f"figures of unknown measures: {sorted(_unknown)}")

NOW_FIGURES: dict[str, tuple[str, str]] = {
    "orders_open": ("在办工单", "此刻没有办结的工单（不算已并单、不予受理、已撤回的）"),
    "orders_overdue": ("超期工单", "其中时限在走、期限已过的（等市民补充的、已答复的不算）"),
    "orders_due_soon": ("两天内到期", "其中时限在走、期限在今天起两天内的"),
}
"""Of this moment, whatever the days looked at."""
