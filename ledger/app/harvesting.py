"""Harvest: the datasets of another catalogue beside ours, marked as its own, never for sale.

Rules kept here:
1. What was read is kept in durable tables; it follows from no chain, and a rebuild leaves it alone.
2. A source is replaced as a whole: what its newest file no longer lists is gone. The same file
   again changes nothing.
3. Datasets that are ours already are passed over, so two cities may harvest each other.
"""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from ledger.app.catalogue import bring_up_to_date
from ledger.app.catalogue_errors import NotHarvesterError
from ledger.app.market import Market
from ledger.codec.canonical import canonical_digest
from ledger.codec.foreign_catalogue import SIZE_MAX, ForeignCatalogue, read_catalogue
from ledger.domain.cities import require_city
from ledger.domain.codes import Role
from ledger.domain.errors import MalformedValueError
from ledger.projection import harvested, queries
from ledger.projection.database import write
from ledger.projection.queries import bulk

SIZE_READ_MAX = SIZE_MAX + 1
"""Bytes of a file that are read: one more than are taken."""
SOURCE_LENGTH_MAX = 200
SKIPPED_SHOWN_MAX = 100
_HARVESTERS = (Role.PLATFORM, Role.REGISTRAR)


def harvest_catalogue(
    market: Market,
    content: bytes,
    harvester_id: UUID,
    *,
    source: str = "",
    form: str = "",
    city_code: int | None = None,
) -> dict[str, Any]:
    """Take over the datasets of a catalogue's file; return how many were new, changed or gone.

    Args:
        harvester_id: the organisation that brings the file: the platform or a registrar.
        source: name of the catalogue; its own address when empty.
        city_code: city of datasets that name none.

    Raises:
        NotHarvesterError: the organisation has neither role.
        ForeignCatalogueError: the file cannot be read.
    """
    _require_harvester(market, harvester_id)
    city = require_city(city_code).code if city_code is not None else 0
    found = read_catalogue(content, form)
    name = _source_of(source or found.uri)
    with market.read() as connection:
        own = {str(key) for key in bulk.dataset_ids(connection)}
    rows, skipped = [], list(found.skipped)
    for uri, record in sorted(found.datasets.items()):
        if record["identifier"] in own:
            skipped.append({"uri": uri, "reason": "ours"})
            continue
        record = record | {"city_code": record["city_code"] or city}
        rows.append(_row(name, uri, record))
    head = _head(market, found, harvester_id)
    with write(market.engine) as connection:
        counts = harvested.replace_source(connection, name, rows, head)
    bring_up_to_date(market, force=True)
    return {
        "source": name,
        "title": found.title,
        "datasets": len(rows),
        **counts,
        "skipped_count": len(skipped),
        "skipped": skipped[:SKIPPED_SHOWN_MAX],
    }


def _row(source: str, uri: str, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "entry_id": uuid5(NAMESPACE_URL, f"{source}\n{uri}"),
        "source": source,
        "uri": uri,
        "record_digest": canonical_digest(record),
        "record": record,
    }


def _head(market: Market, found: ForeignCatalogue, harvester_id: UUID) -> dict[str, Any]:
    return {
        "title": found.title,
        "file_digest": found.file_digest,
        "harvested_by": harvester_id,
        "harvested_at": market.now_seconds(),
    }


def _require_harvester(market: Market, organisation_id: UUID) -> None:
    with market.read() as connection:
        held = {row.role for row in queries.roles_of(connection, organisation_id)}
    if not held & set(_HARVESTERS):
        raise NotHarvesterError(
            "only the platform and registrars harvest",
            field="organisation_id",
            got=str(organisation_id),
            expected=[role.name.lower() for role in _HARVESTERS],
        )


def _source_of(text: str) -> str:
    if not 1 <= len(text) <= SOURCE_LENGTH_MAX or not text.isprintable():
        raise MalformedValueError(
            "the catalogue has no address of its own; name its source",
            field="source",
            got=text[:80],
            expected=f"1 to {SOURCE_LENGTH_MAX} printable characters",
        )
    return text
