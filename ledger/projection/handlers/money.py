"""Events of RevenueLedger about bills, payments and splits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from ledger.domain.codes import InvoiceState
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection.errors import EventContradictsError
from ledger.projection.handlers.base import change, handles, insert, insert_all
from ledger.projection.handlers.basis import basis_of
from ledger.projection.handlers.remittances import remit, require_entitled
from ledger.projection.handlers.shares import (
    Line,
    lines_of,
    only,
    pool,
    post,
    scheme_row,
)
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import (
    invoices,
    licences,
    lineage,
    payments,
    receivables,
    reductions,
    schemes,
    split_lines,
    splits,
)

_LICENCE = select(licences.c.product_id, licences.c.buyer_id).where(
    licences.c.licence_no == bindparam("licence_no")
)
CORRECTIONS = ("SplitCorrected", "OutcomeCorrected")
INVOICE = select(invoices).where(invoices.c.invoice_id == bindparam("invoice_id"))
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
    scheme_id = only(connection, INVOICE, invoice_id=invoice_id)["scheme_id"]
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
    invoice = only(connection, INVOICE, invoice_id=args["invoice_id"])
    state, gross_fen = invoice["state"], args["gross_fen"]
    if gross_fen == 0 and state != InvoiceState.RELEASED:
        state = InvoiceState.REFUNDED
    elif state == InvoiceState.ISSUED and gross_fen == invoice["paid_fen"]:
        state = InvoiceState.HELD
    key = {"invoice_id": args["invoice_id"]}
    held_until = args["held_until"]
    change(connection, invoices, key, gross_fen=gross_fen, state=state, held_until=held_until)
    is_refund = invoice["state"] != InvoiceState.ISSUED
    reduce(connection, event, args["reduction_fen"], is_refund)


@handles("SplitRecorded")
def split_recorded(connection: Connection, event: StoredEvent) -> None:
    """An income is shared: lines by tier, and what each account has now."""
    args = event.args
    invoice_id = args["invoice_id"]
    scheme = scheme_row(connection, args["scheme_id"])
    listed = _listed(connection, invoice_id)
    income = args["net_fen"] * MICRO_FEN_PER_FEN
    found = lines_of(scheme, args["split"], listed, income)
    enter(connection, event, found, net_fen=args["net_fen"], vat_fen=args["vat_fen"])
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
    entry_no = enter(connection, event, found, net_fen=net_fen, vat_fen=vat_fen)
    post(connection, scheme, found, args["split"]["forgone_micro_fen"], sign=-1)
    owe(connection, event, entry_no)
    if args["release_no"]:
        change(connection, schemes, {"scheme_id": scheme_id}, release_count=args["release_no"])
    gross_fen = only(connection, INVOICE, invoice_id=invoice_id)["gross_fen"]
    change(
        connection,
        invoices,
        {"invoice_id": invoice_id},
        state=InvoiceState.RELEASED if args["release_no"] else InvoiceState.REFUNDED,
        gross_fen=gross_fen - args["reduction_fen"],
        release_no=args["release_no"],
    )
    if args["reduction_fen"]:
        reduce(connection, event, args["reduction_fen"], True)


def _listed(connection: Connection, invoice_id: str) -> list[Any]:
    """Return the claimants of the product that an invoice bills, in the order of its lineage."""
    product_id = only(connection, INVOICE, invoice_id=invoice_id)["product_id"]
    return list(connection.execute(_LINEAGE, {"product_id": product_id}).scalars())


def _latest(connection: Connection, invoice_id: str) -> dict[str, Any]:
    row = connection.execute(_ENTRIES, {"invoice_id": invoice_id}).mappings().first()
    if row is None:
        raise EventContradictsError("a correction of what was not split", got=invoice_id)
    return dict(row)


def enter(
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
        release_no=args.get("release_no", 0),
        is_correction=event.name in CORRECTIONS,
        net_fen=net_fen,
        vat_fen=vat_fen,
        forgone_micro_fen=args["split"]["forgone_micro_fen"] if "split" in args else 0,
        basis=basis_of(connection, scheme_row(connection, args["scheme_id"]), found)
        if "split" in args
        else {},
        recorded_at=event.block_time,
        tx_hash=event.tx_hash,
    )
    insert_all(connection, split_lines, [line.row(**key) for line in found])
    return entry_no


def owe(connection: Connection, event: StoredEvent, entry_no: int) -> None:
    """Enter what payees owe back since a correction."""
    args = event.args
    rows = [
        item | {"invoice_id": args["invoice_id"], "entry_no": entry_no, "position": i}
        for i, item in enumerate(args["receivables"])
    ]
    insert_all(connection, receivables, rows)
    for item in args["receivables"]:
        remit(connection, item | {"scheme_id": args["scheme_id"]}, item["payee_id"], sign=-1)
    for item in args["receivables"]:
        require_entitled(connection, args["scheme_id"], item["claimant_id"])


def reduce(connection: Connection, event: StoredEvent, amount_fen: int, is_refund: bool) -> None:
    """Enter a credit note, or a refund with its receipt."""
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
