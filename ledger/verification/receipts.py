"""Receipts on disk: one by its index, and the rules that all of one log must keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger.codec.errors import CodecError
from ledger.codec.receipts import RECEIPT_BYTES, Receipt
from ledger.domain.codes import DeliveryMode, Purpose, ReceiptStatus
from ledger.verification.findings import Findings
from ledger.verification.licences import Licence

_STATUSES = frozenset(int(status) for status in ReceiptStatus)
_MODES = frozenset(int(mode) for mode in DeliveryMode)
_PURPOSES = frozenset(int(purpose) for purpose in Purpose)


def read_receipt(logs: Path, log_no: int, index: int) -> Receipt | None:
    """Return the receipt at an index of a log; None when it is not there or cannot be read."""
    try:
        with (logs / str(log_no) / "receipts.bin").open("rb") as stream:
            stream.seek(index * RECEIPT_BYTES)
            return Receipt.decode(stream.read(RECEIPT_BYTES))
    except (OSError, OverflowError, CodecError):
        return None


@dataclass(slots=True)
class _Tally:
    seq: int = 0
    units: int = 0
    used_at_ms: int = 0


class ReceiptRules:
    """Checks the receipts of one log in their order.

    Args:
        name: how findings name the log.
        licences: licences by number, as granted on chain.
        findings: where faults go.
    """

    def __init__(self, name: str, licences: Mapping[int, Licence], findings: Findings) -> None:
        self._name = name
        self._licences = licences
        self._findings = findings
        self._tallies: dict[int, _Tally] = {}

    def units_by_licence(self) -> dict[int, int]:
        """Return the units that the log proves, by licence."""
        return {number: tally.units for number, tally in self._tallies.items()}

    def check(self, index: int, data: bytes) -> None:
        """Check the next receipt."""
        where = f"{self._name} receipt {index}"
        self._findings.count("receipts")
        try:
            receipt = Receipt.decode(data)
        except CodecError as error:
            self._findings.add("receipt_malformed", where, str(error), "a receipt of format 1")
            return
        self._check_codes(receipt, where)
        self._check_tally(receipt, where)
        self._check_licence(receipt, where)

    def _check_codes(self, receipt: Receipt, where: str) -> None:
        find = self._findings
        find.require(receipt.status in _STATUSES, "receipt_status", where, receipt.status)
        find.require(receipt.mode in _MODES, "receipt_mode", where, receipt.mode)
        find.require(receipt.purpose in _PURPOSES, "receipt_purpose", where, receipt.purpose)
        if receipt.status != ReceiptStatus.DELIVERED:
            find.same("refusal_with_units", where, receipt.units, 0)

    def _check_tally(self, receipt: Receipt, where: str) -> None:
        find, tally = self._findings, self._tallies.setdefault(receipt.licence_no, _Tally())
        find.same("receipt_seq", where, receipt.licence_seq, tally.seq + 1)
        find.same("receipt_sum", where, receipt.cumulative_units, tally.units + receipt.units)
        find.require(
            receipt.used_at_ms >= tally.used_at_ms,
            "receipt_clock",
            where,
            receipt.used_at_ms,
            f"at least {tally.used_at_ms}",
        )
        tally.seq = receipt.licence_seq
        tally.units = receipt.cumulative_units
        tally.used_at_ms = max(tally.used_at_ms, receipt.used_at_ms)

    def _check_licence(self, receipt: Receipt, where: str) -> None:
        find, licence = self._findings, self._licences.get(receipt.licence_no)
        if licence is None:
            find.add("licence_unknown", where, receipt.licence_no, "a granted licence")
            return
        if receipt.status != ReceiptStatus.DELIVERED:
            return
        find.require(
            bool(licence.modes >> (receipt.mode - 1) & 1) if receipt.mode else False,
            "mode_not_granted",
            where,
            receipt.mode,
            licence.modes,
        )
        find.same("purpose_not_granted", where, receipt.purpose, licence.purpose)
        used_at = receipt.used_at_ms // 1000
        find.require(
            licence.valid_from <= used_at < licence.valid_until_max,
            "use_outside_validity",
            where,
            used_at,
            [licence.valid_from, licence.valid_until_max],
        )
