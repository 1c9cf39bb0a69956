"""The danger model's kept weights: whatever is wrong with the file has a name, and they are learnt again."""

from __future__ import annotations

from pathlib import Path

import joblib
import pytest

from gateway import second_opinion
from gateway.second_opinion import KeptModelError


@pytest.mark.parametrize(
    "content", [b"", b"cut", b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff", b"\x80\x05cno.such\nthing\n."]
)
def test_a_damaged_file_is_a_named_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "danger-0.joblib"
    file.write_bytes(content)
    with pytest.raises(KeptModelError, match="要重新学"):
        second_opinion._read(file)


def test_a_file_with_something_else_in_it_is_a_named_error(tmp_path: Path) -> None:
    file = tmp_path / "danger-0.joblib"
    joblib.dump({"not": "a model"}, file)
    with pytest.raises(KeptModelError, match="dict"):
        second_opinion._read(file)
