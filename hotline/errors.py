"""Named errors. Each carries a sentence a citizen can act on."""

from __future__ import annotations


class HotlineError(Exception):
    """Base of all named errors.

    ``code`` is stable and machine-readable; ``citizen_sentence`` is Chinese and can be
    shown or spoken as it is; ``status`` is the HTTP status a route answers with.
    """

    code = "internal_error"
    status = 500
    citizen_sentence = "抱歉，系统出了点问题，请稍后再试，或拨打 12345 找人工。"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.citizen_sentence)
        self.detail = detail or self.citizen_sentence


class BadInputError(HotlineError):
    """Something a citizen or client sent cannot be taken. ``detail`` says what to do."""

    code = "bad_input"
    status = 422


class EmptyTextError(BadInputError):
    code = "empty_text"
    citizen_sentence = "我没有收到文字，请说一下您想问的事，例如「居住证怎么办」。"


class TextTooLongError(BadInputError):
    code = "text_too_long"
    citizen_sentence = "一次最多 500 个字，请把问题分成几句来问。"


class UnreadableTextError(BadInputError):
    code = "unreadable_text"
    citizen_sentence = "这条消息里没有我能读懂的文字，请用文字说一下您想问的事。"


class NotAuthorisedError(HotlineError):
    code = "not_authorised"
    status = 401
    citizen_sentence = "这次对话的凭证不对或已失效，请刷新页面重新开始。"


class NotFoundError(HotlineError):
    code = "not_found"
    status = 404
    citizen_sentence = "没有找到您要的内容，请核对后再试。"


class ConversationClosedError(HotlineError):
    code = "conversation_closed"
    status = 409
    citizen_sentence = "这次对话已经结束，请刷新页面开始新的对话。"


class IllegalTransitionError(HotlineError):
    code = "illegal_transition"
    status = 409
    citizen_sentence = "现在不能这样做，请刷新页面后再试。"

    def __init__(self, state: str, trigger: str) -> None:
        super().__init__(f"{self.citizen_sentence}（{state} ✕ {trigger}）")
        self.state = state
        self.trigger = trigger


class PartDownError(HotlineError):
    """A part the turn needs did not answer in time, or answered garbage."""

    code = "part_down"
    status = 503


class HubDownError(PartDownError):
    """The data hub is unreachable, too late, or its answer cannot be read."""

    code = "hub_down"
    citizen_sentence = "数据中台暂时联系不上，现在查不了办件进度；办事指南仍然可以问我。"


class DialogueDownError(PartDownError):
    """The dialogue engine gave no answer in time."""

    code = "dialogue_down"
    citizen_sentence = (
        "智能问答暂时答不上来，您的话我已经记下。您可以说「转人工」，或拨打 12345；紧急情况请直接拨打 110、119 或 120。"
    )


class ActionsDownError(PartDownError):
    """The dialogue engine answered, but its actions did not."""

    code = "actions_down"
    citizen_sentence = "我听到了，但查资料的服务暂时没有响应，请稍后再问一次。您也可以说「转人工」，或拨打 12345。"


class RecogniserDownError(PartDownError):
    code = "recogniser_down"
    citizen_sentence = "语音识别暂时不可用，没听清您刚才的话。您可以在网页上打字问我，或拨打 12345 找人工。"


class SynthesiserDownError(PartDownError):
    code = "synthesiser_down"
    citizen_sentence = "语音播报暂时不可用，请看屏幕上的文字。"


class CaseNotFoundError(HotlineError):
    code = "case_not_found"
    status = 404
    citizen_sentence = "没有查到这个办件，请核对办件号或查询码。"


class SlotTakenError(HotlineError):
    code = "slot_taken"
    status = 409
    citizen_sentence = "这个时段已经约满，请换一个时段。"


class IdentityRequiredError(HotlineError):
    code = "identity_required"
    status = 403
    citizen_sentence = "查办件进度要先核对身份。"


class IdentityLockedError(HotlineError):
    code = "identity_locked"
    status = 423
    citizen_sentence = "核对身份已错三次，为保护申请人，这个办件暂时锁定。我可以帮您转人工。"


class AudioFormatError(BadInputError):
    code = "audio_format"
    citizen_sentence = "声音格式不支持，请用 8000 或 16000 赫兹的单声道音频。"


class FrameOrderError(BadInputError):
    code = "frame_order"
    citizen_sentence = "通话要先发开始信号，再发声音。"


class GuideError(HotlineError):
    """A guide file is wrong. ``detail`` names file, field and reason."""

    code = "bad_guide"
