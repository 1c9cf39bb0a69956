"""The agents' desk over HTTP (docs/interfaces.md, «坐席工作台»)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, StringConstraints

from desk.assist.warnings import require_sendable
from gateway.auth.guard import require_role
from gateway.services import Services, services_of
from hotline.conversation import Trigger
from hotline.desk import (
    WAITS,
    AgentProfile,
    AgentRecord,
    AgentState,
    AgentTrigger,
    CallbackState,
    CallbackTrigger,
    DeskChange,
    NotYoursError,
    OfferTrigger,
    QueueState,
)
from hotline.errors import BadInputError, NotFoundError
from hotline.privacy import mask_text
from hotline.staff import Principal, Role

router = APIRouter(prefix="/api/v1/desk", tags=["坐席工作台"])

House = Annotated[Services, Depends(services_of)]
Agent = Annotated[Principal, Depends(require_role(Role.AGENT, Role.SUPERVISOR))]
Supervisor = Annotated[Principal, Depends(require_role(Role.SUPERVISOR))]
ClientId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]


class StateBody(BaseModel):
    state: Literal["ready", "paused", "offline"]


class MessageBody(BaseModel):
    text: Words
    client_message_id: ClientId
    read_out: bool = False


class ReturnBody(BaseModel):
    note: Note = ""
    slots: dict[str, str | None] = Field(default_factory=dict)


class NoteBody(BaseModel):
    note: Note = ""


class AssignBody(BaseModel):
    agent: str


class CallbackBody(BaseModel):
    step: CallbackTrigger
    note: Note = ""


class ProfileBody(BaseModel):
    areas: list[str] = Field(default_factory=list, max_length=50)
    towns: list[str] = Field(default_factory=list, max_length=50)
    dialects: list[str] = Field(default_factory=list, max_length=5)


def now() -> datetime:
    return datetime.now(UTC)


def name_of(who: Principal) -> str:
    """What a citizen is shown."""
    return who.display_name or who.username


def supervises(who: Principal) -> bool:
    return who.may_act_as(Role.SUPERVISOR)


async def profile_of(house: Services, who: Principal) -> AgentProfile:
    """The agent's skills as they were last set, under the name of today."""
    known = next((a for a in await house.desk.books.agents() if a.username == who.username), None)
    skills = known.model_dump(include={"areas", "towns", "dialects"}) if known else {}
    return AgentProfile(username=who.username, display_name=name_of(who), **skills)


# ---------------------------------------------------------------- the queue, the people


@router.get("/queue", summary="队列、坐席和回访任务数")
async def queue(who: Agent, house: House) -> dict[str, Any]:
    seq = await house.desk.books.desk_seq()  # before the rest: what comes after it is told twice, not never
    entries, at = await house.desk.books.queue(), now()
    waiting = [e for e in entries if e.state in WAITS]
    return {
        "waiting": [
            {**_entry(e), "position": n, "waited_s": int((at - e.queued_at).total_seconds())}
            for n, e in enumerate(waiting, start=1)
        ],
        "serving": [_entry(e) for e in entries if e.state is QueueState.SERVING],
        "agents": [_agent(a) for a in await house.desk.books.agents()],
        "offers": [
            o.model_dump(mode="json")
            for o in await house.desk.books.offers()
            if o.agent == who.username or supervises(who)
        ],
        "callbacks": await house.desk.open_callbacks(),
        "most": house.settings.desk_max_conversations,
        "areas": dict(house.insights.area_names) if house.insights else {},
        "fault": house.desk.fault.detail if house.desk.fault else "",
        "seq": seq,
    }


@router.get("/me", summary="我的状态和正在接待的对话")
async def me(who: Agent, house: House) -> dict[str, Any]:
    known = next((a for a in await house.desk.books.agents() if a.username == who.username), None)
    mine = [e for e in await house.desk.books.queue() if e.agent == who.username]
    return {
        "username": who.username,
        "display_name": name_of(who),
        "roles": [role.value for role in who.roles],
        "agent": _agent(known) if known else None,
        "serving": [_entry(e) for e in mine if e.state is QueueState.SERVING],
    }


@router.post("/state", summary="就绪、示忙、签出")
async def set_state(who: Agent, house: House, body: StateBody) -> dict[str, Any]:
    trigger = {"ready": AgentTrigger.READY, "paused": AgentTrigger.PAUSE, "offline": AgentTrigger.SIGNED_OUT}
    known = next((a for a in await house.desk.books.agents() if a.username == who.username), None)
    if known is not None and known.state.value == body.state:
        return _agent(known)
    change = await house.desk.books.move_agent(who.username, trigger[body.state], now())
    await house.desk.publish(change)
    return _agent(change.agent)


@router.put("/agents/{username}", summary="坐席会什么（班长）")
async def set_skills(who: Supervisor, house: House, username: str, body: ProfileBody) -> dict[str, Any]:
    known = next((a for a in await house.desk.books.agents() if a.username == username), None)
    if known is None:
        raise NotFoundError("没有这位坐席，请让他先登录一次工作台。")
    await house.audit.record(who.username, "set_agent_skills", f"agent:{username}", body.model_dump())
    offline = known.state.value == "offline"
    profile = AgentProfile(username=username, display_name=known.display_name, **body.model_dump())
    change = await house.desk.books.sign_in(profile, now())
    if offline:  # setting skills brings nobody to the desk
        change = await house.desk.books.move_agent(username, AgentTrigger.SIGNED_OUT, now())
    await house.desk.publish(change)
    return _agent(change.agent)


# ---------------------------------------------------------------- offers


@router.post("/offers/{offer_id}/accept", summary="接受派单")
async def accept_offer(who: Agent, house: House, offer_id: str) -> dict[str, Any]:
    change = await house.desk.books.end_offer(offer_id, OfferTrigger.ACCEPT, now(), who.username)
    await house.desk.publish(change)
    return await _taken(house, change)


@router.post("/offers/{offer_id}/decline", summary="谢绝派单")
async def decline_offer(who: Agent, house: House, offer_id: str) -> dict[str, Any]:
    change = await house.desk.books.end_offer(offer_id, OfferTrigger.DECLINE, now(), who.username)
    await house.desk.publish(change)
    return {"offer": change.offer.model_dump(mode="json") if change.offer else None}


# ---------------------------------------------------------------- one conversation


@router.get("/conversations/{conversation_id}", summary="接起前看全貌")
async def look(who: Agent, house: House, conversation_id: str) -> dict[str, Any]:
    record = await house.desk.record(conversation_id)
    await may_look(house, who, conversation_id)
    await house.audit.record(who.username, "view_conversation", f"conversation:{conversation_id}")
    seen = await house.desk.picture(record)
    call = house.calls.of(conversation_id)
    return {**seen.model_dump(mode="json"), "call_id": call.call_id if call else None}


@router.post("/conversations/{conversation_id}/take", summary="接起（班长：接管）")
async def take(who: Agent, house: House, conversation_id: str) -> dict[str, Any]:
    await house.audit.record(who.username, "take_conversation", f"conversation:{conversation_id}")
    change = await house.desk.books.accept(conversation_id, who.username, now(), replacing=supervises(who))
    await house.desk.publish(change)
    return await _taken(house, change)


@router.post("/conversations/{conversation_id}/messages", summary="对市民说一句")
async def say(who: Agent, house: House, conversation_id: str, body: MessageBody) -> dict[str, Any]:
    require_sendable(body.text)
    text = mask_text(body.text, own_words=False)  # behind the warnings, the same rule as for the bot
    change = await house.desk.books.send(
        conversation_id, who.username, name_of(who), text, body.client_message_id, now(), read_out=body.read_out
    )
    await house.desk.publish(change)
    assert change.message is not None
    return {"message_id": change.message.message_id, "seq": change.message.seq, "repeated": change.repeated}


@router.post("/conversations/{conversation_id}/return", summary="交回机器人，附交接说明")
async def give_back(who: Agent, house: House, conversation_id: str, body: ReturnBody) -> dict[str, Any]:
    change, taught = await house.desk.takeover.give_back(
        conversation_id, who.username, name_of(who), body.note, body.slots, now()
    )
    await house.desk.publish(change)
    await house.desk.returned(conversation_id)
    return {"state": "bot", "slots_set": taught, "agent": _agent(change.agent)}


@router.post("/conversations/{conversation_id}/requeue", summary="转回队列，由别的坐席接")
async def requeue(who: Agent, house: House, conversation_id: str, body: NoteBody) -> dict[str, Any]:
    return await _release(who, house, conversation_id, Trigger.REQUEUED, body.note)


@router.post("/conversations/{conversation_id}/close", summary="结束对话")
async def close(who: Agent, house: House, conversation_id: str, body: NoteBody | None = None) -> dict[str, Any]:
    return await _release(who, house, conversation_id, Trigger.CLOSED, body.note if body else "")


@router.post("/conversations/{conversation_id}/assign", summary="派给一位坐席（班长）")
async def assign(who: Supervisor, house: House, conversation_id: str, body: AssignBody) -> dict[str, Any]:
    await house.audit.record(
        who.username, "assign_conversation", f"conversation:{conversation_id}", {"agent": body.agent}
    )
    change = await house.desk.offer_to(conversation_id, body.agent, who.username)
    return {"offer": change.offer.model_dump(mode="json") if change.offer else None}


@router.post("/conversations/{conversation_id}/invite", summary="请一位同事加入通话（三方）")
async def invite(who: Agent, house: House, conversation_id: str, body: AssignBody) -> dict[str, Any]:
    if not supervises(who) and not await house.desk.serves(who.username, conversation_id):
        raise NotYoursError
    call = house.calls.of(conversation_id)
    if call is None:
        raise NotFoundError("这不是正在进行的通话，请不了别人加入。")
    asked = next((a for a in await house.desk.books.agents() if a.username == body.agent), None)
    if asked is None or asked.state is AgentState.OFFLINE or asked.username == who.username:
        raise NotFoundError("这位同事现在不在岗，请另选一位。")
    await house.audit.record(who.username, "invite_to_call", f"call:{call.call_id}", {"agent": body.agent})
    call.invited.add(body.agent)
    await house.desk.invite(call, body.agent, name_of(who))
    return {"invited": body.agent, "call_id": call.call_id}


# ---------------------------------------------------------------- call-backs


@router.get("/callbacks", summary="回访任务")
async def callbacks(who: Agent, house: House, all: bool = False) -> dict[str, Any]:
    states = list(CallbackState) if all else [CallbackState.OPEN, CallbackState.CLAIMED]
    return {"callbacks": [_callback(c) for c in await house.desk.books.callbacks(states)]}


@router.post("/callbacks/{callback_id}", summary="认领、打通了、没人接、放回、放弃")
async def move_callback(who: Agent, house: House, callback_id: str, body: CallbackBody) -> dict[str, Any]:
    if body.step is CallbackTrigger.GIVE_UP and not body.note:
        raise BadInputError("放弃回访要写明原因。")
    change = await house.desk.books.move_callback(callback_id, body.step, who.username, now(), mask_text(body.note))
    await house.desk.publish(change)
    assert change.callback is not None
    return _callback(change.callback)


@router.post("/callbacks/{callback_id}/reveal", summary="看要拨的号码（记入审计）")
async def reveal(who: Agent, house: House, callback_id: str) -> dict[str, Any]:
    known = await house.desk.books.callback(callback_id)
    if known.state is not CallbackState.CLAIMED or known.agent != who.username:
        raise NotYoursError("请先认领这个回访任务，再看号码。")
    await house.audit.record(who.username, "reveal_contact", f"callback:{callback_id}")
    number = house.callers.open(known.contact)
    if number is None:
        raise NotFoundError("这个任务没有留下可拨的号码，请在对话里留言答复。")
    return {"contact": number}


# ---------------------------------------------------------------- inside


async def may_look(house: Services, who: Principal, conversation_id: str) -> None:
    """An agent looks at who waits, whom they serve, whose call they were asked onto, and whom to call back. Raises NotYoursError."""
    if supervises(who):
        return
    call = house.calls.of(conversation_id)
    if call is not None and who.username in call.invited:
        return
    entry = await house.desk.entry(conversation_id)
    if entry is not None and (entry.state in WAITS or entry.agent == who.username):
        return
    to_call = await house.desk.books.callbacks([CallbackState.OPEN, CallbackState.CLAIMED])
    if any(c.conversation_id == conversation_id for c in to_call):
        return
    raise NotYoursError


async def _release(
    who: Principal, house: Services, conversation_id: str, trigger: Trigger, note: str
) -> dict[str, Any]:
    data = {"text": mask_text(note), "agent": name_of(who)} if note else None
    change = await house.desk.books.release(conversation_id, who.username, trigger, now(), data)
    await house.desk.publish(change)
    return {"state": "queued" if trigger is Trigger.REQUEUED else "closed", "agent": _agent(change.agent)}


async def _taken(house: Services, change: DeskChange) -> dict[str, Any]:
    assert change.entry is not None
    call = house.calls.of(change.entry.conversation_id)
    if call is not None and call.bridge is not None and change.entry.agent is not None:
        await call.bridge.dismiss_agents(change.entry.agent)
    return {
        "state": "agent",
        "entry": _entry(change.entry),
        "call_id": call.call_id if call else None,
        "repeated": change.repeated,
    }


def _entry(entry: Any) -> dict[str, Any]:
    return dict(entry.model_dump(mode="json", exclude={"rank_at", "position_told"}))


def _agent(agent: AgentRecord | None) -> dict[str, Any]:
    return agent.model_dump(mode="json") if agent else {}


def _callback(callback: Any) -> dict[str, Any]:
    return {**callback.model_dump(mode="json", exclude={"contact"}), "has_contact": bool(callback.contact)}
