"""One call: what the caller says goes in, what the line answers comes out.

Serves any door (browser socket, AudioSocket, SIP): the door feeds ``start``, ``audio``, ``dtmf``,
``stop`` and carries what ``send`` is given. docs/voice.md shows the frames and their order.
Everything the line says passes one task, *the floor*, one job after the other; hearing goes on
meanwhile, so that the caller can interrupt. Longer than most modules here because hearing, floor
and frames share the state of one call; what stands alone (player, utterance, silence,
end-pointing) has a module of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any

from hotline.errors import (
    AudioFormatError,
    BadInputError,
    DialogueDownError,
    FrameOrderError,
    HotlineError,
    RecogniserDownError,
    SynthesiserDownError,
)
from hotline.messages import Transcript
from hotline.ports import Recogniser, Synthesiser
from hotline.settings import Settings
from voice.audio import Framer, Inbound, Samples, encode, parse_format
from voice.clock import Clock, RealClock, within
from voice.endpointing import Endpointer, SpeechContinues, SpeechEnded, SpeechStarted
from voice.player import Player, Spoken
from voice.ports import CallTap, Dialogue, EventSink, SpokenReply, TurnTimings
from voice.prompts import load_prompts
from voice.silence import SilenceStep, SilenceWatch
from voice.utterance import Utterance
from voice.vad import VadFactory

log = logging.getLogger(__name__)

BARGE_IN_MS = 300.0
_KEYS = frozenset("0123456789*#ABCD")
_URGENT, _ORDINARY = 0, 1

Job = Callable[[], Awaitable[None]]


class CallSession:
    """See the module. ``timings`` grows by one entry a spoken turn.

    Args:
        dialogue: the conversation behind the call.
        send: takes text frames (dict) and audio frames (bytes in the caller's format).
        vad: makes the voice activity detector of the call's sample rate.
        clock: paces the audio out; hearing counts samples and needs no clock.
        executor: threads for the recogniser (None: the event loop's own).
        on_timings: told of each spoken turn once its first audio has left.
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
        self._recognition_deadline_s = recognition_deadline_s
        self._answer_deadline_s = answer_deadline_s
        self._prompts = load_prompts()
        self._silence = SilenceWatch(settings.silence_prompt_s, settings.silence_hangup_s)
        self._jobs: asyncio.PriorityQueue[tuple[int, int, Job]] = asyncio.PriorityQueue()
        self._order = itertools.count()
        self._floor_task: asyncio.Task[None] | None = None
        self._pending = 0  # jobs waiting or running
        self._utterance: Utterance | None = None  # the one being heard
        self._utterances: set[Utterance] = set()  # all that are not answered yet
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
        self._vad = self._make_vad(rate)
        self._framer = Framer(self._vad.frame_samples)
        self._endpointer = Endpointer(
            rate,
            self._vad.frame_samples,
            endpoint_silence_ms=self._settings.endpoint_silence_ms,
            max_utterance_s=self._settings.max_utterance_s,
        )
        self._player = Player(self._synthesiser, self._clock, self._send, known, rate)
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
        if self.bridge is not None:
            self.bridge.caller(samples)
        for count, frame in enumerate(self._framer.feed(samples), start=1):
            await self._hear(frame)
            if count % 16 == 0:
                await asyncio.sleep(0)  # half a second of sound at once: let the others run
            if self.ended.is_set():
                return

    async def dtmf(self, digit: str) -> None:
        """A key. 0 brings a person, at once and in any state; other keys have no menu."""
        if not await self._live():
            return
        if digit not in _KEYS:
            await self._send_error(BadInputError("按键只认 0 到 9、* 和 #；要找人工请按 0。"))
            return
        self._silence.reset()
        if digit == "0":
            if not self._handoff_waits:
                self._handoff_waits = True
                self._enqueue(self._hand_off, _URGENT)
            self._player.cut()
        elif not self._pending:
            self._enqueue(lambda: self._prompt(self._prompts.key_unused))

    async def say(self, text: str, turn_id: str) -> None:
        """Speaks a text from outside the dialogue (an agent's message), in its turn."""
        if self._floor_task is not None and not self.ended.is_set():
            self._enqueue(lambda: self._speak(text, turn_id))

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
        await self._show_state(state)

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

    async def _hear(self, frame: Samples) -> None:
        for event in self._endpointer.push(frame, self._vad.probability(frame)):
            if isinstance(event, SpeechStarted):
                self._silence.reset()
                self._utterance = Utterance(self._recogniser, self._rate, self._executor, self._show_partial)
                self._utterances.add(self._utterance)
                self._utterance.feed(event.audio)
            elif isinstance(event, SpeechContinues) and self._utterance is not None:
                self._utterance.feed(event.audio)
                if event.voiced_ms >= BARGE_IN_MS:
                    self._player.cut()
            elif isinstance(event, SpeechEnded):
                await self._utterance_ended(event)
        if not self._endpointer.speaking:
            self._listen_to_silence(len(frame) / self._rate)

    async def _utterance_ended(self, event: SpeechEnded) -> None:
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            return
        if self._player.speaking and event.voiced_ms < BARGE_IN_MS:
            # 「嗯」 while the line speaks means "go on".
            self._utterances.discard(utterance)
            await utterance.drop()
            return
        utterance.end()
        now = self._clock.now()
        behind = (event.at - event.speech_end) / self._rate
        timings = TurnTimings(turn_id="", speech_ended=now - behind, endpoint=now)
        self._enqueue(lambda: self._turn(utterance, timings, event.cut))

    def _listen_to_silence(self, seconds: float) -> None:
        if self.state != "bot":
            self._silence.reset()  # a caller who waits for a person, or talks to one, is never cut off
            return
        step = self._silence.listen(seconds, bot_busy=self._pending > 0 or self._utterance is not None)
        if step is SilenceStep.STILL_THERE:
            self._enqueue(lambda: self._prompt(self._prompts.still_there))
        elif step is SilenceStep.OFFER_PERSON:
            self._enqueue(lambda: self._prompt(self._prompts.offer_person))
        elif step is SilenceStep.GOODBYE:
            self._enqueue(self._say_goodbye)

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

    async def _hand_off(self) -> None:
        self._handoff_waits = False
        await self._deliver(await self._ask(self._dialogue.handoff()))
        self._silence.reset()

    async def _turn(self, utterance: Utterance, timings: TurnTimings, cut: bool) -> None:
        try:
            transcript = await within(self._clock, self._recognition_deadline_s, utterance.transcript())
        except (RecogniserDownError, TimeoutError):
            await self._deliver(await self._named_error(RecogniserDownError()))
            self._silence.reset()
            return
        finally:
            self._utterances.discard(utterance)
            await utterance.drop()
        timings.recognised = self._clock.now()
        if not transcript.text:
            await self._not_understood()
            return
        self._not_heard = 0
        await self._send_transcript(transcript, {"cut": True} if cut else {})
        reply = await self._ask(self._dialogue.answer(transcript.text, transcript.confidence))
        timings.turn_id = reply.turn_id
        timings.answered = self._clock.now()
        self.timings.append(timings)
        await self._deliver(reply, timings)
        self._silence.reset()

    async def _not_understood(self) -> None:
        self._not_heard += 1
        again = self._not_heard > 1
        await self._prompt(self._prompts.not_heard_again if again else self._prompts.not_heard)

    async def _prompt(self, text: str) -> None:
        if not self._endpointer.speaking:  # the caller found the words meanwhile
            await self._deliver(SpokenReply.of_text(self._local_id(), text, self.state))

    async def _say_goodbye(self) -> None:
        if self._endpointer.speaking or self._silence.silent_for < self._settings.silence_hangup_s:
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
        patience = reply.endpoint_silence_ms or self._settings.endpoint_silence_ms
        self._endpointer.endpoint_silence_ms = patience
        if reply.speech_change is not None:
            self._player.manner = self._player.manner.changed(reply.speech_change)
        if not self._handoff_waits and reply.state != "agent":  # the bot is silent beside a person
            await self._speak(reply.speech_text, reply.turn_id, timings)
        if reply.state == "closed":
            await self._end("closed")

    async def _speak(self, text: str, turn_id: str, timings: TurnTimings | None = None) -> None:
        def first_audio() -> None:
            if timings is not None:
                timings.first_audio = self._clock.now()
                if self._on_timings is not None:
                    self._on_timings(timings)

        if await self._player.play(text, turn_id, first_audio) is Spoken.FAILED:
            await self._send_error(SynthesiserDownError())

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
        tasks = [self._floor_task] if self._floor_task is not None else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for utterance in list(self._utterances):
            await utterance.drop()
        self._utterances.clear()
