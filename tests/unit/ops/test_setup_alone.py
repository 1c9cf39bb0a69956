"""Two set-ups of one folder take turns."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ops.setup import alone


def test_a_second_set_up_waits_for_the_first_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits, order = threading.Event(), []
    monkeypatch.setattr("ops.setup.say", lambda words: (order.append(words), waits.set()))

    def second() -> None:
        with alone(tmp_path / "venv" / "setup.lock"):
            order.append("second")

    with alone(tmp_path / "venv" / "setup.lock"):
        other = threading.Thread(target=second)
        other.start()
        assert waits.wait(10)
        order.append("first ends")
    other.join(10)
    assert order == ["这个文件夹里另一次安装正在进行，等它做完 …", "first ends", "second"]
