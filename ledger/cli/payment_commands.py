"""Commands on bank lines that wait for people: list, put on an invoice, dismiss."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ledger.app.payments import assign_payment, dismiss_payment, open_items
from ledger.cli.money_commands import payment_app
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    account,
    guarded,
    open_market,
    out,
    show,
    show_done,
    table,
)
from ledger.domain.ids import digest, parse_id
from ledger.domain.units import yuan_text

__all__ = ["payment_app"]

DigestArgument = Annotated[str, typer.Argument(help="Digest of the line, from `payment open`.")]


@payment_app.command("open")
@guarded
def payment_open(
    is_all: Annotated[bool, typer.Option("--all", help="Dismissed lines, too.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the bank lines that wait for people (待处理到账): unmatched, overpaid, foreign."""
    with open_market(home) as market:
        items = open_items(market, is_all=is_all)

    def render() -> None:
        rows = [
            (
                item.booked_on,
                yuan_text(item.amount_fen) if item.amount_fen else item.currency,
                item.dismissed_reason or item.code.removeprefix("payment."),
                f"{item.payer} · {item.reference} · {item.bank_reference}",
            )
            for item in items
        ]
        columns = ("booked", "yuan", "why 原因", "payer · reference · bank 付款人 · 附言 · 流水")
        out.print(table("Waiting 待处理到账", columns, rows))
        for item in items:
            out.print(item.digest, highlight=False)

    show([asdict(item) for item in items], as_json, render)


@payment_app.command("assign")
@guarded
def payment_assign(
    receipt_digest: DigestArgument,
    invoice_id: Annotated[str, typer.Argument(help="Id of the invoice that it pays.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put the money of a waiting line on an invoice (认领到账)."""
    with open_market(home) as market:
        done = assign_payment(
            market,
            account(market, key_name),
            digest(receipt_digest, "receipt_digest"),
            parse_id(invoice_id, "invoice_id"),
        )
    show_done(done, as_json)


@payment_app.command("dismiss")
@guarded
def payment_dismiss(
    receipt_digest: DigestArgument,
    reason: Annotated[str, typer.Option(help="Why it is no payment, e.g. refunded.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close a waiting line that pays no invoice, with the reason (非本账单款项)."""
    with open_market(home) as market:
        item = dismiss_payment(market, digest(receipt_digest, "receipt_digest"), reason)
    show(asdict(item), as_json, lambda: out.print(f"dismissed {item.digest}", highlight=False))
