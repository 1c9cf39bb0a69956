"""What the names, aliases and questions of the services must not do to each other."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pypinyin import lazy_pinyin
from scipy.sparse import csr_matrix

from knowledge_base.catalogue import Catalogue
from knowledge_base.findings import Finding

# A phrase is reported where it is nearer to all phrases of another service together than to all others
# of its own by AS_A_WHOLE (cosine), and three of theirs agree on average by ONE_BY_ONE more than the
# nearest of its own. Set on the committed guides: of phrases moved to a service drawn at random two in
# five are found, and what is reported unmoved can be settled by one more phrase where it stands.
AS_A_WHOLE = 0.2
ONE_BY_ONE = 0.05
_NEAREST = 3
_SOUND = 0.5  # weight of what sounds alike, beside 1 for what is written alike


class _Phrase(NamedTuple):
    file: str
    field: str
    text: str
    key: str


def duplicates(catalogue: Catalogue) -> Iterator[Finding]:
    """Names, aliases and questions that two services share, or that one service repeats."""
    first: dict[str, str] = {}
    for phrase in _phrases(catalogue):
        plain = _plain(phrase.text)
        if plain in first:
            message = f"「{phrase.text}」与 {first[plain]} 重复"
            yield Finding(phrase.file, phrase.field, "duplicate", message)
        first.setdefault(plain, phrase.key)


def better_elsewhere(catalogue: Catalogue) -> Iterator[Finding]:
    """Aliases and questions that another service clearly answers better.

    Each phrase is looked for among all the others by its characters and their sounds; the sentence
    encoder takes no part, so that the check stays quick.
    """
    phrases = list(_phrases(catalogue))
    if len(catalogue) < 2:
        return
    place = {key: n for n, key in enumerate(dict.fromkeys(phrase.key for phrase in phrases))}
    keys, owners = list(place), np.array([place[phrase.key] for phrase in phrases])
    rows = _vectors([phrase.text for phrase in phrases], owners)
    everyone = np.arange(len(phrases))
    whole = _to_all_of_each(rows, owners)
    own_whole = whole[everyone, owners].copy()
    whole[everyone, owners] = -1
    other = whole.argmax(axis=1)
    starts = np.r_[0, np.flatnonzero(np.diff(owners)) + 1, len(owners)]
    doubtful = np.flatnonzero(whole.max(axis=1) - own_whole > AS_A_WHOLE)
    likeness = (rows[doubtful] @ rows.T).toarray()
    likeness[np.arange(len(doubtful)), doubtful] = 0  # of itself
    for n, like_each in zip(doubtful.tolist(), likeness, strict=True):
        phrase, elsewhere, here = phrases[n], other[n], owners[n]
        theirs = like_each[starts[elsewhere] : starts[elsewhere + 1]]
        agreed = np.sort(theirs)[-_NEAREST:].mean()
        if phrase.field == "name" or agreed - like_each[starts[here] : starts[here + 1]].max() <= ONE_BY_ONE:
            continue
        like = phrases[starts[elsewhere] + int(theirs.argmax())].text
        message = f"「{phrase.text}」更像 {keys[elsewhere]}（「{like}」）：换个说法、移过去，或在本事项补一个相近的说法"
        yield Finding(phrase.file, phrase.field, "better_elsewhere", message)


def _to_all_of_each(rows: csr_matrix, owners: NDArray[np.intp]) -> NDArray[np.float32]:
    """Cosine of each phrase with the sum of each service's phrases, itself left out of its own:
    shape (phrases, services)."""
    count = rows.shape[0]
    everyone = np.arange(count)
    ones = csr_matrix((np.ones(count, dtype=np.float32), (owners, everyone)))
    sums = ones @ rows
    squares = np.asarray(sums.multiply(sums).sum(axis=1)).ravel()
    dots = (rows @ sums.T).toarray()
    own = dots[everyone, owners]
    cosines: NDArray[np.float32] = dots / np.sqrt(np.maximum(squares, 1e-6))
    cosines[everyone, owners] = (own - 1) / np.sqrt(np.maximum(squares[owners] - 2 * own + 1, 1e-6))
    return cosines


def _phrases(catalogue: Catalogue) -> Iterator[_Phrase]:
    for item in catalogue.items.values():
        file = catalogue.files.get(item.key, item.key)
        yield _Phrase(file, "name", item.name, item.key)
        yield from (_Phrase(file, "aliases", alias, item.key) for alias in item.aliases)
        yield from (_Phrase(file, "questions", question, item.key) for question in item.questions)


def _vectors(texts: list[str], owners: NDArray[np.intp]) -> csr_matrix:
    """Unit rows over runs of one to three characters and of two or three syllables.

    A run weighs by how few services use it: what all of them ask (「多久」「要什么」) weighs nothing.
    """
    places: dict[str, int] = {}
    users: list[set[int]] = []
    indices: list[int] = []
    starts = [0]
    for text, owner in zip(texts, owners.tolist(), strict=True):
        for run in _runs(_plain(text)):
            place = places.setdefault(run, len(places))
            if place == len(users):
                users.append(set())
            users[place].add(owner)
            indices.append(place)
        starts.append(len(indices))
    services = len(set(owners.tolist()))
    weights = np.array(
        [
            math.log(services / len(by)) * (_SOUND if run.startswith("/") else 1)
            for run, by in zip(places, users, strict=True)
        ],
        dtype=np.float32,
    )
    rows = csr_matrix((weights[indices], indices, starts), shape=(len(texts), len(places)))
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    rows.data /= np.repeat(np.where(lengths == 0, 1, lengths), np.diff(rows.indptr))
    return rows


def _runs(text: str) -> set[str]:
    sounds = [_sound(character) for character in text]
    written = {text[n : n + long] for long in (1, 2, 3) for n in range(len(text) - long + 1)}
    spoken = {"/" + " ".join(sounds[n : n + long]) for long in (2, 3) for n in range(len(text) - long + 1)}
    return written | spoken


@cache
def _sound(character: str) -> str:
    return lazy_pinyin(character)[0]


def _plain(phrase: str) -> str:
    folded = unicodedata.normalize("NFKC", phrase).lower()
    return "".join(c for c in folded if c.isalnum())
