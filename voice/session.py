"""One call: what the caller says goes in, what the line answers comes out.

Serves any door (browser socket, AudioSocket, SIP): the door feeds ``start``, ``audio``, ``dtmf``,
``stop`` and carries what ``send`` is given. docs/voice.md shows the frames and their order.
Everything the line says passes one task, *the floor*, one job after the other; hearing goes on
meanwhile, so that the caller can interrupt. Longer than most modules here because floor, keys and
frames share the state of one call; what stands alone (hearing, player, keys, silence, the tables
of turn-taking) has a module of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from hotline.errors import (
    AudioFormatError,
    BadInputError,
    CallOverloadedError,
    DialogueDownError,
    FrameOrderError,
    HotlineError,
    RecogniserDownError,
    SynthesiserDownError,
)
from hotline.messages import Transcript
from hotline.ports import Recogniser, Synthesiser
from hotline.settings import Settings
from voice.audio import Inbound, Samples, encode, parse_format
from voice.clock import Clock, RealClock, within
from voice.hearing import Began, Ended, Heard, Hearing, Interrupts
from voice.keys import KEYS, PAUSE_S, KeyAct, KeyEntry
from voice.openings import Openings
from voice.player import Outcome, Player
from voice.ports import CallTap, CallTape, Dialogue, EventSink, SpokenReply, TurnTimings
from voice.prompts import load_prompts
from voice.silence import SilenceStep, SilenceWatch
from voice.speech_text import sentences
from voice.turn_taking import Awaited, Fate, awaited, fate
from voice.vad import VadFactory

log = logging.getLogger(__name__)

_URGENT, _ORDINARY = 0, 1
_MOST_WAITING = 6  # utterances; a caller in real time never has so many
_LONGEST_CARRIED = 200  # characters
_HARDLY_A_WORD_MS = 320.0

Job = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class _Unsaid:
    """What of a speech was not heard when the caller spoke into it."""

    turn_id: str
    pieces: tuple[str, ...]


class CallSession:
    """See the module. ``timings`` grows by one entry a spoken turn.

    Args:
        dialogue: the conversation behind the call.
        send: takes text frames (dict) and audio frames (bytes in the caller's format).
        vad: makes the voice activity detector of the call's sample rate.
        clock: paces the audio out; hearing counts samples and needs no clock.
        executor: threads for the recogniser (None: the event loop's own).
        on_timings: told of each spoken turn once its answer's first audio has left.
        tape: records both sides, where the call is recorded.
        recognition_deadline_s, answer_deadline_s: after these a named error is spoken.
    """

    def __init__(
        self,
        *,
        recogniser: Recogniser,
        synthesiser: Synthesiser,
        vad: VadFactory,
        dialogue: Dialogue,
        settings: Settings,
        send: EventSink,
        clock: Clock | None = None,
        executor: Executor | None = None,
        on_timings: Callable[[TurnTimings], None] | None = None,
        tape: CallTape | None = None,
        recognition_deadline_s: float = 8.0,
        answer_deadline_s: float = 8.0,
    ) -> None:
        self.timings: list[TurnTimings] = []
        self.state = "bot"
        self.ended = asyncio.Event()
        self._recogniser = recogniser
        self._synthesiser = synthesiser
        self._make_vad = vad
        self._dialogue = dialogue
        self._settings = settings
        self._send = send
        self._clock = clock or RealClock()
        self._executor = executor
        self._on_timings = on_timings
        self._tape = tape
        self._recognition_deadline_s = recognition_deadline_s
        self._answer_deadline_s = answer_deadline_s
        self._prompts = load_prompts()
        self._silence = SilenceWatch(settings.silence_prompt_s, settings.silence_hangup_s)
        self._openings = Openings(synthesiser, self._prompts, settings.opening_after_ms)
        self._keys = KeyEntry()
        self._key_pause: asyncio.Task[None] | None = None
        self._jobs: asyncio.PriorityQueue[tuple[int, int, Job]] = asyncio.PriorityQueue()
        self._order = itertools.count()
        self._floor_task: asyncio.Task[None] | None = None
        self._pending = 0  # jobs waiting or running
        self._waiting = 0  # utterances among them
        self._expects: str | None = None
        self._unsaid: _Unsaid | None = None
        self._carried = ""  # words of an utterance that the caller went on from before it was asked
        self._urgent = False  # what is being said must be heard to its end
        self._handoff_waits = False
        self._not_heard = 0
        self._odd_told = False
        self.bridge: CallTap | None = None
        """Hears the caller while a person is on the line (voice.bridge)."""

    # ------------------------------------------------------------ what the door feeds

    async def start(self, encoding: object, sample_rate: object, started: dict[str, Any] | None = None) -> bool:
        """Begins the call with the greeting. ``started`` is the door's own first frame.

        A wrong format or a second start is answered by an error frame; returns whether it began.
        """
        if self._floor_task is not None or self.ended.is_set():
            await self._send_error(FrameOrderError("通话已经开始，不用再发开始信号。"))
            return False
        try:
            known, rate = parse_format(encoding, sample_rate)
        except AudioFormatError as problem:
            await self._send_error(problem)
            return False
        self._rate = rate
        self._encoding = known
        self._inbound = Inbound(known)
        self._player = Player(self._synthesiser, self._clock, self._send, known, rate, self._tape)
        self._hearing = Hearing(
            recogniser=self._recogniser,
            vad=self._make_vad(rate),
            sample_rate=rate,
            endpoint_silence_ms=self._settings.endpoint_silence_ms,
            max_utterance_s=self._settings.max_utterance_s,
            executor=self._executor,
            line_speaks=lambda: self._player.speaking and not self._urgent,
            line_heard=lambda: self._player.heard,
            on_partial=self._show_partial,
        )
        if started is not None:
            await self._send(started)
        self._floor_task = asyncio.ensure_future(self._floor())
        self._enqueue(self._greet)
        return True

    async def audio(self, data: bytes) -> None:
        """A binary frame of any length in the caller's encoding."""
        if not await self._live():
            return
        samples = self._inbound.feed(data)
        if self._inbound.odd_seen and not self._odd_told:
            self._odd_told = True
            await self._send_error(AudioFormatError("收到的声音字节数是单数，已和下一段接上；请按双数字节发送。"))
        if self._tape is not None:
            self._tape.caller(samples, self._clock.now())
        if self.bridge is not None:
            self.bridge.caller(samples)
        for count, frame in enumerate(self._hearing.frames(samples), start=1):
            for heard in self._hearing.hear(frame):
                await self._take(heard)
            if count % 16 == 0:
                await asyncio.sleep(0)  # half a second of sound at once: let the others run
            if self.ended.is_set():
                return

    async def dtmf(self, digit: str) -> None:
        """A key: 0 brings a person, digits are a number where one is asked for (voice.keys)."""
        if not await self._live():
            return
        if digit not in KEYS:
            await self._send_error(BadInputError("按键只认 0 到 9、* 和 #；要找人工请按 0。"))
            return
        self._silence.reset()
        act = self._keys.press(digit, self._expects)
        if act is KeyAct.PERSON:
            self._want_person()
        elif act is KeyAct.EXPLAIN:
            if not self._pending:
                asked = awaited(self._expects) is Awaited.NUMBER
                self._enqueue(lambda: self._prompt(self._prompts.key_number if asked else self._prompts.key_unused))
        elif act is not KeyAct.NOTHING:
            self._player.cut()
            self._stop_key_pause()
            if act is KeyAct.DONE:
                self._take_keys()
            else:
                self._key_pause = asyncio.ensure_future(self._await_key())

    async def say(self, text: str, turn_id: str) -> None:
        """Speaks a text from outside the dialogue (an agent's message), in its turn."""
        if self._floor_task is not None and not self.ended.is_set():
            self._enqueue(lambda: self._speak(sentences(text), turn_id))

    @property
    def rate(self) -> int:
        """The call's sample rate in Hz, once it has started."""
        return self._rate

    @property
    def speaking(self) -> bool:
        return self._floor_task is not None and self._player.speaking

    async def play_frame(self, samples: Samples) -> None:
        """Sound from outside (an agent's voice), on its way to the caller as it is."""
        if self._floor_task is not None and not self.ended.is_set():
            await self._send(encode(samples, self._encoding))

    async def show(self, frame: dict[str, Any], in_turn: bool = False) -> None:
        """A text frame of the house (the place in the queue, an agent's words) for the caller's page, at
        once or ``in_turn``, behind what is being said."""
        if self._floor_task is None or self.ended.is_set():
            return
        if in_turn:
            self._enqueue(lambda: self._send(frame))
        else:
            await self._send(frame)

    async def set_state(self, state: str) -> None:
        """The conversation changed hands elsewhere. The bot falls silent when an agent comes in."""
        if state == "agent" and self._floor_task is not None:
            self._player.cut()
            self._unsaid = None
        await self._show_state(state)

    async def hang_up(self, reason: str) -> None:
        """The house ends the call: ``ended`` is sent, and the door closes."""
        await self._end(reason)

    async def stop(self) -> None:
        """The caller hung up in good order: ``ended`` is sent."""
        await self._end("caller")
        await self._clean_up()

    async def abandon(self) -> None:
        """The caller vanished: nothing more is sent, nothing is left running."""
        self.ended.set()
        await self._clean_up()

    # ------------------------------------------------------------ hearing

    async def _live(self) -> bool:
        """False, with an error frame, before the start; after the end, what is still on the
        wire is dropped without a word: the door has its ``ended`` frame."""
        if self.ended.is_set():
            return False
        if self._floor_task is None:
            await self._send_error(FrameOrderError())
            return False
        return True

    async def _take(self, heard: Heard) -> None:
        match heard:
            case Began():
                self._silence.reset()
            case Interrupts():
                self._player.cut()
            case Ended():
                await self._utterance_ended(heard)
            case _:
                self._listen_to_silence(heard.seconds)

    async def _utterance_ended(self, ended: Ended) -> None:
        only_hummed = ended.throughout and not ended.interrupted and not self._urgent
        if only_hummed and not self._carried and awaited(self._expects) is not Awaited.YES_NO:
            await self._hearing.drop(ended.utterance)
            return
        if self._waiting >= _MOST_WAITING:
            await self._hearing.drop(ended.utterance)
            await self._send_error(CallOverloadedError())
            return
        ended.utterance.end()
        now = self._clock.now()
        timings = TurnTimings(turn_id="", speech_ended=now - ended.behind_s, endpoint=now)
        self._waiting += 1
        self._enqueue(lambda: self._turn(ended, timings))

    def _listen_to_silence(self, seconds: float) -> None:
        if self.state != "bot":
            self._silence.reset()  # a caller who waits for a person, or talks to one, is never cut off
            return
        busy = self._pending > 0 or self._hearing.speaking or self._keys.typed is not None
        step = self._silence.listen(seconds, bot_busy=busy)
        if step is SilenceStep.STILL_THERE:
            self._enqueue(lambda: self._prompt(self._prompts.still_there))
        elif step is SilenceStep.OFFER_PERSON:
            self._enqueue(lambda: self._prompt(self._prompts.offer_person))
        elif step is SilenceStep.GOODBYE:
            self._enqueue(self._say_goodbye)

    # ------------------------------------------------------------ keys

    def _want_person(self) -> None:
        if not self._handoff_waits:
            self._handoff_waits = True
            self._enqueue(self._hand_off, _URGENT)
        self._player.cut()

    async def _await_key(self) -> None:
        await self._clock.sleep(PAUSE_S)
        self._key_pause = None
        self._take_keys()

    def _stop_key_pause(self) -> None:
        if self._key_pause is not None:
            self._key_pause.cancel()
            self._key_pause = None

    def _take_keys(self) -> None:
        if typed := self._keys.take():
            self._enqueue(lambda: self._typed(typed))

    async def _typed(self, digits: str) -> None:
        now = self._clock.now()
        timings = TurnTimings(turn_id="", speech_ended=now, endpoint=now, recognised=now)
        await self._send_transcript(Transcript(text=digits), {"keys": True})
        await self._answer(digits, 1.0, timings)

    # ------------------------------------------------------------ the floor

    def _enqueue(self, job: Job, priority: int = _ORDINARY) -> None:
        self._pending += 1
        self._jobs.put_nowait((priority, next(self._order), job))

    async def _floor(self) -> None:
        while not self.ended.is_set():
            _, _, job = await self._jobs.get()
            try:
                await job()
            except Exception:  # the door's socket broke, or a fault of ours: the call cannot go on
                log.exception("通话中断")
                self.ended.set()
                return
            finally:
                self._pending -= 1
            self._silence.bot_was_busy()
            self._listen_to_silence(0.0)

    async def _greet(self) -> None:
        await self._deliver(await self._ask(self._dialogue.greet()))
        self._openings.prepare(self._player.manner)

    async def _hand_off(self) -> None:
        self._handoff_waits = False
        await self._deliver(await self._ask(self._dialogue.handoff()))
        self._silence.reset()

    async def _turn(self, ended: Ended, timings: TurnTimings) -> None:
        self._waiting -= 1
        utterance = ended.utterance
        try:
            transcript = await within(self._clock, self._recognition_deadline_s, utterance.transcript())
        except (RecogniserDownError, TimeoutError):
            await self._deliver(await self._named_error(RecogniserDownError()))
            self._silence.reset()
            return
        finally:
            await self._hearing.drop(utterance)
        timings.recognised = self._clock.now()
        becomes = Fate.ANSWER
        if ended.overlapped or ended.interrupted:
            becomes = fate(ended.interrupted, self._expects, transcript.text)
        if becomes is Fate.RESUME and not self._carried and await self._resume():
            return
        if becomes is Fate.IGNORE:
            return
        if not transcript.text and not self._carried:
            await self._not_understood(ended)
            return
        self._not_heard = 0
        if transcript.text:
            await self._send_transcript(transcript, {"cut": True} if ended.cut else {})
        text = self._carried + transcript.text
        if self._hearing.speaking and not ended.cut and len(text) <= _LONGEST_CARRIED:
            self._carried = text  # not asked yet, and the caller goes on: one question, not two
            return
        self._carried = ""
        await self._answer(text, transcript.confidence, timings, ended.lasting_s)

    async def _answer(self, text: str, confidence: float, timings: TurnTimings, spoken_s: float = 0.0) -> None:
        self._fill_the_wait(timings)
        reply = await self._ask(self._dialogue.answer(text, confidence))
        self._unsaid = None
        timings.turn_id = reply.turn_id
        timings.answered = self._clock.now()
        self.timings.append(timings)
        if self._tape is not None:
            self._tape.turn(reply.turn_id, "caller", timings.speech_ended - spoken_s, timings.speech_ended)
        await self._deliver(reply, timings)
        self._silence.reset()

    def _fill_the_wait(self, timings: TurnTimings) -> None:
        if self.state == "agent" or self._hearing.speaking or self._handoff_waits:
            return

        def opened() -> None:
            if timings.first_audio is None:
                timings.first_audio = self._clock.now()

        now = self._clock.now()
        since, silent = now - timings.endpoint, now - timings.speech_ended
        if ready := self._openings.ready(self._player.manner, since, silent):
            self._player.open_with(ready, opened)

    async def _resume(self) -> bool:
        """The rest of what the caller hummed into; False where nothing is left to say."""
        unsaid, self._unsaid = self._unsaid, None
        if unsaid is None or not unsaid.pieces or self.state == "agent":
            return False
        await self._speak(list(unsaid.pieces), unsaid.turn_id)
        self._silence.reset()
        return True

    async def _not_understood(self, ended: Ended) -> None:
        if ended.voiced_ms < _HARDLY_A_WORD_MS:
            return  # a cough, a door: asking back would be noise of our own
        self._not_heard += 1
        again = self._not_heard > 1
        await self._prompt(self._prompts.not_heard_again if again else self._prompts.not_heard)

    async def _prompt(self, text: str) -> None:
        if not self._hearing.speaking:  # the caller found the words meanwhile
            await self._deliver(SpokenReply.of_text(self._local_id(), text, self.state))

    async def _say_goodbye(self) -> None:
        if self._hearing.speaking or self._silence.silent_for < self._settings.silence_hangup_s:
            return
        await self._deliver(SpokenReply.of_text(self._local_id(), self._prompts.goodbye, self.state))
        if self._silence.silent_for >= self._settings.silence_hangup_s:  # nobody spoke during it
            await self._end("silence")

    async def _ask(self, question: Awaitable[SpokenReply]) -> SpokenReply:
        """The dialogue's reply, or a named error's sentence in its place."""
        try:
            return await within(self._clock, self._answer_deadline_s, question)
        except HotlineError as problem:
            return await self._named_error(problem)
        except Exception:  # whatever the dialogue ran into, the caller is told something true
            log.exception("对话没有给出答复")
            return await self._named_error(DialogueDownError())

    async def _named_error(self, problem: HotlineError) -> SpokenReply:
        await self._send_error(problem)
        return SpokenReply.of_text(self._local_id(), problem.citizen_sentence, self.state)

    async def _deliver(self, reply: SpokenReply, timings: TurnTimings | None = None) -> None:
        await self._send({"type": "reply", "turn_id": reply.turn_id, **reply.payload})
        await self._show_state(reply.state)
        if not reply.local:
            self._expects = reply.expects
            self._hearing.expect(reply.expects)
        if reply.speech_change is not None:
            self._player.manner = self._player.manner.changed(reply.speech_change)
            self._openings.prepare(self._player.manner)
        if not self._handoff_waits and reply.state != "agent":  # the bot is silent beside a person
            await self._say_reply(reply, timings)
        await self._player.end_opening()
        if reply.state == "closed":
            await self._end("closed")

    async def _say_reply(self, reply: SpokenReply, timings: TurnTimings | None) -> None:
        pieces = sentences(reply.speech_text)
        if not reply.urgent and self._hearing.claims_the_floor():
            await self._leave_unsaid(reply.turn_id, "", tuple(pieces))
            return
        self._urgent = reply.urgent
        try:
            await self._speak(pieces, reply.turn_id, timings)
        finally:
            self._urgent = False

    async def _leave_unsaid(self, turn_id: str, heard: str, rest: tuple[str, ...]) -> None:
        self._unsaid = _Unsaid(turn_id, rest)
        await self._dialogue.cut(turn_id, heard, "".join(rest))

    async def _speak(self, pieces: list[str], turn_id: str, timings: TurnTimings | None = None) -> None:
        begun = self._clock.now()

        def first_audio() -> None:
            nonlocal begun
            begun = self._clock.now()
            if timings is not None:
                timings.first_word = begun
                timings.first_audio = begun if timings.first_audio is None else timings.first_audio
                if self._on_timings is not None:
                    self._on_timings(timings)

        spoken = await self._player.play(pieces, turn_id, first_audio)
        if self._tape is not None and spoken.started:
            self._tape.turn(turn_id, "line", begun, self._clock.now())
        if spoken.outcome is Outcome.FAILED:
            await self._send_error(SynthesiserDownError())
        elif spoken.outcome is Outcome.CUT:
            await self._leave_unsaid(turn_id, spoken.heard, spoken.rest)

    # ------------------------------------------------------------ frames out

    def _local_id(self) -> str:
        return f"voice-{next(self._order)}"

    async def _show_partial(self, transcript: Transcript) -> None:
        await self._send_transcript(transcript, {})

    async def _send_transcript(self, transcript: Transcript, more: dict[str, Any]) -> None:
        await self._send({"type": "transcript", **transcript.model_dump(mode="json"), **more})

    async def _show_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            await self._send({"type": "state", "state": state})

    async def _send_error(self, problem: HotlineError) -> None:
        await self._send({"type": "error", "code": problem.code, "detail": problem.detail})

    async def _end(self, reason: str) -> None:
        if not self.ended.is_set():
            self.ended.set()
            await self._send({"type": "ended", "reason": reason})

    async def _clean_up(self) -> None:
        self._stop_key_pause()
        if self._floor_task is None:
            return
        self._floor_task.cancel()
        await asyncio.gather(self._floor_task, return_exceptions=True)
        await self._player.close()
        await self._openings.close()
        await self._hearing.close()
