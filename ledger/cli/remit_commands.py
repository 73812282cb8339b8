"""Commands on remittance batches: lists, files for bank and treasury, netting, payees' accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.app.names import display_names
from ledger.app.payees import payee_records, set_payee, treasury_rules
from ledger.app.remittance_files import (
    batch_found,
    batches_found,
    credit_transfer,
    keep_file,
    netting_found,
    treasury_rows,
)
from ledger.cli.money_commands import remit_app
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    carry_out,
    guarded,
    open_market,
    out,
    pairs,
    read_json,
    show,
    table,
)
from ledger.cli.tables import label
from ledger.domain.calendar import parse_period
from ledger.domain.cities import CITIES
from ledger.domain.ids import parse_id
from ledger.domain.units import yuan_text
from ledger.report.tables import to_csv

__all__ = ["payee_app", "remit_app"]

payee_app = typer.Typer(help="Accounts of payees 收款账户; they stay on this machine.")


@remit_app.command("list")
@guarded
def remit_list(
    is_open: Annotated[bool, typer.Option("--open", help="Only those without a receipt.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the remittance batches 划拨批次."""
    with open_market(home) as market:
        batches = batches_found(market, is_open=is_open)
        names = {str(key): name for key, name in display_names(market).items()}

    def render() -> None:
        rows = [
            (
                item["batch_id"],
                label(names, item["payee_id"]),
                item["state"],
                yuan_text(item["amount_fen"]),
            )
            for item in batches
        ]
        out.print(table("Batches 划拨批次", ("batch", "payee 收款方", "state", "yuan"), rows))

    show(batches, as_json, render)


@remit_app.command("file")
@guarded
def remit_file(
    batch_id: Annotated[str, typer.Argument(help="Id of the batch.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a batch's file: pain.001 for a bank, CSV for a treasury (划拨文件)."""
    with open_market(home) as market:
        batch = batch_found(market, parse_id(batch_id, "batch_id"))
        if batch.is_to_treasury:
            content = to_csv(treasury_rows(market, batch)).encode("utf-8-sig")
        else:
            content = credit_transfer(market, batch)
        path = keep_file(market, batch, content)
    kind = "treasury" if batch.is_to_treasury else "bank"
    found = {
        "batch_id": str(batch.row.batch_id),
        "kind": kind,
        "amount_fen": batch.row.amount_fen,
        "file": str(path),
    }
    show(found, as_json, lambda: out.print(pairs("Remittance file 划拨文件", found)))


@remit_app.command("netting")
@guarded
def remit_netting(
    period: Annotated[str, typer.Option(help="Month of opening, 2026-11; all when absent.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sum the batches by pair of cities and net them (城市间轧差)."""
    period_id = parse_period(period) if period else None
    with open_market(home) as market:
        found = netting_found(market, period_id)

    def render() -> None:
        rows = [
            (
                f"{_city(row['city_code'])} – {_city(row['other_city_code'])}",
                yuan_text(row["to_other_fen"]),
                yuan_text(row["from_other_fen"]),
                f"{_city(row['net_payer_city'])} → {_city(row['net_payee_city'])}",
                yuan_text(row["net_fen"]),
            )
            for row in found
        ]
        columns = ("cities 城市", "forth yuan", "back yuan", "net payer 净付方", "net yuan")
        out.print(table("Netting 轧差", columns, rows))

    show(found, as_json, render)


@payee_app.command("set")
@guarded
def payee_set(
    file: Annotated[Path, typer.Argument(help="Record as JSON; - for standard input.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep the account of an organisation: name, number, bank, CNAPS code, item code."""
    body = read_json(file)
    with open_market(home) as market:
        record = set_payee(market, body).model_dump(mode="json")
    show(record, as_json, lambda: out.print(pairs("Payee 收款账户", record)))


@payee_app.command("list")
@guarded
def payee_list(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the accounts on record, their numbers shortened."""
    with open_market(home) as market:
        records = [record.model_dump(mode="json") for record in payee_records(market)]
        names = {str(key): name for key, name in display_names(market).items()}
    found = [item | {"account_no": "…" + item["account_no"][-4:]} for item in records]
    rows = [
        (
            label(names, item["organisation_id"]),
            item["account_name"],
            item["account_no"],
            item["item_code"] or "—",
        )
        for item in found
    ]
    columns = ("organisation 机构", "account name 户名", "account", "item code 项目编码")
    show(found, as_json, lambda: out.print(table("Payees 收款账户", columns, rows)))


@payee_app.command("rule")
@guarded
def payee_rule(
    city_code: int,
    treasury_ppm: Annotated[int, typer.Argument(help="The treasury's part, millionths.")],
    reason: str,
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which part of its public institutions' income a treasury is paid (核定上缴比例)."""
    body = {"city_code": city_code, "treasury_ppm": treasury_ppm, "reason": reason}
    carry_out(home, key_name, "set-treasury-rule", body, as_json)


@payee_app.command("rules")
@guarded
def payee_rules(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the cities' rules on public institutions' income; the newest of a city holds."""
    with open_market(home) as market:
        found = treasury_rules(market)

    def render() -> None:
        rows = [
            (_city(row["city_code"]), row["rule_no"], row["treasury_ppm"], row["in_force_at"][:10])
            for row in found
        ]
        columns = ("city 城市", "rule", "treasury's part ppm 上缴比例", "from 起")
        out.print(table("Public institutions 事业单位", columns, rows))

    show(found, as_json, render)


def _city(code: int) -> str:
    found = CITIES.get(code)
    return f"{found.name_zh} {found.name_en}" if found else str(code)
