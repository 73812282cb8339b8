"""What receipts commit to: request records, the keys of their salts, and traces of erasure.

Salt = HMAC-SHA256(licence key, "mdl-salt" ‖ log_no as uint32 ‖ licence_seq as uint64), big-endian;
commitment = SHA-256(salt ‖ canonical JSON of the digests of request and response).

Rules kept here:
1. Every record is one canonical line, stands in the order of its licence's receipts and opens the
   commitment of its receipt.
2. Receipts of meters that keep their own records have none here; that is no fault.
3. After an erasure no record up to its receipt is left, and a sealed trace says so.
4. Records are read beside the pass over the receipts, a piece of each file at a time.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from ledger.codec.receipts import RECEIPT_BYTES, RECEIPT_DTYPE
from ledger.domain.ids import digest_text
from ledger.domain.units import UINT64_MAX
from ledger.verification.blocks import Block
from ledger.verification.findings import Findings
from ledger.verification.log_figures import Tally
from ledger.verification.records import Record, RecordFile
from ledger.verification.sealed import number, unseal

_KEY_BYTES = 32
_LISTED_MAX = 100
_TRACE = ("erased_at_ms", "licence_no", "through_seq")
_NUMBERED = re.compile(r"(0|[1-9][0-9]{0,19})\.(jsonl|key|erased|erasing)")


@dataclass(slots=True)
class _Licence:
    """What the folder holds of one licence."""

    records: RecordFile | None = None
    key: bytes | None = None
    through_seq: int = 0
    """Receipts up to this one can no longer be opened."""
    wrong: int = 0


class Openings:
    """Opens the receipts of one log as they come.

    Args:
        folder: the log's folder.
        log_no: its number, part of every salt.
        findings: where faults go.
    """

    def __init__(self, folder: Path, log_no: int, findings: Findings) -> None:
        self.opened = 0
        """Receipts whose commitment was opened."""
        self.unopened: set[int] = set()
        """Indices of receipts that their record does not open."""
        self._folder = folder
        self._log_no = log_no
        self._name = f"log {log_no}"
        self._findings = findings
        self._licences: dict[int, _Licence] = {}
        self._read_secrets()
        self._read_uses()
        self._wanted = np.array(
            sorted(no for no, held in self._licences.items() if held.records), ">u8"
        )

    def take(self, block: Block) -> None:
        """Open the next receipts."""
        if not len(self._wanted):
            return
        receipts = np.frombuffer(block.receipts, RECEIPT_DTYPE)
        for place in np.flatnonzero(np.isin(receipts["licence_no"], self._wanted)).tolist():
            at = place * RECEIPT_BYTES
            self._open(block.first + place, bytes(block.receipts[at : at + RECEIPT_BYTES]))

    def finish(self, tallies: Mapping[int, Tally], *, is_growing: bool) -> dict[int, int]:
        """Check what is left, and return how many receipts were erased, by licence.

        Args:
            tallies: where licences stand.
            is_growing: whether a writer appends meanwhile, so that records may run ahead.
        """
        erased = {}
        for licence_no, held in sorted(self._licences.items()):
            tally = tallies.get(licence_no, Tally())
            if held.records is not None:
                seq = tally.seq if is_growing else UINT64_MAX
                self._finish_records(licence_no, held, held.records, seq)
            if held.through_seq:
                where = f"{self._name} licence {licence_no}"
                is_used = held.through_seq <= tally.seq
                self._findings.require(
                    is_used, "erasure_ahead", where, held.through_seq, f"at most {tally.seq}"
                )
                erased[licence_no] = min(held.through_seq, tally.seq)
        return erased

    def _finish_records(
        self, licence_no: int, held: _Licence, records: RecordFile, seq_max: int
    ) -> None:
        where = f"{self._name} uses/{licence_no}.jsonl"
        while (record := records.next()) is not None:
            if record.seq <= seq_max:
                self._blame(held, f"{where} line {record.line_no}", record)
        if held.wrong > _LISTED_MAX:
            self._findings.add("uses_more", where, held.wrong - _LISTED_MAX, 0)

    def _open(self, index: int, receipt: bytes) -> None:
        licence_no = int.from_bytes(receipt[8:16], "big")
        seq = int.from_bytes(receipt[16:24], "big")
        held = self._licences[licence_no]
        records = held.records
        if records is None:
            return
        while (record := records.peek()) is not None and record.seq < seq:
            records.next()
            self._blame(held, f"{self._name} uses/{licence_no}.jsonl line {record.line_no}", record)
        if record is None or record.seq != seq:
            return
        records.next()
        where = f"{self._name} receipt {index} licence {licence_no}"
        if seq <= held.through_seq:
            self._findings.add("erased_use_kept", where, seq, f"none up to {held.through_seq}")
        elif held.key is not None and self._commitment(held.key, record) != receipt[64:]:
            self.unopened.add(index)
            self._blame(held, where, record, receipt[64:])
        else:
            self.opened += held.key is not None

    def _blame(
        self, held: _Licence, where: str, record: Record, commitment: bytes | None = None
    ) -> None:
        held.wrong += 1
        if held.wrong > _LISTED_MAX:
            return
        if commitment is None:
            self._findings.add("use_without_receipt", where, record.seq)
        else:
            got = self._commitment(held.key or b"", record)
            self._findings.add("use_altered", f"{where} (record or key)", got, commitment)

    def _commitment(self, key: bytes, record: Record) -> bytes:
        label = b"mdl-salt" + self._log_no.to_bytes(4, "big") + record.seq.to_bytes(8, "big")
        salt = hmac.digest(key, label, "sha256")
        request = digest_text(sha256(record.request).digest())
        opened = f'{{"request_digest":"{request}","response_digest":"{record.response}"}}'
        return sha256(salt + opened.encode()).digest()

    def _read_uses(self) -> None:
        for licence_no, path in self._numbered(self._folder / "uses", "jsonl"):
            held = self._licences.setdefault(licence_no, _Licence())
            held.records = RecordFile(path, f"{self._name} uses/{path.name}", self._findings)
            has_secrets = (self._folder / "secrets").is_dir()
            if held.key is None and has_secrets and path.stat().st_size:
                self._findings.add("key_missing", f"{self._name} licence {licence_no}", None)

    def _read_secrets(self) -> None:
        secrets = self._folder / "secrets"
        for licence_no, path in self._numbered(secrets, "key"):
            key = path.read_bytes()
            where = f"{self._name} secrets/{path.name}"
            if self._findings.same("key_length", where, len(key), _KEY_BYTES):
                self._licences.setdefault(licence_no, _Licence()).key = key
        for kind in ("erased", "erasing"):
            for licence_no, path in self._numbered(secrets, kind):
                held = self._licences.setdefault(licence_no, _Licence())
                held.through_seq = max(held.through_seq, self._trace(licence_no, path))

    def _trace(self, licence_no: int, path: Path) -> int:
        members = unseal(path.read_bytes())
        self._findings.count("erasures")
        try:
            if members is not None and sorted(members) == list(_TRACE):
                told = {name: number(members[name]) for name in _TRACE}
                where = f"{self._name} secrets/{path.name}"
                self._findings.same("erasure_licence", where, told["licence_no"], licence_no)
                return told["through_seq"]
        except ValueError:
            pass
        where = f"{self._name} secrets/{path.name}"
        self._findings.add("erasure_altered", where, None, "a sealed trace")
        return 0

    def _numbered(self, folder: Path, kind: str) -> Iterable[tuple[int, Path]]:
        for path in sorted(folder.glob(f"*.{kind}")):
            match = _NUMBERED.fullmatch(path.name)
            if match is not None:
                yield int(match[1]), path
