"""All actions of the line, in one list."""

from __future__ import annotations

from actions import (
    appointment_asking,
    appointment_form,
    case_status,
    enrolment,
    rating,
    request_asking,
    request_form,
    service,
    talk,
    work_order_status,
)
from actions.base import HotlineAction, Tools

ACTIONS: tuple[type[HotlineAction], ...] = (
    service.AnswerService,
    service.ChooseOption,
    service.NoneOfThem,
    service.SwitchService,
    service.Inform,
    service.Fallback,
    case_status.ValidateCaseStatusForm,
    case_status.AskCaseReference,
    case_status.AskIdentity,
    case_status.CaseStatus,
    enrolment.CheckEnrolment,
    request_form.ValidateRequestForm,
    request_asking.AskRequest,
    request_asking.FileRequest,
    work_order_status.ValidateWorkOrderForm,
    work_order_status.AskWorkOrder,
    work_order_status.TellWorkOrder,
    appointment_form.ValidateAppointmentForm,
    appointment_asking.AskAppointment,
    appointment_asking.BookAppointment,
    rating.Rate,
    talk.SmallTalk,
    talk.ChooseLanguage,
    talk.Repeat,
    talk.Cancel,
    talk.LeaveFlow,
    talk.Handoff,
    talk.CancelHandoff,
    talk.Safety,
)


def make_actions(tools: Tools) -> list[HotlineAction]:
    return [action(tools) for action in ACTIONS]
