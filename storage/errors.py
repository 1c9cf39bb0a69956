"""Named errors of the store."""

from __future__ import annotations

from hotline.errors import HotlineError, PartDownError


class UnmaskedTextError(HotlineError):
    """A text that still holds personal data was handed to the store. Nothing was written.

    ``detail`` names the field, never the text: errors end up in logs.
    """

    code = "unmasked_text"

    def __init__(self, where: str) -> None:
        super().__init__(f"{where}: 含未隐去的个人信息，未保存")
        self.where = where


class ConversationExistsError(HotlineError):
    """The conversation id is taken."""

    code = "conversation_exists"
    status = 409


class TurnIdTakenError(HotlineError):
    """The turn id belongs to a turn of another conversation."""

    code = "turn_id_taken"
    status = 409


class TurnAlreadyAnsweredError(HotlineError):
    """The turn has its answer; the stored one stands and nothing was written."""

    code = "turn_already_answered"
    status = 409


class StorageDownError(PartDownError):
    """The database is unreachable, locked for too long, full, or has no tables yet."""

    code = "storage_down"
    citizen_sentence = "系统暂时记不下您的话，请稍后再试，或拨打 12345 找人工；紧急情况请直接拨打 110、119 或 120。"
