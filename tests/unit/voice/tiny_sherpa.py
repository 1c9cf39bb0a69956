"""Model folders of a few kilobytes that sherpa-onnx loads like published ones.

No weights for it come in any package, so these stand in: real ONNX files with the inputs, outputs and
metadata of the real families, whose graph hears one thing only. Loud sound is 「社保卡」, the rest nothing.
They prove loading, streaming, ends, times and hotwords; how well a trained model hears, they cannot.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

FLOAT, INT64, INT32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32
HEARD = "社保卡"
_LOUD = 0.0  # log-mel energy above which sound is loud


def _save(file: Path, nodes, inputs, outputs, constants, metadata) -> None:
    graph = helper.make_graph(
        [helper.make_node(op, ins, outs, **more) for op, ins, outs, more in nodes],
        "tiny",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    save(model, str(file))


def _tokens(folder: Path, tokens: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokens.txt").write_text("".join(f"{t} {n}\n" for n, t in enumerate(tokens)), encoding="utf-8")


def _loudness(source: str, target: str) -> list:
    """Nodes from features (N, T, M) to 1.0 or 0.0 a frame, (N, T, 1)."""
    return [
        ("ReduceMean", [source], ["energy"], {"axes": [2], "keepdims": 1}),
        ("Greater", ["energy", "loud_from"], ["is_loud"], {}),
        ("Cast", ["is_loud"], [target], {"to": FLOAT}),
    ]


def transducer(folder: Path) -> Path:
    """A streaming transducer (sherpa-onnx's ``lstm`` family; zipformers go the same way in)."""
    _tokens(folder, ["<blk>", *HEARD])
    chunk, shift = 9, 4
    _save(
        folder / "encoder-tiny.onnx",
        [
            *_loudness("x", "loud"),
            ("Slice", ["loud", "zero", "four", "time"], ["encoder_out"], {}),  # one frame out for four in
            ("Identity", ["h"], ["next_h"], {}),
            ("Identity", ["c"], ["next_c"], {}),
        ],
        [("x", FLOAT, ["N", chunk, 80]), ("h", FLOAT, [1, "N", 2]), ("c", FLOAT, [1, "N", 2])],
        [("encoder_out", FLOAT, ["N", "S", 1]), ("next_h", FLOAT, [1, "N", 2]), ("next_c", FLOAT, [1, "N", 2])],
        {"loud_from": np.float32(_LOUD), "zero": np.int64([0]), "four": np.int64([1]), "time": np.int64([1])},
        {
            "model_type": "lstm",
            "num_encoder_layers": 1,
            "T": chunk,
            "decode_chunk_len": shift,
            "rnn_hidden_size": 2,
            "d_model": 2,
            "vocab_size": 4,
            "context_size": 2,
            "joiner_dim": 1,
        },
    )
    _save(
        folder / "decoder-tiny.onnx",
        [("Slice", ["y", "one", "two", "one"], ["last"], {}), ("Cast", ["last"], ["decoder_out"], {"to": FLOAT})],
        [("y", INT64, ["N", 2])],
        [("decoder_out", FLOAT, ["N", 1])],
        {"one": np.int64([1]), "two": np.int64([2])},
        {"vocab_size": 4, "context_size": 2},
    )
    # The next character while it is loud: 0→1→2→3, then nothing more.
    _save(
        folder / "joiner-tiny.onnx",
        [
            ("Add", ["decoder_out", "one"], ["following"], {}),
            ("Mod", ["following", "four"], ["next"], {"fmod": 1}),
            ("Less", ["decoder_out", "three"], ["more"], {}),
            ("Cast", ["more"], ["more_f"], {"to": FLOAT}),
            ("Mul", ["next", "more_f"], ["wanted"], {}),
            ("Mul", ["wanted", "encoder_out"], ["target"], {}),
            ("Sub", ["ids", "target"], ["off"], {}),
            ("Mul", ["off", "off"], ["square"], {}),
            ("Mul", ["square", "minus"], ["logit"], {}),
        ],
        [("encoder_out", FLOAT, ["N", 1]), ("decoder_out", FLOAT, ["N", 1])],
        [("logit", FLOAT, ["N", 4])],
        {
            "one": np.float32(1),
            "four": np.float32(4),
            "three": np.float32(3),
            "minus": np.float32(-6),
            "ids": np.arange(4, dtype=np.float32)[None],
        },
        {"joiner_dim": 1},
    )
    return folder


def sense_voice(folder: Path) -> Path:
    """SenseVoice: four marks (language, mood …), then CTC frames; the sound's thirds are 社, 保, 卡."""
    _tokens(folder, ["<blank>", *HEARD, "<|zh|>", "<|NEUTRAL|>", "<|Speech|>", "<|woitn|>"])
    _save(
        folder / "model.int8.onnx",
        [
            *_loudness("x", "loud"),
            ("Shape", ["x"], ["shape"], {}),
            ("Gather", ["shape", "one_i"], ["T"], {"axis": 0}),
            ("Range", ["zero_i", "T", "one_i"], ["t"], {}),
            ("Mul", ["t", "three_i"], ["t3"], {}),
            ("Div", ["t3", "T"], ["third"], {}),
            ("Add", ["third", "one_i"], ["id"], {}),
            ("Cast", ["id"], ["id_f"], {"to": FLOAT}),
            ("Reshape", ["id_f", "column"], ["id_c"], {}),
            ("Mul", ["id_c", "loud"], ["heard"], {}),
            ("Concat", ["marks", "heard"], ["target"], {"axis": 1}),
            ("Sub", ["ids", "target"], ["off"], {}),
            ("Mul", ["off", "off"], ["square"], {}),
            ("Neg", ["square"], ["logits"], {}),
        ],
        [
            ("x", FLOAT, [1, "T", 560]),
            ("x_length", INT32, ["N"]),
            ("language", INT32, ["N"]),
            ("text_norm", INT32, ["N"]),
        ],
        [("logits", FLOAT, [1, "S", 8])],
        {
            "loud_from": np.float32(8.0),
            "one_i": np.int64(1),
            "zero_i": np.int64(0),
            "three_i": np.int64(3),
            "column": np.int64([1, -1, 1]),
            "marks": np.float32([[[4], [5], [6], [7]]]),
            "ids": np.arange(8, dtype=np.float32)[None, None],
        },
        {
            "model_type": "sense_voice_ctc",
            "comment": "tiny",
            "vocab_size": 8,
            "blank_id": 0,
            "lfr_window_size": 7,
            "lfr_window_shift": 6,
            "normalize_samples": 0,
            "with_itn": 14,
            "without_itn": 15,
            "lang_auto": 0,
            "lang_zh": 3,
            "lang_en": 4,
            "lang_ja": 11,
            "lang_ko": 12,
            "lang_yue": 7,
            "neg_mean": ",".join(["0"] * 560),
            "inv_stddev": ",".join(["1"] * 560),
        },
    )
    return folder


def zipformer_ctc(folder: Path) -> Path:
    """A streaming zipformer with a CTC head: one layer's caches are carried, unused. Any loud frame
    is 社, whatever follows: CTC has no memory of what it said."""
    _tokens(folder, ["<blk>", *HEARD])
    states = {
        "cached_key_0": (FLOAT, [2, "N", 4]), "cached_nonlin_attn_0": (FLOAT, [1, "N", 2, 3]),
        "cached_val1_0": (FLOAT, [2, "N", 4]), "cached_val2_0": (FLOAT, [2, "N", 4]),
        "cached_conv1_0": (FLOAT, ["N", 4, 1]), "cached_conv2_0": (FLOAT, ["N", 4, 1]),
        "embed_states": (FLOAT, ["N", 128, 3, 19]), "processed_lens": (INT64, ["N"]),
    }  # fmt: skip
    _save(
        folder / "model-tiny.onnx",
        [
            *_loudness("x", "loud"),
            ("Slice", ["loud", "zero", "eight", "time", "four"], ["some"], {}),
            ("Sub", ["ids", "some"], ["off"], {}),
            ("Mul", ["off", "off"], ["square"], {}),
            ("Neg", ["square"], ["log_probs"], {}),
            *[("Identity", [name], [f"new_{name}"], {}) for name in states],
        ],
        [("x", FLOAT, ["N", 45, 80]), *[(name, kind, shape) for name, (kind, shape) in states.items()]],
        [
            ("log_probs", FLOAT, ["N", 8, 4]),
            *[(f"new_{name}", kind, shape) for name, (kind, shape) in states.items()],
        ],
        {
            "loud_from": np.float32(_LOUD),
            "zero": np.int64([0]),
            "eight": np.int64([32]),
            "time": np.int64([1]),
            "four": np.int64([4]),
            "ids": np.arange(4, dtype=np.float32)[None, None],
        },
        {
            "model_type": "zipformer2",
            "encoder_dims": 4,
            "query_head_dims": 4,
            "value_head_dims": 4,
            "num_heads": 1,
            "num_encoder_layers": 1,
            "cnn_module_kernels": 3,
            "left_context_len": 2,
            "T": 45,
            "decode_chunk_len": 32,
        },
    )
    return folder
