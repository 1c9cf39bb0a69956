"""Agent assist over HTTP: everything here proposes, nothing here sends."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from desk.assist.fields import merged
from desk.assist.read_back import read_back
from desk.assist.templates import templates
from desk.assist.translation import Into, translate
from desk.assist.warnings import check
from gateway.routes.desk import Agent, House, Words, may_look, name_of
from hotline.events import EventType
from hotline.messages import Aspect

router = APIRouter(prefix="/api/v1/desk", tags=["坐席助手"])

_LATEST = 12  # sentences whose fields are read together


class TextBody(BaseModel):
    text: Words


class TranslateBody(TextBody):
    into: Into


@router.get("/conversations/{conversation_id}/assist", summary="这句话的指南段落、表单字段")
async def assist(
    who: Agent, house: House, conversation_id: str, text: str = "", aspect: Aspect | None = None
) -> dict[str, Any]:
    """For ``text``, or for the citizen's latest sentence; fields from the whole talk."""
    record = await house.desk.record(conversation_id)
    await may_look(house, who, conversation_id)
    events = await house.store.events_after(record.conversation_id, 0, 2000)
    said = [str(e.data.get("text", "")) for e in events if e.type is EventType.CITIZEN_MESSAGE]
    asked = text.strip() or (said[-1] if said else "")
    if not asked:
        return {"text": "", "passages": [], "fields": merged([]).model_dump()}
    look = house.desk.knowledge.look
    answers = await asyncio.gather(look(asked, aspect), *(look(sentence, limit=0) for sentence in said[-_LATEST:]))
    return {
        "text": asked,
        "passages": [p.model_dump(mode="json") for p in answers[0].passages],
        "fields": merged(a.fields for a in answers[1:]).model_dump(),
    }


@router.get("/assist/templates", summary="常用语")
async def reply_templates(who: Agent, house: House) -> dict[str, Any]:
    found = templates(name_of(who), house.settings.handoff_number)
    return {"templates": [t.model_dump() for t in found]}


@router.post("/assist/check", summary="发送前看一遍：个人信息、禁语")
async def check_text(who: Agent, body: TextBody) -> dict[str, Any]:
    return {"warnings": [w.model_dump(mode="json") for w in check(body.text)]}


@router.post("/assist/read-back", summary="号码复述")
async def read_numbers_back(who: Agent, body: TextBody) -> dict[str, Any]:
    return {"numbers": [n.model_dump(mode="json") for n in read_back(body.text)]}


@router.post("/assist/translate", summary="粤语和书面语互换")
async def translate_text(who: Agent, body: TranslateBody) -> dict[str, Any]:
    return {"text": translate(body.text, body.into)}
