"""The telephone doors of the running line: an exchange connects, a telephone asks whether we are there."""

from __future__ import annotations

import socket
import struct
import uuid

import numpy as np

from voice.audio import read_wav, resample, rms, to_pcm, to_samples


def _sound(connection: socket.socket, seconds: float) -> np.ndarray:
    """The next ``seconds`` that the line sends, at 8 kHz."""
    stream, heard = connection.makefile("rb"), b""
    while len(heard) < seconds * 16000:
        kind, length = struct.unpack("!BH", stream.read(3))
        assert kind == 0x10, f"0x{kind:02x} instead of sound"
        heard += stream.read(length)
    return to_samples(heard)


def test_an_exchange_connects_hears_the_greeting_and_asks(line, question):
    line.until_speech_is_ready()
    assert line.readyz()[1]["audiosocket"] == {"status": "ok", "address": f"127.0.0.1:{line.audiosocket}"}
    frame = struct.Struct("!BH")
    with socket.create_connection(("127.0.0.1", line.audiosocket), timeout=20) as connection:
        connection.sendall(frame.pack(0x01, 16) + uuid.uuid4().bytes)
        connection.sendall(frame.pack(0x10, 320) + bytes(320))
        assert rms(_sound(connection, 2.0)) > 300, "the greeting is audible"
        samples = np.concatenate([resample(*read_wav(question), 8000), np.zeros(12000, np.int16)])
        for at in range(0, len(samples), 160):
            part = to_pcm(samples[at : at + 160])
            connection.sendall(frame.pack(0x10, len(part)) + part)
        text = line.http.get("/metrics").text
        assert 'hotline_calls_active{door="audiosocket"} 1.0' in text
        line.until(
            lambda: 'hotline_turns_total{channel="voice",state="bot"}' in line.http.get("/metrics").text,
            20,
            "the question was answered",
        )
        assert rms(_sound(connection, 3.0)) > 100, "the answer is audible"
        connection.sendall(frame.pack(0x00, 0))
    line.until(
        lambda: 'hotline_calls_active{door="audiosocket"} 0.0' in line.http.get("/metrics").text, 5, "the call ended"
    )


def test_a_telephone_that_asks_whether_we_are_there_is_answered(line):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(5)
        port = phone.getsockname()[1]
        phone.sendto(
            (
                "OPTIONS sip:12345@127.0.0.1 SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 127.0.0.1:{port};rport;branch=z9hG4bK{uuid.uuid4().hex}\r\n"
                "From: <sip:13800000001@127.0.0.1>;tag=a\r\nTo: <sip:12345@127.0.0.1>\r\n"
                f"Call-ID: {uuid.uuid4()}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
            ).encode(),
            ("127.0.0.1", line.sip),
        )
        assert phone.recv(4096).startswith(b"SIP/2.0 200")
