"""Commands that make and check proofs of receipts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ledger.app.proving import (
    ProofForm,
    check_proof_file,
    check_proof_on_chain,
    consistency,
    json_file,
    licence_proof,
    proof,
    proof_file,
)
from ledger.cli.shell import HomeOption, JsonOption, guarded, open_market, out, show, show_error
from ledger.domain.errors import LedgerError, MalformedValueError

proof_app = typer.Typer(help="Proof files of receipts 计量凭证.")

OutOption = Annotated[
    Path | None, typer.Option("--out", help="Write the file here.", show_default=False)
]


@guarded
def log_proof(
    index: Annotated[int | None, typer.Argument(help="Which receipt, from 0.")] = None,
    log_no: int = 1,
    form: Annotated[ProofForm, typer.Option("--format", help="Form of the file.")] = ProofForm.JSON,
    anchored: Annotated[
        bool, typer.Option("--anchored", help="Prove against the newest anchor, as the chain does.")
    ] = False,
    licence_no: Annotated[
        int | None, typer.Option(help="Prove every receipt of a licence instead of one.")
    ] = None,
    from_seq: Annotated[int, typer.Option(help="First of the licence's receipts.")] = 1,
    to_seq: Annotated[int | None, typer.Option(help="Last; the last signed by default.")] = None,
    out_file: OutOption = None,
    home: HomeOption = None,
    as_json: JsonOption = True,
) -> None:
    """Print or write the proof of one receipt, or of a licence's receipts without a gap."""
    if (index is None) == (licence_no is None):
        raise MalformedValueError(
            "name one receipt by its index, or a licence", field="index", expected="one of both"
        )
    with open_market(home) as market:
        if licence_no is not None:
            made = json_file(licence_proof(market, log_no, licence_no, from_seq, to_seq))
        else:
            made = proof_file(proof(market, log_no, index or 0, is_anchored=anchored), form)
    _give(made, out_file, as_json)


@guarded
def log_consistency(
    old_size: Annotated[int, typer.Argument(help="Receipts of the earlier state.")],
    new_size: Annotated[int, typer.Argument(help="Receipts of the later state.")],
    log_no: int = 1,
    out_file: OutOption = None,
    home: HomeOption = None,
    as_json: JsonOption = True,
) -> None:
    """Print or write the proof that one state of the log begins a later one."""
    with open_market(home) as market:
        made = json_file(consistency(market, log_no, old_size, new_size))
    _give(made, out_file, as_json)


@proof_app.command("check")
@guarded
def proof_check(
    file: Annotated[Path, typer.Argument(help="A proof of any form, - for standard input.")],
    vkey: Annotated[
        str | None, typer.Option(help="The log's public key (C2SP vkey).", show_default=False)
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="The checkpoint that a binary proof rests on.", show_default=False),
    ] = None,
    on_chain: Annotated[
        bool, typer.Option("--on-chain", help="Let the chain check a binary proof as it is.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a proof file against a log's public key, without a market, or on chain."""
    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    findings = _findings_on_chain(data, home) if on_chain else _findings(data, vkey, checkpoint)
    found = {"ok": not findings, "findings": [item.as_dict() for item in findings]}

    def render() -> None:
        for item in findings:
            show_error(item)
        out.print(f"{len(findings)} findings", style="red" if findings else "green")

    show(found, as_json, render)
    if findings:
        raise typer.Exit(1)


def _findings_on_chain(data: bytes, home: Path | None) -> list[LedgerError]:
    with open_market(home) as market:
        return check_proof_on_chain(market, data)


def _findings(data: bytes, vkey: str | None, checkpoint: Path | None) -> list[LedgerError]:
    if vkey is None:
        raise MalformedValueError(
            "a proof is checked under the log's public key, or on chain",
            field="vkey",
            expected="--vkey or --on-chain",
        )
    note = None if checkpoint is None else checkpoint.read_bytes().decode(errors="replace")
    return check_proof_file(data, vkey, note)


def _give(made: bytes, file: Path | None, as_json: bool) -> None:
    if file is None:
        sys.stdout.buffer.write(made)
        sys.stdout.flush()
        return
    file.write_bytes(made)
    found = {"file": str(file), "bytes": len(made)}
    show(found, as_json, lambda: out.print(f"{file}: {len(made)} bytes", highlight=False))
