"""Figures: how they are named, shown to people and printed for programs."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer's figure; published ones were measured elsewhere, on the same kind of node."""

    name: str
    value: float
    published: bool = True


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: the median of `n` runs."""

    name: str
    value: float
    unit: str
    better: str
    n: int
    peer: Peer | None = None
    note: str = ""
    receipts: int | None = None
    """Receipts in the log that was measured."""

    def as_dict(self) -> dict[str, Any]:
        """Return the figure as one object of the last line."""
        peer = None
        if self.peer is not None:
            peer = {"name": self.peer.name, "value": self.peer.value}
            if self.peer.published:
                peer["published"] = True
        plain = {"name": self.name, "value": self.value, "unit": self.unit, "better": self.better}
        plain |= {"peer": peer, "n": self.n}
        if self.receipts is not None:
            plain["receipts"] = self.receipts
        return plain | ({"note": self.note} if self.note else {})


def less(name: str, values: Sequence[float], unit: str, **more: Any) -> Figure:
    """Return the median of values of which less is better."""
    return Figure(name, _rounded(statistics.median(values)), unit, "less", len(values), **more)


def more(name: str, values: Sequence[float], unit: str, **rest: Any) -> Figure:
    """Return the median of values of which more is better."""
    return Figure(name, _rounded(statistics.median(values)), unit, "more", len(values), **rest)


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long a piece of work took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def say(text: str) -> None:
    """Tell people what is under way."""
    Console(stderr=True).print(f"[dim]{text}[/dim]")


def show(figures: Sequence[Figure]) -> None:
    """Print a table for people on standard error."""
    table = Table(title="Metro Data Ledger", title_justify="left")
    for column in ("figure", "value", "unit", "better", "peer", "runs"):
        table.add_column(column, justify="right" if column in ("value", "runs") else "left")
    for figure in figures:
        peer = f"{figure.peer.value:,} {figure.peer.name}" if figure.peer else ""
        value = f"{figure.value:,}"
        table.add_row(figure.name, value, figure.unit, figure.better, peer, str(figure.n))
    Console(stderr=True, width=130).print(table)


def print_json(figures: Sequence[Figure]) -> None:
    """Print the last line of standard output: one JSON array."""
    print(json.dumps([figure.as_dict() for figure in figures], ensure_ascii=False))


def _rounded(value: float) -> float:
    return round(value) if value >= 100 else round(value, 3)
