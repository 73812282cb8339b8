"""Commands on logs, invoices, payments, splits and remittances."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.app.billing import bill
from ledger.app.books import invoice_found, scheme_found
from ledger.app.commands import run
from ledger.app.log_keeping import anchor, check_proof_file, checkpoint, proof
from ledger.app.payments import import_statement
from ledger.app.settlement import remit, split_all
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
    read_json,
    read_object,
    show,
    show_done,
    show_error,
    table,
)
from ledger.cli.tables import print_detail
from ledger.domain.codes import InvoiceState
from ledger.domain.errors import MalformedValueError
from ledger.domain.ids import digest_text, parse_id
from ledger.domain.money import Tier
from ledger.domain.units import yuan_text
from ledger.report.statements import market_statement

log_app = typer.Typer(help="Logs of use 使用日志: checkpoints 检查点, anchors 上链锚定, proofs.")
proof_app = typer.Typer(help="Proof files of receipts 计量凭证.")
scheme_app = typer.Typer(help="Pricing schemes 定价方案.")
invoice_app = typer.Typer(help="Invoices 账单: issue, accept, release 解付.")
payment_app = typer.Typer(help="Payments 到账.")
split_app = typer.Typer(help="Splits 分账.")
remit_app = typer.Typer(help="Remittances 划拨.")


def _simple(home: Path | None, key_name: str, name: str, body: Any, as_json: bool) -> None:
    with open_market(home) as market:
        done = run(market, account(market, key_name), name, body)
    show_done(done, as_json)


@log_app.command("open")
@guarded
def log_open(key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Open a log of use on chain."""
    _simple(home, key_name, "open-log", {}, as_json)


@log_app.command("checkpoint")
@guarded
def log_checkpoint(log_no: int = 1, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Sign the log as it stands (检查点)."""
    with open_market(home) as market:
        signed = checkpoint(market, log_no)
    found = {"size": signed.size, "root": digest_text(signed.root), "time_ms": signed.time_ms}
    show(found, as_json, lambda: out.print(signed.note, markup=False))


@log_app.command("anchor")
@guarded
def log_anchor(
    key_name: AsOption, log_no: int = 1, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Anchor the log's checkpoint with a consistency proof (上链锚定)."""
    with open_market(home) as market:
        done = anchor(market, account(market, key_name), log_no)
    if done is None:
        show(None, as_json, lambda: out.print("the chain already has this checkpoint"))
    else:
        show_done(done, as_json)


@log_app.command("show")
@guarded
def log_show(
    log_no: Annotated[int, typer.Argument(help="Number of the log.")] = 1,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the chain holds of a log 使用日志: anchors 上链锚定, receipts, root."""
    with open_market(home) as market, market.read() as connection:
        logs = market_statement(connection)["anchors"]
    found = next((row for row in logs if row["log_no"] == log_no), None)
    if found is None:
        raise MalformedValueError(f"there is no log {log_no}", field="log_no", got=log_no)
    show(found, as_json, lambda: out.print(pairs(f"Log 使用日志 {log_no}", found)))


@log_app.command("proof")
@guarded
def log_proof(
    index: int, log_no: int = 1, home: HomeOption = None, as_json: JsonOption = True
) -> None:
    """Print the proof file of one receipt."""
    with open_market(home) as market:
        print_json(proof(market, log_no, index))


@proof_app.command("check")
@guarded
def proof_check(
    file: Path,
    vkey: Annotated[str, typer.Option(help="The log's public key (C2SP vkey).")],
    as_json: JsonOption = False,
) -> None:
    """Check a proof file against a log's public key; needs no market."""
    findings = check_proof_file(read_object(file), vkey)
    found = {"ok": not findings, "findings": [item.as_dict() for item in findings]}

    def render() -> None:
        for item in findings:
            show_error(item)
        out.print(f"{len(findings)} findings", style="red" if findings else "green")

    show(found, as_json, render)
    if findings:
        raise typer.Exit(1)


@scheme_app.command("approve")
@guarded
def scheme_approve(
    file: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Approve a scheme from a JSON file (核定定价方案); the price authority's step."""
    _simple(home, key_name, "approve-scheme", read_json(file), as_json)


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


@invoice_app.command("accept")
@guarded
def invoice_accept(
    invoice_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Accept what was delivered (验收); the buyer's step, ends the hold."""
    _simple(home, key_name, "accept-invoice", {"invoice_id": invoice_id}, as_json)


@invoice_app.command("release")
@guarded
def invoice_release(
    invoice_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Release a payment after its hold (解付)."""
    _simple(home, key_name, "release-invoice", {"invoice_id": invoice_id}, as_json)


@payment_app.command("import")
@guarded
def payment_import(
    file: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Read a bank statement (CSV) and match its lines to invoices (到账)."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedValueError(
            f"{file} cannot be read as UTF-8 text", field="file", got=str(file), expected="CSV"
        ) from error
    with open_market(home) as market:
        report = import_statement(market, account(market, key_name), text)

    def render() -> None:
        rows = [
            (done.result["invoice_id"], yuan_text(done.result["amount_fen"]))
            for done in report.matched
        ]
        out.print(table("Recorded", ("invoice", "amount yuan"), rows))
        out.print(f"{report.already_recorded} line(s) were recorded before")
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
    _simple(home, key_name, "close-remittance", body, as_json)
