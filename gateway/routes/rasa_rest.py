"""Rasa's own REST channel shape, so that existing Rasa web clients work unchanged."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from gateway.routes.chat import take_turn
from gateway.services import Services, services_of
from hotline.errors import BadInputError
from hotline.messages import Channel

router = APIRouter(tags=["Rasa REST"])


class RestMessage(BaseModel):
    sender: str = Field(min_length=1, max_length=255)
    message: Any = ""


@router.post("/webhooks/rest/webhook", summary="Rasa REST 兼容入口")
async def webhook(body: RestMessage, house: Annotated[Services, Depends(services_of)]) -> list[dict[str, Any]]:
    """Each sender has one open conversation of its own. What cannot be taken is answered in words,
    for clients of this channel know no problem details."""
    record, _ = await house.new_conversation(Channel.REST, body.sender)
    try:
        turn = await take_turn(house, record, body.message, Channel.REST, None)
    except BadInputError as error:
        return [{"recipient_id": body.sender, "text": error.detail}]
    return [
        {"recipient_id": body.sender, "text": reply["text"]}
        | ({"buttons": reply["buttons"]} if reply["buttons"] else {})
        for reply in turn["replies"]
    ]
