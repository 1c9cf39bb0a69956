"""The metadata of an ONNX file, read without loading its weights.

sherpa-onnx ends the whole process when a file is not the kind of model it was told, so the kind is
looked up first. Only the outermost fields of the protobuf are walked (onnx.proto, ``ModelProto``:
``graph`` is skipped by its length, ``metadata_props`` is field 14); the onnx package would read
hundreds of megabytes for the same few strings.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_METADATA_PROPS = 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def onnx_metadata(file: Path) -> dict[str, str]:
    """Keys and values that the exporter wrote (``model_type``, ``vocab_size`` …).

    Raises:
        ValueError: this is no ONNX file.
        OSError: it cannot be read.
    """
    found: dict[str, str] = {}
    size = file.stat().st_size
    with file.open("rb") as source:
        while (tag := _varint(source)) is not None:
            field, kind = tag >> 3, tag & 7
            if kind == _VARINT:
                _varint(source)
            elif kind == _FIXED64:
                source.seek(8, 1)
            elif kind == _FIXED32:
                source.seek(4, 1)
            elif kind == _BYTES:
                length = _varint(source)
                if length is None or source.tell() + length > size:
                    raise ValueError(f"{file.name} 不是完整的 ONNX 文件")
                if field == _METADATA_PROPS:
                    found.update([_entry(source.read(length))])
                else:
                    source.seek(length, 1)
            else:
                raise ValueError(f"{file.name} 不是 ONNX 文件")
    return found


def _entry(data: bytes) -> tuple[str, str]:
    """A ``StringStringEntryProto``: key is field 1, value field 2, lengths of one or two bytes."""
    parts, at = ["", ""], 0
    while at < len(data):
        field, at = data[at] >> 3, at + 1
        length, shift = 0, 0
        while True:
            byte, at = data[at], at + 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        parts[field - 1] = data[at : at + length].decode("utf-8", "replace")
        at += length
    return parts[0], parts[1]


def _varint(source: BinaryIO) -> int | None:
    """The next number, or None at the end of the file."""
    value = shift = 0
    while byte := source.read(1):
        value |= (byte[0] & 0x7F) << shift
        if not byte[0] & 0x80:
            return value
        shift += 7
        if shift > 63:
            raise ValueError("not a protobuf number")
    return None
