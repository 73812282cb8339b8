"""Commands on invoices as documents: write one in any form, sign it, check one."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.app.invoice_papers import (
    check_invoice,
    invoice_document,
    invoice_figures,
    sign_invoice,
)
from ledger.app.monthly_billing import bill_month
from ledger.cli.money_commands import invoice_app
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    account,
    guarded,
    open_market,
    out,
    pairs,
    print_json,
    read_object,
    show,
    table,
)
from ledger.domain.calendar import parse_period
from ledger.domain.errors import MalformedValueError
from ledger.domain.ids import parse_id
from ledger.domain.units import yuan_text
from ledger.report.invoice_papers import invoice_csv, invoice_html, invoice_pdf

__all__ = ["invoice_app"]


class PaperForm(StrEnum):
    """Form of an invoice document."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"


@invoice_app.command("document")
@guarded
def invoice_document_command(
    invoice_id: Annotated[str, typer.Argument(help="Id of the invoice.")],
    form: Annotated[PaperForm, typer.Option("--format", help="Form.")] = PaperForm.JSON,
    file: Annotated[Path | None, typer.Option("--out", help="File to write.")] = None,
    key_name: Annotated[
        str, typer.Option("--as", help="Keystore of the issuer, which signs the JSON.")
    ] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an invoice as JSON (signed), CSV, printable page or PDF (账单文件)."""
    with open_market(home) as market:
        figures = invoice_figures(market, parse_id(invoice_id, "invoice_id"))
        if key_name:
            document = sign_invoice(market, account(market, key_name), figures)
        else:
            document = invoice_document(market, figures)
    content = _content(form, document)
    if file is None:
        _print(form, document, content, as_json=as_json)
        return
    file.write_bytes(content)
    found = {
        "invoice_id": figures["invoice_id"],
        "format": form.value,
        "file": str(file),
        "size": len(content),
        "is_signed": document["signature"] is not None,
    }
    show(found, as_json, lambda: out.print(pairs("Invoice document 账单文件", found)))


@invoice_app.command("month")
@guarded
def invoice_month(
    month: Annotated[str, typer.Argument(help="Month of use, 2026-11.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bill all use up to a month's end, every licence of the operator; may be run again (月结)."""
    period_id = parse_period(month)
    with open_market(home) as market:
        found = bill_month(market, account(market, key_name), period_id).as_dict()
    rows = [
        (row["licence_no"], row["log_no"], row["units"], yuan_text(row["gross_fen"]))
        for row in found["invoices"]
    ]
    summary = {
        "billed 开出": len(found["invoices"]),
        "billed before 已开": len(found["billed_before"]),
        "unused 未使用": ", ".join(map(str, found["unused"])) or "—",
        "refused 未能开出": "; ".join(
            f"{row['licence_no']}: {row['code']}" for row in found["refused"]
        )
        or "—",
    }

    def render() -> None:
        out.print(table(f"Invoices 账单 {month}", ("licence", "log", "units", "yuan"), rows))
        out.print(pairs("Month 月结", summary))

    show(found, as_json, render)
    if found["refused"]:
        raise typer.Exit(1)


@invoice_app.command("check")
@guarded
def invoice_check(
    file: Annotated[Path, typer.Argument(help="Signed invoice as JSON; - for standard input.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a signed invoice: figures, signature, issuer (核对账单)."""
    document = read_object(file, "invoice", "signature")
    with open_market(home) as market:
        signer = check_invoice(market, document)
    found = {"ok": True, "signer": signer, "invoice_id": document["invoice"]["invoice_id"]}
    show(found, as_json, lambda: out.print(pairs("Invoice 账单", found)))


def _content(form: PaperForm, document: dict[str, Any]) -> bytes:
    figures = document["invoice"]
    if form is PaperForm.JSON:
        return (json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    if form is PaperForm.CSV:
        return invoice_csv(figures).encode("utf-8-sig")
    return invoice_html(figures).encode() if form is PaperForm.HTML else invoice_pdf(figures)


def _print(form: PaperForm, document: dict[str, Any], content: bytes, *, as_json: bool) -> None:
    if as_json or form is PaperForm.JSON:
        print_json(document)
    elif form is PaperForm.PDF:
        raise MalformedValueError("a PDF needs a file", field="out", expected="--out FILE")
    else:
        sys.stdout.write(content.decode("utf-8-sig"))
