"""Both sides of a call on disk: sealed, aligned, bounded, refused, and gone when their time is over."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from hotline.errors import NotFoundError, RecordingDamagedError
from hotline.ports import RecordedTurn
from hotline.settings import Settings
from storage.recordings import MemoryRecordings
from tests.voice_script import ScriptedCall
from voice.audio import read_wav, rms, to_samples
from voice.recording import FOLDER, Recordings
from voice.recording_file import KEY_FILE, RecordingWriter, read_recording, recording_key
from voice.tape import Tape

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
RATE = 8000


def loud(seconds: float, amplitude: int = 8000) -> np.ndarray:
    return np.full(round(RATE * seconds), amplitude, np.int16)


class House:
    """Recordings with a clock of their own and the register in memory."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.time = T0
        self.register = MemoryRecordings()
        self.folder = folder / FOLDER
        self.settings = Settings(_env_file=None, data_dir=folder, **settings)
        self.recordings = self.again()

    def again(self) -> Recordings:
        return Recordings(self.register, self.settings, now=lambda: self.time)

    @property
    def files(self) -> list[str]:
        return sorted(f.name for f in self.folder.glob("*")) if self.folder.is_dir() else []


@pytest.fixture
async def house(tmp_path: Path):
    made: list[House] = []

    def make(**settings: object) -> House:
        made.append(House(tmp_path, **settings))
        return made[-1]

    yield make
    for one in made:
        await one.recordings.close()


async def record(house: House, conversation: str = "c1", seconds: float = 3.0):
    recording = await house.recordings.begin(conversation, "call", RATE)
    assert recording is not None
    for number in range(round(seconds / 0.02)):
        recording.tape.caller(loud(0.02), number * 0.02 + 0.02)
    return recording


async def finished(house: House, conversation: str = "c1", seconds: float = 3.0) -> str:
    recording = await record(house, conversation, seconds)
    await house.recordings.end(recording)
    return recording.recording.recording_id


# ---------------------------------------------------------------- a whole call


async def test_a_call_is_recorded_on_both_sides_with_its_turns(house) -> None:
    line = house()
    recording = await line.recordings.begin("c1", "call", 16000)
    call = ScriptedCall(None, tape=recording.tape)
    asked = call.says("居住证怎么办", at=3.5)
    await call.plays(until=8.0)
    await call.session.stop()
    await line.recordings.end(recording)

    (kept,) = await line.recordings.of_conversation("c1")
    assert kept.ended_at is not None
    assert 7.5 <= kept.seconds <= 8.1
    content = await line.recordings.read(kept.recording_id)
    assert content.finished
    caller, answers = content.sides()
    assert rms(caller[int(3.6 * 16000) : int(asked * 16000)]) > 4000
    assert rms(caller[: int(3.3 * 16000)]) < 50
    spoken = {(t.turn_id, t.who): t for t in kept.turns}
    said = spoken["t1", "line"]
    assert abs(said.begun_s - call.when(type="speech", phase="start", turn_id="t1")) <= 0.05
    assert rms(answers[int(said.begun_s * 16000) : int(said.ended_s * 16000)]) > 3000
    words = spoken["t1", "caller"]
    assert abs(words.begun_s - 3.5) <= 0.1
    assert abs(words.ended_s - asked) <= 0.1


async def test_what_the_caller_did_not_hear_is_not_in_the_recording(house) -> None:
    line = house()
    recording = await line.recordings.begin("c1", "call", 16000)
    call = ScriptedCall(None, tape=recording.tape)
    call.says("转人工怎么转", at=1.0)
    await call.plays(until=1.6)
    cut = call.when(type="speech", phase="cut")
    await call.plays(until=2.0)
    await call.session.abandon()
    await line.recordings.end(recording)
    _, answers = (await line.recordings.read(recording.recording.recording_id)).sides()
    assert rms(answers[int((cut - 0.2) * 16000) : int(cut * 16000)]) > 3000
    assert rms(answers[int((cut + 0.02) * 16000) : int(1.5 * 16000)]) < 50


async def test_the_recording_can_be_taken_out_as_a_wav(house, tmp_path: Path) -> None:
    line = house()
    content = await line.recordings.read(await finished(line))
    file = tmp_path / "a.wav"
    file.write_bytes(content.wav())
    import wave

    with wave.open(str(file)) as wav:
        assert (wav.getnchannels(), wav.getframerate(), wav.getsampwidth()) == (2, RATE, 2)
        both = to_samples(wav.readframes(wav.getnframes()))
    assert rms(both[0::2]) > 7000
    assert rms(both[1::2]) < 50
    assert read_wav  # a mono reader refuses it, which is right


# ---------------------------------------------------------------- the file


def test_the_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    keys: list[bytes] = []
    threads = [threading.Thread(target=lambda: keys.append(recording_key(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


async def test_neither_sound_nor_turns_can_be_read_in_the_file(house) -> None:
    line = house()
    recording = await record(line)
    recording.tape.turn("turn-name", "caller", 0.5, 1.0)
    await line.recordings.end(recording)
    (name,) = line.files
    raw = (line.folder / name).read_bytes()
    assert (line.folder / name).stat().st_mode & 0o777 == 0o600
    assert b"turn-name" not in raw
    pieces = np.frombuffer(raw[100:8100], np.uint8)
    assert len(np.unique(pieces)) > 200  # a constant tone would have few values


async def test_a_crash_leaves_what_was_written_and_the_next_start_puts_it_right(house) -> None:
    line = house()
    recording = await record(line, seconds=5.0)
    recording.tape.turn("t1", "caller", 0.5, 1.0)
    await asyncio.wrap_future(line.recordings._thread.submit(lambda: None))  # the process dies here
    (name,) = line.files
    with (line.folder / name).open("ab") as file:
        file.write(b"A\x00\x00\x10\x00 half a piece")
    after = line.again()
    assert await after.sweep() == 0
    (kept,) = await after.of_conversation("c1")
    assert 3.9 <= kept.seconds <= 5.0
    assert kept.ended_at == T0 + timedelta(seconds=kept.seconds) or abs(kept.ended_at - T0) < timedelta(seconds=6)
    assert [t.turn_id for t in kept.turns] == ["t1"]
    assert not (await after.read(kept.recording_id)).finished
    await after.close()


def test_a_changed_moved_or_foreign_piece_is_named(tmp_path: Path) -> None:
    key = recording_key(tmp_path)
    path = tmp_path / "a.nhrec"
    writer = RecordingWriter(path, key, "a" * 32, RATE)
    writer.sound(loud(1), loud(1))
    first = path.stat().st_size
    writer.sound(loud(1), loud(1))
    writer.turn(RecordedTurn(turn_id="t", who="line", begun_s=0, ended_s=1))
    writer.end()
    whole = path.read_bytes()
    head = 43
    for spoilt in (
        whole[:head] + whole[first:],  # the first piece left out
        whole[:first] + whole[head:first] + whole[first:],  # one twice
        whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
        b"b" * 5 + whole[5:],
        whole[:7] + b"b" * 32 + whole[39:],  # of another recording
    ):
        path.write_bytes(spoilt)
        with pytest.raises(RecordingDamagedError):
            read_recording(path, key)
    path.write_bytes(whole)
    with pytest.raises(RecordingDamagedError):
        read_recording(path, bytes(32))
    assert read_recording(path, key).finished


# ---------------------------------------------------------------- the tape


def test_a_gap_in_the_callers_sound_is_silence_of_its_length() -> None:
    pieces: list[tuple[np.ndarray, np.ndarray]] = []
    tape = Tape(RATE, lambda a, b: pieces.append((a, b)), lambda turn: None)
    for number in [*range(50), *range(150, 200)]:
        tape.caller(loud(0.02), number * 0.02 + 0.02)
    tape.finish()
    caller = np.concatenate([a for a, _ in pieces])
    assert abs(len(caller) - 4 * RATE) <= RATE // 20
    assert rms(caller[int(1.1 * RATE) : int(2.9 * RATE)]) == 0
    assert rms(caller[int(3.1 * RATE) : int(3.9 * RATE)]) == 8000


def test_both_sides_are_always_equally_long_and_little_is_held_back() -> None:
    pieces: list[tuple[np.ndarray, np.ndarray]] = []
    tape = Tape(RATE, lambda a, b: pieces.append((a, b)), lambda turn: None)
    tape.caller(loud(600), 1.0)  # ten minutes in one second
    given = sum(len(a) for a, _ in pieces)
    assert given >= 579 * RATE
    tape.line(loud(0.02), 1.5)
    tape.line_cut(0.2)
    tape.caller(loud(1), 2.0)
    tape.finish()
    assert all(len(a) == len(b) for a, b in pieces)
    assert sum(len(a) for a, _ in pieces) == 601 * RATE


# ---------------------------------------------------------------- refused, kept, deleted


async def test_a_refused_recording_is_gone_and_nothing_more_is_kept(house) -> None:
    line = house()
    recording = await record(line)
    await recording.erase()
    assert line.files == []
    assert await line.recordings.of_conversation("c1") == []
    recording.tape.caller(loud(5), 9.0)
    recording.tape.finish()
    await recording.erase()
    await line.recordings.end(recording)
    assert line.files == []
    assert await line.recordings.of_conversation("c1") == []


async def test_a_refusal_that_cannot_be_carried_out_is_told_and_the_file_goes_later(house, monkeypatch) -> None:
    line = house()
    recording = await record(line)
    monkeypatch.setattr(recording._writer, "discard", lambda: (_ for _ in ()).throw(OSError("busy")))
    with pytest.raises(OSError, match="busy"):
        await recording.erase()
    await line.recordings.end(recording)
    assert await line.recordings.of_conversation("c1") == []
    await line.recordings.sweep()
    assert line.files == []


async def test_recording_can_be_off(house) -> None:
    assert await house(recording=False).recordings.begin("c1", "call", RATE) is None


async def test_a_full_disk_means_no_recording_and_the_call_goes_on(house, monkeypatch) -> None:
    line = house()
    monkeypatch.setattr("voice.recording.shutil.disk_usage", lambda path: type("U", (), {"free": 1000})())
    assert await line.recordings.begin("c1", "call", RATE) is None
    await line.recordings.sweep()
    assert await line.recordings.of_conversation("c1") == []


async def test_a_disk_that_does_not_follow_stops_the_recording_not_the_call(house) -> None:
    line = house()
    release = threading.Event()
    recording = await line.recordings.begin("c1", "call", RATE)
    line.recordings._thread.submit(release.wait, 20)
    for second in range(40):
        recording.tape.caller(loud(1), second + 1.0)
    assert not recording.active
    assert len(recording._waiting) <= 30
    release.set()


async def test_recordings_are_deleted_after_their_days(house) -> None:
    line = house(recording_days=30)
    await finished(line, "old")
    line.time = T0 + timedelta(days=20)
    young = await finished(line, "young")
    line.time = T0 + timedelta(days=31)
    assert await line.recordings.sweep() == 1
    assert line.files == [f"{young}.nhrec"]
    assert await line.recordings.of_conversation("old") == []


async def test_the_oldest_go_first_where_there_are_too_many(house) -> None:
    line = house(recording_max_mb=1)
    ids = []
    for day in range(4):
        line.time = T0 + timedelta(days=day)
        ids.append(await finished(line, f"c{day}", seconds=22.0))  # some 350 KB each
    assert await line.recordings.sweep() == 2
    assert line.files == sorted(f"{name}.nhrec" for name in ids[2:])


async def test_a_file_that_is_not_in_the_register_goes_and_an_entry_without_file_too(house) -> None:
    line = house()
    first, second = await finished(line, "c1"), await finished(line, "c2")
    await line.register.remove(first)
    (line.folder / f"{second}.nhrec").unlink()
    await line.recordings.sweep()
    assert line.files == []
    assert await line.recordings.of_conversation("c2") == []


async def test_a_call_under_way_is_left_alone_by_the_sweep(house) -> None:
    line = house()
    recording = await record(line)
    await line.recordings.sweep()
    assert line.files == [f"{recording.recording.recording_id}.nhrec"]
    (kept,) = await line.recordings.of_conversation("c1")
    assert kept.ended_at is None


async def test_a_conversation_that_is_forgotten_takes_its_recordings_with_it(house) -> None:
    line = house()
    await finished(line, "c1")
    await finished(line, "c1")
    other = await finished(line, "c2")
    assert await line.recordings.forget("c1") == 2
    assert line.files == [f"{other}.nhrec"]


async def test_reading_what_is_not_there_is_named(house) -> None:
    line = house()
    with pytest.raises(NotFoundError):
        await line.recordings.read("nothing")
    gone = await finished(line)
    (line.folder / f"{gone}.nhrec").unlink()
    with pytest.raises(RecordingDamagedError):
        await line.recordings.read(gone)


async def test_the_daily_sweep_goes_on_after_a_fault(house, monkeypatch) -> None:
    line = house()
    swept, days = [], []

    async def sweep() -> int:
        swept.append(1)
        raise OSError("disk")

    async def sleep(seconds: float) -> None:
        days.append(seconds)
        if len(days) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(line.recordings, "sweep", sweep)
    monkeypatch.setattr("voice.recording.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await line.recordings.sweep_daily()
    assert len(swept) == 3
    assert days == [86400.0] * 3
