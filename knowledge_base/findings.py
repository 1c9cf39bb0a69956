"""What the checks report: one fault, where it is, and how people read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge_base.catalogue import Catalogue

Fault = tuple[str, str, str]
"""Field, rule, message: a fault whose file is known to the caller."""


@dataclass(frozen=True)
class Finding:
    """One fault: in which file, which field, which rule (stable, for machines), what is wrong."""

    file: str
    field: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}：{self.field}：{self.message}"


def report(findings: Sequence[Finding], catalogue: Catalogue, name: str) -> str:
    """The findings as people read them; ``name`` is the folder's."""
    if not findings:
        areas = len({item.area for item in catalogue.items.values()})
        return f"没有发现问题：{len(catalogue)} 个事项，{areas} 个领域（{name}）。"
    return "\n".join([*(str(finding) for finding in findings), f"共 {len(findings)} 处要改。"])
