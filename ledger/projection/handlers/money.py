"""Events of RevenueLedger about bills, payments, splits and remittances."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from ledger.domain.codes import InvoiceState, RemittanceState
from ledger.domain.parting import Parting
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection.errors import EventContradictsError
from ledger.projection.handlers.base import change, handles, insert, insert_all
from ledger.projection.handlers.shares import (
    Line,
    find_account,
    lines_of,
    only,
    pool,
    post,
    scheme_row,
)
from ledger.projection.payees import parting_of, payees_of
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import (
    account_parts,
    invoices,
    licences,
    lineage,
    payments,
    receivables,
    reductions,
    remittance_lines,
    remittances,
    scheme_accounts,
    schemes,
    split_lines,
    splits,
)

_LICENCE = select(licences.c.product_id, licences.c.buyer_id).where(
    licences.c.licence_no == bindparam("licence_no")
)
_INVOICE = select(invoices).where(invoices.c.invoice_id == bindparam("invoice_id"))
_PAYMENT_COUNT = select(func.count()).where(payments.c.invoice_id == bindparam("invoice_id"))
_REDUCTION_COUNT = select(func.count()).where(reductions.c.invoice_id == bindparam("invoice_id"))
_ENTRIES = (
    select(splits)
    .where(splits.c.invoice_id == bindparam("invoice_id"))
    .order_by(splits.c.entry_no.desc())
)
_LINEAGE = (
    select(lineage.c.claimant_id)
    .where(lineage.c.product_id == bindparam("product_id"))
    .order_by(lineage.c.position)
)


@handles("InvoiceIssued")
def invoice_issued(connection: Connection, event: StoredEvent) -> None:
    """Proven use is billed. A bill of nothing is settled at once."""
    licence = only(connection, _LICENCE, licence_no=event.args["licence_no"])
    is_free = event.args["gross_fen"] == 0
    insert(
        connection,
        invoices,
        product_id=licence["product_id"],
        buyer_id=licence["buyer_id"],
        state=InvoiceState.SPLIT if is_free else InvoiceState.ISSUED,
        paid_fen=0,
        held_until=0,
        release_no=0,
        is_accepted=False,
        is_frozen=False,
        issued_at=event.block_time,
        tx_hash=event.tx_hash,
        **event.args,
    )


@handles("PaymentRecorded")
def payment_recorded(connection: Connection, event: StoredEvent) -> None:
    """Money arrived; the last part starts the hold."""
    args = event.args
    invoice_id = args["invoice_id"]
    count = connection.execute(_PAYMENT_COUNT, {"invoice_id": invoice_id}).scalar_one()
    insert(
        connection,
        payments,
        invoice_id=invoice_id,
        payment_no=count + 1,
        amount_fen=args["amount_fen"],
        receipt_digest=args["receipt_digest"],
        recorded_at=event.block_time,
        tx_hash=event.tx_hash,
    )
    held = {"state": InvoiceState.HELD, "held_until": args["held_until"]}
    key = {"invoice_id": invoice_id}
    # The hold never starts before 1970, so zero says "not paid in full".
    change(
        connection,
        invoices,
        key,
        paid_fen=args["paid_fen"],
        **(held if args["held_until"] else {}),
    )


@handles("InvoiceReleased")
def invoice_released(connection: Connection, event: StoredEvent) -> None:
    """The hold has ended; the income is in line for its split."""
    invoice_id, release_no = event.args["invoice_id"], event.args["release_no"]
    scheme_id = only(connection, _INVOICE, invoice_id=invoice_id)["scheme_id"]
    change(
        connection,
        invoices,
        {"invoice_id": invoice_id},
        state=InvoiceState.RELEASED,
        release_no=release_no,
        is_accepted=event.args["is_accepted"],
    )
    change(connection, schemes, {"scheme_id": scheme_id}, release_count=release_no)


@handles("InvoiceFrozen")
def invoice_frozen(connection: Connection, event: StoredEvent) -> None:
    """An objection keeps a payment from being released, or lets it go on."""
    key = {"invoice_id": event.args["invoice_id"]}
    change(connection, invoices, key, is_frozen=event.args["is_frozen"])


@handles("InvoiceReduced")
def invoice_reduced(connection: Connection, event: StoredEvent) -> None:
    """A bill that is not split is reduced: a credit note, or a refund."""
    args = event.args
    invoice = only(connection, _INVOICE, invoice_id=args["invoice_id"])
    state, gross_fen = invoice["state"], args["gross_fen"]
    if gross_fen == 0 and state != InvoiceState.RELEASED:
        state = InvoiceState.REFUNDED
    elif state == InvoiceState.ISSUED and gross_fen == invoice["paid_fen"]:
        state = InvoiceState.HELD
    key = {"invoice_id": args["invoice_id"]}
    held_until = args["held_until"]
    change(connection, invoices, key, gross_fen=gross_fen, state=state, held_until=held_until)
    is_refund = invoice["state"] != InvoiceState.ISSUED
    _reduce(connection, event, args["reduction_fen"], is_refund)


@handles("SplitRecorded")
def split_recorded(connection: Connection, event: StoredEvent) -> None:
    """An income is shared: lines by tier, and what each account has now."""
    args = event.args
    invoice_id = args["invoice_id"]
    scheme = scheme_row(connection, args["scheme_id"])
    listed = _listed(connection, invoice_id)
    income = args["net_fen"] * MICRO_FEN_PER_FEN
    found = lines_of(scheme, args["split"], listed, income)
    _enter(connection, event, found, net_fen=args["net_fen"], vat_fen=args["vat_fen"])
    pool(connection, args["scheme_id"], listed)
    post(connection, scheme, found, args["split"]["forgone_micro_fen"])
    key = {"scheme_id": args["scheme_id"]}
    change(connection, schemes, key, split_count=args["release_no"])
    change(connection, invoices, {"invoice_id": invoice_id}, state=InvoiceState.SPLIT)


@handles("SplitCorrected")
def split_corrected(connection: Connection, event: StoredEvent) -> None:
    """Equal and opposite entries of a split; what is left of the bill is in line again."""
    args = event.args
    invoice_id, scheme_id = args["invoice_id"], args["scheme_id"]
    scheme = scheme_row(connection, scheme_id)
    recorded = _latest(connection, invoice_id)
    income = recorded["net_fen"] * MICRO_FEN_PER_FEN
    found = lines_of(scheme, args["split"], _listed(connection, invoice_id), income)
    net_fen, vat_fen = recorded["net_fen"], recorded["vat_fen"]
    entry_no = _enter(connection, event, found, net_fen=net_fen, vat_fen=vat_fen)
    post(connection, scheme, found, args["split"]["forgone_micro_fen"], sign=-1)
    rows = [
        item | {"invoice_id": invoice_id, "entry_no": entry_no, "position": i}
        for i, item in enumerate(args["receivables"])
    ]
    insert_all(connection, receivables, rows)
    for item in args["receivables"]:
        _remit(connection, item | {"scheme_id": scheme_id}, item["payee_id"], sign=-1)
    for item in args["receivables"]:
        _require_entitled(connection, scheme_id, item["claimant_id"])
    if args["release_no"]:
        change(connection, schemes, {"scheme_id": scheme_id}, release_count=args["release_no"])
    gross_fen = only(connection, _INVOICE, invoice_id=invoice_id)["gross_fen"]
    change(
        connection,
        invoices,
        {"invoice_id": invoice_id},
        state=InvoiceState.RELEASED if args["release_no"] else InvoiceState.REFUNDED,
        gross_fen=gross_fen - args["reduction_fen"],
        release_no=args["release_no"],
    )
    if args["reduction_fen"]:
        _reduce(connection, event, args["reduction_fen"], True)


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
        part = _remit(connection, line, event.args["payee_id"])
        _require_entitled(connection, line["scheme_id"], line["claimant_id"])
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


def _listed(connection: Connection, invoice_id: str) -> list[Any]:
    """Return the claimants of the product that an invoice bills, in the order of its lineage."""
    product_id = only(connection, _INVOICE, invoice_id=invoice_id)["product_id"]
    return list(connection.execute(_LINEAGE, {"product_id": product_id}).scalars())


def _latest(connection: Connection, invoice_id: str) -> dict[str, Any]:
    row = connection.execute(_ENTRIES, {"invoice_id": invoice_id}).mappings().first()
    if row is None:
        raise EventContradictsError("a correction of what was not split", got=invoice_id)
    return dict(row)


def _enter(
    connection: Connection, event: StoredEvent, found: list[Line], *, net_fen: int, vat_fen: int
) -> int:
    """Enter a split or its correction under the invoice's next number, and return it."""
    args = event.args
    before = connection.execute(_ENTRIES, {"invoice_id": args["invoice_id"]}).mappings().first()
    entry_no = 1 if before is None else int(before["entry_no"]) + 1
    key = {"invoice_id": args["invoice_id"], "entry_no": entry_no}
    insert(
        connection,
        splits,
        **key,
        event_no=event.event_no,
        scheme_id=args["scheme_id"],
        release_no=args["release_no"],
        is_correction=event.name == "SplitCorrected",
        net_fen=net_fen,
        vat_fen=vat_fen,
        forgone_micro_fen=args["split"]["forgone_micro_fen"],
        recorded_at=event.block_time,
        tx_hash=event.tx_hash,
    )
    insert_all(connection, split_lines, [line.row(**key) for line in found])
    return entry_no


def _reduce(connection: Connection, event: StoredEvent, amount_fen: int, is_refund: bool) -> None:
    args = event.args
    key = {"invoice_id": args["invoice_id"]}
    insert(
        connection,
        reductions,
        **key,
        reduction_no=connection.execute(_REDUCTION_COUNT, key).scalar_one() + 1,
        amount_fen=amount_fen,
        receipt_digest=args["receipt_digest"] if is_refund else None,
        document_digest=args["document_digest"],
        recorded_at=event.block_time,
        tx_hash=event.tx_hash,
    )


def _remit(
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


def _require_entitled(connection: Connection, scheme_id: Any, claimant_id: Any) -> None:
    account = _account(connection, scheme_id, claimant_id)
    if account["remitted_micro_fen"] > account["entitled_micro_fen"]:
        raise EventContradictsError(
            "more is remitted than a claimant is entitled to",
            field=str(claimant_id),
            got=account["remitted_micro_fen"],
            expected=account["entitled_micro_fen"],
        )
