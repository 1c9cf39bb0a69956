"""The audit log's rules: what an entry says, how entries are chained, how a break is found.

Each entry's hash is HMAC-SHA256 over its content and the hash before it, so whoever can write the
table but has no key can change, remove or reorder nothing unseen. The last entries can be cut off
without breaking a chain: :class:`Head` (kept outside the table) says how far it had come.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from hotline.privacy import mask_id_card, mask_name, mask_phone, mask_text

GENESIS = "0" * 64
_MOST_FAULTS = 20
_SUBJECT = re.compile(r"[a-z_]+:\S.*")
_NUMBER_ALONE = re.compile(r"[0-9０-９Xx\s+－-]+")
_IDENTIFIER = re.compile(r"(?:.*_)?(?:id|ids|code|key|hash|number|version|seq)")
_MASKED_BY_NAME = {
    "name": mask_name,
    "applicant": mask_name,
    "phone": mask_phone,
    "mobile": mask_phone,
    "contact_mobile": mask_phone,
    "id_number": mask_id_card,
    "id_card": mask_id_card,
}


class AuditEntry(BaseModel):
    """``actor`` did ``action`` to ``subject`` (``kind:identifier``); ``data`` is masked."""

    model_config = ConfigDict(frozen=True)

    seq: int
    at: AwareDatetime
    actor: str
    action: str
    subject: str
    data: dict[str, Any]
    previous: str
    hash: str


class Head(BaseModel):
    """How far a log had come: ``seq`` and hash of the last entry known."""

    model_config = ConfigDict(frozen=True)

    seq: int
    hash: str

    @classmethod
    def read(cls, text: str) -> Head:
        """``SEQ:HASH``. Raises ValueError."""
        seq, _, digest = text.strip().partition(":")
        if not seq.isdecimal() or not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise ValueError("a head is SEQ:HASH")
        return cls(seq=int(seq), hash=digest)

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


class AuditFault(BaseModel):
    """A break. ``seq`` is the entry's number; ``kind``: changed, missing, out_of_order, truncated, head_missing."""

    model_config = ConfigDict(frozen=True)

    seq: int
    kind: str
    detail: str


class AuditFindings(BaseModel):
    model_config = ConfigDict(frozen=True)

    entries: int
    head: Head | None
    faults: list[AuditFault]
    more_faults: bool = False


def new_entry(
    previous: AuditEntry | None,
    key: bytes,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    data: Mapping[str, Any] | None,
) -> AuditEntry:
    """The entry that follows ``previous``, masked and sealed.

    Raises:
        ValueError: ``subject`` is not ``kind:identifier``, or ``at`` is naive.
    """
    if not _SUBJECT.fullmatch(subject) or not actor or not action:
        raise ValueError("an entry needs an actor, an action and a subject kind:identifier")
    if at.tzinfo is None:
        raise ValueError("naive datetime")
    kind, _, identifier = subject.partition(":")
    if _NUMBER_ALONE.fullmatch(identifier):
        identifier = mask_text(identifier)
    entry = AuditEntry(
        seq=previous.seq + 1 if previous else 1,
        at=at.astimezone(UTC),
        actor=actor,
        action=action,
        subject=f"{kind}:{identifier}",
        # Through JSON and back: the hash is over what a reader of the table will find.
        data=json.loads(json.dumps(masked(dict(data or {})), ensure_ascii=False, default=str)),
        previous=previous.hash if previous else GENESIS,
        hash="",
    )
    return entry.model_copy(update={"hash": seal(entry, key)})


def seal(entry: AuditEntry, key: bytes, seq: int | None = None) -> str:
    """The hash that ``entry`` must have (at place ``seq``, where given), in hex."""
    said = [
        entry.seq if seq is None else seq,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor,
        entry.action,
        entry.subject,
        entry.data,
        entry.previous,
    ]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def masked(value: Any, name: str = "") -> Any:
    """``value`` without personal data. Identifiers of ours stay: digits within them are nobody's number."""
    if isinstance(value, Mapping):
        return {str(key): masked(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(inner, name) for inner in value]
    if value is None or isinstance(value, bool | float):
        return value
    text = str(value)
    if by_name := _MASKED_BY_NAME.get(name):
        return by_name(text) if "*" not in text else text
    if _IDENTIFIER.fullmatch(name) and not _NUMBER_ALONE.fullmatch(text):
        return value
    hidden = mask_text(text)
    return value if isinstance(value, int) and hidden == text else hidden


class ChainCheck:
    """Walks a log in the order of its numbers and collects what does not hold."""

    def __init__(self, key: bytes, heads: Iterable[Head] = ()) -> None:
        self._key = key
        self._heads = list(heads)
        self._last: AuditEntry | None = None
        self._last_sealed = True
        self._entries = 0
        self._faults: list[AuditFault] = []
        self._more = False

    def look(self, entry: AuditEntry) -> None:
        self._entries += 1
        before = self._last
        expected = before.seq + 1 if before else 1
        for seq in range(expected, min(entry.seq, expected + _MOST_FAULTS)):
            self._found(seq, "missing", f"第 {seq} 条不见了")
        follows = entry.previous == (before.hash if before else GENESIS)
        sealed = hmac.compare_digest(seal(entry, self._key), entry.hash)
        if not sealed:
            place = self._former_place(entry)
            if place is None:
                self._found(entry.seq, "changed", f"第 {entry.seq} 条被改过（{entry.actor} {entry.action}）")
            else:
                self._found(entry.seq, "out_of_order", f"第 {entry.seq} 条原来是第 {place} 条，次序被动过")
        elif not follows and entry.seq == expected and self._last_sealed:
            # Both seals hold, and yet this one was written after another entry than that one.
            self._found(entry.seq, "changed", f"第 {entry.seq} 条接不上前一条：前一条的校验值被换过")
        if any(head.seq == entry.seq and head.hash != entry.hash for head in self._heads):
            self._found(entry.seq, "changed", f"第 {entry.seq} 条和另存的校验值不同：到这里为止的记录被整段换过")
        self._last, self._last_sealed = entry, sealed

    def findings(self) -> AuditFindings:
        last = self._last.seq if self._last else 0
        known = max((head.seq for head in self._heads), default=0)
        if known > last:
            self._found(last + 1, "truncated", f"末尾少了第 {last + 1} 到第 {known} 条")
        head = Head(seq=last, hash=self._last.hash) if self._last else None
        return AuditFindings(entries=self._entries, head=head, faults=self._faults, more_faults=self._more)

    def _former_place(self, entry: AuditEntry) -> int | None:
        reach = range(max(1, entry.seq - 1000), entry.seq + 1000)
        return next((seq for seq in reach if seal(entry, self._key, seq) == entry.hash), None)

    def _found(self, seq: int, kind: str, detail: str) -> None:
        if len(self._faults) >= _MOST_FAULTS:
            self._more = True
        else:
            self._faults.append(AuditFault(seq=seq, kind=kind, detail=detail))
