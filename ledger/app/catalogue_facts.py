"""What exports of the catalogue are written from: projected rows joined with stored records.

Everything is read in batches, so an export needs the memory of a few hundred datasets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from ledger.app.catalogue import lineage_found
from ledger.app.lookup import plain
from ledger.app.market import Market
from ledger.app.names import names_of
from ledger.domain.codes import Role
from ledger.projection import queries
from ledger.projection.queries import bulk

_BATCH = 200
Facts = dict[str, Any]


def catalogue_head(market: Market, base_url: str) -> Facts:
    """Return what a catalogue says of itself: its name, its publisher, what it lists."""
    with market.read() as connection:
        platforms = queries.organisations_list(connection, role=Role.PLATFORM)
        datasets, products = bulk.dataset_ids(connection), bulk.product_ids(connection)
    publisher = {row.organisation_id: row.profile_digest for row in platforms[:1]}
    names = names_of(market, publisher)
    named = [_organisation(key, names[key]) for key in publisher]
    unnamed = {"organisation_id": "", "name_zh": "都市圈数据账本", "name_en": "Metro Data Ledger"}
    registry = market.contracts.datasets.address
    return {
        "uri": f"urn:mdl:catalogue:{market.settings.chain_id}:{registry}",
        "base_url": base_url.rstrip("/"),
        "publisher": (named or [unnamed])[0],
        "dataset_ids": [str(key) for key in datasets],
        "product_ids": [str(key) for key in products],
    }


def dataset_facts(market: Market, ids: Sequence[str]) -> Iterator[Facts]:
    """Yield datasets with records, versions, parents, providers and products."""
    for start in range(0, len(ids), _BATCH):
        part = [UUID(key) for key in ids[start : start + _BATCH]]
        with market.read() as connection:
            details = bulk.dataset_details(connection, part)
            made = bulk.products_made_of(connection, part)
            providers = bulk.organisations_of(
                connection, {detail.dataset.provider_id for detail in details}
            )
        digests = {key: row.profile_digest for key, row in providers.items()}
        names = names_of(market, digests)
        for detail in details:
            row = detail.dataset
            titles = names_of(market, {row.dataset_id: row.metadata_digest})[row.dataset_id]
            document = market.documents.find(row.metadata_digest)
            yield plain(row) | {
                "title_zh": titles["zh"],
                "title_en": titles["en"],
                "record": (document.record.get("metadata") if document else None) or {},
                "versions": [plain(it) for it in detail.versions],
                "parents": [plain(it) for it in detail.parents],
                "provider": _organisation(row.provider_id, names.get(row.provider_id)),
                "products": [plain(it) for it in made.get(row.dataset_id, [])],
            }


def product_facts(market: Market, ids: Sequence[str]) -> Iterator[Facts]:
    """Yield products with records, operators, lineage and the tariff in force."""
    for start in range(0, len(ids), _BATCH):
        with market.read() as connection:
            part = [UUID(key) for key in ids[start : start + _BATCH]]
            details = bulk.product_details(connection, part)
            operators = bulk.organisations_of(
                connection, {detail.product.operator_id for detail in details}
            )
        names = names_of(market, {key: row.profile_digest for key, row in operators.items()})
        for detail in details:
            row = detail.product
            titles = names_of(market, {row.product_id: row.metadata_digest})[row.product_id]
            document = market.documents.find(row.metadata_digest)
            yield plain(row) | {
                "title_zh": titles["zh"],
                "title_en": titles["en"],
                "record": dict(document.record) if document else {},
                "operator": _organisation(row.operator_id, names.get(row.operator_id)),
                "lineage": [plain(it) for it in detail.lineage],
                "tariff": plain(detail.tariff) if detail.tariff else None,
            }


def lineage_facts(market: Market, entry_id: UUID) -> tuple[list[Facts], list[Facts]]:
    """Return the datasets and the products in the lineage of an entry.

    Raises:
        NotFoundError: there is no such entry.
    """
    nodes = lineage_found(market, entry_id)["nodes"]
    ids: dict[str, list[str]] = {"version": [], "product": []}
    for node in nodes:
        if node["subject_id"] not in ids[node["kind"]]:
            ids[node["kind"]].append(node["subject_id"])
    datasets = list(dataset_facts(market, ids["version"]))
    return datasets, list(product_facts(market, ids["product"]))


def _organisation(key: UUID, name: Mapping[str, str] | None) -> Facts:
    named = name or {"zh": str(key), "en": str(key)}
    return {"organisation_id": str(key), "name_zh": named["zh"], "name_en": named["en"]}
