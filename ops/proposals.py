"""``make eval`` before and after an approved proposal, in copies of the project, and what it comes to.

Nothing of the running line is touched: each copy has a line, data and trained models of its own. The
figures before are kept by the content of the project, so a second proposal asks only its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.proposal_desk import StaleProposalError
from hotline.errors import BadInputError, HotlineError
from hotline.insight_ports import ProposalBook
from hotline.insights import Proposal
from hotline.settings import ROOT, Settings
from insights.proposals import content_hash
from insights.verdict import verdict
from ops.evaluation.scoring import lower_is_better

COMMAND = (sys.executable, "-m", "ops.evaluate", "--text-only")
_COPIED = (
    "actions bin bot data_hub desk gateway hotline insights knowledge_base nlu_data ops storage voice config.yml pyproject.toml"
).split()
_LINKED = (".venv", "web")
_REPORT = Path("reports") / "eval.json"
_GONE_WRONG_AFTER_S = 3600.0
_NICE = 15

Tell = Callable[[str], Awaitable[None]]


class EvaluationError(HotlineError):
    """An evaluation did not come to its end. What was measured before stays."""

    code = "evaluation_failed"
    status = 500
    citizen_sentence = "评测没有跑完。"


@dataclass
class Evaluator:
    """``folder``: where the copies and the figures of before stand; ``root``: the project."""

    book: ProposalBook
    folder: Path
    models: Path
    root: Path = ROOT
    command: Sequence[str] = COMMAND
    copied: Sequence[str] = field(default_factory=lambda: [*_COPIED, "tests/evaluation"])

    @classmethod
    def of(cls, settings: Settings, book: ProposalBook) -> Evaluator:
        return cls(book, settings.data_dir / "proposals", settings.models_dir)

    async def evaluate(self, proposal_id: int, tell: Tell | None = None) -> Proposal:
        """Measures before and after, and keeps what it came to with the proposal; where it fails, why.

        Raises:
            BadInputError: it is not approved. StaleProposalError, EvaluationError, NotFoundError.
        """
        proposal = await self.book.proposal(proposal_id)
        if proposal.state != "approved":
            raise BadInputError("只有批准了的建议才评测，请先批准。")
        begun = datetime.now(UTC)

        async def step(words: str) -> None:
            await self.book.attach(proposal_id, {"state": "running", "step": words, "begun": begun.isoformat()})
            if tell:
                await tell(words)

        try:
            before, after = await self._both(proposal, step)
        except Exception as error:
            ours = f"评测出错（{type(error).__name__}），原因见统计进程的记录；可以再评测一次。"
            detail = error.detail if isinstance(error, HotlineError) else ours
            await self.book.attach(proposal_id, {"state": "failed", "detail": detail, "begun": begun.isoformat()})
            raise
        seconds = round((datetime.now(UTC) - begun).total_seconds(), 1)
        told = {"state": "done", "before": before, "after": after, **verdict(before, after, lower_is_better)}
        return await self.book.attach(proposal_id, {**told, "begun": begun.isoformat(), "seconds": seconds})

    async def _both(self, proposal: Proposal, step: Tell) -> tuple[dict[str, Any], dict[str, Any]]:
        target = self.root / proposal.path
        now = content_hash(target.read_text(encoding="utf-8")) if target.is_file() else ""
        if now != proposal.before_hash:
            raise StaleProposalError
        mark = await asyncio.to_thread(fingerprint, self.root, self.copied)
        kept = self.folder / f"before-{mark[:16]}.json"
        if kept.is_file():
            before = dict(json.loads(kept.read_text(encoding="utf-8")))
            await step("改之前的数上次量过了")
        else:
            before = await self._measure(self.folder / "before", None, lambda words: step(f"改之前：{words}"))
            kept.write_text(json.dumps(before, ensure_ascii=False), encoding="utf-8")
        copy = self.folder / str(proposal.proposal_id) / "tree"
        return before, await self._measure(copy, proposal, lambda words: step(f"改之后：{words}"))

    async def _measure(self, copy: Path, change: Proposal | None, step: Tell) -> dict[str, Any]:
        await asyncio.to_thread(self._lay_out, copy, change)
        env = os.environ | {"MODELS_DIR": str(copy / "models"), "PYTHONPATH": str(copy), "PYTHONUNBUFFERED": "1"}
        for name in ("DATABASE_URL", "DATA_DIR", "EVAL_SETS", "LINE_TOKEN", "HUB_URL"):
            env.pop(name, None)  # the copy's line is its own
        process = await asyncio.create_subprocess_exec(
            *self.command, cwd=copy, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            preexec_fn=lambda: os.nice(_NICE) and None,
        )  # fmt: skip
        try:
            async with asyncio.timeout(_GONE_WRONG_AFTER_S):
                last = await self._follow(process, step)
                await process.wait()
        except TimeoutError:
            raise EvaluationError("评测一小时没有跑完，已停下；请看机器是不是太忙。") from None
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        report = copy / _REPORT
        if not report.is_file():  # below a floor it ends with 1 too, and that is a result
            raise EvaluationError(f"评测没有跑完：{last or f'退出码 {process.returncode}'}")
        measures = json.loads(report.read_text(encoding="utf-8"))["measures"]
        await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)
        return dict(measures)

    @staticmethod
    async def _follow(process: asyncio.subprocess.Process, step: Tell) -> str:
        """Tells each line of progress; the last one, where it must explain a failure."""
        assert process.stdout is not None
        last = ""
        async for raw in process.stdout:
            if (line := raw.decode("utf-8", "replace").strip()) and not line.startswith(("|", "#", "-")):
                last = line[:160]
                await step(last)
        return last

    def _lay_out(self, copy: Path, change: Proposal | None) -> None:
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir(parents=True)
        for name in self.copied:
            source, target = self.root / name, copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.is_file():
                shutil.copy2(source, target)
        for name in _LINKED:
            if (self.root / name).exists():
                (copy / name).symlink_to((self.root / name).resolve())
        models = copy / "models"
        (models / "engine").mkdir(parents=True)
        if self.models.is_dir():
            for entry in self.models.iterdir():
                if entry.name != "engine":
                    (models / entry.name).symlink_to(entry.resolve())
            for model in (self.models / "engine").glob("*.tar.gz"):  # trained ones serve; old ones stay where they are
                (models / "engine" / model.name).symlink_to(model.resolve())
        if change is not None:
            target = copy / change.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(change.content, encoding="utf-8")


def fingerprint(root: Path, names: Sequence[str]) -> str:
    """Changes with any file that an evaluation reads."""
    digest = hashlib.sha256()
    for name in names:
        files = sorted((root / name).rglob("*")) if (root / name).is_dir() else [root / name]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return digest.hexdigest()
