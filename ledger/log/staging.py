"""From uses to numbered receipts, before they are durable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.codec.canonical import canonical_json
from ledger.codec.digests import sha256
from ledger.codec.receipts import Receipt, commitment
from ledger.log.errors import LogClockError, LogUnitsError
from ledger.log.salts import LicenceKeys, receipt_salt
from ledger.log.use_files import use_line
from ledger.log.values import Appended, LicenceTally, Use


@dataclass(slots=True)
class Batch:
    """What one write takes to the disk."""

    receipts: bytearray = field(default_factory=bytearray)
    lines: dict[int, list[bytes]] = field(default_factory=dict)
    """Request records by licence."""
    keys: dict[int, bytes] = field(default_factory=dict)
    """Licence keys that are not on disk yet."""


class Stage:
    """Numbers uses and collects the next batch; the caller holds the log's lock."""

    def __init__(
        self, log_no: int, size: int, tallies: dict[int, LicenceTally], keys: LicenceKeys
    ) -> None:
        self._log_no = log_no
        self._size = size
        self._tallies = tallies
        self._keys = keys
        self._batch = Batch()

    def tally(self, licence_no: int) -> LicenceTally:
        """Return where a licence stands, staged receipts included."""
        return self._tallies.get(licence_no, LicenceTally())

    def take(self) -> Batch:
        """Return all that waits and begin a new batch."""
        batch, self._batch = self._batch, Batch()
        batch.keys = self._keys.take_fresh()
        return batch

    def add(self, uses: Sequence[Use]) -> list[Appended]:
        """Number uses and put them into the batch, all or none."""
        together = (self._size, self._size + len(uses)) if len(uses) > 1 else None
        tallies: dict[int, LicenceTally] = {}
        appended, encoded, lines = [], [], []
        for offset, use in enumerate(uses):
            before = tallies.get(use.licence_no) or self.tally(use.licence_no)
            request = canonical_json(use.request)
            receipt = self._receipt(use, sha256(request), before)
            encoded.append(receipt.encode())
            lines.append(use_line(receipt.licence_seq, request, use.response_digest, together))
            appended.append(Appended(self._size + offset, receipt))
            tallies[use.licence_no] = LicenceTally(
                receipt.licence_seq, receipt.cumulative_units, receipt.used_at_ms
            )
        self._accept(uses, encoded, lines, tallies)
        return appended

    def _accept(
        self,
        uses: Sequence[Use],
        encoded: list[bytes],
        lines: list[bytes],
        tallies: dict[int, LicenceTally],
    ) -> None:
        for use, receipt, line in zip(uses, encoded, lines, strict=True):
            self._batch.receipts += receipt
            self._batch.lines.setdefault(use.licence_no, []).append(line)
        self._tallies.update(tallies)
        self._size += len(uses)

    def _receipt(self, use: Use, request_digest: bytes, before: LicenceTally) -> Receipt:
        _check(use, before)
        seq = before.licence_seq + 1
        salt = receipt_salt(self._keys.key(use.licence_no), self._log_no, seq)
        return Receipt(
            mode=use.mode,
            purpose=use.purpose,
            meter_no=use.meter_no,
            licence_no=use.licence_no,
            licence_seq=seq,
            used_at_ms=use.used_at_ms,
            version_no=use.version_no,
            status=use.status,
            units=use.units,
            cumulative_units=before.cumulative_units + use.units,
            records=use.records,
            commitment=commitment(salt, request_digest, use.response_digest),
        )


def _check(use: Use, before: LicenceTally) -> None:
    if use.used_at_ms < before.last_used_at_ms:
        raise LogClockError(
            f"licence {use.licence_no} was used at {before.last_used_at_ms}, "
            f"after {use.used_at_ms}",
            field="used_at_ms",
            got=use.used_at_ms,
            expected=before.last_used_at_ms,
        )
    if use.status != 0 and use.units != 0:
        raise LogUnitsError(
            f"a use of status {use.status} bills no units, got {use.units}",
            field="units",
            got=use.units,
            expected=0,
        )
