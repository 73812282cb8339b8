"""Receipts on disk: one by its index, and the rules that all of one log must keep."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ledger.codec.errors import CodecError
from ledger.codec.receipts import RECEIPT_BYTES, Receipt
from ledger.domain.codes import DeliveryMode, Purpose, ReceiptStatus
from ledger.verification.findings import Findings
from ledger.verification.log_figures import Tally
from ledger.verification.sold import Licence

_STATUSES = frozenset(int(status) for status in ReceiptStatus)
_MODES = frozenset(int(mode) for mode in DeliveryMode)
PURPOSES = frozenset(int(purpose) for purpose in Purpose)


def read_receipt(logs: Path, log_no: int, index: int) -> Receipt | None:
    """Return the receipt at an index of a log; None when it is not there or cannot be read."""
    try:
        with (logs / str(log_no) / "receipts.bin").open("rb") as stream:
            stream.seek(index * RECEIPT_BYTES)
            return Receipt.decode(stream.read(RECEIPT_BYTES))
    except (OSError, OverflowError, CodecError):
        return None


class ReceiptRules:
    """Checks the receipts of one log in their order, one by one.

    Args:
        name: how findings name the log.
        licences: licences by number, as granted on chain; None when only the log is at hand.
    """

    def __init__(self, name: str, licences: Mapping[int, Licence] | None) -> None:
        self._name = name
        self._licences = licences
        self.tallies: dict[int, Tally] = {}
        """Where licences stand; a caller that checked receipts otherwise puts the outcome here."""

    def check(self, index: int, data: bytes, findings: Findings) -> int | None:
        """Check the next receipt; return its licence, None when it cannot be read."""
        try:
            receipt = Receipt.decode(data)
        except CodecError as error:
            where = f"{self._name} receipt {index}{_licence_in(data)}"
            findings.add("receipt_malformed", where, str(error), "a receipt of format 1")
            return None
        where = f"{self._name} receipt {index} licence {receipt.licence_no}"
        _check_codes(receipt, where, findings)
        self._check_tally(receipt, where, findings)
        if self._licences is not None:
            _check_licence(receipt, self._licences.get(receipt.licence_no), where, findings)
        return receipt.licence_no

    def _check_tally(self, receipt: Receipt, where: str, find: Findings) -> None:
        tally = self.tallies.setdefault(receipt.licence_no, Tally())
        find.same("receipt_seq", where, receipt.licence_seq, tally.seq + 1)
        find.same("receipt_sum", where, receipt.cumulative_units, tally.units + receipt.units)
        find.require(
            receipt.used_at_ms >= tally.used_at_ms,
            "receipt_clock",
            where,
            receipt.used_at_ms,
            f"at least {tally.used_at_ms}",
        )
        tally.skipped += receipt.licence_seq - tally.seq - 1
        tally.seq = receipt.licence_seq
        tally.units = receipt.cumulative_units
        tally.used_at_ms = receipt.used_at_ms
        tally.records += receipt.records
        tally.refusals += receipt.status != ReceiptStatus.DELIVERED


def _licence_in(data: bytes) -> str:
    """Return the licence that an unreadable receipt of full length would name."""
    if len(data) != RECEIPT_BYTES:
        return ""
    return f" licence {int.from_bytes(data[8:16], 'big')}"


def _check_codes(receipt: Receipt, where: str, find: Findings) -> None:
    find.require(receipt.status in _STATUSES, "receipt_status", where, receipt.status)
    find.require(receipt.mode in _MODES, "receipt_mode", where, receipt.mode)
    find.require(receipt.purpose in PURPOSES, "receipt_purpose", where, receipt.purpose)
    if receipt.status != ReceiptStatus.DELIVERED:
        find.same("refusal_with_units", where, receipt.units, 0)


def _check_licence(receipt: Receipt, licence: Licence | None, where: str, find: Findings) -> None:
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
