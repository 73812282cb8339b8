"""Events of RevenueLedger. Sums are asserted here again, in integers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from ledger.domain.codes import InvoiceState, RemittanceState
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection.errors import EventContradictsError
from ledger.projection.handlers.base import change, handles, insert, insert_all
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import (
    invoices,
    licences,
    lineage,
    payments,
    remittance_lines,
    remittances,
    scheme_accounts,
    schemes,
    split_lines,
    splits,
)

TIER_TAX, TIER_LINEAGE_COST, TIER_RESERVE = 1, 2, 5

_LICENCE = select(licences.c.product_id, licences.c.buyer_id).where(
    licences.c.licence_no == bindparam("licence_no")
)
_INVOICE = select(invoices.c.scheme_id, invoices.c.product_id).where(
    invoices.c.invoice_id == bindparam("invoice_id")
)
_PAYMENT_COUNT = select(func.count()).where(payments.c.invoice_id == bindparam("invoice_id"))
_LINEAGE = (
    select(lineage.c.claimant_id)
    .where(lineage.c.product_id == bindparam("product_id"))
    .order_by(lineage.c.position)
)
_SCHEME = select(schemes.c.tax_taken_micro_fen, schemes.c.reserve_micro_fen).where(
    schemes.c.scheme_id == bindparam("scheme_id")
)
_ACCOUNT = select(scheme_accounts).where(
    scheme_accounts.c.scheme_id == bindparam("scheme_id"),
    scheme_accounts.c.claimant_id == bindparam("claimant_id"),
)


@handles("SchemeApproved")
def scheme_approved(connection: Connection, event: StoredEvent) -> None:
    """A scheme is approved: what each claimant may recover."""
    terms = dict(event.args["terms"])
    insert(
        connection,
        schemes,
        tax_micro_fen=terms.pop("tax_fen") * MICRO_FEN_PER_FEN,
        tax_taken_micro_fen=0,
        reserve_micro_fen=0,
        release_count=0,
        split_count=0,
        approved_at=event.block_time,
        **terms,
    )
    rows = [
        {
            "scheme_id": terms["scheme_id"],
            "claimant_id": cost["claimant_id"],
            "cost_micro_fen": cost["cost_fen"] * MICRO_FEN_PER_FEN,
            "recovered_micro_fen": 0,
            "entitled_micro_fen": 0,
            "remitted_micro_fen": 0,
        }
        for cost in event.args["costs"]
    ]
    insert_all(connection, scheme_accounts, rows)


@handles("InvoiceIssued")
def invoice_issued(connection: Connection, event: StoredEvent) -> None:
    """Proven use is billed. A bill of nothing is settled at once."""
    licence = _one(connection, _LICENCE, licence_no=event.args["licence_no"])
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
    scheme_id = _one(connection, _INVOICE, invoice_id=invoice_id)["scheme_id"]
    change(
        connection,
        invoices,
        {"invoice_id": invoice_id},
        state=InvoiceState.RELEASED,
        release_no=release_no,
        is_accepted=event.args["is_accepted"],
    )
    change(connection, schemes, {"scheme_id": scheme_id}, release_count=release_no)


@handles("SplitRecorded")
def split_recorded(connection: Connection, event: StoredEvent) -> None:
    """An income is shared: lines by tier, and what each account has now."""
    args, split = event.args, event.args["split"]
    invoice_id, scheme_id = args["invoice_id"], args["scheme_id"]
    product_id = _one(connection, _INVOICE, invoice_id=invoice_id)["product_id"]
    claimants = connection.execute(_LINEAGE, {"product_id": product_id}).scalars().all()
    shares = list(zip(claimants, split["lineage_cost_micro_fen"], strict=True))
    _require_sum(args["net_fen"], split)
    insert(
        connection,
        splits,
        invoice_id=invoice_id,
        scheme_id=scheme_id,
        release_no=args["release_no"],
        net_fen=args["net_fen"],
        vat_fen=args["vat_fen"],
        recorded_at=event.block_time,
        tx_hash=event.tx_hash,
    )
    insert_all(connection, split_lines, _lines(invoice_id, split, shares))
    for claimant_id, amount in shares:
        _credit(connection, scheme_id, claimant_id, amount)
    before = _one(connection, _SCHEME, scheme_id=scheme_id)
    change(
        connection,
        schemes,
        {"scheme_id": scheme_id},
        tax_taken_micro_fen=before["tax_taken_micro_fen"] + split["tax_micro_fen"],
        reserve_micro_fen=before["reserve_micro_fen"] + split["reserve_micro_fen"],
        split_count=args["release_no"],
    )
    change(connection, invoices, {"invoice_id": invoice_id}, state=InvoiceState.SPLIT)


@handles("RemittanceOpened")
def remittance_opened(connection: Connection, event: StoredEvent) -> None:
    """A batch pays whole fen to one payee; the accounts count them as remitted."""
    lines = event.args["lines"]
    batch_id = event.args["batch_id"]
    insert(
        connection,
        remittances,
        batch_id=batch_id,
        payee_id=event.args["payee_id"],
        state=RemittanceState.OPEN,
        amount_fen=sum(line["amount_fen"] for line in lines),
        document_digest=event.args["document_digest"],
        receipt_digest=None,
        opened_at=event.block_time,
        closed_at=None,
        tx_hash=event.tx_hash,
    )
    rows = [line | {"batch_id": batch_id, "position": i} for i, line in enumerate(lines)]
    insert_all(connection, remittance_lines, rows)
    for line in lines:
        _debit(connection, line)


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


def _require_sum(net_fen: int, split: dict[str, Any]) -> None:
    got = split["tax_micro_fen"] + sum(split["lineage_cost_micro_fen"]) + split["reserve_micro_fen"]
    if got != net_fen * MICRO_FEN_PER_FEN:
        raise EventContradictsError(
            "the lines of a split do not sum to its net income",
            field="split",
            got=got,
            expected=net_fen * MICRO_FEN_PER_FEN,
        )


def _lines(
    invoice_id: str, split: dict[str, Any], shares: list[tuple[Any, int]]
) -> list[dict[str, Any]]:
    tiers = [(TIER_TAX, 0, None, split["tax_micro_fen"])]
    tiers += [(TIER_LINEAGE_COST, i, who, amount) for i, (who, amount) in enumerate(shares)]
    tiers += [(TIER_RESERVE, 0, None, split["reserve_micro_fen"])]
    return [
        {
            "invoice_id": invoice_id,
            "tier": tier,
            "position": position,
            "claimant_id": claimant_id,
            "amount_micro_fen": amount,
        }
        for tier, position, claimant_id, amount in tiers
    ]


def _credit(connection: Connection, scheme_id: str, claimant_id: Any, amount: int) -> None:
    if amount == 0:
        return
    key = {"scheme_id": scheme_id, "claimant_id": claimant_id}
    before = _one(connection, _ACCOUNT, **key)
    recovered = before["recovered_micro_fen"] + amount
    if recovered > before["cost_micro_fen"]:
        raise EventContradictsError(
            "a claimant recovers more than its cost",
            field=str(claimant_id),
            got=recovered,
            expected=before["cost_micro_fen"],
        )
    change(
        connection,
        scheme_accounts,
        key,
        recovered_micro_fen=recovered,
        entitled_micro_fen=before["entitled_micro_fen"] + amount,
    )


def _debit(connection: Connection, line: dict[str, Any]) -> None:
    key = {"scheme_id": line["scheme_id"], "claimant_id": line["claimant_id"]}
    before = _one(connection, _ACCOUNT, **key)
    remitted = before["remitted_micro_fen"] + line["amount_fen"] * MICRO_FEN_PER_FEN
    if remitted > before["entitled_micro_fen"]:
        raise EventContradictsError(
            "more is remitted than a claimant is entitled to",
            field=line["claimant_id"],
            got=remitted,
            expected=before["entitled_micro_fen"],
        )
    change(connection, scheme_accounts, key, remitted_micro_fen=remitted)


def _one(connection: Connection, query: Any, **key: Any) -> dict[str, Any]:
    row = connection.execute(query, key).mappings().one_or_none()
    if row is None:
        raise EventContradictsError("an event names what no event made", got=str(key))
    return dict(row)
