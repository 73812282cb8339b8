"""The catalogue for people and programs: search, one entry, its timeline, its lineage."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from ledger.app.catalogue_errors import CursorError
from ledger.app.lookup import dataset_found, plain, product_found
from ledger.app.market import Market
from ledger.app.names import names_of
from ledger.codec.canonical import canonical_digest
from ledger.domain.calendar import instant_text
from ledger.domain.codes import RegistrationState
from ledger.domain.errors import MalformedValueError
from ledger.domain.facets import FACETS, EntryKind, unpack
from ledger.domain.labels import label_of
from ledger.domain.search_words import QUERY_LENGTH_MAX, parts_of
from ledger.domain.units import require_range
from ledger.projection import queries
from ledger.projection.catalogue import is_current, refresh
from ledger.projection.database import write
from ledger.projection.errors import NotFoundError
from ledger.projection.queries import catalogue as searching
from ledger.projection.queries.catalogue import EntryRow, Search, SearchPage, Sort
from ledger.projection.queries.lineage_graph import Graph, dataset_graph, product_graph

LIMIT_MAX = 100
SORTS = {"relevance": Sort.RELEVANCE, "newest": Sort.NEWEST, "title": Sort.TITLE_ZH}
_CURSOR_LENGTH_MAX = 600


def bring_up_to_date(market: Market, *, force: bool = False) -> int:
    """Make the entries follow the projections; return how many were written."""
    if not force:
        with market.read() as connection:
            if is_current(connection):
                return 0
    with write(market.engine) as connection:
        return refresh(connection, lambda digest: _record(market, digest), force=force)


def search_catalogue(
    market: Market,
    *,
    text: str = "",
    filters: Mapping[str, Sequence[str]] | None = None,
    price_max_micro_yuan: int | None = None,
    sort: str = "",
    side: str = "zh",
    limit: int = 20,
    cursor: str = "",
) -> dict[str, Any]:
    """Return one page of entries with the counts of each facet.

    Args:
        text: words in Chinese or English.
        filters: names by facet; an entry has one of each facet that is named.
        sort: relevance (the default with a text), newest (the default without) or title.
        side: zh or en: the titles that are sorted by.
        cursor: `next_cursor` of the page before, with the same search.

    Raises:
        LedgerError: a name, a number or the cursor is wrong; the error names it.
    """
    wanted = _search_of(text, filters or {}, price_max_micro_yuan, sort, side, limit)
    mark = _mark(text, filters or {}, price_max_micro_yuan, wanted.sort)
    if cursor:
        wanted = _after(wanted, cursor, mark)
    bring_up_to_date(market)
    with market.read() as connection:
        page = searching.search(connection, wanted)
    return {
        "total": page.total,
        "sort": _sort_name(wanted.sort),
        "items": [_item(row) for row in page.items],
        "facets": _facets(page, wanted),
        "next_cursor": _cursor(page, wanted.sort, mark),
    }


def entry_kind(market: Market, entry_id: UUID) -> EntryKind:
    """Return what an entry is.

    Raises:
        NotFoundError: there is none of this id.
    """
    bring_up_to_date(market)
    with market.read() as connection:
        kind = searching.kind_of_entry(connection, entry_id)
    if kind is None:
        raise NotFoundError(
            f"the catalogue has no entry {entry_id}", field="entry_id", got=str(entry_id)
        )
    return kind


def entry_found(market: Market, entry_id: UUID) -> dict[str, Any]:
    """Return everything on one entry, whatever it is.

    Raises:
        NotFoundError: there is none of this id.
    """
    kind = entry_kind(market, entry_id)
    head = {"entry_id": str(entry_id), "kind": kind.name.lower()}
    if kind is EntryKind.PRODUCT:
        return head | product_found(market, entry_id)
    if kind is EntryKind.HARVESTED:
        with market.read() as connection:
            return head | plain(searching.harvested(connection, entry_id))
    return (
        head
        | dataset_found(market, entry_id)
        | {
            "timeline": timeline_of(market, entry_id),
            "products": products_of(market, entry_id),
        }
    )


def products_of(market: Market, dataset_id: UUID) -> list[dict[str, Any]]:
    """Return the products that are made of a dataset, newest first."""
    with market.read() as connection:
        rows = queries.search_products(connection, dataset_id=dataset_id, limit=100).items
        names = names_of(market, {row.product_id: row.metadata_digest for row in rows})
    return [plain(row) | {"name": names[row.product_id]} for row in rows]


def timeline_of(market: Market, dataset_id: UUID) -> list[dict[str, Any]]:
    """Return versions with their digests and the steps of the registration, in order of time.

    Raises:
        NotFoundError: the dataset is unknown.
    """
    with market.read() as connection:
        detail = queries.dataset(connection, dataset_id)
    events: list[tuple[int, int, dict[str, Any]]] = []
    for version in detail.versions:
        row = plain(version) | {"what": "version", "at": instant_text(version.registered_at)}
        row["parents"] = [plain(it) for it in detail.parents if it.version_no == version.version_no]
        events.append((version.registered_at, 0, row))
    for step in detail.steps:
        state = RegistrationState(step.to_state)
        row = plain(step) | {"what": "registration", "at": instant_text(step.decided_at)}
        row |= {"state": state.name.lower()}
        row |= {"label_zh": label_of(state, "zh"), "label_en": label_of(state, "en")}
        events.append((step.decided_at, 1, row))
    return [row for *_, row in sorted(events, key=lambda event: event[:2])]


def lineage_found(market: Market, entry_id: UUID) -> dict[str, Any]:
    """Return the lineage of a dataset or a product both ways: nodes with names, and edges.

    Raises:
        NotFoundError: there is no such dataset or product.
    """
    kind = entry_kind(market, entry_id)
    with market.read() as connection:
        if kind is EntryKind.DATASET:
            graph = dataset_graph(connection, entry_id)
        elif kind is EntryKind.PRODUCT:
            graph = product_graph(connection, entry_id)
        else:
            graph = Graph()
        digests = queries.metadata_digests(
            connection, {node.subject_id for node in graph.nodes.values()}
        )
    return _graph(graph, names_of(market, digests)) | {"entry_id": str(entry_id)}


def _graph(graph: Graph, names: Mapping[UUID, Mapping[str, str]]) -> dict[str, Any]:
    nodes = [
        {
            "key": node.key,
            "kind": "version" if node.version_no else "product",
            "subject_id": str(node.subject_id),
            "version_no": node.version_no or None,
            "generation": node.generation,
            "title_zh": names[node.subject_id]["zh"],
            "title_en": names[node.subject_id]["en"],
        }
        for node in sorted(graph.nodes.values(), key=lambda it: (it.generation, it.key))
    ]
    edges = [
        {"from": edge.source, "to": edge.target, "kind": edge.kind}
        for _, edge in sorted(graph.edges.items())
    ]
    return {"nodes": nodes, "edges": edges, "is_cut": graph.is_cut}


def _record(market: Market, digest: bytes) -> Mapping[str, Any] | None:
    document = market.documents.find(digest)
    return document.record if document else None


def _search_of(
    text: str,
    filters: Mapping[str, Sequence[str]],
    price_max: int | None,
    sort: str,
    side: str,
    limit: int,
) -> Search:
    if len(text) > QUERY_LENGTH_MAX:
        raise MalformedValueError(
            "the text is too long", field="text", got=len(text), expected=QUERY_LENGTH_MAX
        )
    parts = parts_of(text)
    name = sort or ("relevance" if parts else "newest")
    if name not in SORTS:
        raise MalformedValueError(
            f"sort {name!r} is not offered", field="sort", got=name, expected=sorted(SORTS)
        )
    order = Sort.TITLE_EN if name == "title" and side == "en" else SORTS[name]
    if price_max is not None:
        require_range("price_max_micro_yuan", price_max, 0, 2**53 - 1)
    chosen = {
        key: frozenset(FACETS[key].parse(value) for value in values)
        for key, values in filters.items()
        if key in FACETS and values
    }
    return Search(parts, chosen, price_max, order, require_range("limit", limit, 1, LIMIT_MAX))


def _facets(page: SearchPage, wanted: Search) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, facet in FACETS.items():
        counts, chosen = page.counts.get(key, {}), wanted.chosen.get(key, frozenset())
        values: list[dict[str, Any]] = [
            {
                "name": name,
                "label_zh": facet.label(number, "zh"),
                "label_en": facet.label(number, "en"),
                "count": counts.get(number, 0),
                "is_chosen": number in chosen,
            }
            for name, number in facet.names.items()
            if number in counts or number in chosen
        ]
        found[key] = {
            "label_zh": facet.labels["zh"],
            "label_en": facet.labels["en"],
            "values": sorted(values, key=_by_count),
        }
    return found


def _by_count(value: dict[str, Any]) -> int:
    return -int(value["count"])


def _item(row: EntryRow) -> dict[str, Any]:
    item: dict[str, Any] = {
        "entry_id": str(row.entry_id),
        "title_zh": row.title_zh,
        "title_en": row.title_en,
        "summary_zh": row.summary_zh,
        "summary_en": row.summary_en,
        "provider": row.provider,
        "source": row.source or None,
        "price_from_micro_yuan": row.price_micro_yuan,
        "issued_at": instant_text(row.issued_at),
    }
    for key, facet in FACETS.items():
        number = unpack(row.facets, key)
        if facet.is_set:
            item[key] = [name for name, bit in facet.names.items() if number & bit]
        else:
            item[key] = next((name for name, it in facet.names.items() if it == number), None)
    return item


def _mark(text: str, filters: Mapping[str, Sequence[str]], price: int | None, sort: Sort) -> str:
    """Return what binds a cursor to its search."""
    wanted = {key: sorted(values) for key, values in filters.items() if values}
    return canonical_digest([text, wanted, price, int(sort)]).hex()[:16]


def _cursor(page: SearchPage, sort: Sort, mark: str) -> str | None:
    if page.is_last or not page.items:
        return None
    place = [mark, *page.items[-1].place(sort)]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _after(wanted: Search, cursor: str, mark: str) -> Search:
    kinds: dict[Sort, tuple[type, ...]] = {
        Sort.RELEVANCE: (int, int, str),
        Sort.NEWEST: (int, str),
        Sort.TITLE_ZH: (str, str),
        Sort.TITLE_EN: (str, str),
    }
    place = _decoded(cursor)
    values = place[1:]
    wanted_kinds = kinds[wanted.sort]
    if (
        place[:1] != [mark]
        or len(values) != len(wanted_kinds)
        or not all(map(_is_place, values, wanted_kinds))
    ):
        raise CursorError(
            "the cursor belongs to another search",
            field="cursor",
            got=cursor[:80],
            expected="next_cursor of a page of the same search",
        )
    return Search(
        wanted.parts,
        wanted.chosen,
        wanted.price_max_micro_yuan,
        wanted.sort,
        wanted.limit,
        tuple(values),
    )


def _is_place(value: Any, kind: type) -> bool:
    """Whether a part of a cursor is of its kind, and fit for any database."""
    if kind is int:
        return type(value) is int and 0 <= value < 2**53
    return isinstance(value, str) and value.isprintable() and len(value) <= 80


def _decoded(cursor: str) -> list[Any]:
    try:
        if len(cursor) > _CURSOR_LENGTH_MAX:
            return []
        padded = cursor + "=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded.encode("ascii"), b"-_", validate=True))
    except (ValueError, binascii.Error):
        return []
    return found if isinstance(found, list) else []


def _sort_name(sort: Sort) -> str:
    return next(name for name, order in SORTS.items() if order == min(sort, Sort.TITLE_ZH))
