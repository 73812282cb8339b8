"""Invoices on paper: every form says the same figures, and none runs what others wrote."""

from __future__ import annotations

import base64
import copy
import csv
import hashlib
import io
from html.parser import HTMLParser
from typing import Any

import pytest
from pypdf import PdfReader

from ledger.report.invoice_papers import (
    PAGE_POLICY,
    invoice_csv,
    invoice_html,
    invoice_pdf,
    invoice_sections,
)

pytestmark = pytest.mark.unit

FIGURES: dict[str, Any] = {
    "type": "invoice",
    "format": 1,
    "invoice_id": "0199c0de-0000-7000-8000-0000000000aa",
    "reference": "MDL0000000000AA",
    "period": "2026-11",
    "issued_at": "2026-11-24T09:30:00+08:00",
    "scheme_id": "0199c0de-0000-7000-8000-0000000000bb",
    "issuer": {
        "id": "0199c0de-0000-7000-8000-000000000001",
        "name_zh": "虚构运营",
        "name_en": "Op",
    },
    "buyer": {"id": "0199c0de-0000-7000-8000-000000000002", "name_zh": "虚构买方", "name_en": "Bu"},
    "product": {"id": "0199c0de-0000-7000-8000-000000000003", "name_zh": "气象", "name_en": "Wx"},
    "licence_no": "7",
    "purpose": "industry",
    "receipts": {
        "log_no": 1,
        "after_index": "99",
        "through_index": "141",
        "from_units": "1000",
        "to_units": "22000",
    },
    "units": "21000",
    "price": {
        "tariff_no": 3,
        "basis": "data_records",
        "already_used_units": "500",
        "free_quota_units": "800",
        "free_units": "300",
        "discount_ppm": 125_000,
        "list_micro_yuan": "106000000000",
        "bands": [
            {
                "from_units": "1",
                "up_to_units": "11000",
                "price_micro_yuan": "6910000",
                "units": "10000",
                "list_micro_yuan": "69100000000",
            },
            {
                "from_units": "11001",
                "up_to_units": None,
                "price_micro_yuan": "3690000",
                "units": "10000",
                "list_micro_yuan": "36900000000",
            },
        ],
    },
    "gross_fen": 10_600_000,
    "vat_ppm": 60_000,
    "net_fen": 10_000_000,
    "vat_fen": 600_000,
    "document_digest": "0x" + "ab" * 32,
    "tx_hash": "0x" + "cd" * 32,
}
CELLS = [cell for section in invoice_sections(FIGURES) for row in section.rows for cell in row]
SHOWN = [
    "106,000.00",
    "100,000.00",
    "6,000.00",
    "100 – 141",
    "1000 → 22000",
    "69,100.000000",
    "3.690000",
    "12.50",
    "MDL0000000000AA",
    "2026-11-24T09:30:00+08:00",
    "产业发展 industry",
]


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()
        self._inside = False

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.cells[-1] += data


def _html(figures: dict[str, Any]) -> _Cells:
    read = _Cells()
    read.feed(invoice_html(figures))
    return read


def _pdf_text(figures: dict[str, Any]) -> str:
    pages = PdfReader(io.BytesIO(invoice_pdf(figures))).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


@pytest.mark.parametrize("wanted", SHOWN)
def test_sections__figures_of_the_invoice__are_shown(wanted: str) -> None:
    assert any(wanted in cell for cell in CELLS)


def test_html__read_back__has_the_same_cells_in_their_order() -> None:
    assert _html(FIGURES).cells == CELLS


def test_csv__read_back__has_the_same_cells() -> None:
    rows = list(csv.reader(io.StringIO(invoice_csv(FIGURES))))
    read = [cell for row in rows[1:] for cell in row[1:] if cell]
    body = [
        cell for section in invoice_sections(FIGURES) for row in section.rows[1:] for cell in row
    ]
    assert read == body


def test_pdf__read_back__has_the_same_cells_in_their_order() -> None:
    text, place = _pdf_text(FIGURES), 0
    for cell in CELLS:
        place = text.index("".join(cell.split()), place)
        place += 1
    assert place > 0


def test_html__policy_of_the_page__allows_its_own_style_and_nothing_else() -> None:
    page = invoice_html(FIGURES)
    style = page[page.index("<style>") + 7 : page.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" == PAGE_POLICY
    assert f'content="{PAGE_POLICY}"' in page


def test_papers__made_again__have_the_same_bytes() -> None:
    again = copy.deepcopy(FIGURES)
    assert invoice_pdf(again) == invoice_pdf(FIGURES)
    assert invoice_html(again) == invoice_html(FIGURES)


def test_papers__free_use__say_zero_and_no_bands() -> None:
    free = FIGURES | {"price": None, "gross_fen": 0, "net_fen": 0, "vat_fen": 0}
    titles = [section.title for section in invoice_sections(free)]
    assert "分档累加 Bands" not in titles
    assert "0.00" in _pdf_text(free)


def test_papers__hostile_names__are_text_and_no_formula() -> None:
    name = '<script src="//x">=1+1</script>&amp;'
    hostile = FIGURES | {"buyer": FIGURES["buyer"] | {"name_zh": name}}
    read = _html(hostile)
    assert f"{name} Bu" in read.cells
    assert "script" not in read.tags
    assert "".join(name.split()) in _pdf_text(hostile)
    formula = FIGURES | {"buyer": FIGURES["buyer"] | {"name_zh": "=HYPERLINK(1)"}}
    assert "'=HYPERLINK(1) Bu" in invoice_csv(formula)
