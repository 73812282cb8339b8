"""Commands on logs of use."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import MofNCompleteColumn, Progress, TaskID

from ledger.app.anchoring import AnchorOutcome, AnchorPolicy, anchor_due, keep_anchored
from ledger.app.importing import Tell, import_file
from ledger.app.log_keeping import anchor, checkpoint
from ledger.app.verifying import audit_copy, audit_logs
from ledger.cli.audits import audit_progress, print_audit
from ledger.cli.log_usage import usage
from ledger.cli.proof_commands import log_consistency, log_proof
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    account,
    carry_out,
    err,
    guarded,
    open_market,
    out,
    pairs,
    read_object,
    show,
    show_done,
    table,
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
    carry_out(home, key_name, "open-log", {}, as_json)


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


@log_app.command("keep")
@guarded
def log_keep(
    key_name: AsOption,
    once: Annotated[bool, typer.Option("--once", help="Look once, not until stopped.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Anchor the logs that one keeps whenever they are due: by new receipts and by age.

    MDL_ANCHOR_RECEIPTS and MDL_ANCHOR_SECONDS say when. With --json one object a line and anchor.
    """

    def tell(outcome: AnchorOutcome) -> None:
        found: dict[str, Any] = {"log_no": outcome.log_no, "size": outcome.size}
        if outcome.error is not None:
            found |= {"error": outcome.error.as_dict()}
        text = f"log {outcome.log_no}: {outcome.size:,} receipts"
        if as_json:
            out.print(json.dumps(found, ensure_ascii=False), markup=False, soft_wrap=True)
        elif outcome.error is not None:
            out.print(f"{text} not anchored: {outcome.error}", style="red")
        else:
            out.print(f"{text} anchored 上链锚定")

    with open_market(home) as market:
        signer = account(market, key_name)
        if once:
            for outcome in anchor_due(market, signer, AnchorPolicy.of(market)):
                tell(outcome)
        else:
            keep_anchored(market, signer, threading.Event(), tell)


@log_app.command("import")
@guarded
def log_import(
    files: Annotated[list[Path], typer.Argument(help="Meters' files, taken in this order.")],
    log_no: Annotated[int, typer.Option(help="Number of the log.")],
    rejects: Annotated[
        Path | None, typer.Option(help="Where refused rows are told; FILE.rejects.ndjson else.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring meters' files into a log: Parquet, Arrow or JSON lines (gzip, zstd), one commit each.

    Rows are checked against the licences; refused ones are told with line and reason, the others
    enter. A row whose meter_seq is in the log already adds nothing, so a file may come twice.
    """
    with open_market(home) as market, import_progress(as_json) as tell:
        found = [
            import_file(market, file, log_no, rejects=rejects, tell=tell).as_dict()
            for file in files
        ]

    def render() -> None:
        columns = ("file", "rows", "taken", "repeated", "refused", "rejects", "size")
        rows = [tuple(item[column] or 0 for column in columns) for item in found]
        out.print(table(f"Log 使用日志 {log_no}", columns, rows))

    show({"log_no": log_no, "files": found}, as_json, render)


@contextmanager
def import_progress(is_silent: bool) -> Iterator[Tell]:
    """Show how many rows of which file were read, on standard error."""
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=err, disable=is_silent, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(name: str, rows: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=rows)

        yield tell


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


@log_app.command("audit")
@guarded
def log_audit(
    log_no: Annotated[int | None, typer.Option(help="Only this log; else all.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Files of one log, for --offline.")] = None,
    anchors: Annotated[Path | None, typer.Option(help="Anchors as JSON, for --offline.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Without a market or chain.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute logs from their receipts and compare them with the chain's anchors (核验)."""
    with audit_progress(as_json) as progress:
        if offline:
            found = _audited_copy(folder, anchors, progress)
        else:
            with open_market(home) as market:
                found = audit_logs(market, log_no=log_no, progress=progress)
    show(found.audit_dict(), as_json, lambda: print_audit(found))
    if not found.ok:
        raise typer.Exit(1)


def _audited_copy(folder: Path | None, anchors: Path | None, progress: Any) -> Any:
    if folder is None or anchors is None:
        raise MalformedValueError(
            "an audit offline needs --folder and --anchors",
            field="anchors" if folder else "folder",
            expected="files of a log, and its anchors",
        )
    return audit_copy(folder, read_object(anchors), progress)
