"""The tables, in four groups.

- `CHAIN_COPY`: what the chain said (blocks, events, cursor). Written by the indexer only.
- `PROJECTIONS`: what the events mean. Disposable: `rebuild` empties and fills them again.
- `CATALOGUE`: what can be searched. Disposable: made of projections, documents, harvested records.
- `DURABLE`: what neither chain nor log implies (outbox, API keys). Never dropped.
"""

from __future__ import annotations

from sqlalchemy import Table

from ledger.projection.tables.base import METADATA
from ledger.projection.tables.catalogue import (
    catalogue_entries,
    catalogue_position,
    catalogue_texts,
    harvested_datasets,
    harvests,
)
from ledger.projection.tables.chain_copy import blocks, cursor, events
from ledger.projection.tables.durable import api_keys, outbox
from ledger.projection.tables.market import (
    cities,
    dataset_versions,
    datasets,
    kinds,
    organisations,
    registration_steps,
    roles,
    signers,
    version_parents,
)
from ledger.projection.tables.money import (
    cycles,
    fill_lines,
    fills,
    invoices,
    payments,
    receivables,
    reductions,
    remittance_lines,
    remittances,
    scheme_accounts,
    scheme_versions,
    schemes,
    split_lines,
    splits,
    year_closes,
)
from ledger.projection.tables.sales import (
    anchors,
    caps,
    licences,
    lineage,
    logs,
    products,
    supplements,
    tariffs,
)

CHAIN_COPY: tuple[Table, ...] = (blocks, events, cursor)
CATALOGUE: tuple[Table, ...] = (catalogue_entries, catalogue_texts, catalogue_position)
DURABLE: tuple[Table, ...] = (outbox, api_keys, harvests, harvested_datasets)
PROJECTIONS: tuple[Table, ...] = (
    cities,
    kinds,
    organisations,
    signers,
    roles,
    datasets,
    dataset_versions,
    version_parents,
    registration_steps,
    products,
    lineage,
    caps,
    tariffs,
    licences,
    supplements,
    logs,
    anchors,
    schemes,
    scheme_versions,
    scheme_accounts,
    cycles,
    year_closes,
    invoices,
    payments,
    reductions,
    splits,
    split_lines,
    fills,
    fill_lines,
    receivables,
    remittances,
    remittance_lines,
)

__all__ = [
    "CATALOGUE",
    "CHAIN_COPY",
    "DURABLE",
    "METADATA",
    "PROJECTIONS",
    "anchors",
    "api_keys",
    "blocks",
    "caps",
    "catalogue_entries",
    "catalogue_position",
    "catalogue_texts",
    "cities",
    "cursor",
    "cycles",
    "dataset_versions",
    "datasets",
    "events",
    "fill_lines",
    "fills",
    "harvested_datasets",
    "harvests",
    "invoices",
    "kinds",
    "licences",
    "lineage",
    "logs",
    "organisations",
    "outbox",
    "payments",
    "products",
    "receivables",
    "reductions",
    "registration_steps",
    "remittance_lines",
    "remittances",
    "roles",
    "scheme_accounts",
    "scheme_versions",
    "schemes",
    "signers",
    "split_lines",
    "splits",
    "supplements",
    "tariffs",
    "version_parents",
    "year_closes",
]
