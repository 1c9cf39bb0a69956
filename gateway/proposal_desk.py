"""Proposed changes of guides and training examples: made from the repository's files, tried in a copy.

Nothing here writes to the repository: what is approved stands in a working copy under DATA_DIR with the
patch beside it, checked; a person takes it over with ``git apply``.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hotline.errors import BadInputError, GuideError, HotlineError
from hotline.insight_ports import ProposalBook
from hotline.insights import LOCAL, Proposal
from hotline.privacy import mask_text
from hotline.settings import ROOT
from insights.proposals import content_hash, draft_guide, unified, with_example, with_phrase
from knowledge_base.catalogue import load_catalogue
from knowledge_base.lint import lint

_GUIDES, _TRAINING = "knowledge_base", "nlu_data"
_KINDS = ("alias", "question", "example", "guide")


class StaleProposalError(HotlineError):
    """The file has changed since the proposal was made; nothing was written."""

    code = "stale_proposal"
    status = 409
    citizen_sentence = "这份建议所改的文件后来变过了，请重新生成一份。"


class ProposalDesk:
    """``root``: the repository; ``folder``: where working copies stand."""

    def __init__(self, book: ProposalBook, folder: Path, root: Path = ROOT) -> None:
        self._book, self._folder, self._root = book, folder, root

    async def draft(self, kind: str, by: str, phrase: str = "", item_key: str = "", intent: str = "", name: str = "", area: str = "", questions: list[str] | None = None) -> Proposal:  # fmt: skip
        """Makes a proposal and keeps it. Raises BadInputError."""
        if mask_text(phrase + name + "".join(questions or [])) != phrase + name + "".join(questions or []):
            raise BadInputError("里面有像手机号、证件号、姓名的内容，请去掉。")
        if kind in ("alias", "question"):
            path = self._guide(item_key)
            part = "aliases" if kind == "alias" else "questions"
            before = self._text(path)
            after, title = (
                with_phrase(before, part, phrase),
                f"{item_key} 加{'叫法' if kind == 'alias' else '问法'}「{phrase}」",
            )
        elif kind == "example":
            path = self._training(intent)
            before = self._text(path)
            after, title = with_example(before, intent, phrase), f"{intent} 加例句「{phrase}」"
        elif kind == "guide":
            path, before, after = await asyncio.to_thread(self._new_guide, name, area, questions or [])
            title = f"新指南「{name}」"
        else:
            raise BadInputError(f"建议的种类只有 {'、'.join(_KINDS)}。")
        return await self._book.propose(
            Proposal(
                kind=kind, title=title, path=path, before_hash=content_hash(before) if before else "", content=after,
                diff=unified(path, before, after), by=by, at=datetime.now(UTC),
            )
        )  # fmt: skip

    async def approve(self, proposal_id: int, by: str) -> Proposal:
        """Writes the working copy and the patch, checks the copy, and keeps what was found.

        Raises:
            StaleProposalError, NotFoundError, IllegalTransitionError (decided already).
        """
        proposal = await self._book.proposal(proposal_id)
        target = self._root / proposal.path
        now_hash = content_hash(target.read_text(encoding="utf-8")) if target.is_file() else ""
        if now_hash != proposal.before_hash:
            raise StaleProposalError
        findings = await asyncio.to_thread(self._try, proposal)
        return await self._book.decide(proposal_id, "approved", findings, by, datetime.now(UTC))

    async def reject(self, proposal_id: int, by: str) -> Proposal:
        await self._book.proposal(proposal_id)
        return await self._book.decide(proposal_id, "rejected", [], by, datetime.now(UTC))

    def copy_of(self, proposal_id: int) -> Path:
        return self._folder / str(proposal_id)

    def _try(self, proposal: Proposal) -> list[str]:
        copy = self.copy_of(proposal.proposal_id)
        shutil.rmtree(copy, ignore_errors=True)
        for part in (_GUIDES, _TRAINING):
            shutil.copytree(self._root / part, copy / part, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        (copy / proposal.path).write_text(proposal.content, encoding="utf-8")
        (copy / "change.patch").write_text(proposal.diff, encoding="utf-8")
        try:
            found = lint(load_catalogue(copy / _GUIDES))
        except GuideError as error:
            return [error.detail]
        return [str(finding) for finding in found]

    def _guide(self, item_key: str) -> str:
        found = sorted((self._root / _GUIDES / "guides").glob(f"*/{item_key}.yml")) if re.fullmatch(r"[A-Z]{2}\d{2}", item_key) else []  # fmt: skip
        if not found:
            raise BadInputError("没有这个事项，请给事项的短编号，例如 JZ02。")
        return found[0].relative_to(self._root).as_posix()

    def _training(self, intent: str) -> str:
        for file in sorted((self._root / _TRAINING).glob("*.yml")):
            if re.fullmatch(r"\w+", intent) and f"- intent: {intent}\n" in file.read_text(encoding="utf-8"):
                return file.relative_to(self._root).as_posix()
        raise BadInputError("没有这个意图。")

    def _text(self, path: str) -> str:
        return (self._root / path).read_text(encoding="utf-8")

    def _new_guide(self, name: str, area: str, questions: list[str]) -> tuple[str, str, str]:
        catalogue = load_catalogue(self._root / _GUIDES)
        mine = [item for item in catalogue.items.values() if item.area == area]
        if not mine or not re.fullmatch(r"[\u4e00-\u9fffA-Za-z0-9（）、]{2,40}", name):
            raise BadInputError("新指南要有名称（二到四十个字）和已有的领域。")
        prefix = mine[0].key[:2]
        taken = {int(key[2:]) for key in catalogue.items if key.startswith(prefix)}
        number = next(n for n in range(1, 100) if n not in taken)
        key = f"{prefix}{number:02d}"
        code = f"TEST440605000000NH{4990000000000 + number * 1000 + sum(map(ord, prefix)):013d}"
        today = datetime.now(LOCAL).date().isoformat()
        content = draft_guide(key, code, name, area, mine[0].department, questions, today)
        return f"{_GUIDES}/guides/{area}/{key}.yml", "", content


def proposal_json(proposal: Proposal) -> dict[str, Any]:
    """Without the whole file: the diff says it."""
    return proposal.model_dump(mode="json", exclude={"content"})
