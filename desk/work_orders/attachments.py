"""附件: what citizens and departments send along. Kept as files beside the database, never in it.

The type is told by the content, not by the name. Images are drawn anew, so that nothing hidden in
them (EXIF: place, time, device) is kept. The name of the stored file is made here.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import unicodedata
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from hotline.errors import BadInputError, NotFoundError
from hotline.work_order_record import Attachment, WorkOrderRecord

MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "PDF": "application/pdf"}
_ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "application/pdf": ".pdf"}
_MOST_PIXELS = 40_000_000
_ALLOWED = "JPEG、PNG、WebP 图片或 PDF"


class TooLargeError(BadInputError):
    code = "attachment_too_large"
    status = 413


class AttachmentTypeError(BadInputError):
    code = "attachment_type"
    status = 415
    citizen_sentence = f"附件只收{_ALLOWED}，请换一个文件。"


class TooManyError(BadInputError):
    code = "too_many_attachments"
    status = 409


class Attachments:
    """Files under ``folder``, one folder an order."""

    def __init__(self, folder: Path, largest_mb: int, most: int, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._largest = largest_mb * 1024 * 1024
        self._most = most
        self._now = now

    async def keep(self, record: WorkOrderRecord, name: str, content: bytes, by: str) -> Attachment:
        """Stores ``content``, cleaned. Raises TooLargeError, AttachmentTypeError, TooManyError."""
        if len(record.attachments) >= self._most:
            raise TooManyError(f"一张工单最多 {self._most} 个附件。")
        if len(content) > self._largest:
            raise TooLargeError(f"一个附件最大 {self._largest // 1024 // 1024} MB，请压缩后再传。")
        media_type, clean = await asyncio.to_thread(cleaned, content)
        kept = Attachment(
            attachment_id=uuid.uuid4().hex,
            name=safe_name(name, _ENDINGS[media_type]),
            media_type=media_type,
            size=len(clean),
            at=self._now(),
            by=by,
        )
        await asyncio.to_thread(self._write, self._path(record.number, kept.attachment_id), clean)
        return kept

    async def read(self, record: WorkOrderRecord, attachment_id: str) -> tuple[Attachment, bytes]:
        """Raises NotFoundError: ``record`` has no such attachment, or its file is gone."""
        found = next((each for each in record.attachments if each.attachment_id == attachment_id), None)
        if found is None:
            raise NotFoundError
        try:
            return found, await asyncio.to_thread(self._path(record.number, attachment_id).read_bytes)
        except FileNotFoundError:
            raise NotFoundError("这个附件的文件不在了，请联系管理员。") from None

    async def drop(self, record: WorkOrderRecord, kept: Attachment) -> None:
        """Takes back a file whose order could not be changed."""
        await asyncio.to_thread(self._path(record.number, kept.attachment_id).unlink, missing_ok=True)

    def _path(self, number: str, attachment_id: str) -> Path:
        if not re.fullmatch(r"GD\d{18}", number) or not re.fullmatch(r"[0-9a-f]{32}", attachment_id):
            raise NotFoundError
        return self._folder / number / attachment_id

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        begun = path.with_suffix(".part")
        with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(content)
        begun.replace(path)  # whole, or not there


def cleaned(content: bytes) -> tuple[str, bytes]:
    """The media type by content, and the content without what images hide. Raises AttachmentTypeError."""
    if content.startswith(b"%PDF-"):
        return MEDIA_TYPES["PDF"], content
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG", "PNG", "WEBP"]) as image:
            kind = str(image.format)
            if image.width * image.height > _MOST_PIXELS:
                raise AttachmentTypeError("图片太大了（最多 4000 万像素），请缩小后再传。")
            upright = ImageOps.exif_transpose(image)
            drawn = Image.new(upright.mode, upright.size)
            if upright.mode == "P" and (palette := upright.getpalette()):
                drawn.putpalette(palette)
            drawn.paste(upright)
            out = io.BytesIO()
            drawn.save(out, kind, quality=90) if kind != "PNG" else drawn.save(out, kind)
    except AttachmentTypeError:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise AttachmentTypeError from None
    return MEDIA_TYPES[kind], out.getvalue()


def safe_name(name: str, ending: str) -> str:
    """``name`` fit for a header and a screen: its last part, no control characters, the right ending."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    stem = last.rsplit(".", 1)[0] if "." in last else last
    kept = re.sub(r"[^\w\-（）() ]", "", stem).strip(" .")[:60]
    return f"{kept or '附件'}{ending}"
