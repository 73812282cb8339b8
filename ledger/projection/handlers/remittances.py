"""Events of RevenueLedger about remittance batches, and what is remitted of each account."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from ledger.domain.codes import RemittanceState
from ledger.domain.parting import Parting
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection.errors import EventContradictsError
from ledger.projection.handlers.base import change, handles, insert
from ledger.projection.handlers.shares import find_account
from ledger.projection.payees import parting_of, payees_of
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import (
    account_parts,
    remittance_lines,
    remittances,
    scheme_accounts,
)


@handles("RemittanceOpened")
def remittance_opened(connection: Connection, event: StoredEvent) -> None:
    """A batch pays whole fen to one payee; the accounts count them as remitted.

    What the payee owes back is set off; a batch of nothing more needs no receipt.
    """
    lines = event.args["lines"]
    batch_id = event.args["batch_id"]
    amount_fen = sum(line["amount_fen"] for line in lines) - event.args["set_off_fen"]
    insert(
        connection,
        remittances,
        batch_id=batch_id,
        payee_id=event.args["payee_id"],
        state=RemittanceState.OPEN if amount_fen else RemittanceState.CLOSED,
        amount_fen=amount_fen,
        set_off_fen=event.args["set_off_fen"],
        document_digest=event.args["document_digest"],
        receipt_digest=None,
        opened_at=event.block_time,
        closed_at=None if amount_fen else event.block_time,
        tx_hash=event.tx_hash,
    )
    for position, line in enumerate(lines):
        part = remit(connection, line, event.args["payee_id"])
        require_entitled(connection, line["scheme_id"], line["claimant_id"])
        key = {"batch_id": batch_id, "position": position}
        insert(connection, remittance_lines, **key, **line, parting=part and part._asdict())


@handles("RemittanceClosed")
def remittance_closed(connection: Connection, event: StoredEvent) -> None:
    """The bank or the treasury has shown that the batch was paid."""
    change(
        connection,
        remittances,
        {"batch_id": event.args["batch_id"]},
        state=RemittanceState.CLOSED,
        receipt_digest=event.args["receipt_digest"],
        closed_at=event.block_time,
    )


def remit(
    connection: Connection, line: dict[str, Any], payee_id: Any, sign: int = 1
) -> Parting | None:
    """Count a line as remitted to a payee, with `sign` -1 no longer; return how it was parted."""
    scheme_id, claimant_id = line["scheme_id"], line["claimant_id"]
    amount_fen = sign * line["amount_fen"]
    before = _account(connection, scheme_id, claimant_id)
    remitted = before["remitted_micro_fen"] + amount_fen * MICRO_FEN_PER_FEN
    key = {"scheme_id": scheme_id, "claimant_id": claimant_id}
    change(connection, scheme_accounts, key, remitted_micro_fen=remitted)
    remitted_fen = before["remitted_micro_fen"] // MICRO_FEN_PER_FEN
    return _part(connection, key, payee_id, amount_fen, remitted_fen)


def _part(
    connection: Connection, key: dict[str, Any], payee_id: Any, amount_fen: int, remitted_fen: int
) -> Parting | None:
    """Count what an institution itself was paid, where its city has a rule."""
    payees = payees_of(connection, key["claimant_id"])
    before = parting_of(connection, **key)
    if not payees.rule_no or (before is None and amount_fen < 0):
        return None
    part = before or Parting()
    if amount_fen > 0:
        part = part.following(payees.rule_no, payees.treasury_ppm, remitted_fen)
    is_own = str(payee_id) == str(payees.earner_id)
    after = part.paid(amount_fen) if is_own else part
    if before is None:
        insert(connection, account_parts, **key, **after._asdict())
    else:
        change(connection, account_parts, key, **after._asdict())
    return part


def _account(connection: Connection, scheme_id: Any, claimant_id: Any) -> dict[str, Any]:
    found = find_account(connection, scheme_id, claimant_id)
    if found is None:
        raise EventContradictsError("an account that no event made", got=str(claimant_id))
    return found


def require_entitled(connection: Connection, scheme_id: Any, claimant_id: Any) -> None:
    """Refuse that more is remitted than a claimant is entitled to."""
    account = _account(connection, scheme_id, claimant_id)
    if account["remitted_micro_fen"] > account["entitled_micro_fen"]:
        raise EventContradictsError(
            "more is remitted than a claimant is entitled to",
            field=str(claimant_id),
            got=account["remitted_micro_fen"],
            expected=account["entitled_micro_fen"],
        )
