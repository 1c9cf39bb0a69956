"""The telephone doors of the gateway process: opened with it, named by /readyz, closed with it."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.reception import Reception
from gateway.services import Services
from hotline.settings import Settings
from voice.telephony.audiosocket import AudioSocketDoor
from voice.telephony.line import Door
from voice.telephony.sip import SipDoor, SipSettings

logger = logging.getLogger(__name__)


@asynccontextmanager
async def open_doors(house: Services) -> AsyncIterator[None]:
    """Opens what the settings ask for. A door that cannot be opened is said to be down; the line
    goes on without it."""
    settings, reception = house.settings, Reception(house)
    audiosocket = AudioSocketDoor(reception, idle_s=settings.call_idle_s, allows=allowed(settings).allows)
    sip = SipDoor(reception, allowed(settings))
    try:
        await _open(house, Door.AUDIOSOCKET, audiosocket, settings.audiosocket_port)
        await _open(house, Door.SIP, sip, settings.sip_port)
        yield
    finally:
        await sip.close()
        await audiosocket.close()


async def _open(house: Services, name: Door, door: AudioSocketDoor | SipDoor, port: int) -> None:
    host = house.settings.telephony_host
    if not port:
        house.doors[name.value] = {"status": "off"}
        return
    try:
        await door.start(host, port)
    except OSError as error:
        logger.error("the %s door cannot listen on %s:%s: %s", name.value, host, port, error)
        house.doors[name.value] = {
            "status": "down",
            "code": "port_taken",
            "detail": f"端口 {port} 用不了（{error.strerror or error}）。请停掉占用它的程序，或设 {name.name}_PORT=别的端口（0 是不开）。",
        }
    else:
        house.doors[name.value] = {"status": "ok", "address": f"{host}:{port}"}


def allowed(settings: Settings) -> SipSettings:
    networks = (word.strip() for word in settings.telephony_allow.split(",") if word.strip())
    return SipSettings(
        advertised=settings.sip_advertised_host,
        rtp_ports=(settings.rtp_port_min, settings.rtp_port_max),
        rtp_lost_s=settings.rtp_lost_s,
        allowed=tuple(ipaddress.ip_network(network, strict=False) for network in networks),
    )
