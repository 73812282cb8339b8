"""Many datasets and products at once, for exports: a few statements for hundreds of records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Table, select

from ledger.projection.queries.base import columns, records
from ledger.projection.queries.market import (
    DatasetDetail,
    DatasetRow,
    OrganisationRow,
    ParentRow,
    StepRow,
    VersionRow,
)
from ledger.projection.queries.sales import ProductDetail, ProductRow, product
from ledger.projection.tables import (
    dataset_versions,
    datasets,
    lineage,
    organisations,
    products,
    registration_steps,
    version_parents,
)

Row = TypeVar("Row")


def dataset_ids(connection: Connection) -> list[UUID]:
    """Return the ids of all datasets, in the order of their registration."""
    query = select(datasets.c.dataset_id)
    ordered = query.order_by(datasets.c.evidenced_at, datasets.c.dataset_id)
    return list(connection.execute(ordered).scalars())


def product_ids(connection: Connection) -> list[UUID]:
    """Return the ids of all products, in the order of their listing."""
    query = select(products.c.product_id)
    return list(
        connection.execute(query.order_by(products.c.listed_at, products.c.product_id)).scalars()
    )


def dataset_details(connection: Connection, ids: Sequence[UUID]) -> list[DatasetDetail]:
    """Return datasets with their versions, parents and steps, in the order of the ids."""
    found = {row.dataset_id: row for row in _rows(connection, datasets, DatasetRow, ids)}
    versions = _by_dataset(_rows(connection, dataset_versions, VersionRow, ids))
    parents = _by_dataset(_rows(connection, version_parents, ParentRow, ids))
    steps = _by_dataset(_rows(connection, registration_steps, StepRow, ids))
    return [
        DatasetDetail(
            found[key],
            tuple(versions.get(key, ())),
            tuple(parents.get(key, ())),
            tuple(steps.get(key, ())),
        )
        for key in ids
        if key in found
    ]


def products_made_of(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[ProductRow]]:
    """Return the products that are made of each of some datasets."""
    query = (
        select(lineage.c.claimant_id, *columns(products, ProductRow))
        .join(products, products.c.product_id == lineage.c.product_id)
        .where(lineage.c.claimant_id.in_(ids))
        .order_by(products.c.listed_at, products.c.product_id)
    )
    found: dict[UUID, list[ProductRow]] = {}
    for row in connection.execute(query).mappings():
        values: dict[str, Any] = dict(row)
        found.setdefault(values.pop("claimant_id"), []).append(ProductRow(**values))
    return found


def product_details(connection: Connection, ids: Sequence[UUID]) -> list[ProductDetail]:
    """Return products with lineage and tariff, in the order of the ids."""
    return [product(connection, key) for key in ids]


def organisations_of(connection: Connection, ids: set[UUID]) -> dict[UUID, OrganisationRow]:
    """Return organisations by id."""
    query = select(*columns(organisations, OrganisationRow))
    wanted = query.where(organisations.c.organisation_id.in_(sorted(map(str, ids))))
    return {row.organisation_id: row for row in records(connection, wanted, OrganisationRow)}


def _rows(connection: Connection, table: Table, kind: type[Row], ids: Sequence[UUID]) -> list[Row]:
    query = select(*columns(table, kind)).where(table.c.dataset_id.in_(ids))
    return records(connection, query.order_by(*table.primary_key), kind)


def _by_dataset(rows: Sequence[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.dataset_id, []).append(row)
    return found
