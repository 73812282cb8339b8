"""The clock of an objection as plain geometry; the template only prints it.

A dial of the running step: the ring fills as its time is used, and is full when the case is late. A
bar below shows every step to scale, with where the next one is due.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 860
BAR_LEFT, BAR_RIGHT, BAR_Y = 150, 840, 70
RADIUS = 52
CENTRE = 64
_PARTS = 1_000
_LABEL_WIDTH = 30


@dataclass(frozen=True, slots=True)
class Mark:
    """A step on the bar: its place, its label, and whether that stands above or below the bar.

    Steps too close for a label each share one, which the first of them carries.
    """

    x: int
    label: str
    kind: str
    is_above: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """The dial's arc (empty when no clock runs), its text, and the bar with its marks."""

    width: int
    height: int
    arc: str
    is_full: bool
    is_late: bool
    days_left: int | None
    marks: tuple[Mark, ...]
    now_x: int
    due_x: int | None


def clock_of(found: dict[str, Any]) -> Clock:
    """Return the clock of a case as `objection_found` gives it."""
    steps: Sequence[dict[str, Any]] = found["steps"]
    opened, ended = int(found["opened_at"]), int(found["ended_at"])
    now, due = int(found["seen_at"]), int(found["next_due_at"])
    end = max(due, ended or now, opened + 1)

    def place(instant: int) -> int:
        inside = min(max(instant - opened, 0), end - opened)
        return BAR_LEFT + (BAR_RIGHT - BAR_LEFT) * inside // (end - opened)

    started = max((step["happened_at"] for step in steps), default=opened)
    used = _PARTS if due <= started else _PARTS * (now - started) // (due - started)
    used = min(max(used, 0), _PARTS)
    return Clock(
        width=WIDTH,
        height=2 * CENTRE,
        arc=_arc(used) if due else "",
        is_full=bool(due) and used == _PARTS,
        is_late=found["is_overdue"],
        days_left=(due - now) // (24 * 3600) if due else None,
        marks=_marks([(place(step["happened_at"]), step) for step in steps]),
        now_x=place(ended or now),
        due_x=place(due) if due else None,
    )


def _marks(placed: Sequence[tuple[int, dict[str, Any]]]) -> tuple[Mark, ...]:
    groups: list[list[tuple[int, dict[str, Any]]]] = []
    for x, step in placed:
        if groups and x - groups[-1][0][0] < _LABEL_WIDTH:
            groups[-1].append((x, step))
        else:
            groups.append([(x, step)])
    marks = []
    for index, group in enumerate(groups):
        first, last = (group[place][1]["step_no"] for place in (0, -1))
        label = str(first) if first == last else f"{first}–{last}"
        for place, (x, step) in enumerate(group):
            marks.append(Mark(x, "" if place else label, step["kind"], index % 2 == 0))
    return tuple(marks)


def _arc(used: int) -> str:
    """Return the path of a ring from twelve o'clock on, `used` parts of a thousand long."""
    angle = 2 * math.pi * used / _PARTS
    x = round(CENTRE + RADIUS * math.sin(angle), 2)
    y = round(CENTRE - RADIUS * math.cos(angle), 2)
    large = int(2 * used > _PARTS)
    return f"M{CENTRE} {CENTRE - RADIUS} A{RADIUS} {RADIUS} 0 {large} 1 {x} {y}"
