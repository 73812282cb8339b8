"""Commands on schemes, invoices, payments, splits and remittances."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.app.billing import bill, bill_all
from ledger.app.books import invoice_found, scheme_found
from ledger.app.commands import Done
from ledger.app.payments import import_statement
from ledger.app.settlement import remit, split_all
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    account,
    carry_out,
    guarded,
    open_market,
    out,
    pairs,
    read_json,
    show,
    show_done,
    show_error,
    table,
)
from ledger.cli.tables import print_detail
from ledger.domain.codes import InvoiceState
from ledger.domain.errors import LedgerError
from ledger.domain.ids import parse_id
from ledger.domain.money import Tier
from ledger.domain.units import yuan_text
from ledger.report.statements import market_statement

scheme_app = typer.Typer(help="Pricing schemes 定价方案.")
invoice_app = typer.Typer(help="Invoices 账单: issue, accept, release 解付.")
payment_app = typer.Typer(help="Payments 到账.")
split_app = typer.Typer(help="Splits 分账.")
remit_app = typer.Typer(help="Remittances 划拨.")


@scheme_app.command("approve")
@guarded
def scheme_approve(
    file: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Approve a scheme from a JSON file (核定定价方案); the price authority's step."""
    carry_out(home, key_name, "approve-scheme", read_json(file), as_json)


@scheme_app.command("list")
@guarded
def scheme_list(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the schemes 定价方案: approved cost, income, tax, what is owed and was remitted."""
    with open_market(home) as market, market.read() as connection:
        found = market_statement(connection)["schemes"]

    def render() -> None:
        for row in found:
            out.print(pairs("Scheme 定价方案", row))

    show(found, as_json, render)


@scheme_app.command("show")
@guarded
def scheme_show(
    scheme_id: Annotated[str, typer.Argument(help="Id of the scheme.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one scheme 定价方案 and the account of each claimant."""
    with open_market(home) as market:
        found = scheme_found(market, parse_id(scheme_id, "scheme_id"))
    show(found, as_json, lambda: print_detail("Scheme 定价方案", found))


@invoice_app.command("show")
@guarded
def invoice_show(
    invoice_id: Annotated[str, typer.Argument(help="Id of the invoice.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one invoice 账单: its payments 到账 and the lines of its split 分账."""
    with open_market(home) as market:
        found, _ = invoice_found(market, parse_id(invoice_id, "invoice_id"))
    found["state"] = InvoiceState(found["state"]).name.lower()
    for line in found["split"] or ():
        line["tier"] = Tier(line["tier"]).name.lower()
    show(found, as_json, lambda: print_detail("Invoice 账单", found))


@invoice_app.command("bill")
@guarded
def invoice_bill(
    licence_no: int,
    scheme_id: str,
    key_name: AsOption,
    log_no: int = 1,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bill what a licence used since its last bill, on the proof of its latest receipt."""
    with open_market(home) as market:
        done = bill(market, account(market, key_name), licence_no, parse_id(scheme_id), log_no)
    if done is None:
        show(None, as_json, lambda: out.print("all anchored use is billed"))
    else:
        show_done(done, as_json)


@invoice_app.command("run")
@guarded
def invoice_run(
    scheme_id: str,
    key_name: AsOption,
    log_no: int = 1,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bill all anchored use of a scheme's products, in few transactions (批量开账)."""
    with open_market(home) as market:
        key = account(market, key_name)
        results = bill_all(market, key, parse_id(scheme_id, "scheme_id"), log_no)
    issued = [done for done in results if isinstance(done, Done)]
    refused = [error for error in results if isinstance(error, LedgerError)]
    found = {
        "issued": [done.as_dict() for done in issued],
        "refused": [error.as_dict() for error in refused],
    }

    def render() -> None:
        total = sum(done.result["gross_fen"] for done in issued)
        out.print(f"{len(issued)} invoice(s) over {yuan_text(total)} yuan")
        for error in refused:
            show_error(error)

    show(found, as_json, render)


@invoice_app.command("accept")
@guarded
def invoice_accept(
    invoice_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Accept what was delivered (验收); the buyer's step, ends the hold."""
    carry_out(home, key_name, "accept-invoice", {"invoice_id": invoice_id}, as_json)


@invoice_app.command("release")
@guarded
def invoice_release(
    invoice_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Release a payment after its hold (解付)."""
    carry_out(home, key_name, "release-invoice", {"invoice_id": invoice_id}, as_json)


@payment_app.command("import")
@guarded
def payment_import(
    file: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Read a bank statement (CSV or camt.053 XML) and match its lines to invoices (到账)."""
    content = file.read_bytes()
    with open_market(home) as market:
        report = import_statement(market, account(market, key_name), content)

    def render() -> None:
        rows = [
            (done.result["invoice_id"], yuan_text(done.result["amount_fen"]))
            for done in report.matched
        ]
        out.print(table("Recorded", ("invoice", "amount yuan"), rows))
        out.print(f"{report.already_recorded} line(s) were recorded before")
        if report.passed_over:
            out.print(f"{report.passed_over} debit(s) or unbooked entries were passed over")
        for finding in report.findings:
            show_error(finding)

    show(report.as_dict(), as_json, render)


@split_app.command("run")
@guarded
def split_run(
    scheme_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Split every released income of a scheme, in the order of release (分账)."""
    with open_market(home) as market:
        done = split_all(market, account(market, key_name), parse_id(scheme_id))
    show(
        [item.as_dict() for item in done],
        as_json,
        lambda: out.print(f"{len(done)} income(s) split"),
    )


@remit_app.command("run")
@guarded
def remit_run(
    scheme_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Open a batch per payee for all whole fen owed, and write its file (划拨)."""
    with open_market(home) as market:
        batches = remit(market, account(market, key_name), parse_id(scheme_id))
    rows = [
        (item["batch_id"], item["payee_id"], yuan_text(item["amount_fen"]), item["file"])
        for item in batches
    ]
    columns = ("batch", "payee", "amount yuan", "file")
    show(batches, as_json, lambda: out.print(table("Remittances 划拨", columns, rows)))


@remit_app.command("close")
@guarded
def remit_close(
    batch_id: str,
    receipt: Annotated[str, typer.Argument(help="Text of the bank's or treasury's receipt.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close a batch with its receipt."""
    body = {"batch_id": batch_id, "receipt": receipt}
    carry_out(home, key_name, "close-remittance", body, as_json)
