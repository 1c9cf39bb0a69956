"""A gap made into a change of one file: text in, text out; whoever calls reads and writes the files.

Lines are added where they belong and nothing else is touched, so that the diff a person reads is the
change and no more.
"""

from __future__ import annotations

import difflib
import hashlib
import re

from hotline.errors import BadInputError

_PLAIN = re.compile(r"^[\w\u4e00-\u9fff，。？！、（）]+$")


def content_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def unified(path: str, before: str, after: str) -> str:
    """The change as ``git apply`` takes it."""
    old = "/dev/null" if not before else f"a/{path}"
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), old, f"b/{path}")
    return "".join(lines)


def with_phrase(guide: str, part: str, phrase: str) -> str:
    """A guide with ``phrase`` at the end of its ``aliases`` or ``questions``.

    Raises:
        BadInputError: the phrase is there already, cannot be written plainly, or the part is missing.
    """
    return _added(guide, re.compile(rf"^{part}:\n((?:  - .*\n)+)", re.MULTILINE), "  - ", phrase)


def with_example(training: str, intent: str, phrase: str) -> str:
    """A training file with ``phrase`` at the end of an intent's examples."""
    examples = re.compile(
        rf"^- intent: {re.escape(intent)}\n(?:  .*\n)*?  examples: \|\n((?:    - .*\n)+)", re.MULTILINE
    )
    return _added(training, examples, "    - ", phrase)


def _added(text: str, block: re.Pattern[str], bullet: str, phrase: str) -> str:
    phrase = phrase.strip()
    if not _PLAIN.match(phrase) or len(phrase) > 60:
        raise BadInputError("这句话要是六十字以内的文字，不含引号、冒号等记号。")
    found = block.search(text if text.endswith("\n") else text + "\n")
    if found is None:
        raise BadInputError("这个文件里没有可以加的地方。")
    if f"- {phrase}\n" in text:
        raise BadInputError("这句话已经在里面了。")
    return text[: found.end(1)] + f"{bullet}{phrase}\n" + text[found.end(1) :]


def draft_guide(key: str, code: str, name: str, area: str, department: str, questions: list[str], day: str) -> str:
    """A new guide in which nothing is claimed: every aspect says that it is not known yet, so that the
    check passes only once a person has filled it in or left it unknown on purpose."""
    asked = "\n".join(f"  - {q.strip()}" for q in questions if _PLAIN.match(q.strip()))
    unknown = "\n".join(
        f"  {aspect}:\n    - unknown: {what}\n      source: U\n      as_of: {day}\n      confidence: U\n      region_scope: 区"
        for aspect, what in (("materials", "要带的材料"), ("conditions", "办理条件"), ("steps", "怎样办"))
    )
    return (
        f"# {name}（草稿：由市民问过而没有答的话生成，要人补上有来源的事实）\nkey: {key}\ncode: {code}\nsynthetic_code: true\n"
        f"name: {name}\narea: {area}\ndepartment: {department}\ncontact:\n  number: '12345'\n  name: 政务服务便民热线\n"
        f"summary: {name}，还没有整理\nversion: '{day}'\naliases:\n  - {name}\nquestions:\n{asked}\nfacts:\n{unknown}\n"
    )  # fmt: skip
