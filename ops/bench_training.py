"""How long it takes to train the line anew: the dialogue engine, and the search's vectors and classifier.

Both are trained into a folder of their own, as ``make run`` does on a fresh machine, so the line that
runs keeps its model, and nothing is taken from what Rasa remembers of an earlier training.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from hotline.settings import Settings
from ops.training import index_if_changed, train_if_changed

LIMIT_S = 360


def measure() -> dict[str, float]:
    """Seconds of wall clock: ``engine``, ``search``, and ``all`` together.

    Raises:
        SetUpError: a training file is wrong, or training failed.
    """
    with tempfile.TemporaryDirectory(prefix="training-") as folder:
        cache = Path(folder, "cache")
        cache.mkdir()
        # Rasa keeps the trained components of earlier runs and would take them from there.
        before = os.environ.get("RASA_CACHE_DIRECTORY")
        os.environ["RASA_CACHE_DIRECTORY"] = str(cache)
        settings = Settings().model_copy(update={"models_dir": Path(folder)})
        try:
            begun = time.monotonic()
            train_if_changed(settings)
            trained = time.monotonic()
            index_if_changed(settings)
            ended = time.monotonic()
        finally:
            if before is None:
                del os.environ["RASA_CACHE_DIRECTORY"]
            else:
                os.environ["RASA_CACHE_DIRECTORY"] = before
    return {
        "engine": round(trained - begun, 1),
        "search": round(ended - trained, 1),
        "all": round(ended - begun, 1),
    }


def table(seconds: dict[str, float]) -> str:
    return (
        f"从头训练：对话引擎 {seconds['engine']} 秒，检索 {seconds['search']} 秒，"
        f"共 {seconds['all']} 秒（要 ≤ {LIMIT_S} 秒）。"
    )
