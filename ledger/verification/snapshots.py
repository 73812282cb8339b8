"""The snapshot of a log: where licences and meters stood at some commit, computed again.

Rules kept here:
1. A snapshot is sealed and names the commit after which it was taken.
2. Licences and meters stand in it as they follow from receipts and commits up to there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.verification.commits import Commits
from ledger.verification.findings import Findings
from ledger.verification.log_figures import Tally
from ledger.verification.sealed import number, unseal

_LISTED_MAX = 100


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the file says."""

    size: int
    commits_bytes: int
    commits_sum: str
    licences: dict[int, list[int]]
    """Number of its last receipt, running total and time of last use, by licence."""
    meters: dict[int, list[list[int]]]
    """Half-open ranges of numbers taken in, by meter."""


def read_snapshot(path: Path, name: str, findings: Findings) -> Snapshot | None:
    """Return a log's snapshot; None when there is none, or it is not as it was sealed."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    findings.count("snapshots")
    members = unseal(data)
    try:
        if members is not None:
            return _parsed(members)
    except (KeyError, TypeError, ValueError):
        pass
    findings.add("snapshot_altered", f"{name} snapshot", len(data), "one sealed line")
    return None


def check_snapshot(
    snapshot: Snapshot,
    commits: Commits,
    state: Mapping[int, Tally] | None,
    name: str,
    findings: Findings,
) -> None:
    """Compare a snapshot with what follows from receipts and commits up to its size."""
    where = f"{name} snapshot"
    if state is None:
        findings.add("snapshot_size", where, snapshot.size, "receipts that are there")
        return
    size = commits.size_at(snapshot.commits_bytes)
    findings.same("snapshot_commit", where, snapshot.size, size)
    if size is not None:
        told = commits.sum_at(snapshot.commits_bytes)
        findings.same("snapshot_commit", where, snapshot.commits_sum, told)
    licences = {no: [tally.seq, tally.units, tally.used_at_ms] for no, tally in state.items()}
    _compare(snapshot.licences, licences, "licence", "snapshot_licence", where, findings)
    meters = commits.taken(snapshot.size)
    _compare(snapshot.meters, meters, "meter", "snapshot_meter", where, findings)


def _compare(
    told: Mapping[int, Any],
    expected: Mapping[int, Any],
    what: str,
    code: str,
    where: str,
    findings: Findings,
) -> None:
    wrong = [no for no in sorted({*told, *expected}) if told.get(no) != expected.get(no)]
    for no in wrong[:_LISTED_MAX]:
        findings.add(code, f"{where}, {what} {no}", told.get(no), expected.get(no))


def _parsed(members: dict[str, Any]) -> Snapshot:
    licences = {
        number(item[0]): [number(value) for value in item[1:]] for item in members.pop("licences")
    }
    meters = {
        number(meter_no): [[number(first), number(end)] for first, end in ranges]
        for meter_no, ranges in members.pop("meters")
    }
    snapshot = Snapshot(
        size=number(members.pop("size")),
        commits_bytes=number(members.pop("commits_bytes")),
        commits_sum=str(members.pop("commits_sum")),
        licences=licences,
        meters=meters,
    )
    if members:
        raise ValueError(f"more than a snapshot has: {sorted(members)}")
    return snapshot
