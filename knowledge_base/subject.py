"""Which words of a question name its subject, once the words that only ask are set aside."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from opencc import OpenCC

from hotline.cantonese import to_written

_TO_SIMPLIFIED = OpenCC("t2s")

# Words that ask (the aspect) or keep a talk going. What is left names the matter itself.
# Kept general: no service is named among them.
_WORDS_FILE = Path(__file__).with_name("asking_words.txt")
_ASKING_WORDS = [
    word
    for line in _WORDS_FILE.read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split()
]

# Longest first, so that 「需要什么材料」 goes before 「材料」.
_ASKING = re.compile("|".join(re.escape(w) for w in sorted(set(_ASKING_WORDS), key=len, reverse=True)))
_NOT_WORDS = re.compile(r"[^\w]+|\d+")


@lru_cache(maxsize=1)
def asking_words() -> frozenset[str]:
    """The words that only ask, as they stand in ``asking_words.txt``."""
    return frozenset(_ASKING_WORDS)


# 「阿妈上个月走了」: of one's family it is said so that nobody has to say it.
_GONE = re.compile(
    r"(爸爸?|妈妈?|爷爷?|奶奶|外公|外婆|公公|婆婆|阿婆|阿公|阿嫲|嫲嫲|老豆|老母|父亲|母亲|老公|老婆|丈夫|妻子|太太|先生|儿子|女儿|哥哥?|姐姐?|弟弟?|妹妹?"
    r"|老人家?|家人|亲人|家里人|叔叔?|伯父?|岳父|岳母|双亲|父母)([^走在没]{0,6})(?:走了|过了身|不在了|不在人世了?|没了(?!工作|钱|房|电|身份证|户口|收入|消息|联系|学|社保|证)|离开了(?!公司|单位|南海|佛山|学校)|离世了?|百年归老)"
)


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """``text`` in simplified script, half width, lower case, without punctuation."""
    return re.sub(r"[^\w]+", "", simplified(unicodedata.normalize("NFKC", text).lower()))


def simplified(text: str) -> str:
    """``text`` in simplified script, as people type it."""
    # The converter turns 「嗰」, which everybody types, into a character nobody does.
    return str(_TO_SIMPLIFIED.convert(text)).replace("𠮶", "嗰")


def whole(text: str) -> str:
    """``text`` plain and in written Chinese: Cantonese words replaced (hotline.cantonese)."""
    return _GONE.sub(r"\1\2过世", to_written(plain(text))).replace("去世", "过世")


def matter(text: str) -> str:
    """What ``text`` is about, in written Chinese; empty where it names nothing.

    「张居住证唔见咗点补」 → 「居住证丢了补」.
    """
    return plain(subject_of(whole(text)))


def subject_of(text: str) -> str:
    """What remains of ``text`` without the words that only ask; empty for a mere follow-up.

    「那居住证要带什么材料」 → 「居住证」; 「那要带什么材料」 → 「」.
    """
    text = _NOT_WORDS.sub(" ", simplified(unicodedata.normalize("NFKC", text)))
    return "".join(_ASKING.sub(" ", text).split())
