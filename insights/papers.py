"""Reports and tables as files: PDF (ReportLab, with the Chinese font every reader brings), XLSX, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def pdf(report: Mapping[str, Any]) -> bytes:
    """A report (insights.reports.make_report) on A4."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    font = "STSong-Light"
    pdfmetrics.registerFont(UnicodeCIDFont(font))
    plain = ParagraphStyle("plain", fontName=font, fontSize=10.5, leading=17, wordWrap="CJK")
    head = ParagraphStyle("head", parent=plain, fontSize=17, leading=26, spaceAfter=6)
    section = ParagraphStyle("section", parent=plain, fontSize=13, leading=20, spaceBefore=10, spaceAfter=2)
    small = ParagraphStyle("small", parent=plain, fontSize=9, leading=13)

    def table(rows: Sequence[Sequence[str]], widths: Sequence[float]) -> Table:
        made = Table([[Paragraph(escape(str(cell)), small) for cell in row] for row in rows], widths, repeatRows=1)
        made.setStyle(TableStyle([
            ("GRID", (0, 0), (-1, -1), 0.4, colors.grey), ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]))  # fmt: skip
        return made

    story: list[Any] = [Paragraph(escape(report["title"]), head)]
    if report["notice"]:
        story.append(Paragraph(escape(report["notice"]), plain))
    for part in report["sections"]:
        story.append(Paragraph(escape(part["title"]), section))
        story.append(Paragraph(escape("".join(part["sentences"])) or "—", plain))
        if part.get("list") == "topics" and report["topics"]:
            rows = [("话题", "句", "前一段"), *((t["name"], t["turns"], _blank(t["before"])) for t in report["topics"])]
            story += [Spacer(1, 4), table(rows, (330, 60, 60))]
        if part.get("list") == "alerts" and report["alerts"]:
            rows = [("预警", "人", "平常"), *((a["title"], a["people"], a["expected"]) for a in report["alerts"])]
            story += [Spacer(1, 4), table(rows, (330, 60, 60))]
    story += [Paragraph("各项指标", section), table(
        [("指标", "这段", "前一段"), *((r["title"], r["value"], r["before"]) for r in report["figures"])], (200, 150, 100)
    )]  # fmt: skip
    towns = report["towns"]
    names = list(towns["titles"])
    story += [Paragraph("各镇街", section), table(
        [("镇街", *towns["titles"].values()), *((r["town"], *(r[n] for n in names)) for r in towns["rows"])],
        (90, *[62] * len(names)),
    )]  # fmt: skip
    story.append(Paragraph(escape(report["footer"]), small))
    out = io.BytesIO()
    SimpleDocTemplate(out, pagesize=A4, title=report["title"], author="南海智能语音政务服务热线").build(story)
    return out.getvalue()


def xlsx(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """A workbook: sheet name to rows, the first of them the head."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name[:31])
        for row in rows:
            sheet.append([_cell(value) for value in row])
        for cell in sheet[1] if rows else ():
            cell.font = Font(bold=True)
        sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv_text(rows: Sequence[Sequence[Any]]) -> bytes:
    """A CSV that spreadsheets open as Chinese (UTF-8 with a byte order mark)."""
    out = io.StringIO()
    csv.writer(out).writerows([[_cell(value) for value in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def report_sheets(report: Mapping[str, Any]) -> dict[str, list[list[Any]]]:
    text = [[report["title"]], *([[report["notice"]]] if report["notice"] else [])]
    for part in report["sections"]:
        text += [[part["title"]], *[[sentence] for sentence in part["sentences"]]]
    towns = report["towns"]
    names = list(towns["titles"])
    return {
        "报告": [*text, [report["footer"]]],
        "指标": [["指标", "这段", "前一段"], *[[r["title"], r["value"], r["before"]] for r in report["figures"]]],
        "镇街": [["镇街", *towns["titles"].values()], *[[r["town"], *(r[n] for n in names)] for r in towns["rows"]]],
        "话题": [["话题", "句", "前一段", "词"], *[[t["name"], t["turns"], _blank(t["before"]), "、".join(t["words"])] for t in report["topics"]]],
        "预警": [["预警", "时间", "人", "平常"], *[[a["title"], a["at"], a["people"], a["expected"]] for a in report["alerts"]]],
    }  # fmt: skip


def _blank(value: Any) -> Any:
    return "" if value is None else value


def _cell(value: Any) -> Any:
    """Texts that a spreadsheet would take for a formula are kept as texts."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return _blank(value)
