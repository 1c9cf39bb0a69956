"""The call bench has a gateway of its own: it is put together here, so that it does not fall behind the real one."""

from __future__ import annotations

from pathlib import Path

from gateway.reception import Reception
from hotline.messages import Channel
from hotline.settings import Settings
from ops import bench_calls
from voice.telephony.line import Door, IncomingCall


async def test_the_gateway_under_measurement_takes_a_call_and_answers(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, models_dir=tmp_path)
    frames: list[object] = []

    async def send(frame: object) -> None:
        frames.append(frame)

    async with bench_calls._house("free", settings) as house:
        incoming = IncomingCall(Door.WEBSOCKET, "pcm_s16le", bench_calls.RATE)
        async with Reception(house).call(incoming, send) as call:
            assert call.recorded
            answer = await house.turns.take(
                await house.store.get_conversation(call.conversation_id), "居住证怎么办", Channel.VOICE
            )
            assert "身份证" in answer.replies[0].text
            assert house.calls.get(call.call_id) is call
    assert house.calls.live == {}
