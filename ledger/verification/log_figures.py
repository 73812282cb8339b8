"""What an audit of a log tells beside its findings: how much there is, and where it goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.domain.ids import digest_text


@dataclass(slots=True)
class Tally:
    """Where a licence stands in one log."""

    seq: int = 0
    units: int = 0
    """Running total, as its last receipt says."""
    used_at_ms: int = 0
    records: int = 0
    refusals: int = 0
    skipped: int = 0
    """How far `seq` ran ahead of the receipts; not 0 only where numbers are wrong."""

    @property
    def receipts(self) -> int:
        """Receipts of the licence."""
        return self.seq - self.skipped


@dataclass(frozen=True, slots=True)
class LicenceFigures:
    """Sums of one licence in one log."""

    licence_no: int
    receipts: int
    units: int
    records: int
    refusals: int
    erased: int
    """Receipts that can no longer be opened."""


@dataclass(frozen=True, slots=True)
class BadReceipt:
    """A receipt that breaks a rule or is not the signed one."""

    index: int
    licence_no: int | None
    """None where the receipt cannot be read."""


@dataclass(frozen=True, slots=True)
class LogFigures:
    """One log as it was found."""

    log_no: int
    receipts: int = 0
    anchors: int = 0
    root: bytes = b""
    """Root over all receipts; empty when there is no log."""
    first_bad: BadReceipt | None = None
    """The first receipt that is not right."""
    took_ms: int = 0
    opened: int = 0
    """Receipts whose commitment a request record opened."""
    licences: list[LicenceFigures] = field(default_factory=list)

    @property
    def units(self) -> int:
        """Units of all licences."""
        return sum(item.units for item in self.licences)

    @property
    def records(self) -> int:
        """Rows delivered to all licences."""
        return sum(item.records for item in self.licences)

    @property
    def refusals(self) -> int:
        """Receipts that deliver nothing."""
        return sum(item.refusals for item in self.licences)

    @property
    def erased(self) -> int:
        """Receipts that can no longer be opened."""
        return sum(item.erased for item in self.licences)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data, ready for JSON."""
        bad = self.first_bad
        return {
            "log_no": self.log_no,
            "receipts": self.receipts,
            "units": self.units,
            "records": self.records,
            "refusals": self.refusals,
            "opened": self.opened,
            "erased": self.erased,
            "anchors": self.anchors,
            "root": digest_text(self.root) if self.root else None,
            "first_bad": {"index": bad.index, "licence_no": bad.licence_no} if bad else None,
            "took_ms": self.took_ms,
            "licences": [
                {
                    "licence_no": item.licence_no,
                    "receipts": item.receipts,
                    "units": item.units,
                    "records": item.records,
                    "refusals": item.refusals,
                    "erased": item.erased,
                }
                for item in self.licences
            ],
        }


def licence_figures(
    tallies: Mapping[int, Tally], erased: Mapping[int, int]
) -> list[LicenceFigures]:
    """Return the sums by licence, in the order of their numbers."""
    return [
        LicenceFigures(
            licence_no=number,
            receipts=tally.receipts,
            units=tally.units,
            records=tally.records,
            refusals=tally.refusals,
            erased=erased.get(number, 0),
        )
        for number, tally in sorted(tallies.items())
    ]
