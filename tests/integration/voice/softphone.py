"""baresip, a real softphone, driven headless: plays a WAV into the call, records what it hears."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np

from voice.audio import Samples, wav_bytes

RATE = 8000
_WAV_HEADER = 44


def _modules() -> Path:
    """Where Debian keeps baresip's modules."""
    lib = Path("/usr/lib")
    return next(iter([*lib.glob("baresip/modules"), *lib.glob("*/baresip/modules")]))


class Softphone:
    """``baresip`` is the program; ``folder`` takes its configuration and recordings."""

    def __init__(self, baresip: str, folder: Path, sip_port: int, control_port: int) -> None:
        self._baresip, self._folder = baresip, folder
        self._sip_port, self._control_port = sip_port, control_port

    async def start(self, says: Samples) -> None:
        """Ready to dial; ``says`` (8 kHz) is played from the moment a call stands."""
        self._folder.mkdir(parents=True, exist_ok=True)
        wav = self._folder / "says.wav"
        wav.write_bytes(wav_bytes(says, RATE))
        (self._folder / "config").write_text(
            f"sip_listen 127.0.0.1:{self._sip_port}\n"
            "call_max_calls 1\nrtp_ports 31000-31100\nrtcp_mux no\n"
            f"audio_source aufile,{wav}\naudio_player aubridge,none\naudio_alert aubridge,none\n"
            "ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\n"
            f"snd_path {self._folder}\nctrl_tcp_listen 127.0.0.1:{self._control_port}\n"
            f"module_path {_modules()}\n"
            "module g711.so\nmodule aufile.so\nmodule aubridge.so\nmodule sndfile.so\n"
            "module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n",
            encoding="utf-8",
        )
        (self._folder / "accounts").write_text(
            f"<sip:13800000007@127.0.0.1:{self._sip_port}>;regint=0\n", encoding="utf-8"
        )
        (self._folder / "contacts").write_text("", encoding="utf-8")
        log = (self._folder / "log").open("wb")
        self._process = await asyncio.create_subprocess_exec(
            self._baresip, "-f", str(self._folder), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
        log.close()
        async with asyncio.timeout(10):
            while True:
                try:
                    self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._control_port)
                    return
                except OSError:
                    assert self._process.returncode is None, self.log()
                    await asyncio.sleep(0.05)

    def log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")[-3000:]

    async def command(self, command: str, params: str = "") -> None:
        """A command of baresip's menu, sent as the netstring its control socket takes."""
        body = json.dumps({"command": command, "params": params, "token": command})
        self._writer.write(f"{len(body)}:{body},".encode())
        await self._writer.drain()

    async def dial(self, address: str) -> None:
        await self.command("dial", address)

    async def press(self, digit: str) -> None:
        await self.command("sndcode", digit)

    async def hang_up(self) -> None:
        await self.command("hangup")

    def heard(self) -> Samples:
        """What came from the line so far, as baresip recorded it."""
        recordings = sorted(self._folder.glob("dump-*-dec.wav"))
        if not recordings:
            return np.zeros(0, np.int16)
        data = recordings[-1].read_bytes()[_WAV_HEADER:]  # which is not true before the recording ends
        return np.frombuffer(data[: len(data) - len(data) % 2], "<i2")

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            async with asyncio.timeout(10):
                await self._process.wait()
        self._writer.close()
