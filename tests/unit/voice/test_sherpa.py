"""The sherpa-onnx adapter on real (tiny) model folders, loaded by sherpa-onnx itself."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_sherpa

from hotline.errors import RecogniserDownError
from hotline.ports import RecognitionOptions, SegmentingSession, SpeculativeSession
from hotline.settings import Settings
from voice.audio import to_pcm
from voice.stt.load import load_recogniser, recogniser_choice
from voice.stt.onnx_metadata import onnx_metadata
from voice.stt.sherpa import SherpaRecogniser
from voice.stt.sherpa_model import NoSherpaModelError, SherpaKind, find_model

QUIET = np.zeros(8000, np.int16)
LOUD = np.random.default_rng(0).normal(0, 8000, 8000).clip(-32000, 32000).astype(np.int16)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("sherpa")
    makers = (tiny_sherpa.transducer, tiny_sherpa.sense_voice, tiny_sherpa.zipformer_ctc)
    return {make.__name__: make(home / make.__name__) for make in makers}


@pytest.fixture(scope="module")
def transducer(folders):
    return SherpaRecogniser(folders["transducer"], threads=1, hotwords=("社保卡", "居住证"))


def heard_by(session, *sounds):
    """Partial texts by chunk, and the segments that ended."""
    partials, segments = [], []
    pcm = to_pcm(np.concatenate(sounds))
    for at in range(0, len(pcm), 6400):
        session.accept_chunk(pcm[at : at + 6400])
        partial = session.partial()
        partials.append(partial.text if partial else "")
        if isinstance(session, SegmentingSession) and (segment := session.segment()):
            segments.append(segment)
    return partials, segments


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("transducer", SherpaKind.TRANSDUCER),
        ("sense_voice", SherpaKind.SENSE_VOICE),
        ("zipformer_ctc", SherpaKind.ZIPFORMER_CTC),
    ],
)
def test_the_kind_of_a_model_is_told_from_its_files(folders, name, kind):
    assert find_model(folders[name]).kind is kind


def test_a_transducer_streams_with_times_and_finds_the_end_itself(transducer):
    session = transducer.start()
    partials, segments = heard_by(session, QUIET, LOUD, QUIET, QUIET, QUIET, QUIET)
    assert "社保卡" in partials
    assert [segment.text for segment in segments] == ["社保卡"]
    first, *_, last = segments[0].words
    assert (first.text, last.text) == ("社", "卡")
    assert 0.45 < first.start < 0.65 < last.end < 1.1
    assert 0 < first.confidence <= 1
    assert session.finish().text == ""


def test_hotwords_go_to_each_stream_of_a_transducer_and_unknown_ones_are_left_out(transducer):
    session = transducer.start(RecognitionOptions(phrases=("卡",)))
    heard_by(session, QUIET, LOUD)
    assert session.finish().text == "社保卡"


def test_a_zipformer_with_a_ctc_head_streams(folders):
    session = SherpaRecogniser(folders["zipformer_ctc"], threads=1).start()
    assert isinstance(session, SegmentingSession)
    partials, _ = heard_by(session, QUIET, LOUD, QUIET)
    assert "社" in partials
    assert session.finish().text == "社"


def test_sense_voice_decides_at_the_pause(folders):
    recogniser = SherpaRecogniser(folders["sense_voice"], threads=1, partial_every_s=0.2)
    session = recogniser.start()
    assert isinstance(session, SpeculativeSession)
    heard_by(session, LOUD, LOUD)
    session.pause_began()
    assert session.finish().text == "社保卡"
    assert [word.text for word in session.finish().words] == ["社", "保", "卡"]
    assert recogniser.start().finish().text == ""


def test_what_is_no_model_is_said_before_sherpa_onnx_could_end_the_process(folders, tmp_path):
    with pytest.raises(NoSherpaModelError, match=r"tokens\.txt"):
        find_model(tmp_path)
    (tmp_path / "tokens.txt").write_text("<blk> 0\n", encoding="utf-8")
    with pytest.raises(NoSherpaModelError, match=r"\.onnx"):
        find_model(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"\x0bgarbage")
    with pytest.raises(NoSherpaModelError, match="读不出来"):
        find_model(tmp_path)
    encoder = folders["transducer"] / "decoder-tiny.onnx"  # a real file without the marks of streaming
    for role in ("encoder", "decoder", "joiner"):
        (tmp_path / f"{role}.onnx").write_bytes(encoder.read_bytes())
    with pytest.raises(NoSherpaModelError, match="不是流式"):
        find_model(tmp_path)
    assert onnx_metadata(encoder) == {"vocab_size": "4", "context_size": "2"}


def test_a_model_that_ends_its_process_ends_a_trial_process_only(folders, tmp_path):
    for file in folders["transducer"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "joiner-tiny.onnx").write_bytes((tmp_path / "encoder-tiny.onnx").read_bytes()[:200])
    with pytest.raises(RecogniserDownError):
        SherpaRecogniser(tmp_path, threads=1).load()


def test_the_setting_brings_it_into_the_line(folders, tmp_path):
    settings = Settings(_env_file=None, models_dir=tmp_path, sherpa_model_path=str(folders["sense_voice"]))
    assert "sherpa-onnx（按设置里给的模型）" in recogniser_choice(settings).reason
    assert load_recogniser(settings).name == "sherpa"
    wrong = Settings(_env_file=None, models_dir=tmp_path, stt_engine="sherpa", sherpa_model_path=str(tmp_path))
    assert recogniser_choice(wrong).engine is None
