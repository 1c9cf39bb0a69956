"""Prometheus metrics of the line."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LAG_SECONDS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0)


class Metrics:
    """One registry an app, so that tests may make many."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.turns = Counter("hotline_turns", "轮次", ["channel", "state"], registry=self.registry)
        self.turn_seconds = Histogram(
            "hotline_turn_seconds", "一轮文字用时（秒）", ["channel"], buckets=_SECONDS, registry=self.registry
        )
        self.calls = Gauge("hotline_calls_active", "正在进行的通话", ["door"], registry=self.registry)
        self.calls_ended = Counter("hotline_calls_ended", "结束的通话", ["door", "reason"], registry=self.registry)
        self.calls_refused = Counter("hotline_calls_refused", "没有接的通话", ["door", "code"], registry=self.registry)
        self.packets = Counter("hotline_rtp_packets", "SIP 通话收到的包", ["kind"], registry=self.registry)
        self.speech_seconds = Histogram(
            "hotline_speech_seconds", "语音各段用时（秒）", ["part"], buckets=_SECONDS, registry=self.registry
        )
        self.loop_lag_seconds = Histogram(
            "hotline_loop_lag_seconds", "事件循环比预定晚了多少（秒）", buckets=_LAG_SECONDS, registry=self.registry
        )
        self.parts_down = Counter("hotline_parts_down", "部件不可用的次数", ["part"], registry=self.registry)
        self.outbox = Gauge(
            "hotline_hub_outbox",
            "还没交给数据中台的工单（waiting 等着送，refused 中台不收）",
            ["state"],
            registry=self.registry,
        )
        self.order_rounds_failed = Counter(
            "hotline_order_rounds_failed", "工单后台出错的轮次", ["work", "code"], registry=self.registry
        )
