"""docs/work-orders.md says what the code does."""

from __future__ import annotations

import pytest

from desk.work_orders.drawing import DOCUMENT, drawn
from hotline.settings import Settings


def test_the_tables_are_as_the_code_draws_them() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert drawn(text) == text


def test_a_document_without_its_marks_is_told() -> None:
    with pytest.raises(ValueError, match="diagram"):
        drawn("# 工单\n")


def test_the_limits_in_the_text_are_the_settings() -> None:
    text, settings = DOCUMENT.read_text(encoding="utf-8"), Settings(_env_file=None)
    told = f"咨询 {settings.consult_days}、求助和建议 {settings.help_days}、投诉和举报 {settings.complaint_days}"
    assert told in text
