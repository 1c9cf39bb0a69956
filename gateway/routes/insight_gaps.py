"""Knowledge gaps, proposed changes, answer recall, quality review (docs/interfaces.md, «统计»)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from gateway.auth.guard import require_role
from gateway.insight_parts import now
from gateway.proposal_desk import proposal_json
from gateway.routes.insights import Looked, Manager, Parts
from gateway.services import Services, services_of
from hotline.errors import BadInputError
from hotline.insights import Review
from hotline.privacy import mask_text
from hotline.staff import Principal, Role, may_act_as
from insights.quality import RULES, told
from insights.reviewing import agreement, next_place, settled
from insights.suppression import small

router = APIRouter(prefix="/api/v1/insights", tags=["统计"], dependencies=[Depends(require_role("manager"))])
reviewing = APIRouter(prefix="/api/v1/insights", tags=["统计"])
House = Annotated[Services, Depends(services_of)]
Reviewer = Annotated[Principal, Depends(require_role("supervisor", "manager"))]

_POOL = "reviewers"


@router.get("/gaps")
async def gaps(parts: Parts, span: Looked) -> dict[str, Any]:
    return {"demo": await parts.is_demo(), "from": span.first.isoformat(), "to": span.last.isoformat(), **await parts.gaps.gaps(span)}  # fmt: skip


class NewProposal(BaseModel):
    """``alias``, ``question``: ``item_key`` and ``phrase``; ``example``: ``intent`` and ``phrase``;
    ``guide``: ``name``, ``area`` and ``questions``."""

    kind: Literal["alias", "question", "example", "guide"]
    phrase: str = Field(default="", max_length=60)
    item_key: str = ""
    intent: str = ""
    name: str = Field(default="", max_length=40)
    area: str = ""
    questions: list[str] = Field(default_factory=list, max_length=40)


@router.post("/proposals", status_code=201)
async def propose(parts: Parts, manager: Manager, new: NewProposal) -> dict[str, Any]:
    """A draft change of one file, as a diff; nothing is written until it is approved."""
    made = await parts.desk.draft(by=manager.username, **new.model_dump())
    return proposal_json(made)


@router.get("/proposals")
async def proposals(parts: Parts, state: Literal["draft", "approved", "rejected"] | None = None) -> dict[str, Any]:
    return {"proposals": [proposal_json(p) for p in await parts.proposals.proposals(state)]}


@router.post("/proposals/{proposal_id}/approve")
async def approve(parts: Parts, manager: Manager, proposal_id: int) -> dict[str, Any]:
    """Writes it to a working copy with its patch, and checks the copy."""
    return proposal_json(await parts.desk.approve(proposal_id, manager.username))


@router.post("/proposals/{proposal_id}/reject")
async def reject(parts: Parts, manager: Manager, proposal_id: int) -> dict[str, Any]:
    return proposal_json(await parts.desk.reject(proposal_id, manager.username))


@router.post("/proposals/{proposal_id}/evaluate", status_code=202)
async def evaluate(parts: Parts, manager: Manager, proposal_id: int) -> dict[str, Any]:
    """Asks for ``make eval`` before and after: the process behind the line runs it in copies of the project.
    ``evaluation`` of the proposal tells how far it is, and then better, worse or same."""
    proposal = await parts.proposals.proposal(proposal_id)
    if proposal.state != "approved":
        raise BadInputError("只有批准了的建议才评测，请先批准。")
    if proposal.evaluation.get("state") in ("queued", "running"):
        return proposal_json(proposal)
    asked = {"state": "queued", "at": now().isoformat(), "by": manager.username}
    return proposal_json(await parts.proposals.attach(proposal_id, asked))


class Evaluation(BaseModel):
    """Measures before and after, as ``make eval`` writes them (``measures`` of reports/eval.json)."""

    before: dict[str, Any]
    after: dict[str, Any]


@router.put("/proposals/{proposal_id}/evaluation")
async def attach(parts: Parts, proposal_id: int, evaluation: Evaluation) -> dict[str, Any]:
    measured = evaluation.model_dump()
    return proposal_json(await parts.proposals.attach(proposal_id, {"state": "done", **measured}))


@router.get("/quality")
async def quality(parts: Parts, span: Looked, rule: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:  # fmt: skip
    """The mean score, how often each rule was broken, and the conversations, worst first."""
    if rule is not None and rule not in RULES:
        raise BadInputError(f"没有这条规则；有的是 {'、'.join(RULES)}。")
    scores = await parts.reviews.scores(span)
    hidden = small(scores["conversations"], parts.dashboard.k)
    worst = await parts.reviews.worst(span, rule, limit)
    return {
        "demo": await parts.is_demo(), "conversations": None if hidden else scores["conversations"],
        "score": None if hidden or scores["score"] is None else round(float(scores["score"]), 2),
        "rules": [{**row, "broken": scores["broken"].get(row["rule"], 0)} for row in told()["rules"]],
        "worst": [{**row, "started_at": row["started_at"].isoformat()} for row in worst],
    }  # fmt: skip


class Sampling(BaseModel):
    """``reviewers``: at least three, so that a third can settle."""

    number: int = Field(ge=1, le=500)
    reviewers: list[str] = Field(min_length=3, max_length=50)
    seed: int = 0


@router.post("/reviews", status_code=201)
async def sample(house: House, parts: Parts, span: Looked, sampling: Sampling) -> dict[str, Any]:
    """Draws conversations and asks two reviewers for each, in turn."""
    people = list(dict.fromkeys(sampling.reviewers))
    if len(people) < 3:
        raise BadInputError("至少要三位不同的质检员，意见不一时由第三位定。")
    able = await _reviewers(house)
    if unknown := [name for name in people if name not in able]:
        raise BadInputError(f"这几位不能质检（要有能用的班长或管理人员账号）：{'、'.join(unknown)}。")
    await parts.marks.put(_POOL, people)
    drawn = await parts.reviews.sample(span, sampling.number, sampling.seed)
    for n, conversation_id in enumerate(drawn):
        for place in (1, 2):
            await parts.reviews.ask(conversation_id, people[(2 * n + place - 1) % len(people)], place, now())
    return {"asked": len(drawn)}


@router.get("/reviews/reviewers")
async def reviewers(house: House) -> dict[str, Any]:
    """Who can be asked to review."""
    return {
        "reviewers": [{"username": name, "display_name": shown} for name, shown in (await _reviewers(house)).items()]
    }


async def _reviewers(house: Services) -> dict[str, str]:
    accounts = await house.sign_in.accounts()
    able = [a for a in accounts if not a.disabled and may_act_as(a.roles, (Role.SUPERVISOR, Role.MANAGER))]
    return {account.username: account.display_name for account in able}


@router.get("/reviews/results")
async def results(parts: Parts) -> dict[str, Any]:
    """What reviews came to, and how far two reviewers agree (Cohen's kappa)."""
    all_ = await parts.reviews.reviews()
    found = settled(all_)
    return {
        "reviewed": len(found), "kappa": agreement(all_), "waiting": sum(r.done_at is None for r in all_),
        "results": [row._asdict() for row in found],
    }  # fmt: skip


@reviewing.get("/reviews/mine")
async def mine(parts: Parts, reviewer: Reviewer) -> dict[str, Any]:
    """What this reviewer is asked to look at; never what another one thinks."""
    rows = await parts.reviews.reviews(reviewer=reviewer.username)
    return {"reviews": [r.model_dump(mode="json") for r in rows]}


class Verdict(BaseModel):
    passed: bool
    score: int = Field(ge=0, le=100)
    note: str = Field(default="", max_length=500)


@reviewing.put("/reviews/{conversation_id}")
async def give(parts: Parts, reviewer: Reviewer, conversation_id: str, verdict: Verdict) -> dict[str, Any]:
    """Keeps this reviewer's verdict; where the two differ, a third is asked."""
    review = Review(
        conversation_id=conversation_id, reviewer=reviewer.username, place=0, passed=verdict.passed, score=verdict.score,
        note=mask_text(verdict.note), asked_at=now(), done_at=now(),
    )  # fmt: skip
    await parts.reviews.give(review)
    rows = await parts.reviews.reviews(conversation_id)
    pool = await parts.marks.get(_POOL) or []
    if third := next_place(rows, await parts.reviews.reviews(), pool):
        await parts.reviews.ask(conversation_id, third, 3, now())
    return {"conversation_id": conversation_id, "kept": True}
