"""The search against its baselines, on the catalogue and on generated ones of 1k to 100k services.

Baselines, same questions, same machine, same run: BM25 by ``rank_bm25`` over jieba's words, and dense
search by brute force (one matrix product over all phrases, the same sentence vectors). Generated
services are the guides' own phrases, crossed and numbered; their vectors are those phrases' vectors
with noise, so nothing is encoded a hundred thousand times.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import jieba
import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from hotline.catalogue import ServiceItem
from hotline.settings import ROOT, Settings
from knowledge_base.catalogue import load_catalogue
from knowledge_base.search import HybridSearch, SentenceEncoder, phrases_of
from knowledge_base.subject import matter, whole
from knowledge_base.views import Encoder
from ops.progress import say

SIZES = (1_000, 10_000, 100_000)
ASKED = 120
ASKED_SLOWLY = 12  # BM25 in plain Python takes seconds at the largest size
_SEED = 20261123
_NOISE = 0.35


class _Generated:
    """Known vectors for generated phrases, real ones for questions."""

    def __init__(self, encoder: Encoder, known: dict[str, NDArray[np.float32]]) -> None:
        self.name = f"{encoder.name} generated"
        self._encoder = encoder
        self._known = known

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if all(text in self._known for text in texts):
            return np.stack([self._known[text] for text in texts])
        return self._encoder.encode(texts)


def measure() -> dict[str, Any]:
    """Milliseconds a question, p50 and p95, by method and size; and how often the first hit is right
    on the real catalogue (the guides' own questions are the phrases, so that says little: see eval)."""
    items = list(load_catalogue().items.values())
    encoder = SentenceEncoder(Settings().embedding_model)
    questions = _questions(items)
    report: dict[str, Any] = {"encoder": encoder.name}
    say(f"检索：{len(items)} 个事项 …")
    hybrid = HybridSearch(items, encoder, Settings().models_dir / "search")
    report[str(len(items))] = _methods(hybrid, items, encoder, questions, encoder)
    for size in SIZES:
        say(f"检索：生成 {size} 个事项 …")
        generated, known = generate(items, size, encoder)
        begun = time.perf_counter()
        hybrid = HybridSearch(generated, _Generated(encoder, known))
        built = time.perf_counter() - begun
        report[str(size)] = _methods(hybrid, generated, _Generated(encoder, known), questions, encoder)
        report[str(size)]["hybrid_build_s"] = round(built, 1)
    return report


def understanding(rasa: str, asked: int = ASKED) -> dict[str, float]:
    """Milliseconds to understand a question: the engine's parse over HTTP and the search in this process, one
    after the other, on the real catalogue. ``rasa``: the engine's address."""
    items = list(load_catalogue().items.values())
    hybrid = HybridSearch(items, SentenceEncoder(Settings().embedding_model), Settings().models_dir / "search")
    with httpx.Client(timeout=15, trust_env=False) as http:

        def understand(text: str) -> None:
            http.post(f"{rasa}/model/parse", json={"text": text}).raise_for_status()
            hybrid.search(text)

        return _timed(understand, _questions(items)[:asked])


def generate(
    items: Sequence[ServiceItem], size: int, encoder: Encoder
) -> tuple[list[ServiceItem], dict[str, NDArray[np.float32]]]:
    """``size`` services of two phrases each, and the vectors of what the index will hold."""
    chance, noise = random.Random(_SEED), np.random.default_rng(_SEED)  # noqa: S311
    pool = [(item, text) for item in items for text in (item.name, *item.aliases)]
    real = dict(zip([t for _, t in pool], encoder.encode([matter(t) or whole(t) for _, t in pool]), strict=True))
    made: list[ServiceItem] = []
    known: dict[str, NDArray[np.float32]] = {}
    for number in range(size):
        (item, first), (_, second) = chance.choice(pool), chance.choice(pool)
        kind = chr(0x4E00 + chance.randrange(6000)) + chr(0x4E00 + chance.randrange(6000))
        name, alias = f"{kind}{first}", f"{first}{kind}{second}"
        for text in (name, alias):
            vector = real[first] + real[second] * (text is alias)
            vector = vector / np.linalg.norm(vector)
            spread = noise.standard_normal(len(vector)).astype(np.float32)
            mixed = vector + _NOISE * spread / np.linalg.norm(spread)
            known[matter(text) or whole(text)] = (mixed / np.linalg.norm(mixed)).astype(np.float32)
        made.append(
            item.model_copy(
                update={
                    "key": f"{chr(65 + number // 26000)}{chr(65 + number // 1000 % 26)}{number:06d}",
                    "name": name,
                    "aliases": [alias],
                    "questions": [],
                }
            )
        )
    return made, known


def _methods(
    hybrid: HybridSearch,
    items: Sequence[ServiceItem],
    vectors: Encoder,
    questions: Sequence[str],
    encoder: Encoder,
) -> dict[str, Any]:
    phrases = [text for item in items for text in phrases_of(item)]
    rows = np.ascontiguousarray(vectors.encode([matter(text) or whole(text) for text in phrases]))
    bm25 = BM25Okapi([list(jieba.cut(whole(text))) for text in phrases])

    def dense(text: str) -> int:
        asked = encoder.encode([matter(text) or whole(text)])[0]
        return int(np.argmax(rows @ asked))

    few = questions[: ASKED_SLOWLY if len(items) > SIZES[0] else ASKED]
    return {
        "phrases": len(phrases),
        "hybrid": _timed(lambda text: hybrid.search(text), questions),
        "dense_brute_force": _timed(dense, questions),
        "rank_bm25": _timed(lambda text: bm25.get_scores(list(jieba.cut(whole(text)))), few),
    }


def _timed(ask: Callable[[str], object], questions: Sequence[str]) -> dict[str, float]:
    """Time by the clock, and the processor time of this process: on a busy machine they part."""
    for text in questions[:5]:
        ask(text)
    times, spent = [], []
    for text in questions:
        begun, used = time.perf_counter(), time.process_time()
        ask(text)
        times.append(1000 * (time.perf_counter() - begun))
        spent.append(1000 * (time.process_time() - used))
    return {
        "p50_ms": round(float(np.percentile(times, 50)), 2),
        "p95_ms": round(float(np.percentile(times, 95)), 2),
        "cpu_p50_ms": round(float(np.percentile(spent, 50)), 2),
        "cpu_p95_ms": round(float(np.percentile(spent, 95)), 2),
        "n": len(times),
    }


def _questions(items: Sequence[ServiceItem]) -> list[str]:
    """Questions in all lengths and both languages, each a little changed so that none is a phrase of the index."""
    chance = random.Random(_SEED)  # noqa: S311 (a fixed sample, not a secret)
    asked = [chance.choice(item.questions) for item in items]
    return [f"请问{text}啊" for text in chance.sample(asked, min(ASKED, len(asked)))]


def plot(report: dict[str, Any], file: Path = ROOT / "reports" / "search.svg") -> Path:
    """Cost over size, both axes in powers of ten, as an SVG written by hand: one picture needs no library."""
    sizes = sorted(int(name) for name in report if name.isdigit())
    methods = {"hybrid": "#1f6feb", "dense_brute_force": "#8a8f98", "rank_bm25": "#c4622d"}
    costs = [report[str(s)][m]["p95_ms"] for s in sizes for m in methods]
    low, high = np.floor(np.log10(max(min(costs), 0.01))), np.ceil(np.log10(max(costs)))

    def x(size: int) -> float:
        return 70 + 480 * float((np.log10(size) - np.log10(sizes[0])) / (np.log10(sizes[-1]) - np.log10(sizes[0])))

    def y(cost: float) -> float:
        return 320 - 270 * float((np.log10(max(cost, 0.01)) - low) / max(1.0, high - low))

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="720" height="380" font-family="sans-serif" font-size="12">'
    ]
    parts.append('<text x="70" y="24">检索一句的 p95（毫秒），随事项数</text>')
    for power in range(int(low), int(high) + 1):
        height = y(10.0**power)
        parts.append(f'<line x1="70" x2="550" y1="{height:.0f}" y2="{height:.0f}" stroke="#ddd"/>')
        parts.append(f'<text x="60" y="{height + 4:.0f}" text-anchor="end">{10.0**power:g}</text>')
    for size in sizes:
        parts.append(f'<text x="{x(size):.0f}" y="345" text-anchor="middle">{size}</text>')
    for method, colour in methods.items():
        points = [(x(s), y(report[str(s)][method]["p95_ms"])) for s in sizes]
        line = " ".join(f"{a:.0f},{b:.0f}" for a, b in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="560" y="{points[-1][1] + 4:.0f}" fill="{colour}">{method}</text>')
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")
    return file


def table(report: dict[str, Any]) -> str:
    lines = ["| 事项数 | 混合检索 p50 / p95 | 向量逐个比 p50 / p95 | rank_bm25 p50 / p95 |", "|---|---|---|---|"]
    for size in sorted(int(name) for name in report if name.isdigit()):
        row = report[str(size)]
        cells = [f"{row[m]['p50_ms']} / {row[m]['p95_ms']} ms" for m in ("hybrid", "dense_brute_force", "rank_bm25")]
        lines.append(f"| {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    """The search alone, without the rest of ``make bench``: ``python -m ops.bench_search``."""
    report = measure()
    file = plot(report)
    (ROOT / "reports" / "bench_search.json").write_text(
        json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    print(f"{table(report)}\n图：{file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
