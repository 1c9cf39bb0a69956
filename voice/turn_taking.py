"""Whose turn is it? The tables a call runs by, and the pure functions that read them.

docs/voice.md draws these tables; a test holds the two alike. Nothing here keeps state.
"""

from __future__ import annotations

import re
from enum import StrEnum

from hotline.numbers import Kind, read

# ---------------------------------------------------------------- how long to wait for more words


class Awaited(StrEnum):
    """What the dialogue waits for, as far as a pause means something else in it."""

    QUESTION = "question"  # anything
    NUMBER = "number"  # a number with its pauses: a case, an ID card's last four, a mobile
    STORY = "story"  # what happened, where, when
    YES_NO = "yes_no"


AWAITED: dict[str | None, Awaited] = {
    None: Awaited.QUESTION,
    "case_reference": Awaited.NUMBER,
    "identity_proof": Awaited.NUMBER,
    "contact": Awaited.NUMBER,
    "work_order": Awaited.NUMBER,
    "request": Awaited.STORY,
    "place": Awaited.STORY,
    "time": Awaited.STORY,
    "appointment": Awaited.STORY,
    "correction": Awaited.STORY,
    "confirm": Awaited.YES_NO,
}
"""``expects`` of a reply → what a pause means. A word not listed here asks for a story's patience."""


def awaited(expects: str | None) -> Awaited:
    return AWAITED.get(expects, Awaited.STORY)


class SoFar(StrEnum):
    """What the words of an utterance look like until now."""

    UNHEARD = "unheard"  # the engine gives no partial result
    PLAIN = "plain"
    WHOLE = "whole"  # a whole question, wish or answer
    TRAILING = "trailing"  # 「我想问一下」「就是」「那个」
    DIGITS = "digits"  # a number half said
    NUMBER = "number"  # ends with a whole number


LONGEST_PATIENCE_MS = 2500.0
_TABLE_BASE_MS = 700.0  # the setting the table is written for

PATIENCE_MS: dict[tuple[Awaited, SoFar], int] = {
    (Awaited.QUESTION, SoFar.UNHEARD): 700,
    (Awaited.QUESTION, SoFar.PLAIN): 550,
    (Awaited.QUESTION, SoFar.WHOLE): 400,
    (Awaited.QUESTION, SoFar.TRAILING): 1500,
    (Awaited.QUESTION, SoFar.DIGITS): 1800,
    (Awaited.QUESTION, SoFar.NUMBER): 800,
    (Awaited.NUMBER, SoFar.UNHEARD): 1800,
    (Awaited.NUMBER, SoFar.PLAIN): 1200,
    (Awaited.NUMBER, SoFar.WHOLE): 700,
    (Awaited.NUMBER, SoFar.TRAILING): 2000,
    (Awaited.NUMBER, SoFar.DIGITS): 2500,
    (Awaited.NUMBER, SoFar.NUMBER): 900,
    (Awaited.STORY, SoFar.UNHEARD): 1200,
    (Awaited.STORY, SoFar.PLAIN): 900,
    (Awaited.STORY, SoFar.WHOLE): 700,
    (Awaited.STORY, SoFar.TRAILING): 2000,
    (Awaited.STORY, SoFar.DIGITS): 2000,
    (Awaited.STORY, SoFar.NUMBER): 900,
    (Awaited.YES_NO, SoFar.UNHEARD): 600,
    (Awaited.YES_NO, SoFar.PLAIN): 550,
    (Awaited.YES_NO, SoFar.WHOLE): 400,
    (Awaited.YES_NO, SoFar.TRAILING): 1500,
    (Awaited.YES_NO, SoFar.DIGITS): 1800,
    (Awaited.YES_NO, SoFar.NUMBER): 800,
}
"""Silence in ms after which an utterance is taken to have ended."""

_MARKS = re.compile(r"[\s，,。．.、；;：:！!？?…~]+")
_TRAILING = re.compile(
    r"(?:就是|就是说|那个|这个|嗰个|呢个|然后|跟住|因为|因為|所以|如果|要是|还有|仲有|同埋|而且|但是|但系|或者|比如|关于|即系|咁|"
    r"我想|我要|我想问|我想问下|我想问一下|我想咨询一下|想问一下|想问下|问一下|问下|请问|请问一下|你好|您好|喂|"
    r"我的|我嘅|我家|我们|我哋|他的|的|嘅|和|跟|同|把|在|是|系|喺|号码是|号码系|呃|额|嗯|唔|啊|诶)$"
)
_WHOLE = re.compile(
    r"(?:吗|呢|么|吧|咩|呀|什么|啥|乜嘢|乜|多少|几多|几钱|多久|几耐|几点|几时|哪里|哪儿|边度|边个|谁|哪个|怎么办|点办|怎么样|怎么补|点补|"
    r"怎么弄|点整|怎么走|得唔得|可不可以|行不行|能不能办|好不好|是不是|系唔系|有没有|有冇|要不要|使唔使|材料|条件|流程|费用|时间|地址|电话|"
    r"转人工|人工|再见|拜拜|谢谢|多谢|唔该|再说一遍|再讲一次|没有了|冇啦|不用了|唔使啦|算了|取消|进度)$"
)
_ANSWERS = re.compile(
    r"(?:对|对的|对啊|是|是的|系|系啊|啱|啱嘅|好|好的|好啊|好嘅|可以|没错|冇错|不对|唔啱|不是|唔系|不要|唔要|不用|唔使|没有|冇|行|得)$"
)
_DIGIT = "0-9零〇一幺二两三四五六七八九"
_LAST_DIGITS = re.compile(rf"([{_DIGIT}](?:[{_DIGIT}\s，,、\-]*[{_DIGIT}Xx])?)$")
_HOTLINES = frozenset({"12345", "110", "119", "120", "122", "12333", "12356", "96110"})
_ANY_KIND = frozenset({Kind.PHONE, Kind.LANDLINE, Kind.ID_CARD, Kind.CASE_NUMBER, Kind.QUERY_CODE, Kind.CREDIT_CODE})
_KINDS = {
    "case_reference": frozenset({Kind.CASE_NUMBER, Kind.QUERY_CODE}),
    "contact": frozenset({Kind.PHONE, Kind.LANDLINE}),
    "identity_proof": frozenset({Kind.ID_CARD}),
}
_OF_A_LONGER_ONE = re.compile(r"1[3-9]\d{4,9}|1144\d*")  # a mobile or a case number under way, no query code
_ARABIC = str.maketrans("零〇一幺二两三四五六七八九", "0011223456789")
_LAST_FOUR = 4


def so_far(words: str | None, expects: str | None = None) -> SoFar:
    """``words`` as heard until now (None: no partial results) → what they look like."""
    if words is None:
        return SoFar.UNHEARD
    text = words.strip().rstrip("，,。．.、；;：:！!？?…~ ")
    if not text:
        return SoFar.PLAIN
    waiting = awaited(expects)
    if (digits := _LAST_DIGITS.search(text)) is not None:
        row = _MARKS.sub("", digits[1]).replace("-", "").translate(_ARABIC)
        if len(row) >= 3 or (waiting is Awaited.NUMBER and row):
            return _of_digits(text, row, digits.start(1), expects)
    bare = _MARKS.sub("", text)
    if waiting is Awaited.YES_NO and _ANSWERS.fullmatch(bare):
        return SoFar.WHOLE
    if _TRAILING.search(bare):
        return SoFar.TRAILING
    if _WHOLE.search(bare) or (waiting is not Awaited.QUESTION and _ANSWERS.fullmatch(bare)):
        return SoFar.WHOLE
    return SoFar.PLAIN


def _of_digits(text: str, row: str, start: int, expects: str | None) -> SoFar:
    if row in _HOTLINES and expects is None:
        return SoFar.PLAIN
    if expects == "identity_proof" and len(row) == _LAST_FOUR:
        return SoFar.NUMBER
    if expects != "contact" and len(row) < 11 and _OF_A_LONGER_ONE.fullmatch(row):
        return SoFar.DIGITS
    kinds = _KINDS.get(expects or "", _ANY_KIND)
    ended = [v for v in read(text).values if v.end > start and v.kind in kinds]
    return SoFar.NUMBER if ended and ended[-1].valid else SoFar.DIGITS


def patience_ms(expects: str | None, words: str | None, endpoint_silence_ms: float = _TABLE_BASE_MS) -> float:
    """The silence that ends an utterance, in ms.

    ``endpoint_silence_ms`` is the setting; the whole table is stretched by it, up to
    :data:`LONGEST_PATIENCE_MS`.
    """
    wanted = PATIENCE_MS[awaited(expects), so_far(words, expects)] * endpoint_silence_ms / _TABLE_BASE_MS
    return min(LONGEST_PATIENCE_MS, wanted)


# ---------------------------------------------------------------- who speaks into whose words


class Overlap(StrEnum):
    """What a caller says while the line speaks, by its words."""

    UNHEARD = "unheard"  # nothing recognised (yet)
    HUM = "hum"  # 「嗯」「哦」: go on
    CONSENT = "consent"  # 「好」「知道了」: go on, unless something was asked
    WORDS = "words"


_HUM = re.compile(r"(?:嗯|恩|哦|噢|喔|唔|啊|呃|额|诶|哎|哼|嗯哼|呵|哈|m|hm|mm)+", re.IGNORECASE)
_CONSENT = re.compile(
    r"(?:嗯|恩|哦|噢|啊|唔)*(?:好|好的|好嘅|好啊|对|对的|对啊|是|是的|是啊|系|系啊|行|得|可以|知道|知道了|知道啦|明白|明白了|"
    r"明白啦|了解|收到|没错|冇错|啱)+(?:嗯|哦|啊|呀|了|啦|嘅|的)*"
)


def overlap(words: str | None) -> Overlap:
    bare = _MARKS.sub("", words or "")
    if not bare:
        return Overlap.UNHEARD
    if _HUM.fullmatch(bare):
        return Overlap.HUM
    return Overlap.CONSENT if _CONSENT.fullmatch(bare) else Overlap.WORDS


class Sound(StrEnum):
    """How speech sounds in its first moments, before there are words."""

    STEADY = "steady"  # one held sound, as 「嗯」 is
    VARIED = "varied"  # syllables


CUT_AFTER_MS: dict[tuple[Sound, Overlap], int] = {
    (Sound.STEADY, Overlap.UNHEARD): 512,
    (Sound.STEADY, Overlap.HUM): 1200,
    (Sound.STEADY, Overlap.CONSENT): 1200,
    (Sound.STEADY, Overlap.WORDS): 128,
    (Sound.VARIED, Overlap.UNHEARD): 192,
    (Sound.VARIED, Overlap.HUM): 1200,
    (Sound.VARIED, Overlap.CONSENT): 1200,
    (Sound.VARIED, Overlap.WORDS): 128,
}
"""Speech in ms after which the line stops speaking."""


def interrupts(voiced_ms: float, sound: Sound, words: str | None) -> bool:
    """Does the line fall silent now? ``voiced_ms`` of the caller's speech, over the line's own.

    A single character of a partial result tells nothing yet: 「知」 may become 「知道了」.
    """
    by_words = overlap(words)
    if by_words is Overlap.WORDS and len(_MARKS.sub("", words or "")) < 2:
        by_words = Overlap.UNHEARD
    return voiced_ms >= CUT_AFTER_MS[sound, by_words]


class Fate(StrEnum):
    """What becomes of an utterance that began while the line spoke."""

    ANSWER = "answer"
    RESUME = "resume"  # the line says the rest of what it was saying
    IGNORE = "ignore"


FATES: dict[tuple[bool, bool, Overlap], Fate] = {
    # (the line fell silent for it, a yes or no is awaited, its words)
    (True, False, Overlap.UNHEARD): Fate.RESUME,
    (True, False, Overlap.HUM): Fate.RESUME,
    (True, False, Overlap.CONSENT): Fate.RESUME,
    (True, False, Overlap.WORDS): Fate.ANSWER,
    (True, True, Overlap.UNHEARD): Fate.RESUME,
    (True, True, Overlap.HUM): Fate.ANSWER,
    (True, True, Overlap.CONSENT): Fate.ANSWER,
    (True, True, Overlap.WORDS): Fate.ANSWER,
    (False, False, Overlap.UNHEARD): Fate.IGNORE,
    (False, False, Overlap.HUM): Fate.IGNORE,
    (False, False, Overlap.CONSENT): Fate.IGNORE,
    (False, False, Overlap.WORDS): Fate.ANSWER,
    (False, True, Overlap.UNHEARD): Fate.IGNORE,
    (False, True, Overlap.HUM): Fate.ANSWER,
    (False, True, Overlap.CONSENT): Fate.ANSWER,
    (False, True, Overlap.WORDS): Fate.ANSWER,
}


def fate(silenced_the_line: bool, expects: str | None, words: str | None) -> Fate:
    return FATES[silenced_the_line, awaited(expects) is Awaited.YES_NO, overlap(words)]
