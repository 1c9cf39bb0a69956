"""Colloquial Cantonese turned into the written Chinese that models and guides are written in.

A table, longest word first, in one pass: 「張居住證唔見咗點補」 (already in simplified script:
「张居住证唔见咗点补」) → 「张居住证丢了怎么补」. It serves the search for a service; what a citizen
said is stored and answered as said. Words of two meanings are left alone: 「车牌」 may be a licence or
a number plate.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("cantonese.tsv")
_COLLOQUIAL_FILE = Path(__file__).with_name("colloquial.tsv")


def table(file: Path = _FILE) -> dict[str, str]:
    """Cantonese word → written Chinese (empty where the word only colours the sentence)."""
    lines = (line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return dict(line.split("\t") for line in lines)


_TABLE = table()
_WORDS = re.compile("|".join(map(re.escape, sorted(_TABLE, key=len, reverse=True))))
# 「点」 before a verb asks how (点续, 点销); after a figure or in 网点, 地点 it doesn't.
_HOW = re.compile(
    r"(?<![0-9〇零一二两三四五六七八九十几半网站地景选定重有早晚晏快慢差焦])点"
    r"(?=[拎睇计讲去知办补攞领续交查换报销追转改入退整做搞开申登投缴注预过打还迁激认解取变约])"
)


@lru_cache(maxsize=4096)
def to_written(text: str) -> str:
    """``text`` (simplified script, lower case) with Cantonese words as written Chinese."""
    return _HOW.sub("怎么", _WORDS.sub(lambda word: _TABLE[word.group()], text))


_SPOKEN = table(_COLLOQUIAL_FILE)
_WRITTEN_WORDS = re.compile("|".join(map(re.escape, sorted(_SPOKEN, key=len, reverse=True))))
# 「不」 before a verb, and a 「了」 that says something is done: in 了解, 不锈钢, 除了 they stay.
_NOT = re.compile(r"(?<![差绝不])不(?=[去来嚟知记得讲睇收办包住做开理熟想同够太使再])")
_DONE = re.compile(r"(?<=[办交收到去开讲补领攞登记改换走过完写做搞错])了(?![解了])")


@lru_cache(maxsize=4096)
def to_colloquial(text: str) -> str:
    """Written Chinese as it is said in Cantonese, for reading aloud: 「您的证还没有办好」 →
    「您嘅证仲未办好」. Word by word; what the table does not know stays as it is."""
    return _DONE.sub("咗", _NOT.sub("唔", _WRITTEN_WORDS.sub(lambda word: _SPOKEN[word.group()], text)))
