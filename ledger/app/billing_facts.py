"""What bills rest on, read for many licences at once: receipts, proofs, terms, positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.app.log_keeping import reader
from ledger.app.market import Market
from ledger.codec.receipts import Receipt
from ledger.domain.calendar import year_of
from ledger.log.reader import LogReader
from ledger.projection import queries
from ledger.projection.queries.billing import billed_units_of, licences_of
from ledger.projection.queries.sales import LicenceRow, TariffRow


@dataclass(frozen=True, slots=True)
class BillingFacts:
    """What the bill of one licence in one log rests on.

    Attributes:
        log_size: receipts of the log as anchored.
        index: place of the licence's latest receipt among them.
        receipt: that receipt.
        inclusion_proof: its path to the anchored root.
        licence: the licence.
        tariff: the tariff that it fixed, None where use is free.
        from_units: what was billed before.
        already_units: where the buyer stands in the bands of the year.
    """

    log_size: int
    index: int
    receipt: Receipt
    inclusion_proof: list[bytes]
    licence: LicenceRow
    tariff: TariffRow | None
    from_units: int
    already_units: int


def billing_facts(
    market: Market, log_no: int, licence_nos: Sequence[int], before: int | None = None
) -> dict[int, BillingFacts]:
    """Return the facts of each licence that has an anchored receipt in the log.

    Args:
        market: the market.
        log_no: the log.
        licence_nos: the licences.
        before: only use dated before this Unix second; all when absent.
    """
    log = reader(market, log_no)
    size = market.contracts.usage_log.head(log_no, block="latest").size
    latest = _latest(log, licence_nos, size, before) if size else {}
    with market.read() as connection:
        licences = licences_of(connection, list(latest))
        billed = billed_units_of(connection, list(latest), log_no)
        tariffs = {
            key: queries.tariff(connection, *key) if key[1] else None
            for key in {(row.product_id, row.tariff_no) for row in licences.values()}
        }
    used = _positions(market, latest, licences)
    return {
        no: BillingFacts(
            log_size=size,
            index=index,
            receipt=receipt,
            inclusion_proof=log.inclusion_proof(index, size),
            licence=licences[no],
            tariff=tariffs[licences[no].product_id, licences[no].tariff_no],
            from_units=billed[no],
            already_units=used[no],
        )
        for no, (index, receipt) in latest.items()
        if no in licences
    }


def _latest(
    log: LogReader, licence_nos: Sequence[int], size: int, before: int | None
) -> dict[int, tuple[int, Receipt]]:
    if before is None:
        return log.last_uses(licence_nos, size)
    found = {no: log.latest(no, size=size, before_ms=1_000 * before) for no in licence_nos}
    return {no: place for no, place in found.items() if place is not None}


def _positions(
    market: Market, latest: dict[int, tuple[int, Receipt]], licences: dict[int, LicenceRow]
) -> dict[int, int]:
    """Return the units of buyer, product and year, by licence, as the contract has them."""
    asked: dict[int, tuple[UUID, UUID, int]] = {
        no: (row.buyer_id, row.product_id, year_of(latest[no][1].used_at_ms // 1000))
        for no, row in licences.items()
    }
    found = market.contracts.revenue.views("usedUnits", list(asked.values()), block="latest")
    return dict(zip(asked, map(int, found), strict=True))
