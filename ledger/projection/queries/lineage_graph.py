"""Lineage both ways: what a version was made from, and what was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

from sqlalchemy import Connection, select, tuple_

from ledger.domain.codes import ClaimantKind
from ledger.projection.tables import dataset_versions, datasets, lineage, version_parents

DEPTH_MAX = 12
NODES_MAX = 200
_CHUNK = 200
VersionKey = tuple[UUID, int]


@dataclass(frozen=True, slots=True)
class Node:
    """A version, or a product (version 0); `generation` is negative for what it came from."""

    subject_id: UUID
    version_no: int
    generation: int

    @property
    def key(self) -> str:
        """The node's name in edges."""
        return f"{self.subject_id}@{self.version_no}" if self.version_no else str(self.subject_id)


@dataclass(frozen=True, slots=True)
class Edge:
    """From what was used to what was made; `kind` is derived, next_version or product."""

    source: str
    target: str
    kind: str


@dataclass
class Graph:
    """Nodes by key, and edges; `is_cut` when there is more than is told."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str], Edge] = field(default_factory=dict)
    is_cut: bool = False

    def add(self, node: Node) -> bool:
        """Add a node; return whether it is new and there was room."""
        if node.key in self.nodes:
            return False
        if len(self.nodes) >= NODES_MAX:
            self.is_cut = True
            return False
        self.nodes[node.key] = node
        return True

    def link(self, source: str, target: str, kind: str) -> None:
        """Add an edge between nodes that are both here."""
        if source in self.nodes and target in self.nodes:
            self.edges.setdefault((source, target), Edge(source, target, kind))


def dataset_graph(connection: Connection, dataset_id: UUID) -> Graph:
    """Return the graph around all versions of a dataset."""
    graph = Graph()
    query = select(dataset_versions.c.version_no).where(dataset_versions.c.dataset_id == dataset_id)
    numbers = list(
        connection.execute(query.order_by(dataset_versions.c.version_no.desc())).scalars()
    )
    start = [(dataset_id, number) for number in reversed(numbers[: NODES_MAX // 4])]
    graph.is_cut = len(start) < len(numbers)
    for key in start:
        graph.add(Node(*key, 0))
    _walk(connection, graph, start, -1)
    made = _walk(connection, graph, start, 1)
    _add_products(connection, graph, {key[0] for key in [*start, *made]})
    _link_versions(graph)
    return graph


def product_graph(connection: Connection, product_id: UUID) -> Graph:
    """Return the graph of what a product was made from."""
    graph = Graph()
    graph.add(Node(product_id, 0, 0))
    query = (
        select(datasets.c.dataset_id, datasets.c.latest_version_no)
        .join(lineage, lineage.c.claimant_id == datasets.c.dataset_id)
        .where(lineage.c.product_id == product_id, lineage.c.kind == ClaimantKind.DATASET)
        .order_by(lineage.c.position)
    )
    start = [(row.dataset_id, row.latest_version_no) for row in connection.execute(query)]
    for key in start:
        graph.add(Node(*key, -1))
        graph.link(_key(key), str(product_id), "product")
    _walk(connection, graph, start, -1, first=-2)
    _link_versions(graph)
    return graph


def _walk(
    connection: Connection,
    graph: Graph,
    start: Sequence[VersionKey],
    step: int,
    *,
    first: int | None = None,
) -> list[VersionKey]:
    """Add generation after generation; return the versions that were added."""
    frontier = list(start)
    added: list[VersionKey] = []
    generation = step if first is None else first
    for _ in range(DEPTH_MAX):
        fresh = []
        for child, parent in _pairs(connection, frontier, is_up=step < 0):
            found = parent if step < 0 else child
            if graph.add(Node(*found, generation)):
                fresh.append(found)
            graph.link(_key(parent), _key(child), "derived")
        if not fresh:
            return added
        added += fresh
        frontier, generation = fresh, generation + step
    graph.is_cut = True
    return added


def _pairs(
    connection: Connection, versions: Sequence[VersionKey], *, is_up: bool
) -> Iterable[tuple[VersionKey, VersionKey]]:
    """Yield (child, parent) of every edge above or below some versions."""
    row = version_parents.c
    child = (row.dataset_id, row.version_no)
    parent = (row.parent_dataset_id, row.parent_version_no)
    for start in range(0, len(versions), _CHUNK):
        part = [(str(key), number) for key, number in versions[start : start + _CHUNK]]
        query = select(*child, *parent).where(tuple_(*(child if is_up else parent)).in_(part))
        ordered = query.order_by(*child, row.position)
        for found in connection.execute(ordered):
            yield (found[0], found[1]), (found[2], found[3])


def _add_products(connection: Connection, graph: Graph, dataset_ids: set[UUID]) -> None:
    """Add the products of some datasets, one generation after their newest version."""
    newest: dict[UUID, Node] = {}
    for node in graph.nodes.values():
        if node.subject_id in dataset_ids:
            known = newest.get(node.subject_id)
            if known is None or known.version_no < node.version_no:
                newest[node.subject_id] = node
    query = (
        select(lineage.c.claimant_id, lineage.c.product_id)
        .where(
            lineage.c.kind == ClaimantKind.DATASET,
            lineage.c.claimant_id.in_(sorted(map(str, newest))),
        )
        .order_by(lineage.c.product_id, lineage.c.position)
    )
    found = connection.execute(query).all()
    for row in found:
        graph.add(Node(row.product_id, 0, newest[row.claimant_id].generation + 1))
        graph.link(newest[row.claimant_id].key, str(row.product_id), "product")


def _link_versions(graph: Graph) -> None:
    """Link each version to the next of the same dataset that is here."""
    by_dataset: dict[UUID, list[Node]] = {}
    for node in graph.nodes.values():
        if node.version_no:
            by_dataset.setdefault(node.subject_id, []).append(node)
    for nodes in by_dataset.values():
        ordered = sorted(nodes, key=lambda node: node.version_no)
        for before, after in pairwise(ordered):
            graph.link(before.key, after.key, "next_version")


def _key(version: VersionKey) -> str:
    return f"{version[0]}@{version[1]}"
