"""Who hears whom on a bridged call, and that a stall never becomes a delay."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from hotline.errors import AudioFormatError
from voice.audio import Samples, to_pcm, to_samples
from voice.bridge import FIRST_MS, HEARS, MOST_MS, CallBridge, DeskLineError, Mixer, Role
from voice.clock import VirtualClock

RATE = 8000
FRAME = RATE // 50


def tone(level: int, ms: int = 20) -> Samples:
    return np.full(RATE * ms // 1000, level, np.int16)


def line(*roles: Role) -> Mixer:
    mixer = Mixer(RATE)
    for role in roles:
        mixer.join(role.value, role)
    return mixer


def hears(mixer: Mixer, speaker: Role) -> set[str]:
    mixer.push(speaker.value, tone(1000, FIRST_MS))
    return set(mixer.mix())


@pytest.mark.parametrize("speaker", Role)
@pytest.mark.parametrize("listener", Role)
def test_each_hears_whom_the_table_says_and_nobody_hears_themselves(speaker: Role, listener: Role) -> None:
    if speaker is listener:
        mixer = line(speaker)
        assert hears(mixer, speaker) == set()
        return
    heard = listener.value in hears(line(speaker, listener), speaker)
    assert heard is (speaker in HEARS[listener])


def test_a_whisper_never_reaches_the_caller_and_a_listener_is_never_heard() -> None:
    assert Role.WHISPER not in HEARS[Role.CALLER]
    assert all(Role.LISTEN not in voices for voices in HEARS.values())


def test_two_voices_at_once_are_added_and_loud_ones_do_not_wrap() -> None:
    mixer = line(Role.CALLER, Role.AGENT, Role.BARGE)
    mixer.push("agent", tone(20000, FIRST_MS))
    mixer.push("barge", tone(20000, FIRST_MS))
    assert mixer.mix()["caller"].max() == 32767
    mixer.push("agent", tone(100, 20))
    mixer.push("barge", tone(-30, 20))
    mixer.mix()
    assert set(mixer.mix()["caller"].tolist()) == {70}


def test_on_hold_caller_and_desk_do_not_hear_each_other_but_the_desk_may_talk() -> None:
    mixer = line(Role.CALLER, Role.AGENT, Role.BARGE)
    mixer.hold = True
    assert hears(mixer, Role.CALLER) == set()
    assert hears(mixer, Role.AGENT) == {"barge"}


def test_muted_the_agent_is_heard_by_nobody_and_hears_on() -> None:
    mixer = line(Role.CALLER, Role.AGENT, Role.LISTEN)
    mixer.muted = True
    assert hears(mixer, Role.AGENT) == set()
    assert hears(mixer, Role.CALLER) == {"agent", "listen"}


def test_a_listener_who_barges_in_is_heard() -> None:
    mixer = line(Role.CALLER, Role.AGENT, Role.LISTEN)
    assert hears(mixer, Role.LISTEN) == set()
    mixer = line(Role.CALLER, Role.AGENT, Role.LISTEN)
    mixer.become("listen", Role.BARGE)
    assert hears(mixer, Role.LISTEN) == {"caller", "agent"}


def test_every_sample_comes_out_once_and_in_order() -> None:
    mixer = line(Role.CALLER, Role.AGENT)
    sent = np.arange(1, FRAME * 40 + 1, dtype=np.int16)
    got: list[int] = []
    at = 0
    for size in (FRAME * 2, 7, FRAME, 3 * FRAME - 7, FRAME, FRAME, FRAME, FRAME):
        mixer.push("caller", sent[at : at + size])
        at += size
        for _ in range(2):
            if (frame := mixer.mix().get("agent")) is not None:
                got += frame.tolist()
    assert got == sent[: len(got)].tolist()
    assert len(got) >= at - FRAME


def test_what_waited_too_long_is_dropped_and_not_played_late() -> None:
    mixer = line(Role.CALLER, Role.AGENT)
    for number in range(50):  # a second at once, after a stall
        mixer.push("caller", tone(number + 1))
    first = mixer.mix()["agent"]
    assert first[0] > 50 - MOST_MS // 20  # the newest are kept


class Call:
    """A call that remembers what it was given to play."""

    def __init__(self) -> None:
        self.rate = RATE
        self.speaking = False
        self.played: list[Samples] = []

    async def play_frame(self, samples: Samples) -> None:
        self.played.append(samples)


class Bridged:
    def __init__(self) -> None:
        self.call, self.clock = Call(), VirtualClock()
        self.bridge = CallBridge(self.call, self.clock)
        self.bridge.start()
        self.heard: dict[str, list[Any]] = {}

    def join(self, role: Role, rate: int = RATE, username: str = "") -> Any:
        frames = self.heard.setdefault(role.value, [])

        async def send(frame: bytes | dict[str, Any]) -> None:
            frames.append(frame)

        return self.bridge.join(role, rate, send, username)

    async def run(self, ms: int) -> None:
        for _ in range(ms // 20):
            await self.clock.advance(0.02)

    def sound(self, role: Role) -> Samples:
        pieces = [to_samples(f) for f in self.heard[role.value] if isinstance(f, bytes)]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)

    def told(self, role: Role) -> list[dict[str, Any]]:
        return [f for f in self.heard[role.value] if isinstance(f, dict)]


@pytest.fixture
async def bridged():
    made = Bridged()
    yield made
    await made.bridge.close("over")
    assert asyncio.all_tasks() - {asyncio.current_task()} == set()


async def test_sound_goes_both_ways_within_the_budget(bridged: Bridged) -> None:
    agent = bridged.join(Role.AGENT)
    begun = bridged.clock.now()
    waited = None
    for _ in range(10):
        bridged.bridge.caller(tone(500))
        bridged.bridge.desk_sound(agent, to_pcm(tone(-500)))
        await bridged.run(20)
        if waited is None and len(bridged.sound(Role.AGENT)) and any(f.min() == -500 for f in bridged.call.played):
            waited = bridged.clock.now() - begun
    assert waited is not None
    assert waited <= 0.06
    assert set(bridged.sound(Role.AGENT).tolist()) == {500}


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
async def test_a_desk_may_have_another_rate(bridged: Bridged, rate: int) -> None:
    agent = bridged.join(Role.AGENT, rate)
    for _ in range(20):
        bridged.bridge.caller(tone(1000))
        bridged.bridge.desk_sound(agent, to_pcm(np.full(rate // 50, 1000, np.int16)))
        await bridged.run(20)
    played = np.concatenate(bridged.call.played[5:])
    assert abs(float(played[FRAME:].mean()) - 1000) < 20
    assert len(bridged.sound(Role.AGENT)) == pytest.approx(rate * 0.02 * 19, abs=rate * 0.06)


async def test_who_waits_without_an_agent_hears_that_the_line_lives(bridged: Bridged) -> None:
    await bridged.run(400)
    assert max(int(np.abs(f).max()) for f in bridged.call.played) > 500
    agent = bridged.join(Role.AGENT)
    bridged.call.played.clear()
    await bridged.run(400)
    assert bridged.call.played == []  # the agent is there and silent
    bridged.bridge.set_hold(True)
    await bridged.run(400)
    assert bridged.call.played
    await bridged.bridge.leave(agent)


async def test_while_a_text_is_read_out_the_agents_voice_waits(bridged: Bridged) -> None:
    agent = bridged.join(Role.AGENT)
    bridged.call.speaking = True
    for _ in range(5):
        bridged.bridge.desk_sound(agent, to_pcm(tone(300)))
        await bridged.run(20)
    assert bridged.call.played == []


async def test_a_desk_that_takes_no_sound_holds_up_nobody(bridged: Bridged) -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    bridged.bridge.join(Role.LISTEN, RATE, never)
    bridged.join(Role.AGENT)
    for _ in range(60):
        bridged.bridge.caller(tone(700))
        await bridged.run(20)
    assert len(bridged.sound(Role.AGENT)) >= 55 * FRAME


async def test_who_comes_and_goes_and_what_is_switched_is_told(bridged: Bridged) -> None:
    bridged.join(Role.AGENT)
    boss = bridged.join(Role.LISTEN)
    bridged.bridge.become(boss, Role.BARGE)
    bridged.bridge.set_mute(True)
    bridged.bridge.tell({"type": "transcript", "text": "你好", "final": True})
    await bridged.bridge.leave(boss)
    await bridged.run(20)
    kinds = [f["type"] for f in bridged.told(Role.AGENT)]
    assert kinds == ["party", "party", "party", "mute", "transcript", "party"]


async def test_half_a_sample_is_a_named_error(bridged: Bridged) -> None:
    agent = bridged.join(Role.AGENT)
    with pytest.raises(AudioFormatError):
        bridged.bridge.desk_sound(agent, b"\x00\x01\x02")


async def test_a_callers_line_that_takes_no_sound_is_named_to_every_desk_once(bridged: Bridged) -> None:
    agent = bridged.join(Role.AGENT)

    async def broken(_: Samples) -> None:
        raise OSError("gone")

    bridged.call.play_frame = broken  # type: ignore[method-assign]
    for _ in range(10):
        bridged.bridge.desk_sound(agent, to_pcm(tone(300)))
        await bridged.run(20)
    told = [f for f in bridged.told(Role.AGENT) if f["type"] == "error"]
    assert [(f["code"], "回访" in f["detail"]) for f in told] == [("caller_line_down", True)]


async def test_a_desk_whose_socket_has_gone_ends_alone(bridged: Bridged) -> None:
    async def gone(_: object) -> None:
        raise DeskLineError

    bridged.join(Role.AGENT)
    left = bridged.bridge.join(Role.LISTEN, RATE, gone)
    for _ in range(10):
        bridged.bridge.caller(tone(700))
        await bridged.run(20)
    assert len(bridged.sound(Role.AGENT)) >= 8 * FRAME
    await bridged.bridge.leave(left)


async def test_who_takes_over_is_the_only_agent_on_the_line(bridged: Bridged) -> None:
    old, boss = bridged.join(Role.AGENT, username="mei"), bridged.join(Role.WHISPER, username="boss")
    bridged.bridge.set_mute(True)
    await bridged.bridge.dismiss_agents(but="boss")
    assert bridged.told(Role.AGENT)[-1] == {"type": "ended", "reason": "replaced"}
    assert old.name not in bridged.bridge.mixer.roles()
    assert boss.name in bridged.bridge.mixer.roles()
    bridged.join(Role.AGENT, username="boss")
    assert bridged.bridge.state()["muted"] is False  # it was the other one who had muted themselves
