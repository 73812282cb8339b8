"""Keeps the entries of the catalogue equal to what they are made of.

Rules kept here:
1. An entry follows from projections, documents and harvested records; the tables of the group
   `CATALOGUE` can be emptied at any time and come back the same.
2. What differs is found by comparing, not by events: whatever a handler changed, and however the
   chain went back, is seen. Nothing is compared while the projections stand still.
3. Documents are read through a function that the caller gives; this layer knows no files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    case,
    func,
    literal,
    or_,
    select,
    text,
)

from ledger.domain.codes import ClaimantKind, ProductState
from ledger.domain.facets import (
    FACETS,
    HARVESTED_STATE,
    SUSPENDED_DATASET,
    EntryKind,
    pack,
    price_kind,
    product_state,
    theme_number,
    unpack,
)
from ledger.projection.catalogue_entries import (
    dataset_entry,
    harvested_entry,
    price_from,
    product_entry,
)
from ledger.projection.catalogue_store import remove, write, write_values
from ledger.projection.chain_copy import position_of
from ledger.projection.tables import (
    catalogue_entries,
    catalogue_position,
    datasets,
    harvested_datasets,
    lineage,
    organisations,
    products,
    tariffs,
)

FindRecord = Callable[[bytes], Mapping[str, Any] | None]
_CHUNK = 500
_OF_CHAIN = ("city", "open_class", "frequency", "grade", "mode", "state")


def is_current(connection: Connection) -> bool:
    """Return whether the entries follow the projections as they are."""
    known = connection.execute(select(catalogue_position.c.block_hash)).scalar_one_or_none()
    return known is not None and known == _block(connection)


def refresh(connection: Connection, find_record: FindRecord, *, force: bool = False) -> int:
    """Bring the entries up to the projections; return how many were written."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(4027433)"))
    if is_current(connection) and not force:
        return 0
    changed = sum(
        _drop_gone(connection, kind, table, key)
        for kind, table, key in (
            (EntryKind.DATASET, datasets, "dataset_id"),
            (EntryKind.PRODUCT, products, "product_id"),
            (EntryKind.HARVESTED, harvested_datasets, "entry_id"),
        )
    )
    count = _datasets(connection, find_record)
    count += _products(connection, find_record)
    changed += _prices(connection)
    count += _harvested(connection)
    if changed or count:
        write_values(connection)
    connection.execute(catalogue_position.delete())
    position = {"position_id": 1, "block_hash": _block(connection)}
    connection.execute(catalogue_position.insert(), position)
    return count


def _block(connection: Connection) -> str:
    position = position_of(connection)
    return "" if position is None else position.hash


def _drop_gone(connection: Connection, kind: EntryKind, table: Table, key: str) -> int:
    entries = catalogue_entries.c
    is_there = select(literal(1)).where(table.c[key] == entries.entry_id).exists()
    query = select(entries.entry_no).where(entries.kind == kind, ~is_there)
    numbers = list(connection.execute(query).scalars())
    remove(connection, numbers)
    return len(numbers)


def _datasets(connection: Connection, find_record: FindRecord) -> int:
    entries = catalogue_entries.c
    row = datasets.c
    state = case((row.is_suspended, SUSPENDED_DATASET), else_=row.state)
    values: dict[str, ColumnElement[Any]] = {
        "city": row.city_code,
        "open_class": row.open_class,
        "frequency": row.update_frequency,
        "grade": row.grade,
        "mode": row.delivery_modes,
        "state": state,
    }
    mask = sum(FACETS[key].mask << FACETS[key].shift for key in _OF_CHAIN)
    packed = sum((value * _wide(1 << FACETS[key].shift) for key, value in values.items()), _wide(0))
    query = (
        select(datasets, organisations.c.kind.label("provider_kind"), state.label("facet_state"))
        .select_from(
            datasets.outerjoin(catalogue_entries, entries.entry_id == row.dataset_id).outerjoin(
                organisations, organisations.c.organisation_id == row.provider_id
            )
        )
        .where(
            or_(
                entries.entry_no.is_(None),
                entries.record_digest != row.metadata_digest,
                entries.facets.op("&")(_wide(mask)) != packed,
            )
        )
        .order_by(row.evidenced_at, row.dataset_id)
    )
    due = connection.execute(query).all()
    for start in range(0, len(due), _CHUNK):
        part = due[start : start + _CHUNK]
        write(connection, [dataset_entry(it, find_record(it.metadata_digest)) for it in part])
    return len(due)


def _wide(number: int) -> ColumnElement[int]:
    # A small number would be sent as a short integer, and the product would not fit it.
    return literal(number, BigInteger)


def _products(connection: Connection, find_record: FindRecord) -> int:
    """Write the products that differ in record, tariff, state, or in what their datasets are."""
    entries = catalogue_entries.c
    tariff = (tariffs.c.product_id == products.c.product_id) & (
        tariffs.c.tariff_no == products.c.tariff_no
    )
    query = (
        select(
            products,
            tariffs.c.bands,
            organisations.c.profile_digest,
            organisations.c.kind.label("operator_kind"),
            entries.facets.label("known_facets"),
            entries.record_digest.label("known_digest"),
            entries.tariff_no.label("known_tariff_no"),
        )
        .select_from(
            products.outerjoin(tariffs, tariff)
            .outerjoin(organisations, organisations.c.organisation_id == products.c.operator_id)
            .outerjoin(catalogue_entries, entries.entry_id == products.c.product_id)
        )
        .order_by(products.c.listed_at, products.c.product_id)
    )
    found = []
    made_of = _facets_of_datasets(connection)
    for row in map(_Product, connection.execute(query).all()):
        facets = row.facets(made_of.get(row.product_id, []))
        known = (row.known_facets, row.known_digest, row.known_tariff_no)
        if known != (pack(facets), row.metadata_digest, row.tariff_no):
            operator = find_record(row.profile_digest) if row.profile_digest else None
            document = find_record(row.metadata_digest)
            found.append(product_entry(row, document, operator, facets))
    write(connection, found)
    return len(found)


class _Product:
    """A row of a product with its tariff, and what follows from it."""

    def __init__(self, row: Any) -> None:
        self._row = row
        self.price_micro_yuan = None if row.bands is None else price_from(row.bands)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)

    def facets(self, of_datasets: Sequence[int]) -> dict[str, int]:
        """Return theme and frequency of the weightiest dataset, the strictest class, the worst
        grade, and what the product says itself."""

        def worst(key: str) -> int:
            return max((unpack(number, key) for number in of_datasets), default=0)

        def first(key: str) -> int:
            return unpack(of_datasets[0], key) if of_datasets else 0

        return {
            "kind": EntryKind.PRODUCT,
            "city": self.city_code,
            "domain": first("domain"),
            "frequency": first("frequency"),
            "open_class": worst("open_class"),
            "grade": worst("grade"),
            "price": price_kind(self.price_micro_yuan),
            "mode": self.modes,
            "provider_kind": self.operator_kind or 0,
            "state": product_state(self.state),
        }


def _facets_of_datasets(connection: Connection) -> dict[UUID, list[int]]:
    """Return the facets of the datasets of each product, the weightiest first."""
    entries = catalogue_entries.c
    query = (
        select(lineage.c.product_id, entries.facets)
        .join(catalogue_entries, entries.entry_id == lineage.c.claimant_id)
        .where(lineage.c.kind == ClaimantKind.DATASET)
        .order_by(lineage.c.product_id, lineage.c.weight_ppm.desc(), lineage.c.claimant_id)
    )
    found: dict[UUID, list[int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.product_id, []).append(row.facets)
    return found


def _prices(connection: Connection) -> int:
    """Give each dataset the lowest price of the listed products that are made of it; return how
    many changed."""
    entries = catalogue_entries.c
    listed = (products.c.product_id == lineage.c.product_id) & (
        products.c.state == ProductState.LISTED
    )
    priced = (
        select(lineage.c.claimant_id, func.min(entries.price_micro_yuan))
        .join(products, listed)
        .join(catalogue_entries, entries.entry_id == lineage.c.product_id)
        .where(entries.price_micro_yuan.is_not(None))
        .group_by(lineage.c.claimant_id)
    )
    prices = {row[0]: row[1] for row in connection.execute(priced)}
    has_price = entries.price_micro_yuan.is_not(None)
    known_query = select(entries.entry_id, entries.price_micro_yuan).where(
        entries.kind == EntryKind.DATASET, has_price
    )
    known = {row.entry_id: row.price_micro_yuan for row in connection.execute(known_query)}
    changed = [it for it in known.keys() | prices.keys() if known.get(it) != prices.get(it)]
    for entry_id in changed:
        _set_price(connection, entry_id, prices.get(entry_id))
    return len(changed)


def _set_price(connection: Connection, entry_id: UUID, price: int | None) -> None:
    entries = catalogue_entries.c
    where = (entries.entry_id == entry_id) & (entries.kind == EntryKind.DATASET)
    facets = connection.execute(select(entries.facets).where(where)).scalar_one_or_none()
    if facets is None:
        return
    facet = FACETS["price"]
    facets = facets & ~(facet.mask << facet.shift) | pack({"price": price_kind(price)})
    change = catalogue_entries.update().where(where)
    connection.execute(change.values(price_micro_yuan=price, facets=facets))


def _harvested(connection: Connection) -> int:
    entries = catalogue_entries.c
    row = harvested_datasets.c
    query = (
        select(harvested_datasets)
        .outerjoin(catalogue_entries, entries.entry_id == row.entry_id)
        .where(or_(entries.entry_no.is_(None), entries.record_digest != row.record_digest))
        .order_by(row.source, row.uri)
    )
    due = connection.execute(query).all()
    for start in range(0, len(due), _CHUNK):
        part = due[start : start + _CHUNK]
        write(connection, [harvested_entry(it, _harvested_facets(it.record)) for it in part])
    return len(due)


def _harvested_facets(record: Mapping[str, Any]) -> dict[str, int]:
    return {
        "kind": EntryKind.HARVESTED,
        "city": int(record.get("city_code") or 0),
        "domain": theme_number(str(record.get("theme", ""))),
        "frequency": int(record.get("frequency") or 0),
        "state": HARVESTED_STATE,
    }
