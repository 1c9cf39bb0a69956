"""docs/knowledge.md shows a guide; it must be one."""

from __future__ import annotations

import re

import yaml

from hotline.catalogue import ServiceItem
from hotline.messages import Aspect
from knowledge_base.catalogue import DEFAULT_FOLDER, load_catalogue

DOCS = (DEFAULT_FOLDER.parent / "docs" / "knowledge.md").read_text(encoding="utf-8")


def test_the_guide_in_the_docs_is_a_valid_guide() -> None:
    shown = re.search(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert shown
    item = ServiceItem.model_validate(yaml.safe_load(shown.group(1)))
    assert item.code == load_catalogue()[item.key].code
    assert item.name == load_catalogue()[item.key].name


def test_every_aspect_and_every_table_is_named_in_the_docs() -> None:
    for aspect in Aspect:
        assert f"`{aspect}`" in DOCS
    for table in DEFAULT_FOLDER.glob("*.yml"):
        assert f"`{table.name}`" in DOCS
