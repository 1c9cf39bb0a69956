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


class MoveRefusedError(BadInputError):
    """The hub will not take a move of a work order: it knows another under that number, or no such order."""

    code = "move_refused"
    citizen_sentence = "数据中台不收这一步流转，请核对中台上的工单后再交。"


class NotAuthorisedError(HotlineError):
    code = "not_authorised"
    status = 401
    citizen_sentence = "这次对话的凭证不对或已失效，请刷新页面重新开始。"


class SignInRequiredError(HotlineError):
    """No session, or one that has ended."""

    code = "sign_in_required"
    status = 401
    citizen_sentence = "您还没有登录，或者登录已过期，请重新登录。"


class SignInFailedError(HotlineError):
    """Wrong user name or password; also a disabled account, so that names can't be probed."""

    code = "sign_in_failed"
    status = 401
    citizen_sentence = "用户名或密码不对，请核对后再试。"


class WrongPasswordError(BadInputError):
    """The old password given with a new one. Not 401: the session goes on."""

    code = "wrong_password"
    citizen_sentence = "原来的密码不对，密码没有改。"


class SignInLockedError(HotlineError):
    """Too many failures. ``retry_after_s``: in how many seconds the next attempt is taken."""

    code = "sign_in_locked"
    status = 429
    citizen_sentence = "密码连续输错太多次，暂时锁定，请稍后再试，或请系统管理员重置密码。"

    def __init__(self, detail: str | None = None, retry_after_s: int = 60) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class SignOnError(HotlineError):
    """The district's own sign-on (OIDC) did not bring anybody in. The base: its answer cannot be used."""

    code = "oidc_failed"
    status = 401
    citizen_sentence = "统一认证的登录没有成功，请再试一次；还是不行，请联系系统管理员。"


class SignOnOffError(SignOnError):
    code = "oidc_off"
    status = 404
    citizen_sentence = "这里没有接统一认证，请用账号和密码登录。"


class SignOnDownError(SignOnError):
    code = "oidc_down"
    status = 503
    citizen_sentence = "统一认证暂时联系不上，请稍后再试，或用本地账号登录。"


class SignOnStateError(SignOnError):
    """No sign-on of this browser was under way, or it took too long."""

    code = "oidc_state"
    citizen_sentence = "这次登录不是从这个浏览器开始的，或者超过了十分钟，请重新登录。"


class SignOnDeniedError(SignOnError):
    """The provider itself said no (``error`` in its answer)."""

    code = "oidc_denied"
    citizen_sentence = "统一认证没有同意这次登录，请重新登录，或联系统一认证的管理员。"


class SignOnIssuerError(SignOnError):
    code = "oidc_issuer"
    citizen_sentence = "登录凭证不是所设的统一认证签发的，没有登录。请联系系统管理员核对 OIDC_ISSUER。"


class SignOnAudienceError(SignOnError):
    code = "oidc_audience"
    citizen_sentence = "登录凭证是签发给别的系统的，没有登录。请联系系统管理员核对 OIDC_CLIENT_ID。"


class SignOnExpiredError(SignOnError):
    code = "oidc_expired"
    citizen_sentence = "登录凭证已过期，请重新登录；总是这样，请系统管理员核对两边机器的时间。"


class SignOnNonceError(SignOnError):
    code = "oidc_nonce"
    citizen_sentence = "登录凭证不属于这一次登录，没有登录。请重新登录。"


class SignOnSignatureError(SignOnError):
    code = "oidc_signature"
    citizen_sentence = "登录凭证的签名不对，没有登录。请联系系统管理员。"


class NoRoleError(SignOnError):
    code = "oidc_no_role"
    status = 403
    citizen_sentence = "统一认证认得您，但您没有热线的角色，请联系系统管理员。"


class AccountDisabledError(SignOnError):
    code = "account_disabled"
    status = 403
    citizen_sentence = "您在热线的账号已停用，请联系系统管理员。"


class RoleRequiredError(HotlineError):
    code = "role_required"
    status = 403
    citizen_sentence = "您的账号没有这项权限，需要的话请联系系统管理员。"


class CrossSiteError(HotlineError):
    """A change asked for by cookie without the proof that our own page asked for it."""

    code = "cross_site"
    status = 403
    citizen_sentence = "这个请求不像是从本站页面发出的，没有执行。请刷新页面后再试。"


class AccountExistsError(HotlineError):
    code = "account_exists"
    status = 409
    citizen_sentence = "这个用户名已经有了，请换一个。"


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


class BusyError(HotlineError):
    """As much is going on as the settings allow."""

    code = "busy"
    status = 503
    citizen_sentence = "现在同时使用的人太多，请过一会儿再试，或拨打 12345。"


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


class CallOverloadedError(HotlineError):
    """More is said than can be answered: sound sent faster than in real time."""

    code = "call_overloaded"
    status = 429
    citizen_sentence = "您说得太快，有几句没来得及听，请等我答完再说。"


class RecordingDamagedError(HotlineError):
    """A recording's file is missing, was changed, or was sealed with another key."""

    code = "recording_damaged"
    citizen_sentence = "这段录音读不出来：文件不在、被改过，或者不是用现在的密钥加密的。"


class BadPhoneFrameError(BadInputError):
    """An AudioSocket frame that cannot be one: the stream can no longer be read."""

    code = "bad_frame"
    citizen_sentence = "电话线路上的数据读不懂，请检查交换机的 AudioSocket 设置。"


class LineBusyError(HotlineError):
    """All lines are in use."""

    code = "line_busy"
    status = 503
    citizen_sentence = "现在打进来的人很多，线路全忙，请稍后再打，或拨打 12345；紧急情况请直接拨打 110、119 或 120。"


class CallerBusyError(HotlineError):
    """This number has as many calls as one number may have."""

    code = "caller_busy"
    status = 429
    citizen_sentence = "这个号码已有通话没有结束，请先挂断再打；紧急情况请直接拨打 110、119 或 120。"


class GuideError(HotlineError):
    """A guide file is wrong. ``detail`` names file, field and reason."""

    code = "bad_guide"
