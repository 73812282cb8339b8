"""The audit of one log: one pass over its receipts, everything else compared with the outcome.

Rules kept here:
1. What the last commit covers is the log; the root over its first n receipts equals the root
   anchored for n, for every anchor, and that of the signed checkpoint.
2. Every file follows from the receipts, or opens them, or is signed: see the modules of its parts.
3. A writer may append meanwhile; what comes after the last commit read waits for the next audit.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ledger.codec.checkpoints import CheckpointBody
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.verification.anchors import Log
from ledger.verification.blocks import read_blocks, read_receipts
from ledger.verification.commits import Commits
from ledger.verification.evidence import LogEvidence, Reference
from ledger.verification.findings import Findings, Progress
from ledger.verification.log_figures import BadReceipt, LogFigures, licence_figures
from ledger.verification.log_files import (
    check_checkpoint,
    check_columns,
    check_identity,
    check_strangers,
)
from ledger.verification.merkle import ReceiptRows
from ledger.verification.openings import Openings
from ledger.verification.snapshots import check_snapshot, read_snapshot
from ledger.verification.sold import Licence
from ledger.verification.totals import Totals
from ledger.verification.tree_files import RowSizes, TreeFiles


def check_log(
    log: Log,
    folder: Path,
    licences: Mapping[int, Licence] | None,
    findings: Findings,
    progress: Progress | None = None,
) -> LogFigures:
    """Check the files of a log; name what is wrong and return its figures.

    Args:
        log: the log as the chain knows it.
        folder: its files.
        licences: licences by number, as granted on chain; None when only the log is at hand.
        findings: where faults go.
        progress: called with the log, receipts done, receipts there are.
    """
    name = f"log {log.log_no}"
    if not (folder / "receipts.bin").is_file():
        is_needed = bool(log.anchors) or folder.is_dir()
        findings.require(not is_needed, "log_missing", name, None, "receipts.bin")
        return LogFigures(log.log_no, anchors=len(log.anchors))
    return _LogCheck(log, folder, licences, findings, progress).run()


class _LogCheck:
    def __init__(
        self,
        log: Log,
        folder: Path,
        licences: Mapping[int, Licence] | None,
        findings: Findings,
        progress: Progress | None,
    ) -> None:
        self._started_ns = time.monotonic_ns()
        self._log = log
        self._folder = folder
        self._path = folder / "receipts.bin"
        self._findings = findings
        self._progress = progress
        self._name = name = f"log {log.log_no}"
        identity = check_identity(folder, log.log_no, log.origin_digest, findings)
        self._checkpoint = check_checkpoint(
            folder, identity, log.log_no, findings, is_needed=bool(log.anchors)
        )
        self._snapshot = read_snapshot(folder / "snapshot", name, findings)
        self._commits = Commits(folder / "commits", name, findings)
        self._length = self._path.stat().st_size
        self._size = self._audited_size()
        marks = () if self._snapshot is None else (self._snapshot.size,)
        self._totals = Totals(name, licences, findings, marks)
        self._openings = Openings(folder, log.log_no, findings)
        self._read = partial(read_receipts, self._path)
        self._rows = ReceiptRows(self._read)

    def run(self) -> LogFigures:
        """Pass over the receipts, then compare."""
        read = 0
        for block in read_blocks(self._path, self._size):
            read = block.end
            self._rows.add(block.roots)
            self._totals.take(block)
            self._openings.take(block)
            if self._progress is not None:
                self._progress(self._name, block.end, self._size)
        self._size = read
        self._rows.finish()
        self._totals.finish()
        tallies = self._totals.tallies()
        evidence = self._compare_tree()
        is_growing = self._path.stat().st_size != self._length
        erased = self._openings.finish(tallies, is_growing=is_growing)
        self._compare_commits(is_growing)
        check_columns(self._folder, self._name, self._findings)
        check_strangers(self._folder, self._name, self._findings)
        return LogFigures(
            log_no=self._log.log_no,
            receipts=self._size,
            anchors=len(self._log.anchors),
            root=self._rows.root(self._size),
            first_bad=self._first_bad(evidence),
            took_ms=(time.monotonic_ns() - self._started_ns) // 1_000_000,
            opened=self._openings.opened,
            licences=licence_figures(tallies, erased),
        )

    def _audited_size(self) -> int:
        present = self._length // RECEIPT_BYTES
        if self._commits.is_empty or not self._commits.is_sound:
            return present
        return min(present, self._commits.size)

    def _compare_tree(self) -> LogEvidence:
        evidence = LogEvidence(self._name, self._rows, self._size, self._read, self._findings)
        evidence.compare(self._references())
        files = TreeFiles(self._folder, self._name, self._rows, self._findings)
        present = self._path.stat().st_size // RECEIPT_BYTES
        files.compare(RowSizes(self._signed_size(), present))
        evidence.judge(files, set(self._totals.bad) | self._openings.unopened)
        return evidence

    def _references(self) -> list[Reference]:
        found = [
            Reference("anchor_root", f"{self._name}, {anchor.where}", anchor.size, anchor.root)
            for anchor in self._log.anchors
        ]
        signed = self._checkpoint
        if signed is not None:
            where = f"{self._name} checkpoint"
            found.append(Reference("checkpoint_root", where, signed.size, signed.root))
            self._findings.require(
                signed.size >= self._log.size,
                "checkpoint_behind",
                where,
                signed.size,
                self._log.size,
            )
        return found

    def _signed_size(self) -> int:
        signed: CheckpointBody | None = self._checkpoint
        return min(self._size, max(signed.size if signed else 0, self._log.size))

    def _compare_commits(self, is_growing: bool) -> None:
        commits, where = self._commits, f"{self._name} commits"
        present, rest = divmod(self._length, RECEIPT_BYTES)
        if rest and not is_growing:
            place = f"{self._name} receipt {present}"
            self._findings.add("receipts_length", place, rest, 0)
        if commits.is_sound:
            is_missing = commits.is_empty and present > 0
            self._findings.require(not is_missing, "commits_missing", where, None, present)
            if present < commits.size:
                self._findings.add("receipts_missing", where, present, commits.size)
            elif present > commits.size and not is_growing and not is_missing:
                self._findings.add("receipts_uncommitted", where, present, commits.size)
            if self._size == commits.size:
                commits.compare_meters(self._totals.meters)
        if self._snapshot is not None:
            state = self._totals.state_at(self._snapshot.size)
            check_snapshot(self._snapshot, commits, state, self._name, self._findings)

    def _first_bad(self, evidence: LogEvidence) -> BadReceipt | None:
        found = {index: BadReceipt(index, named) for index, named in self._totals.bad.items()}
        found |= {
            item.index: BadReceipt(item.index, item.licence_no) for item in evidence.alterations
        }
        return found[min(found)] if found else None
