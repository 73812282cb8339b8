"""Use of data summed over the logs of this home: who used what, when, how and for what.

Rules kept here:
1. Totals are summed on their own, not from the rows, and must equal the rows' sums. By dataset they
   may not: a product's use counts for each dataset of its lineage there, and once in the totals.
2. A reader sees the licences that it bought or sold and those of products that rest on its
   datasets; by dataset, only its own where it is no party. Regulators, platforms and the
   authorities that register and price see all.
3. What is committed is sealed first, so a sum reads columns and at most one segment of receipts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.app.errors import UsageSumError
from ledger.app.lookup import plain
from ledger.app.market import Market
from ledger.app.names import display_names
from ledger.domain.calendar import parse_period, period_text
from ledger.domain.cities import CITIES
from ledger.domain.codes import ClaimantKind, DeliveryMode, Purpose, Role
from ledger.log.columns import ReceiptColumns
from ledger.log.errors import LogBusyError
from ledger.log.layout import LogLayout
from ledger.log.reader import LogReader
from ledger.log.usage import (
    Dimension,
    LicenceFacts,
    UsageFilter,
    UsageRow,
    parse_dimensions,
    sum_usage,
)
from ledger.projection import queries

READS_ALL = {Role.REGULATOR, Role.PLATFORM, Role.REGISTRAR, Role.PRICE_AUTHORITY}
FIGURES = ("receipts", "refusals", "units", "records")
_NAMED = (Dimension.PRODUCT, Dimension.DATASET, Dimension.BUYER, Dimension.CITY)
_PAGE = 500


@dataclass(frozen=True, slots=True)
class UsageWanted:
    """What is asked: dimensions by name, months such as 2026-11, and what narrows the sums."""

    by: tuple[str, ...]
    month_from: str | None = None
    month_to: str | None = None
    licence_no: int | None = None
    product_id: UUID | None = None
    buyer_id: UUID | None = None
    log_no: int | None = None


@dataclass(frozen=True, slots=True)
class _Facts:
    """Whose licences there are, and what products rest on."""

    licences: list[LicenceFacts]
    lineage: list[tuple[str, str]]
    is_all: bool


def seal_logs(market: Market) -> int:
    """Seal the full segments of every log on this machine; return how many were missing."""
    sealed = 0
    for columns, size in _columns(market, None):
        with contextlib.suppress(LogBusyError):
            sealed += columns.seal(size)
    return sealed


def usage_found(market: Market, wanted: UsageWanted, reader: UUID | None = None) -> dict[str, Any]:
    """Return use by some dimensions, as far as a reader may see it, with totals and names.

    Args:
        market: the market; its logs are those on this machine.
        wanted: what is asked.
        reader: an organisation; without one, everything is seen.

    Raises:
        UnknownCodeError: use is not summed by this.
        MalformedValueError: a month is malformed.
        UsageSumError: totals and rows do not agree.
        LogUsageError: the engine fails; see there.
    """
    by = parse_dimensions(wanted.by)
    facts = _facts(market, reader)
    narrowed = _filter(wanted, facts)
    seal_logs(market)
    logs = list(_columns(market, wanted.log_no))

    def summed(dimensions: tuple[Dimension, ...]) -> list[UsageRow]:
        return sum_usage(
            [columns.parts(size) for columns, size in logs],
            by=dimensions,
            wanted=narrowed,
            licences=facts.licences,
            lineage=facts.lineage,
        )

    [totals] = summed(())
    rows = summed(by) if by else []
    if by and Dimension.DATASET not in by:
        _require_sums(rows, totals)
    found = [_keyed(by, row) for row in rows]
    return {
        "by": [part.value for part in by],
        "rows": found,
        "totals": _figures(totals),
        "names": _names(market, found) if by else {},
    }


def _columns(market: Market, log_no: int | None) -> Iterator[tuple[ReceiptColumns, int]]:
    for file in sorted(market.log_folder(1).parent.glob("*/log.json")):
        if log_no is None or file.parent.name == str(log_no):
            yield ReceiptColumns(LogLayout(file.parent)), LogReader(file.parent).size


def _filter(wanted: UsageWanted, facts: _Facts) -> UsageFilter:
    first, last = wanted.month_from, wanted.month_to
    return UsageFilter(
        period_from=parse_period(first, "from") if first else None,
        period_to=parse_period(last, "to") if last else None,
        licence_no=wanted.licence_no,
        product_id=str(wanted.product_id) if wanted.product_id else None,
        buyer_id=str(wanted.buyer_id) if wanted.buyer_id else None,
        is_known_only=not facts.is_all,
    )


def _facts(market: Market, reader: UUID | None) -> _Facts:
    with market.read() as connection:
        products = {
            row.product_id: row
            for row in _all(lambda at: queries.search_products(connection, limit=_PAGE, offset=at))
        }
        licences = list(_all(lambda at: queries.licences_list(connection, limit=_PAGE, offset=at)))
        lineage = [
            (product_id, entry.claimant_id)
            for product_id in products
            for entry in queries.lineage_of(connection, product_id)
            if entry.kind == ClaimantKind.DATASET
        ]
        is_all = reader is None or _reads_all(connection, reader)
        if reader is not None and not is_all:
            licences, lineage = _visible(connection, reader, licences, lineage)
    return _Facts(
        licences=[
            LicenceFacts(
                row.licence_no,
                str(row.product_id),
                str(row.buyer_id),
                products[row.product_id].city_code,
            )
            for row in licences
        ],
        lineage=[(str(product_id), str(dataset_id)) for product_id, dataset_id in lineage],
        is_all=is_all,
    )


def _reads_all(connection: Any, reader: UUID) -> bool:
    return any(row.role in READS_ALL for row in queries.roles_of(connection, reader))


def _visible(
    connection: Any,
    reader: UUID,
    licences: list[queries.LicenceRow],
    lineage: list[tuple[UUID, UUID]],
) -> tuple[list[queries.LicenceRow], list[tuple[UUID, UUID]]]:
    """Keep what a party may see: its own licences, and those that use its datasets."""
    rows = _all(
        lambda at: queries.search_datasets(connection, provider_id=reader, limit=_PAGE, offset=at)
    )
    supplied = {row.dataset_id for row in rows}
    own = {row.product_id for row in licences if reader in (row.buyer_id, row.operator_id)}
    resting = {product_id for product_id, dataset_id in lineage if dataset_id in supplied}
    return (
        [
            row
            for row in licences
            if reader in (row.buyer_id, row.operator_id) or row.product_id in resting
        ],
        [entry for entry in lineage if entry[1] in supplied or entry[0] in own],
    )


def _all(page_at: Callable[[int], queries.Page[Any]]) -> Iterator[Any]:
    offset = 0
    while rows := page_at(offset).items:
        yield from rows
        offset += len(rows)


def _require_sums(rows: list[UsageRow], totals: UsageRow) -> None:
    for name in FIGURES:
        got, expected = sum(getattr(row, name) for row in rows), getattr(totals, name)
        if got != expected:
            raise UsageSumError(
                f"the rows' {name} do not add up", field=name, got=got, expected=expected
            )


def _keyed(by: tuple[Dimension, ...], row: UsageRow) -> dict[str, Any]:
    key = {part.value: _spoken(part, value) for part, value in zip(by, row.key, strict=True)}
    return key | _figures(row)


def _figures(row: UsageRow) -> dict[str, Any]:
    return {name: value for name, value in plain(row).items() if name != "key"}


def _spoken(part: Dimension, value: Any) -> Any:
    """Return a part of a key as people write it: codes by name, months with a dash."""
    if part == Dimension.MONTH:
        return period_text(value)
    codes = {Dimension.PURPOSE: Purpose, Dimension.MODE: DeliveryMode}.get(part)
    if codes is not None and value in codes._value2member_map_:
        return codes(value).name.lower()
    return value


def _names(market: Market, rows: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Return the names of the ids and cities in the rows."""
    names = {str(key): name for key, name in display_names(market).items()}
    names |= {str(city.code): {"zh": city.name_zh, "en": city.name_en} for city in CITIES.values()}
    wanted = {str(row.get(column)) for column in _NAMED for row in rows}
    return {key: names[key] for key in sorted(wanted & set(names))}
