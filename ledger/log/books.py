"""The books of a log: where its licences and meters stand after its last commit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ledger.log.commits import Position, read_commits
from ledger.log.errors import LogCorruptError
from ledger.log.layout import LogLayout
from ledger.log.meters import Meters
from ledger.log.receipt_file import ReceiptFile
from ledger.log.tallies import Tallies, read_tallies


@dataclass(slots=True)
class Books:
    """Where a log stands after `size` receipts."""

    size: int
    tallies: Tallies
    meters: Meters
    commits: Position
    """Place after the commit of those receipts."""

    @classmethod
    def empty(cls) -> Books:
        """The books before the first receipt."""
        return cls(0, Tallies(), Meters(), Position())


def read_books(layout: LogLayout, start: Books) -> Books:
    """Return where a log stands after its last commit; changes `start`.

    Args:
        layout: the log.
        start: where it stood at some earlier commit, such as its snapshot's.

    Raises:
        LogCorruptError: when receipts are missing, or break a rule.
    """
    size, commits = start.size, start.commits
    _require_size("commits", _bytes_of(layout.commits), commits.size_bytes)
    for commit in read_commits(layout.commits, start.commits):
        start.meters.take(commit.meters)
        size, commits = commit.size, commit.end
    file = ReceiptFile(layout.receipts)
    _require_size("receipts", file.size, size)
    tallies = read_tallies(file, size, start.tallies, start.size)
    return Books(size, tallies, start.meters, commits)


def _require_size(what: str, got: int, expected: int) -> None:
    if got < expected:
        raise LogCorruptError(
            f"{what} from {got} on are missing: there were {expected}",
            field="size",
            got=got,
            expected=expected,
        )


def _bytes_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
