"""All actions of the line, in one list."""

from __future__ import annotations

from actions import case_status, service, talk
from actions.base import HotlineAction, Tools

ACTIONS: tuple[type[HotlineAction], ...] = (
    service.AnswerService,
    service.ChooseOption,
    service.NoneOfThem,
    service.SwitchService,
    service.Inform,
    service.Fallback,
    service.FileRequest,
    case_status.ValidateCaseStatusForm,
    case_status.AskCaseReference,
    case_status.AskIdentity,
    case_status.CaseStatus,
    talk.SmallTalk,
    talk.Repeat,
    talk.Cancel,
    talk.Handoff,
    talk.CancelHandoff,
    talk.Safety,
)


def make_actions(tools: Tools) -> list[HotlineAction]:
    return [action(tools) for action in ACTIONS]
