"""Commands on quotes, agreements and licences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.app.agreements import (
    AgreementDraft,
    AgreementField,
    QuoteRequest,
    draft_agreement,
    licence_no_of,
    quote,
    sign_agreement,
)
from ledger.app.books import licence_found
from ledger.app.commands import run
from ledger.app.names import display_names
from ledger.app.requests import parse_part
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    account,
    carry_out,
    guarded,
    open_market,
    out,
    print_json,
    read_json,
    read_object,
    show,
    show_done,
    table,
)
from ledger.cli.tables import label, print_detail
from ledger.domain.codes import LicenceState, ModeSet, Purpose
from ledger.domain.ids import parse_id
from ledger.domain.units import yuan_text
from ledger.report.statements import market_statement

licence_app = typer.Typer(help="Quotes 报价, agreements 协议 and licences 使用许可.")


def _drafted(path: Path) -> dict[str, Any]:
    """Return what `licence draft` printed, with its agreement checked."""
    drafted: dict[str, Any] = read_object(path, "agreement")
    parse_part(AgreementField, drafted["agreement"])
    return drafted


def _licences(home: Path | None) -> tuple[list[dict[str, Any]], dict[str, dict[str, str]]]:
    with open_market(home) as market, market.read() as connection:
        found = market_statement(connection, display_names(market))
    rows = [
        row | {"purpose": Purpose(row["purpose"]).name.lower()} if row["purpose"] else row
        for row in found["uses"]
    ]
    return rows, found["names"]


@licence_app.command("list")
@guarded
def licence_list(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the licences 使用许可 with what was used and billed under each."""
    found, names = _licences(home)
    columns = ("licence no", "buyer 使用方", "product 数据产品", "purpose 用途", "units", "yuan")
    rows = [
        (
            row["licence_no"],
            label(names, row["buyer_id"]),
            label(names, row["product_id"]),
            row["purpose"],
            row["units"],
            yuan_text(row["gross_fen"]),
        )
        for row in found
    ]
    show(found, as_json, lambda: out.print(table("Licences 使用许可", columns, rows)))


@licence_app.command("show")
@guarded
def licence_show(licence_no: int, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show one licence 使用许可: parties, purpose 用途, modes, validity, quota, what was billed."""
    with open_market(home) as market:
        found, _ = licence_found(market, licence_no)
        with market.read() as connection:
            uses = market_statement(connection)["uses"]
    use = next(row for row in uses if row["licence_no"] == licence_no)
    found |= {
        "purpose": Purpose(found["purpose"]).name.lower(),
        "state": LicenceState(found["state"]).name.lower(),
        "modes": [mode.name.lower() for mode in ModeSet(found["modes"]).modes()],
        "billed_units": use["units"],
        "gross_fen": use["gross_fen"],
        "paid_fen": use["paid_fen"],
    }
    show(found, as_json, lambda: print_detail(f"Licence 使用许可 {licence_no}", found))


@licence_app.command("quote")
@guarded
def licence_quote(
    product_id: str,
    units: int,
    purpose: Annotated[str, typer.Option(help="Purpose 用途 of the use.")] = "industry",
    already_used_units: Annotated[
        int, typer.Option(help="Units that the buyer used this year; they fill the bands first.")
    ] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a number of units would cost under the tariff in force (报价)."""
    body = {
        "product_id": product_id,
        "purpose": purpose,
        "units": units,
        "already_used_units": already_used_units,
    }
    with open_market(home) as market:
        found = quote(market, parse_part(QuoteRequest, body))
    show(found, as_json, lambda: print_detail("Quote 报价", found))


@licence_app.command("draft")
@guarded
def licence_draft(file: Path, home: HomeOption = None, as_json: JsonOption = True) -> None:
    """Draft an agreement for both sides to sign (协议)."""
    with open_market(home) as market:
        print_json(draft_agreement(market, parse_part(AgreementDraft, read_json(file))))


@licence_app.command("sign")
@guarded
def licence_sign(
    draft: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = True
) -> None:
    """Sign a drafted agreement (EIP-712)."""
    with open_market(home) as market:
        drafted = _drafted(draft)
        print_json(sign_agreement(market, account(market, key_name), drafted))


@licence_app.command("grant")
@guarded
def licence_grant(
    draft: Path,
    operator_signature: Path,
    buyer_signature: Path,
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Grant the licence on both signatures (使用许可)."""
    agreement = _drafted(draft)["agreement"]
    body = {
        "agreement": agreement,
        "operator": read_object(operator_signature),
        "buyer": read_object(buyer_signature),
    }
    with open_market(home) as market:
        done = run(market, account(market, key_name), "grant-licence", body)
        done.result["licence_no"] = licence_no_of(market, parse_id(agreement["agreement_id"]))
    show_done(done, as_json)


@licence_app.command("state")
@guarded
def licence_state(
    licence_no: int,
    state: str,
    reason: str,
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Suspend, restore or end a licence (中止、恢复、终止)."""
    body = {"licence_no": licence_no, "state": state, "reason": reason}
    carry_out(home, key_name, "set-licence-state", body, as_json)
