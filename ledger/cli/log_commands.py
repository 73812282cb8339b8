"""Commands on logs of use."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.app.commands import run
from ledger.app.log_keeping import anchor, checkpoint
from ledger.cli.log_usage import usage
from ledger.cli.proof_commands import log_consistency, log_proof
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    account,
    guarded,
    open_market,
    out,
    pairs,
    show,
    show_done,
)
from ledger.domain.errors import MalformedValueError
from ledger.domain.ids import digest_text
from ledger.report.statements import market_statement

log_app = typer.Typer(help="Logs of use 使用日志: checkpoints 检查点, anchors 上链锚定, proofs.")
log_app.command("usage")(usage)
log_app.command("proof")(log_proof)
log_app.command("consistency")(log_consistency)


@log_app.command("open")
@guarded
def log_open(key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Open a log of use on chain."""
    with open_market(home) as market:
        done = run(market, account(market, key_name), "open-log", {})
    show_done(done, as_json)


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
