"""Reply templates (templates.yml). An agent picks one, changes it, and sends it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

_FILE = Path(__file__).with_name("templates.yml")


class Template(BaseModel):
    """``when`` groups them: 接起, 核对, 登记, 答复 …"""

    model_config = ConfigDict(frozen=True)

    key: str
    title: str
    when: str
    text: str


def templates(name: str, number: str) -> list[Template]:
    """All templates, filled with the agent's shown ``name`` and the hotline's ``number``."""
    return [t.model_copy(update={"text": t.text.format(name=name, number=number)}) for t in _all()]


@cache
def _all() -> tuple[Template, ...]:
    return tuple(Template.model_validate(row) for row in yaml.safe_load(_FILE.read_text(encoding="utf-8")))
