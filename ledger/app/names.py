"""Display names and levels: from stored profiles and records; no amount depends on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from ledger.app.market import Market
from ledger.projection import queries

_PAGE = 500


def display_names(market: Market) -> dict[UUID, dict[str, str]]:
    """Return {"zh", "en"} of every organisation, dataset and product whose document is here."""
    return {key: _name(market, digest) for key, digest in _digests(market)}


def names_of(market: Market, digests: Mapping[UUID, bytes]) -> dict[UUID, dict[str, str]]:
    """Return {"zh", "en"} by id, of the documents behind some digests."""
    return {key: _name(market, digest) for key, digest in digests.items()}


def level_of(market: Market, profile_digest: bytes) -> str:
    """Return the level that an organisation's profile states, empty where it states none."""
    document = market.documents.find(profile_digest)
    return str((document.record.get("level") if document else "") or "")


def invented(market: Market) -> bool:
    """Whether any dataset of the market says that it is invented for a demonstration."""
    with market.read() as connection:
        page = queries.search_datasets(connection, limit=_PAGE)
    for row in page.items:
        document = market.documents.find(row.metadata_digest)
        record = document.record.get("metadata", {}) if document else {}
        if record.get("is_invented"):
            return True
    return False


def _digests(market: Market) -> Iterator[tuple[UUID, bytes]]:
    with market.read() as connection:
        for member in queries.organisations_list(connection):
            yield member.organisation_id, member.profile_digest
        offset = 0
        while rows := queries.search_datasets(connection, limit=_PAGE, offset=offset).items:
            yield from ((row.dataset_id, row.metadata_digest) for row in rows)
            offset += len(rows)
        offset = 0
        while found := queries.search_products(connection, limit=_PAGE, offset=offset).items:
            yield from ((row.product_id, row.metadata_digest) for row in found)
            offset += len(found)


def _name(market: Market, digest: bytes) -> dict[str, str]:
    document = market.documents.find(digest)
    record = dict(document.record) if document else {}
    record = record.get("metadata", record)
    unknown = "0x" + digest.hex()[:12] + "…"
    return {
        "zh": str(record.get("name_zh") or record.get("title_zh") or unknown),
        "en": str(record.get("name_en") or record.get("title_en") or unknown),
    }
