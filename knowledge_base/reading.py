"""YAML in, checked models out, and errors that name file, field and reason in Chinese."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from hotline.errors import GuideError

Model = TypeVar("Model", bound=BaseModel)

_REASONS = {
    "missing": "缺少这个字段",
    "extra_forbidden": "没有这个字段，请检查拼写",
    "string_type": "应当是文字；编号、电话、代码要加引号",
    "string_too_short": "内容太短或是空的",
    "string_pattern_mismatch": "格式不对",
    "enum": "不是允许的取值",
    "list_type": "应当是一个列表",
    "dict_type": "应当是一组「名称: 内容」",
    "model_type": "应当是一组「名称: 内容」",
    "bool_parsing": "应当是 true 或 false",
    "int_parsing": "应当是整数",
    "greater_than_equal": "不能是负数",
}


def guide_error(file: str, field: str, reason: str) -> GuideError:
    """The one shape of these errors: 文件「…」，字段「…」：reason."""
    where = f"文件「{file}」" + (f"，字段「{field}」" if field else "")
    return GuideError(f"办事指南有误：{where}：{reason}。")


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # C: ten times faster
    """Refuses a key given twice: plain YAML would silently drop the first one's facts."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"「{key}」写了两次", key_node.start_mark)
            seen.add(key)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def parse(name: str, raw: bytes) -> Any:
    """The YAML in ``raw``. Raises GuideError with the line where it is not YAML."""
    try:
        return yaml.load(raw.decode("utf-8"), Loader=_StrictLoader)  # noqa: S506 (a SafeLoader)
    except UnicodeDecodeError as error:
        raise guide_error(name, "", "不是 UTF-8 编码") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "？"
        reason = error.problem or "写法不对"
        raise guide_error(name, f"第 {line} 行", f"YAML 写法不对（{reason}）") from error
    except (yaml.YAMLError, ValueError) as error:  # control characters, an impossible date
        raise guide_error(name, "", f"YAML 写法不对（{error}）") from error


def read_yaml(files: dict[str, bytes], name: str) -> dict[str, Any]:
    """A table file as a mapping. Raises GuideError where it holds anything else."""
    data = parse(name, files[name])
    if not isinstance(data, dict):
        raise guide_error(name, "", "最外层应当是一组「名称: 内容」")
    return data


def as_models(
    files: dict[str, bytes], name: str, field: str, model: type[Model], data: dict[str, Any] | None = None
) -> list[Model]:
    """The list under ``field`` of a table file, each row as ``model``."""
    rows = (read_yaml(files, name) if data is None else data).get(field)
    if not isinstance(rows, list):
        raise guide_error(name, field, "应当是一个列表")
    return [validated(model, row, name, f"{field}.{n}") for n, row in enumerate(rows)]


def patterns(name: str, data: dict[str, Any], prefix: str = "") -> dict[str, tuple[str, ...]]:
    """Lists of texts in ``data``, by their place (``urgency.urgent``); mappings may nest."""
    found: dict[str, tuple[str, ...]] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            found |= patterns(name, value, f"{prefix}{key}.")
        elif isinstance(value, list) and all(isinstance(word, str) for word in value):
            found[f"{prefix}{key}"] = tuple(value)
        else:
            raise guide_error(name, f"{prefix}{key}", "应当是一列文字")
    return found


def validated(model: type[Model], data: Any, name: str, prefix: str = "") -> Model:
    """``data`` as ``model``. Raises GuideError naming every wrong field (five at most)."""
    if not isinstance(data, dict):
        raise guide_error(name, prefix, "应当是一组「名称: 内容」")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        first, *rest = (
            (".".join(filter(None, [prefix, *map(str, fault["loc"])])), _reason(fault)) for fault in faults[:5]
        )
        more = "".join(f"；字段「{field}」：{reason}" for field, reason in rest)
        raise guide_error(name, first[0], first[1] + more) from error


def _reason(fault: Any) -> str:
    if fault["type"] == "value_error":
        message = str(fault["ctx"]["error"])
        if message.startswith("confidence U"):
            return "标为 U（不确定）的只能写 unknown，不能写 text、items、documents"
        if message.startswith("a known fact"):
            return "标为 S 或 G 的要有 text、items 或 documents，不能写 unknown"
        return message
    if fault["type"].startswith("date"):
        return "应当是日期，例如 2026-11-22"
    return _REASONS.get(fault["type"], f"内容不对（{fault['msg']}）")
