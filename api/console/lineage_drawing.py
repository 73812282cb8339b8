"""The picture of a lineage as plain geometry: one column a generation, the oldest on the left."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from api.console.drawing import BOX_HEIGHT, BOX_WIDTH, GAP, fitted

COLUMN = 250
ROWS_MAX = 24


@dataclass(frozen=True, slots=True)
class Box:
    """A version or a product; `address` is its page."""

    kind: str
    x: int
    y: int
    label: str
    note: str
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Line:
    """A curve from what was used to what was made."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class LineageDrawing:
    """Boxes and lines; `left_out` counts the nodes for which there was no room."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    left_out: int


def draw_lineage(graph: dict[str, Any], title_key: str, subject_id: str) -> LineageDrawing:
    """Return the drawing of a lineage's nodes and edges."""
    columns: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for node in graph["nodes"]:
        columns[node["generation"]].append(node)
    placed: dict[str, Box] = {}
    left_out = 0
    tallest = min(ROWS_MAX, max((len(nodes) for nodes in columns.values()), default=1))
    height = tallest * (BOX_HEIGHT + GAP)
    for column, generation in enumerate(sorted(columns)):
        nodes = columns[generation][:ROWS_MAX]
        left_out += len(columns[generation]) - len(nodes)
        top = (height - len(nodes) * (BOX_HEIGHT + GAP) + GAP) // 2
        for row, node in enumerate(nodes):
            place = (column * COLUMN, top + row * (BOX_HEIGHT + GAP))
            placed[node["key"]] = _box(node, place, title_key, subject_id)
    lines = tuple(
        Line(edge["kind"], _curve(placed[edge["from"]], placed[edge["to"]]))
        for edge in graph["edges"]
        if edge["from"] in placed and edge["to"] in placed
    )
    width = max(1, len(columns)) * COLUMN - (COLUMN - BOX_WIDTH)
    return LineageDrawing(width, height, tuple(placed.values()), lines, left_out)


def _box(node: dict[str, Any], place: tuple[int, int], title_key: str, subject_id: str) -> Box:
    is_own = node["subject_id"] == subject_id
    kind = "own" if is_own else ("payee" if node["kind"] == "product" else "provider")
    return Box(
        kind=kind,
        x=place[0],
        y=place[1],
        label=fitted(node[title_key]),
        note=f"v{node['version_no']}" if node["version_no"] else "",
        title=node[title_key],
        address=f"/catalogue/{node['subject_id']}",
    )


def _curve(start: Box, end: Box) -> str:
    y1, y2 = start.y + BOX_HEIGHT // 2, end.y + BOX_HEIGHT // 2
    if start.x == end.x:
        # Versions of one dataset stand in one column: the line runs beside them.
        x1 = start.x + BOX_WIDTH
        return f"M{x1} {y1} C{x1 + 28} {y1} {x1 + 28} {y2} {x1} {y2}"
    x1, x2 = start.x + BOX_WIDTH, end.x
    middle = (x1 + x2) // 2
    return f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"
