"""Before the first call: models in memory, standing sentences already spoken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from hotline.errors import HotlineError
from hotline.ports import Recogniser, Synthesiser
from voice.prompts import load_prompts
from voice.speech_text import sentences

log = logging.getLogger(__name__)


async def warm_up(recogniser: Recogniser, synthesiser: Synthesiser, texts: Iterable[str] = ()) -> list[str]:
    """Loads both engines and speaks the prompts and ``texts`` (the greeting) into the cache.

    Takes seconds; run it as a task beside start-up. Returns one Chinese line for each engine
    that did not come up; calls are possible all the same and say so.
    """
    problems: list[str] = []
    load = getattr(recogniser, "load", None)
    if load is not None:
        try:
            await asyncio.to_thread(load)
        except HotlineError as problem:
            log.warning("语音识别预热未完成：%s", problem.code)
            problems.append(problem.citizen_sentence)
    try:
        for text in [*texts, *load_prompts().all()]:
            for sentence in sentences(text):
                await synthesiser.synthesise(sentence)
    except HotlineError as problem:
        log.warning("语音播报预热未完成：%s", problem.code)
        problems.append(problem.citizen_sentence)
    return problems
