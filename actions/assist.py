"""For the agents' desk: passages of guides and the fields a sentence tells, from what is loaded here.

The gateway asks over HTTP: the index, the vectors and the readers live in this process once
(docs/adr/0005, 0021).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from sanic import Request, Sanic
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from actions.answers import answer
from actions.base import Tools
from actions.request_talk import RequestTalk
from hotline.desk_ports import AssistAnswer, FieldsSaid, Passage
from hotline.messages import Aspect
from hotline.work_orders import RequestType, Urgency
from knowledge_base.catalogue import Catalogue
from knowledge_base.triage import Category, tells_a_nuisance, triage, without_place

_WORTH_SHOWING = 0.05


class AssistQuestion(BaseModel):
    text: str = Field(min_length=1, max_length=500)
    aspect: Aspect | None = None
    limit: int = Field(default=3, ge=0, le=5)


def look(tools: Tools, question: AssistQuestion) -> AssistAnswer:
    """Passages for a sentence, best first, and the fields it tells. Blocking: it searches."""
    fields = fields_said(question.text, tools.catalogue, tools.categories)
    return AssistAnswer(passages=_passages(tools, question), fields=fields)


def _passages(tools: Tools, question: AssistQuestion) -> list[Passage]:
    if not question.limit:
        return []
    hits = tools.search.search(without_place(question.text, tools.catalogue) or question.text, question.limit)
    aspect = question.aspect or Aspect.GENERAL
    found = []
    for hit in hits:
        item = tools.catalogue.items.get(hit.item_key)
        if item is not None and hit.score >= _WORTH_SHOWING:
            reply = answer(tools.wording, item, aspect, tools.today())
            found.append(
                Passage(item_key=item.key, item_name=item.name, aspect=aspect, score=round(hit.score, 4), reply=reply)
            )
    return found


def fields_said(text: str, catalogue: Catalogue, categories: Sequence[Category]) -> FieldsSaid:
    """The parts of a request that ``text`` tells. Where it only asks something, no matter is made of it."""
    talk = RequestTalk()
    talk.tell(text, catalogue)
    where = FieldsSaid(town=talk.town or "", place=talk.place if talk.precise else "", when=talk.when)
    read = triage(text, catalogue, categories)
    if read.type is RequestType.CONSULT or not (talk.happened and (read.category or tells_a_nuisance(text))):
        return where
    return where.model_copy(
        update={
            "type": read.type.value,
            "category": read.category or "",
            "service_key": read.service_key or "",
            "department": read.department or "",
            "urgency": read.urgency.value if read.urgency is not Urgency.NORMAL else "",
            "happened": talk.happened,
        }
    )


def add_assist(app: Sanic[Any, Any], tools: Callable[[], Tools]) -> None:
    """``tools`` gives the newest: guides may be edited while the server runs."""

    @app.post("/assist")
    async def assist(request: Request) -> HTTPResponse:
        try:
            question = AssistQuestion.model_validate_json(request.body or b"")
        except ValidationError as error:
            return json_response({"error": "bad_input", "detail": f"{error.error_count()}"}, status=422)
        found = await asyncio.to_thread(look, tools(), question)
        return json_response(found.model_dump(mode="json"))
