"""Invoices on paper: the same figures as CSV, as a bilingual page to print, and as PDF.

Rules kept here:
1. All forms are made of one list of sections, so none can say another figure.
2. A page loads nothing and runs nothing; what is shown of others' texts is escaped.
3. The same figures give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from ledger.domain.codes import ChargeBasis, Purpose
from ledger.domain.labels import label_zh
from ledger.domain.units import yuan_text, yuan_text_unit
from ledger.report.tables import to_csv

Figures = Mapping[str, Any]
TITLE = "账单 Invoice"
FONT = "STSong-Light"
"""A font that PDF readers bring along for simplified Chinese; none is embedded."""
LATIN = "Helvetica"
"""For letters and figures: their widths are known wherever the page is read."""
_BODY = ParagraphStyle("body", fontName=FONT, fontSize=8, leading=10, wordWrap="CJK")
_HEAD = ParagraphStyle("head", parent=_BODY, fontSize=10, leading=13, spaceBefore=3)
_TITLE = ParagraphStyle("title", parent=_BODY, fontSize=15, leading=20)
_GRID = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.25, "#999999"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
)
_LATIN_RUN = re.compile(r"[!-~]+(?: [!-~]+)*")
_STYLE = """
body { font: 14px/1.5 "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; max-width: 48rem;
 margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: 0 0 1rem }
th, td { border: 1px solid #999; padding: .3rem .5rem; text-align: left; vertical-align: top;
 overflow-wrap: anywhere }
td:first-child { min-width: 6.5rem }
h1 { font-size: 1.4rem } h2 { font-size: 1rem; margin: 1rem 0 .3rem }
@media print { body { margin: 0 } }
"""
PAGE_POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)
"""Content-Security-Policy of a page: its own style and nothing else."""
_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<style>{style}</style></head><body><main><h1>{title}</h1>
{sections}
</main></body></html>
"""


class Section(NamedTuple):
    """A titled table; the first row is its heading."""

    title: str
    rows: Sequence[Sequence[str]]


def invoice_sections(figures: Figures) -> list[Section]:
    """Return an invoice as bilingual tables, amounts in yuan."""
    return [_parties(figures), _use(figures), *_bands(figures), _amounts(figures), _proof(figures)]


def invoice_csv(figures: Figures) -> str:
    """Return an invoice as CSV: section, item, then the cells beside it."""
    rows = []
    for section in invoice_sections(figures):
        for row in section.rows[1:]:
            cells = [*row[1:], "", "", ""][:3]
            named = zip(("value", "value_2", "value_3"), cells, strict=True)
            rows.append({"section": section.title, "item": row[0]} | dict(named))
    return to_csv(rows)


def invoice_html(figures: Figures) -> str:
    """Return an invoice as one page to print."""
    return page_html(TITLE, invoice_sections(figures))


def page_html(title: str, sections: Sequence[Section]) -> str:
    """Return titled tables as one page to print."""
    parts = []
    for section in sections:
        head, *body = section.rows
        cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
        lines = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in body
        )
        parts.append(f"<h2>{escape(section.title)}</h2>\n<table><tr>{cells}</tr>\n{lines}</table>")
    return _PAGE.format(
        title=escape(title),
        policy=escape(PAGE_POLICY, quote=False),
        style=_STYLE,
        sections="\n".join(parts),
    )


def invoice_pdf(figures: Figures) -> bytes:
    """Return an invoice as PDF, A4."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = io.BytesIO()
    paper = SimpleDocTemplate(
        out,
        pagesize=A4,
        title=TITLE,
        author=figures["issuer"]["name_en"],
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=14 * mm,
        bottomMargin=14 * mm,
        invariant=1,
    )
    story: list[Any] = [Paragraph(_marked(TITLE), _TITLE)]
    for section in invoice_sections(figures):
        cells = [[Paragraph(_marked(cell), _BODY) for cell in row] for row in section.rows]
        widths = _widths(len(section.rows[0]), paper.width)
        story += [
            Paragraph(_marked(section.title), _HEAD),
            Table(cells, colWidths=widths, style=_GRID, repeatRows=1),
            Spacer(1, 1 * mm),
        ]
    paper.build(story)
    return out.getvalue()


def _marked(text: str) -> str:
    """Return a text with its Latin runs in a font of their own."""
    found, place = "", 0
    for run in _LATIN_RUN.finditer(text):
        found += escape(text[place : run.start()])
        found += f'<font name="{LATIN}">{escape(run.group())}</font>'
        place = run.end()
    return found + escape(text[place:])


def _widths(columns: int, whole: float) -> list[float]:
    first = whole * 3 / 10
    return [first, *[(whole - first) / (columns - 1)] * (columns - 1)]


def _parties(figures: Figures) -> Section:
    rows = [
        (f"{zh} {en}", f"{party['name_zh']} {party['name_en']}", party["id"])
        for zh, en, party in (
            ("开票方", "Issuer", figures["issuer"]),
            ("使用方", "Buyer", figures["buyer"]),
            ("数据产品", "Product", figures["product"]),
        )
    ]
    return Section("各方 Parties", [("角色 Role", "名称 Name", "编号 Id"), *rows])


def _use(figures: Figures) -> Section:
    receipts, purpose = figures["receipts"], Purpose[figures["purpose"].upper()]
    after = receipts["after_index"]
    first = "0" if after is None else str(int(after) + 1)
    return Section(
        "使用 Use",
        [
            ("项目 Item", "内容 Value"),
            ("账单编号 Invoice", figures["invoice_id"]),
            ("付款附言 Reference", figures["reference"]),
            ("账期 Month", figures["period"]),
            ("开具时间 Issued", figures["issued_at"]),
            ("使用许可 Licence", figures["licence_no"]),
            ("用途 Purpose", f"{label_zh(purpose)} {purpose.name.lower()}"),
            (
                "计量凭证 Receipts",
                f"日志 log {receipts['log_no']}, {first} – {receipts['through_index']}",
            ),
            ("累计 Running total", f"{receipts['from_units']} → {receipts['to_units']}"),
            ("用量 Units", figures["units"]),
        ],
    )


def _bands(figures: Figures) -> list[Section]:
    price = figures["price"]
    if price is None:
        return []
    basis = ChargeBasis[price["basis"].upper()]
    rows = [
        (
            f"{band['from_units']} – {band['up_to_units'] or '∞'}",
            yuan_text_unit(int(band["price_micro_yuan"])),
            band["units"],
            yuan_text_unit(int(band["list_micro_yuan"])),
        )
        for band in price["bands"]
    ]
    terms = [
        ("项目 Item", "内容 Value"),
        ("收费标准 Tariff", str(price["tariff_no"])),
        ("计费方式 Basis", f"{label_zh(basis)} {price['basis']}"),
        ("年内已用 Used before", price["already_used_units"]),
        ("免费额度 Free quota", price["free_quota_units"]),
        ("本次免费 Free now", price["free_units"]),
        ("折扣 Discount %", _percent(price["discount_ppm"])),
    ]
    head = ("档 Band", "单价 Unit price, yuan", "用量 Units", "金额 Amount, yuan")
    return [Section("收费标准 Tariff", terms), Section("分档累加 Bands", [head, *rows])]


def _amounts(figures: Figures) -> Section:
    return Section(
        "金额 Amounts",
        [
            ("项目 Item", "元 Yuan"),
            ("不含税 Net", yuan_text(figures["net_fen"])),
            (f"增值税 VAT {_percent(figures['vat_ppm'])} %", yuan_text(figures["vat_fen"])),
            ("应付 Total", yuan_text(figures["gross_fen"])),
        ],
    )


def _proof(figures: Figures) -> Section:
    return Section(
        "存证 Evidence",
        [
            ("项目 Item", "内容 Value"),
            ("文档摘要 Digest", figures["document_digest"]),
            ("交易 Transaction", figures["tx_hash"]),
            ("定价方案 Scheme", figures["scheme_id"]),
        ],
    )


def _percent(share_ppm: int) -> str:
    return f"{share_ppm // 10_000}.{share_ppm % 10_000 // 100:02d}"
