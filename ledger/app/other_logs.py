"""What licences used in the other logs of this machine: a quota counts in all of them.

Rules kept here:
1. Only what is new since the last look is read.
2. Two logs are not locked together: uses that enter two of them in the same instant may pass a
   quota together. The verifier adds all logs up and finds it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from ledger.log.books import Books, read_books
from ledger.log.layout import LogLayout
from ledger.log.snapshot import read_snapshot


class OtherLogs:
    """The books of all logs in a folder but one; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder of the one log; nothing is read yet."""
        self._folder = folder
        self._books: dict[str, Books] = {}
        self._reading = threading.Lock()

    def units_of(self, licences: Sequence[int]) -> list[int]:
        """Return what each licence used in the other logs.

        Raises:
            LogCorruptError: another log on this machine breaks a rule.
        """
        total = [0] * len(licences)
        with self._reading:
            for identity in self._folder.parent.glob("*/log.json"):
                name = identity.parent.name
                if name != self._folder.name:
                    units = self._read(name, identity.parent).tallies.units_of(licences)
                    total = [before + more for before, more in zip(total, units, strict=True)]
        return total

    def _read(self, name: str, folder: Path) -> Books:
        layout = LogLayout(folder)
        # Forgotten while it is read: a failure leaves it half read.
        start = self._books.pop(name, None) or read_snapshot(layout)
        self._books[name] = read_books(layout, start)
        return self._books[name]
