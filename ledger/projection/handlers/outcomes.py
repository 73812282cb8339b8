"""Events of derived products (二次开发): affiliates, listing, the sharing of outcomes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from ledger.domain.codes import InvoiceState, ProductState, SchemeState
from ledger.domain.ids import ZERO_DIGEST, digest_text
from ledger.domain.money import Tier
from ledger.domain.units import PPM_WHOLE
from ledger.projection.errors import EventContradictsError
from ledger.projection.handlers.base import change, handles, insert, insert_all
from ledger.projection.handlers.money import INVOICE, enter, owe, reduce
from ledger.projection.handlers.shares import NOBODY, Line, only, post, scheme_row
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import affiliates, invoices, lineage, products, schemes, sources

_DELETE_AFFILIATES = delete(affiliates).where(
    affiliates.c.one_id == bindparam("one_id"), affiliates.c.other_id == bindparam("other_id")
)
_LINEAGE = (
    select(lineage.c.claimant_id, lineage.c.weight_ppm)
    .where(lineage.c.product_id == bindparam("product_id"))
    .order_by(lineage.c.position)
)
_NO_RATES = (
    "bond_ppm",
    "spread_ppm",
    "surcharge_ppm",
    "providers_ppm",
    "operator_ppm",
    "platform_ppm",
    "governance_ppm",
)
_NO_SUMS = ("tax_taken", "recovered", "benefit", "forgone", "reserve", "cost", "profit", "tax")


@handles("AffiliatesDeclared")
def affiliates_declared(connection: Connection, event: StoredEvent) -> None:
    """Two organisations are affiliates."""
    args = event.args
    insert(
        connection,
        affiliates,
        one_id=args["one_id"],
        other_id=args["other_id"],
        declared_by_id=args["actor_id"],
        declared_at=event.block_time,
    )


@handles("AffiliationEnded")
def affiliation_ended(connection: Connection, event: StoredEvent) -> None:
    """Two organisations are affiliates no longer."""
    connection.execute(
        _DELETE_AFFILIATES,
        {"one_id": event.args["one_id"], "other_id": event.args["other_id"]},
    )


@handles("ProductDerived")
def product_derived(connection: Connection, event: StoredEvent) -> None:
    """A derived product is in the catalogue, with what it was made from and who shares in it."""
    args = event.args
    insert(
        connection,
        products,
        product_id=args["product_id"],
        operator_id=args["developer_id"],
        city_code=args["city_code"],
        state=ProductState.LISTED,
        modes=args["modes"],
        tariff_no=0,
        is_derived=True,
        metadata_digest=args["metadata_digest"],
        decision_digest=None,
        listed_at=event.block_time,
    )
    key = {"product_id": args["product_id"]}
    for table, rows in ((lineage, args["lineage"]), (sources, args["sources"])):
        insert_all(connection, table, [key | row | {"position": i} for i, row in enumerate(rows)])


@handles("MarketOpened")
def market_opened(connection: Connection, event: StoredEvent) -> None:
    """A developer's year begins: nothing is approved and nothing is capped."""
    args = event.args
    insert(
        connection,
        schemes,
        **dict.fromkeys(_NO_RATES, 0),
        **{f"{name}_micro_fen": 0 for name in _NO_SUMS},
        scheme_id=args["scheme_id"],
        operator_id=args["developer_id"],
        platform_id=NOBODY,
        governance_id=None,
        cycle_id=NOBODY,
        city_code=args["city_code"],
        year=args["year"],
        is_trial=False,
        vat_ppm=args["vat_ppm"],
        hold_days=args["hold_days"],
        release_count=0,
        split_count=0,
        state=SchemeState.MARKET,
        version_no=0,
        decision_digest=digest_text(ZERO_DIGEST),
        approved_at=event.block_time,
    )


@handles("OutcomeShared")
def outcome_shared(connection: Connection, event: StoredEvent) -> None:
    """An income of a derived product is shared by the lineage's ppm."""
    args = event.args
    found = _lines(connection, args)
    enter(connection, event, found, net_fen=args["net_fen"], vat_fen=args["vat_fen"])
    post(connection, scheme_row(connection, args["scheme_id"]), found, 0)
    key = {"scheme_id": args["scheme_id"]}
    change(connection, schemes, key, split_count=args["release_no"])
    key = {"invoice_id": args["invoice_id"]}
    change(connection, invoices, key, state=InvoiceState.SPLIT)


@handles("OutcomeCorrected")
def outcome_corrected(connection: Connection, event: StoredEvent) -> None:
    """What a reduction takes from the net is taken back from each of the lineage."""
    args = event.args
    invoice = only(connection, INVOICE, invoice_id=args["invoice_id"])
    found = _lines(connection, args)
    vat_fen = args["reduction_fen"] - args["net_fen"]
    entry_no = enter(connection, event, found, net_fen=args["net_fen"], vat_fen=vat_fen)
    post(connection, scheme_row(connection, args["scheme_id"]), found, 0, sign=-1)
    owe(connection, event, entry_no)
    gross_fen = invoice["gross_fen"] - args["reduction_fen"]
    change(
        connection,
        invoices,
        {"invoice_id": args["invoice_id"]},
        gross_fen=gross_fen,
        state=InvoiceState.SPLIT if gross_fen else InvoiceState.REFUNDED,
    )
    reduce(connection, event, args["reduction_fen"], True)


def _lines(connection: Connection, args: dict[str, Any]) -> list[Line]:
    """Return the lines of an outcome; a net in fen times a ppm is a whole number of µfen."""
    product_id = only(connection, INVOICE, invoice_id=args["invoice_id"])["product_id"]
    rows = connection.execute(_LINEAGE, {"product_id": product_id}).all()
    if sum(row.weight_ppm for row in rows) != PPM_WHOLE:
        raise EventContradictsError("an outcome of a product that shares none", got=str(product_id))
    return [
        Line(Tier.OUTCOME, i, row.claimant_id, args["net_fen"] * row.weight_ppm)
        for i, row in enumerate(rows)
    ]
