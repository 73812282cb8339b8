"""The totals filter in plain Python: slow, a receipt at a time, sharing no code with the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.codec.receipts import Receipt
from ledger.domain.codes import DeliveryMode, Purpose, ReceiptStatus

UINT64_END = 2**64


@dataclass(slots=True)
class Account:
    """A licence's terms, and where it stands."""

    modes: frozenset[int]
    purpose: int
    valid_from_ms: int
    valid_until_ms: int
    stands: list[int] = field(default_factory=lambda: [0, 0, 0, 0, 0])
    """licence_seq, cumulative_units, used_at_ms, records, refusals."""


def take(receipts: list[bytes], accounts: Mapping[int, Account]) -> tuple[int, str]:
    """Enter receipts until one breaks a rule; return how many, and the rule's name."""
    for index, data in enumerate(receipts):
        broken = _broken(data, accounts)
        if broken:
            return index, broken
        receipt = Receipt.decode(data)
        stands = accounts[receipt.licence_no].stands
        stands[0] += 1
        stands[1] += receipt.units
        stands[2] = receipt.used_at_ms
        stands[3] += receipt.records
        stands[4] += receipt.status != ReceiptStatus.DELIVERED
    return len(receipts), "NONE"


def _broken(data: bytes, accounts: Mapping[int, Account]) -> str:
    if data[0] != 1:
        return "FORMAT"
    receipt = Receipt.decode(data)
    account = accounts.get(receipt.licence_no)
    if account is None:
        return "LICENCE"
    seq, units, used_at_ms, records, _ = account.stands
    delivered = receipt.status == ReceiptStatus.DELIVERED
    granted = receipt.mode in account.modes and receipt.purpose == account.purpose
    valid = account.valid_from_ms <= receipt.used_at_ms < account.valid_until_ms
    rules = {
        "SEQ": receipt.licence_seq == seq + 1,
        "SUM": receipt.cumulative_units == units + receipt.units < UINT64_END,
        "CLOCK": receipt.used_at_ms >= used_at_ms,
        "STATUS": receipt.status in list(ReceiptStatus),
        "MODE": receipt.mode in list(DeliveryMode)
        and (not delivered or receipt.mode in account.modes),
        "PURPOSE": receipt.purpose in list(Purpose)
        and (not delivered or receipt.purpose == account.purpose),
        "VALIDITY": not delivered or valid,
        "UNITS": delivered or receipt.units == 0,
        "RECORDS": records + receipt.records < UINT64_END,
    }
    assert not delivered or not all(rules.values()) or (granted and valid)
    return next((name for name, holds in rules.items() if not holds), "")
