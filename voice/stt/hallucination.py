"""Whisper says things nobody said. What it is known to make up is thrown away here."""

from __future__ import annotations

import re

# A unit of one to eight characters said five times or more in a row (「证判判判判判…」).
_STUTTER = re.compile(r"(.{1,8}?)\1{4,}")
_DIGITS = re.compile(r"[0-9零〇一二三四五六七八九幺两]+")
# Subtitle credits the model learnt from videos and says on noise.
_CREDITS = re.compile(
    r"字幕|点赞|订阅|打赏|明镜与点点|谢谢(观看|收看|大家观看)|感谢(观看|收看)|请不吝|Amara|优优独播|多谢您的观看"
)
_PUNCTUATION = re.compile(r"[\s，。、！？,.!?；;：:…—\-「」“”]+")
_ECHO_MIN = 12
_RECITED = 3


def is_made_up(text: str, prompt: str = "", compression_ratio: float = 0.0) -> bool:
    """True where ``text`` is rather the model's own than the caller's.

    ``prompt`` is the text the model was primed with: a long piece of it, word for word, was read
    and not heard. ``compression_ratio`` above 2.4 is the usual mark of a loop.
    """
    bare = _PUNCTUATION.sub("", text)
    if not bare:
        return False
    stutter = _STUTTER.search(bare)
    if stutter and not _DIGITS.fullmatch(stutter.group()):
        return True
    if compression_ratio > 2.4:
        return True
    if _CREDITS.search(text) and len(bare) <= 30:
        return True
    return (len(bare) >= _ECHO_MIN and bare in _PUNCTUATION.sub("", prompt)) or _recites(text, prompt)


def _recites(text: str, prompt: str) -> bool:
    """Whether it begins with three items of the prompt's list in the list's own order: what is too
    distorted to be heard is read off the prompt, and nobody names 社保卡、居住证、身份证 by chance so."""
    said = [piece for piece in _PUNCTUATION.split(text) if piece][:_RECITED]
    listed = [piece for piece in _PUNCTUATION.split(prompt) if piece]
    return len(said) == _RECITED and any(listed[at : at + _RECITED] == said for at in range(len(listed) - _RECITED + 1))
