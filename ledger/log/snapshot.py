"""Where licences and meters stood at a commit, so that opening a log does not read its history."""

from __future__ import annotations

from typing import Any

from ledger.domain.units import AMOUNT_FEN_MAX
from ledger.log.books import Books
from ledger.log.commits import Position
from ledger.log.errors import LogCorruptError
from ledger.log.layout import LogLayout, replace_file
from ledger.log.meters import Meters
from ledger.log.sealed import seal, unseal
from ledger.log.tallies import Tallies
from ledger.log.values import LicenceTally, MeterRange

SNAPSHOT_RECEIPTS = 1 << 22
"""Receipts after which a new snapshot is due: what opening a log reads at most, about."""


class Snapshots:
    """Writes a log's snapshots when they are due."""

    def __init__(self, layout: LogLayout, size: int) -> None:
        """Begin at so many receipts."""
        self._layout = layout
        self._kept = size

    def due(self, books: Books) -> dict[str, Any] | None:
        """Return what is to be kept of the books, None when nothing is due."""
        return snapshot_members(books) if books.size - self._kept >= SNAPSHOT_RECEIPTS else None

    def keep(self, members: dict[str, Any], commits: Position) -> None:
        """Write a snapshot, durable on return.

        Args:
            members: the books.
            commits: place after the commit that they are as of.
        """
        place = {"commits_bytes": commits.size_bytes, "commits_sum": commits.sum}
        write_snapshot(self._layout, members | place)
        self._kept = members["size"]


def snapshot_members(books: Books) -> dict[str, Any]:
    """Return the books as JSON; numbers beyond 2^53 - 1 are texts of digits."""
    meters: dict[int, list[list[int]]] = {}
    for item in books.meters:
        meters.setdefault(item.meter_no, []).append([item.first_seq, item.end_seq])
    return {
        "commits_bytes": books.commits.size_bytes,
        "commits_sum": books.commits.sum,
        "licences": [
            [
                _told(number),
                _told(tally.licence_seq),
                _told(tally.cumulative_units),
                _told(tally.last_used_at_ms),
            ]
            for number, tally in sorted(books.tallies)
        ],
        "meters": [[meter_no, ranges] for meter_no, ranges in sorted(meters.items())],
        "size": books.size,
    }


def write_snapshot(layout: LogLayout, members: dict[str, Any]) -> None:
    """Put a snapshot in place, durable on return."""
    replace_file(layout.snapshot, seal(members))


def read_snapshot(layout: LogLayout) -> Books:
    """Return the books of the last snapshot, empty ones before the first.

    Raises:
        LogCorruptError: when it is not what was written.
    """
    try:
        line = layout.snapshot.read_bytes()
    except FileNotFoundError:
        return Books.empty()
    members = unseal(line)
    if members is None:
        raise LogCorruptError(
            "the snapshot is not what was written; without it the log is read whole",
            field="snapshot",
            got=len(line),
            expected="a sealed line",
        )
    tallies = Tallies()
    for licence_no, *numbers in members["licences"]:
        tallies.put(int(licence_no), LicenceTally(*(int(number) for number in numbers)))
    meters = Meters(
        MeterRange(meter_no, first, end)
        for meter_no, ranges in members["meters"]
        for first, end in ranges
    )
    commits = Position(members["commits_bytes"], members["commits_sum"])
    return Books(members["size"], tallies, meters, commits)


def _told(number: int) -> int | str:
    return number if number <= AMOUNT_FEN_MAX else str(number)
