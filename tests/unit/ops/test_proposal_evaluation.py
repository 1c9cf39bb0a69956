"""A proposal is measured before and after in copies, and what it comes to stands with it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.proposal_desk import StaleProposalError
from hotline.errors import BadInputError
from hotline.insights import Proposal
from insights.proposals import content_hash
from insights.verdict import verdict
from ops.evaluation.scoring import lower_is_better
from ops.proposals import EvaluationError, Evaluator
from storage.insight_memory import MemoryProposalBook

GUIDE = "knowledge_base/guides/residence/JZ02.yml"
# Stands for ``make eval``: reads the guide of the copy it runs in and counts its questions.
SCRIPT = """
import json, pathlib
guide = pathlib.Path("knowledge_base/guides/residence/JZ02.yml").read_text(encoding="utf-8")
if "坏" in guide: raise SystemExit("训练数据有误")
right = 50 + 10 * guide.count("- 几时攞到")
print("单句提问 …", flush=True)
pathlib.Path("reports").mkdir()
measures = {"questions.top1.all": {"rate": right / 100, "count": right, "total": 100}}
pathlib.Path("reports/eval.json").write_text(json.dumps({"measures": measures}))
"""


class Project:
    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        (self.root / GUIDE).parent.mkdir(parents=True)
        (self.root / GUIDE).write_text("questions:\n", encoding="utf-8")
        (self.root / "ops").mkdir()
        (self.root / "ops" / "measure.py").write_text(SCRIPT, encoding="utf-8")
        models = folder / "models"
        (models / "engine").mkdir(parents=True)
        (models / "engine" / "trained.tar.gz").write_bytes(b"model")
        self.book, self.models = MemoryProposalBook(), models
        self.desk = Evaluator(
            self.book, folder / "proposals", models, self.root, (sys.executable, "ops/measure.py"), ["knowledge_base", "ops"]
        )  # fmt: skip

    async def approved(self, content: str) -> int:
        now = content_hash((self.root / GUIDE).read_text(encoding="utf-8"))
        at = datetime(2026, 3, 2, tzinfo=UTC)
        made = await self.book.propose(Proposal(kind="question", title="…", path=GUIDE, before_hash=now, content=content, diff="…", by="m", at=at))  # fmt: skip
        await self.book.decide(made.proposal_id, "approved", [], "m", at)
        return made.proposal_id


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


async def test_a_change_that_helps_is_better_by_its_figures_and_the_project_is_untouched(project: Project) -> None:
    number = await project.approved("questions:\n  - 几时攞到\n")
    steps: list[str] = []

    async def tell(words: str) -> None:
        steps.append(words)

    told = (await project.desk.evaluate(number, tell)).evaluation
    assert (told["state"], told["verdict"]) == ("done", "better")
    assert told["changes"] == [{"measure": "questions.top1.all", "before": 0.5, "after": 0.6, "better": True}]
    assert steps == ["改之前：单句提问 …", "改之后：单句提问 …"]
    assert (project.root / GUIDE).read_text(encoding="utf-8") == "questions:\n"
    assert [f.name for f in (project.models / "engine").iterdir()] == ["trained.tar.gz"]
    again = await project.approved("questions:\n  - 别的\n")
    steps.clear()
    assert (await project.desk.evaluate(again, tell)).evaluation["verdict"] == "same"
    assert steps == ["改之前的数上次量过了", "改之后：单句提问 …"]


async def test_one_that_cannot_be_measured_says_why_and_stays_open_to_another_try(project: Project) -> None:
    number = await project.approved("坏\n")
    with pytest.raises(EvaluationError, match="训练数据有误"):
        await project.desk.evaluate(number)
    kept = (await project.book.proposal(number)).evaluation
    assert kept["state"] == "failed"
    assert "训练数据有误" in kept["detail"]


async def test_only_an_approved_proposal_of_the_file_as_it_is_now_is_measured(project: Project) -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    draft = await project.book.propose(Proposal(kind="question", title="…", path=GUIDE, before_hash="", content="", diff="", by="m", at=at))  # fmt: skip
    with pytest.raises(BadInputError):
        await project.desk.evaluate(draft.proposal_id)
    number = await project.approved("questions:\n  - 几时攞到\n")
    (project.root / GUIDE).write_text("questions:\n  - 别人改的\n", encoding="utf-8")
    with pytest.raises(StaleProposalError):
        await project.desk.evaluate(number)


def rates(**shares: float) -> dict[str, dict[str, float]]:
    return {name: {"rate": rate, "count": rate * 1000, "total": 1000} for name, rate in shares.items()}


def test_one_measure_that_got_worse_makes_the_whole_worse_and_lower_is_better_for_errors() -> None:
    before = rates(**{"questions.top1.all": 0.8, "questions.answered_wrongly.all": 0.05, "flows.intent.all": 0.9})
    after = rates(**{"questions.top1.all": 0.9, "questions.answered_wrongly.all": 0.07, "flows.intent.all": 0.901})
    told = verdict(before, after, lower_is_better)
    assert told["verdict"] == "worse"
    assert [(c["measure"], c["better"]) for c in told["changes"]] == [("questions.answered_wrongly.all", False), ("questions.top1.all", True)]  # fmt: skip
    assert verdict(before, before, lower_is_better) == {"verdict": "same", "changes": []}
