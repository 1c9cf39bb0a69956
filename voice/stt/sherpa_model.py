"""What kind of sherpa-onnx model lies in a folder, and with which files: no engine is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from voice.stt.onnx_metadata import onnx_metadata


class SherpaKind(StrEnum):
    """The families that are loaded. All but SenseVoice stream."""

    TRANSDUCER = "transducer"  # streaming zipformer (or conformer, LSTM)
    ZIPFORMER_CTC = "zipformer_ctc"
    PARAFORMER = "paraformer"
    SENSE_VOICE = "sense_voice"


@dataclass(frozen=True)
class SherpaModel:
    """``files`` by role: ``tokens``, then ``encoder``, ``decoder``, ``joiner`` or ``model``."""

    kind: SherpaKind
    folder: Path
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def streams(self) -> bool:
        return self.kind is not SherpaKind.SENSE_VOICE


class NoSherpaModelError(ValueError):
    """The folder holds no model that can be loaded; the message says what is missing."""


def find_model(folder: Path) -> SherpaModel:
    """Looks at file names (those of the published archives) and the metadata in the files.

    Raises:
        NoSherpaModelError: nothing here can be loaded, or it is a kind that does not stream and is
            not SenseVoice.
    """
    tokens = folder / "tokens.txt"
    if not tokens.is_file():
        raise NoSherpaModelError(f"{folder.name} 里没有 tokens.txt")
    encoder, decoder, joiner, model = (_pick(folder, role) for role in ("encoder", "decoder", "joiner", "model"))
    if encoder and decoder and joiner:
        # A model for whole utterances has the same files; only a streaming one tells its chunk.
        if not {"decode_chunk_len", "T", "chunk_size", "window_size"} & onnx_metadata_of(encoder).keys():
            raise NoSherpaModelError(f"{folder.name} 里的 transducer 不是流式模型，请换流式的（streaming）")
        files = {"encoder": encoder, "decoder": decoder, "joiner": joiner}
        return SherpaModel(SherpaKind.TRANSDUCER, folder, {"tokens": tokens, **files})
    if encoder and decoder:
        if "encoder_output_size" not in onnx_metadata_of(encoder):
            raise NoSherpaModelError(f"{folder.name} 里的 encoder 不是流式 paraformer")
        return SherpaModel(
            SherpaKind.PARAFORMER, folder, {"tokens": tokens, "encoder": encoder, "decoder": decoder}
        )  # fmt: skip
    if model:
        told = onnx_metadata_of(model)
        if "lang_zh" in told or told.get("model_type", "").startswith("sense_voice"):
            return SherpaModel(SherpaKind.SENSE_VOICE, folder, {"tokens": tokens, "model": model})
        if "decode_chunk_len" in told and told.get("model_type") == "zipformer2":
            return SherpaModel(SherpaKind.ZIPFORMER_CTC, folder, {"tokens": tokens, "model": model})
        raise NoSherpaModelError(f"{folder.name} 里的模型既不是 SenseVoice，也不是流式 zipformer CTC")
    raise NoSherpaModelError(f"{folder.name} 里没有成套的 .onnx 文件（encoder、decoder、joiner，或 model）")


def onnx_metadata_of(file: Path) -> dict[str, str]:
    """As :func:`onnx_metadata`; what is wrong with the file becomes what is wrong with the folder."""
    try:
        return onnx_metadata(file)
    except (OSError, ValueError, IndexError) as problem:
        raise NoSherpaModelError(f"{file.name} 读不出来：{problem}") from problem


def _pick(folder: Path, role: str) -> Path | None:
    """The int8 file where both precisions lie there (twice as fast on a CPU), else the only one."""
    there = sorted(folder.glob(f"{role}*.onnx"), key=lambda file: ("int8" not in file.name, file.name))
    return there[0] if there else None
