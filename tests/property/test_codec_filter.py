"""The totals filter against its plain reference: it stops exactly before the first fault."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import hashing, kernel
from ledger.codec.errors import KernelTableError
from ledger.codec.receipts import Receipt
from tests.property.filter_reference import Account, take

pytestmark = pytest.mark.property

LICENCES = (1, 2, 5, 6)
TABLE = 8
FROM_MS, UNTIL_MS = 1_000, 9_000
STANDS = ("licence_seq", "cumulative_units", "used_at_ms", "records", "refusals")
ENGINES = hashing.available_engines()
seeds, uint8 = st.integers(0, 2**32 - 1), st.integers(0, 255)

DELIVERED: dict[str, Any] = {
    "status": lambda _: 0,
    "mode": lambda _: 1,
    "purpose": lambda _: 3,
}
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "seq_gap": ("SEQ", {"licence_seq": lambda r: r.licence_seq + 1}),
    "seq_repeated": ("SEQ", {"licence_seq": lambda r: r.licence_seq - 1}),
    "sum_high": ("SUM", {"cumulative_units": lambda r: r.cumulative_units + 1}),
    "sum_low": ("SUM", {"cumulative_units": lambda r: (r.cumulative_units - 1) % 2**64}),
    "licence_without_account": ("LICENCE", {"licence_no": lambda _: 3}),
    "licence_beyond_table": ("LICENCE", {"licence_no": lambda _: TABLE}),
    "licence_far_beyond": ("LICENCE", {"licence_no": lambda _: 2**64 - 1}),
    "slot_beyond_accounts": ("LICENCE", {"licence_no": lambda _: 7}),
    "status_unknown": ("STATUS", {"status": lambda _: 9}),
    "status_huge": ("STATUS", {"status": lambda _: 2**32 - 1}),
    "mode_0": ("MODE", {"mode": lambda _: 0}),
    "mode_8": ("MODE", {"mode": lambda _: 8}),
    "mode_40": ("MODE", {"mode": lambda _: 40}),
    "purpose_unknown": ("PURPOSE", {"purpose": lambda _: 6}),
    "purpose_huge": ("PURPOSE", {"purpose": lambda _: 0x0100 + 3}),
    "mode_not_granted": ("MODE", DELIVERED | {"mode": lambda _: 7}),
    "purpose_not_granted": ("PURPOSE", DELIVERED | {"purpose": lambda _: 1}),
    "after_validity": ("VALIDITY", DELIVERED | {"used_at_ms": lambda _: UNTIL_MS}),
}


@pytest.fixture(autouse=True)
def _auto() -> Iterator[None]:
    yield
    hashing.use_engine()


def terms() -> dict[int, Account]:
    return {number: Account(frozenset({1, 2, 6}), 3, FROM_MS, UNTIL_MS) for number in LICENCES}


def right_log(seed: int) -> list[Receipt]:
    """Return receipts that keep every rule, refusals among them."""
    dice = random.Random(seed)
    stands = dict.fromkeys(LICENCES, (0, 0, FROM_MS))
    made = []
    for _ in range(dice.randint(1, 40)):
        number = dice.choice(LICENCES)
        seq, units, last = stands[number]
        status = dice.choice([0, 0, 0, 1, 8, 100])
        more = 0 if status else dice.choice([0, 1, 3, 2**58])
        stands[number] = (seq + 1, units + more, last + dice.randint(0, 90))
        receipt = Receipt(
            mode=dice.choice([1, 5, 7] if status else [1, 2, 6]),
            purpose=dice.randint(1, 5) if status else 3,
            meter_no=dice.randrange(2**32),
            licence_no=number,
            licence_seq=seq + 1,
            used_at_ms=stands[number][2],
            version_no=dice.randrange(2**32),
            status=status,
            units=more,
            cumulative_units=units + more,
            records=dice.randrange(2**58),
            commitment=dice.randbytes(32),
        )
        made.append(receipt)
    return made


def tables(accounts: dict[int, Account]) -> tuple[kernel.Slots, kernel.Accounts]:
    slot_of = np.full(TABLE, kernel.NO_SLOT, np.uint32)
    rows = np.zeros(len(accounts), kernel.ACCOUNT_DTYPE)
    # A slot that no account has: the kernel must not follow it.
    slot_of[7] = len(accounts)
    for slot, (number, account) in enumerate(accounts.items()):
        slot_of[number] = slot
        rows[slot] = (
            *account.stands,
            account.valid_from_ms,
            account.valid_until_ms,
            sum(1 << (mode - 1) for mode in account.modes),
            account.purpose,
            0,
        )
    return slot_of, rows


def stands(accounts: dict[int, Account]) -> list[list[int]]:
    return [list(account.stands) for account in accounts.values()]


def agree(receipts: list[bytes], accounts: dict[int, Account], engine: str) -> tuple[int, str]:
    """Assert that filter and reference agree; return what the reference found."""
    hashing.use_engine(engine)
    slot_of, rows = tables(accounts)
    before = stands(accounts)
    found = kernel.check_receipts(b"".join(receipts), slot_of, rows)
    expected = take(receipts, accounts)
    after = [[int(row[name]) for name in STANDS] for row in rows]
    if engine == "hashlib":
        assert (found, after) == (None, before)
    else:
        assert found is not None
        assert (found[0], found[1].name, after) == (*expected, stands(accounts))
    return expected


@pytest.mark.parametrize("engine", ENGINES)
@given(seed=seeds)
def test_check_receipts__right_log__passes_whole(seed: int, engine: str) -> None:
    receipts = [receipt.encode() for receipt in right_log(seed)]
    assert agree(receipts, terms(), engine) == (len(receipts), "NONE")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fault", FAULTS)
def test_check_receipts__one_fault__stops_exactly_before_it(fault: str, engine: str) -> None:
    rule, changes = FAULTS[fault]
    for seed in range(12):
        log = right_log(seed)
        place = random.Random(fault).choices(range(len(log)))[0]
        changed = {name: change(log[place]) for name, change in changes.items()}
        log[place] = replace(log[place], **changed)
        receipts = [receipt.encode() for receipt in log]
        assert agree(receipts, terms(), engine) == (place, rule), seed


@pytest.mark.parametrize("engine", ENGINES)
@given(seed=seeds, place=st.integers(0, 39))
def test_check_receipts__format_2__stops_before_it(seed: int, place: int, engine: str) -> None:
    receipts = [receipt.encode() for receipt in right_log(seed)]
    place %= len(receipts)
    receipts[place] = b"\x02" + receipts[place][1:]
    assert agree(receipts, terms(), engine) == (place, "FORMAT")


@pytest.mark.parametrize("engine", ENGINES)
@given(seeds, st.lists(st.tuples(st.integers(0, 39), st.integers(0, 95), uint8), max_size=3))
def test_check_receipts__any_bytes_changed__agrees_with_the_reference(
    engine: str, seed: int, changes: list[tuple[int, int, int]]
) -> None:
    receipts = [bytearray(receipt.encode()) for receipt in right_log(seed)]
    for place, offset, value in changes:
        receipts[place % len(receipts)][offset] = value
    agree([bytes(receipt) for receipt in receipts], terms(), engine)


BASE = Receipt(1, 3, 1, 1, 1, 5_000, 1, 0, 4, 4, 2, bytes(32))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("before", "receipt", "expected"),
    [
        ([0, 2**64 - 1, 0, 0, 0], replace(BASE, units=1, cumulative_units=0), (0, "SUM")),
        ([0, 2**64 - 2, 0, 0, 0], replace(BASE, units=1, cumulative_units=2**64 - 1), (1, "NONE")),
        ([2**64 - 1, 0, 0, 0, 0], replace(BASE, licence_seq=0), (0, "SEQ")),
        ([0, 0, 0, 2**64 - 2, 0], BASE, (0, "RECORDS")),
        ([0, 0, 0, 2**64 - 3, 0], BASE, (1, "NONE")),
        ([0, 0, 5_001, 0, 0], BASE, (0, "CLOCK")),
        ([0, 0, 5_000, 0, 0], BASE, (1, "NONE")),
        ([0] * 5, replace(BASE, used_at_ms=FROM_MS - 1), (0, "VALIDITY")),
        ([0] * 5, replace(BASE, used_at_ms=FROM_MS), (1, "NONE")),
        ([0] * 5, replace(BASE, used_at_ms=UNTIL_MS - 1), (1, "NONE")),
        ([0] * 5, replace(BASE, used_at_ms=UNTIL_MS), (0, "VALIDITY")),
        ([0] * 5, replace(BASE, used_at_ms=0, status=5, units=0, cumulative_units=0), (1, "NONE")),
        ([0] * 5, replace(BASE, status=1), (0, "UNITS")),
        ([0] * 5, replace(BASE, status=1, units=0, cumulative_units=0), (1, "NONE")),
    ],
)
def test_check_receipts__edge_of_a_rule__on_its_right_side(
    before: list[int], receipt: Receipt, expected: tuple[int, str], engine: str
) -> None:
    accounts = terms()
    accounts[1].stands = list(before)
    assert agree([receipt.encode()], accounts, engine) == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_check_receipts__resumed_behind_a_fault__takes_the_rest(engine: str) -> None:
    faulty = replace(BASE, licence_no=3)
    log = [BASE, faulty, replace(BASE, licence_seq=2, cumulative_units=8)]
    accounts = terms()
    assert agree([receipt.encode() for receipt in log], accounts, engine) == (1, "LICENCE")
    assert agree([receipt.encode() for receipt in log[2:]], accounts, engine) == (1, "NONE")
    assert accounts[1].stands == [2, 8, 5_000, 4, 0]


@pytest.mark.parametrize("engine", ENGINES)
def test_check_receipts__two_threads_on_accounts_of_their_own__same(engine: str) -> None:
    hashing.use_engine(engine)
    block = b"".join(
        replace(BASE, licence_seq=seq, cumulative_units=4 * seq).encode() for seq in range(1, 5_001)
    )

    def run(_: int) -> tuple[Any, bytes]:
        slot_of, rows = tables(terms())
        return kernel.check_receipts(block, slot_of, rows), rows.tobytes()

    alone = run(0)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, range(8))) == [alone] * 8


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("receipts", bytes(95)),
        ("slot_of", np.zeros(2, np.int64)),
        ("slot_of", np.zeros(2, ">u4")),
        ("slot_of", np.zeros((2, 2), np.uint32)),
        ("slot_of", np.zeros(4, np.uint32)[::2]),
        ("accounts", np.zeros(2, np.uint64)),
        ("accounts", np.zeros(4, kernel.ACCOUNT_DTYPE)[::2]),
        ("accounts", np.frombuffer(bytes(64), kernel.ACCOUNT_DTYPE)),
        ("accounts", np.frombuffer(bytearray(65), np.uint8)[1:].view(kernel.ACCOUNT_DTYPE)),
    ],
)
def test_check_receipts__table_of_another_layout__refused(field: str, value: Any) -> None:
    given_tables: dict[str, Any] = {
        "receipts": b"",
        "slot_of": np.zeros(1, np.uint32),
        "accounts": np.zeros(1, kernel.ACCOUNT_DTYPE),
    } | {field: value}
    with pytest.raises(KernelTableError):
        kernel.check_receipts(**given_tables)
