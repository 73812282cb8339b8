"""The tables, in three groups.

- `CHAIN_COPY`: what the chain said (blocks, events, cursor). Written by the indexer only.
- `PROJECTIONS`: what the events mean. Disposable: `rebuild` empties and fills them again.
- `DURABLE`: what neither chain nor log implies (outbox, API keys). Never dropped.
"""

from __future__ import annotations

from sqlalchemy import Table

from ledger.projection.tables.base import METADATA
from ledger.projection.tables.chain_copy import blocks, cursor, events
from ledger.projection.tables.durable import api_keys, outbox, outbox_members
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
DURABLE: tuple[Table, ...] = (outbox, outbox_members, api_keys)
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
    "CHAIN_COPY",
    "DURABLE",
    "METADATA",
    "PROJECTIONS",
    "anchors",
    "api_keys",
    "blocks",
    "caps",
    "cities",
    "cursor",
    "cycles",
    "dataset_versions",
    "datasets",
    "events",
    "fill_lines",
    "fills",
    "invoices",
    "kinds",
    "licences",
    "lineage",
    "logs",
    "organisations",
    "outbox",
    "outbox_members",
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
