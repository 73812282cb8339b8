"""Logs of use: what the chain anchored, and whether the files still are what was anchored.

Rules kept here:
1. The root over the first n receipts equals the root anchored for n, for every anchor.
2. The signed checkpoint and all tiles follow from the receipts.
3. Receipts that no checkpoint covers yet are checked by their numbers only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.codec.checkpoints import CheckpointBody, open_checkpoint, read_checkpoint
from ledger.codec.errors import CodecError
from ledger.codec.notes import NoteVerifier
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.domain.codes import Role
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings, Progress
from ledger.verification.licences import Licence
from ledger.verification.merkle import GrowingTree, leaf_hash
from ledger.verification.receipts import ReceiptRules
from ledger.verification.replay import Replay
from ledger.verification.tiles import TileCheck

_CHUNK_RECEIPTS = 4096
_AHEAD_MS_MAX = 10 * 60 * 1000
"""How far a head may lie before the time of its block, and not further."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """An anchored head; `where` names its event."""

    size: int
    root: bytes
    time_ms: int
    where: str


@dataclass(slots=True)
class Log:
    """A log as far as the events tell."""

    log_no: int
    keeper_id: UUID
    origin_digest: bytes
    anchors: list[Anchor] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Receipts that are anchored."""
        return self.anchors[-1].size if self.anchors else 0

    @property
    def time_ms(self) -> int:
        """Time of the last anchored head, Unix milliseconds."""
        return self.anchors[-1].time_ms if self.anchors else 0


class LogsReplay(Replay):
    """The anchored heads, and what is wrong with how they came about."""

    def __init__(self, findings: Findings, directory: DirectoryReplay) -> None:
        super().__init__(findings)
        self.directory = directory
        self.logs: dict[int, Log] = {}
        self.handlers = {"LogOpened": self._opened, "Anchored": self._anchored}

    def _opened(self, event: Event, where: str) -> None:
        number, keeper_id = event.args["log_no"], event.args["keeper_id"]
        self.findings.count("logs")
        self.findings.same("log_no", where, number, len(self.logs) + 1)
        may_keep = self.directory.has_role_at_home(keeper_id, Role.PLATFORM)
        may_keep = may_keep or self.directory.has_role_at_home(keeper_id, Role.OPERATOR)
        self.findings.require(may_keep, "role_missing", where, keeper_id, "platform or operator")
        self.logs[number] = Log(number, keeper_id, event.args["origin_digest"])

    def _anchored(self, event: Event, where: str) -> None:
        number, size, time_ms = (event.args[name] for name in ("log_no", "size", "time_ms"))
        self.findings.count("anchors")
        log = self.logs.get(number)
        if log is None:
            self.findings.add("log_unknown", where, number, sorted(self.logs))
            return
        self.findings.require(size > log.size, "anchor_size", where, size, f"above {log.size}")
        self.findings.require(
            time_ms >= log.time_ms, "anchor_clock", where, time_ms, f"at least {log.time_ms}"
        )
        latest_ms = event.block_time * 1000 + _AHEAD_MS_MAX
        self.findings.require(time_ms <= latest_ms, "anchor_ahead", where, time_ms, latest_ms)
        log.anchors.append(Anchor(size, event.args["root"], time_ms, where))


def check_logs(
    logs: Mapping[int, Log],
    folder: Path,
    licences: Mapping[int, Licence],
    findings: Findings,
    progress: Progress | None = None,
) -> None:
    """Check the files of all logs against the chain, and the quotas over all logs."""
    units: dict[int, int] = {}
    for log in logs.values():
        check = _LogCheck(log, folder / str(log.log_no), licences, findings, progress)
        for licence_no, used in check.run().items():
            units[licence_no] = units.get(licence_no, 0) + used
    for licence_no, used in sorted(units.items()):
        licence = licences.get(licence_no)
        if licence is not None:
            quota = licence.quota_units_max
            findings.require(used <= quota, "quota_exceeded", f"licence {licence_no}", used, quota)
    for path in sorted(folder.glob("*/receipts.bin")):
        is_known = path.parent.name in {str(number) for number in logs}
        findings.require(is_known, "log_unknown", f"folder {path.parent.name}", path.parent.name)


class _LogCheck:
    def __init__(
        self,
        log: Log,
        folder: Path,
        licences: Mapping[int, Licence],
        findings: Findings,
        progress: Progress | None,
    ) -> None:
        self._log = log
        self._folder = folder
        self._findings = findings
        self._progress = progress
        self._name = f"log {log.log_no}"
        self._rules = ReceiptRules(self._name, licences, findings)

    def run(self) -> dict[int, int]:
        path = self._folder / "receipts.bin"
        if not path.is_file():
            is_needed = bool(self._log.anchors)
            self._findings.require(not is_needed, "log_missing", self._name, None, "receipts.bin")
            return {}
        checkpoint = self._checkpoint(self._identity())
        total, rest = divmod(path.stat().st_size, RECEIPT_BYTES)
        if rest:
            self._findings.add("receipts_length", f"{self._name} receipt {total}", rest, 0)
        self._scan(path, total, checkpoint)
        return self._rules.units_by_licence()

    def _identity(self) -> dict[str, Any]:
        try:
            found = json.loads((self._folder / "log.json").read_bytes())
            identity = {name: found[name] for name in ("log_no", "origin", "vkey")}
            origin_digest = hashlib.sha256(str(identity["origin"]).encode()).digest()
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._findings.add("log_identity", self._name, repr(error), "a readable log.json")
            return {}
        self._findings.same("log_identity", self._name, identity["log_no"], self._log.log_no)
        self._findings.same("log_origin", self._name, origin_digest, self._log.origin_digest)
        return identity

    def _checkpoint(self, identity: Mapping[str, Any]) -> CheckpointBody | None:
        where = f"{self._name} checkpoint"
        try:
            note = (self._folder / "checkpoint").read_text()
            body = read_checkpoint(note)
        except (OSError, ValueError, CodecError) as error:
            is_needed = bool(self._log.anchors)
            self._findings.require(not is_needed, "checkpoint_unreadable", where, repr(error))
            return None
        try:
            open_checkpoint(note, [NoteVerifier.parse(str(identity.get("vkey")))])
        except CodecError as error:
            self._findings.add("checkpoint_signature", where, str(error), identity.get("vkey"))
        self._findings.count("checkpoints")
        self._findings.same("checkpoint_origin", where, body.origin, identity.get("origin"))
        extension = f"log_no {self._log.log_no}"
        self._findings.require(
            extension in body.extensions, "checkpoint_log_no", where, body.extensions, extension
        )
        size, anchored = body.size, self._log.size
        self._findings.require(size >= anchored, "checkpoint_behind", where, size, anchored)
        return body

    def _scan(self, path: Path, total: int, checkpoint: CheckpointBody | None) -> None:
        tree, tiles = GrowingTree(), TileCheck(self._folder, self._name, self._findings)
        covered = min(total, max(checkpoint.size if checkpoint else 0, self._log.size))
        wanted = {anchor.size for anchor in self._log.anchors} | {covered}
        roots = {0: tree.root()}
        for index, data in enumerate(_receipts(path, total)):
            self._rules.check(index, data)
            if index < covered:
                leaf = leaf_hash(data)
                tree.add(leaf)
                tiles.add(leaf, data)
                if tree.size in wanted:
                    roots[tree.size] = tree.root()
            if self._progress is not None and (index + 1) % _CHUNK_RECEIPTS == 0:
                self._progress(self._name, index + 1, total)
        tiles.finish()
        is_whole = self._compare_roots(roots, checkpoint)
        self._name_differences(tiles, is_whole)

    def _compare_roots(self, roots: Mapping[int, bytes], checkpoint: CheckpointBody | None) -> bool:
        """Return whether the receipts are those that were anchored and signed."""
        found = [
            self._compare_root("anchor_root", anchor.where, anchor.size, anchor.root, roots)
            for anchor in self._log.anchors
        ]
        if checkpoint is not None:
            where = f"{self._name} checkpoint"
            found.append(
                self._compare_root(
                    "checkpoint_root", where, checkpoint.size, checkpoint.root, roots
                )
            )
        return all(found)

    def _compare_root(
        self, code: str, where: str, size: int, recorded: bytes, roots: Mapping[int, bytes]
    ) -> bool:
        named = f"{self._name}, {where}" if not where.startswith(self._name) else where
        if size not in roots:
            self._findings.add("receipts_missing", named, max(roots), size)
            return False
        return self._findings.same(code, f"{named}, size {size}", recorded, roots[size])

    def _name_differences(self, tiles: TileCheck, is_whole: bool) -> None:
        """Where the roots agree, the tile was altered; where they do not, the receipt was."""
        for item in tiles.differences:
            where = f"{self._name} receipt {item.index} ({item.path})"
            if is_whole:
                self._findings.add("tile_altered", where, item.got, item.expected)
            else:
                self._findings.add("receipt_altered", where, item.expected, item.got)


def _receipts(path: Path, total: int) -> Iterator[bytes]:
    """Yield receipts up to `total`; what is appended meanwhile waits for the next verification."""
    left = total
    with path.open("rb") as stream:
        while left > 0:
            chunk = stream.read(min(left, _CHUNK_RECEIPTS) * RECEIPT_BYTES)
            if not chunk:
                return
            for at in range(0, len(chunk), RECEIPT_BYTES):
                yield chunk[at : at + RECEIPT_BYTES]
            left -= len(chunk) // RECEIPT_BYTES
