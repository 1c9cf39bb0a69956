"""Recognisers that keep account of how they are used."""

from __future__ import annotations

import threading

from hotline.messages import Transcript
from hotline.ports import RecognitionOptions


class WholeReaderLog:
    """An engine that reads utterances as a whole, with what it was asked to read (in bytes)."""

    name = "whole"
    sample_rate = 16000

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)
        self.read: list[int] = []
        self.glanced: list[int] = []
        self.busy = False

    def transcribe(self, pcm: bytes) -> Transcript:
        self.read.append(len(pcm))
        return Transcript(text=self._texts.pop(0), confidence=0.9)

    def glance(self, pcm: bytes) -> Transcript | None:
        if self.busy:
            return None
        self.glanced.append(len(pcm))
        return Transcript(text=f"[{len(self.glanced)}]", confidence=0.5)


class ThreadLog:
    """Any session's calls, each with the thread it ran in."""

    name = "logged"
    sample_rate = 16000

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    def _note(self, call: str) -> None:
        self.calls.append((call, threading.get_ident()))

    def start(self, options: RecognitionOptions | None = None) -> ThreadLog:
        self._note("start")
        return self

    def accept_chunk(self, pcm: bytes) -> None:
        self._note("accept_chunk")

    def partial(self) -> Transcript | None:
        self._note("partial")
        return None

    def pause_began(self) -> None:
        self._note("pause_began")

    def speech_resumed(self) -> None:
        self._note("speech_resumed")

    def finish(self) -> Transcript:
        self._note("finish")
        return Transcript(text="好")

    @property
    def names(self) -> list[str]:
        """The calls that matter for the order, repetitions as one."""
        kept: list[str] = []
        for call, _ in self.calls:
            if call != "partial" and kept[-1:] != [call]:
                kept.append(call)
        return kept
