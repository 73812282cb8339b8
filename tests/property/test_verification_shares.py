"""The verifier's fractions against the service's integers; its tree against the definition."""

from __future__ import annotations

from fractions import Fraction
from hashlib import sha256

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.codec.hashing import tile_roots
from ledger.revenue.apportion import fill
from ledger.verification.merkle import ReceiptRows, climb, leaf_hash
from ledger.verification.shares import charge_fen, exact_shares, net_fen, rounded

pytestmark = pytest.mark.property

CLAIMANTS = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**14)), min_size=1, max_size=12
)


@given(st.integers(0, 10**15), CLAIMANTS)
def test_shares__any_tier__sum_and_stay_in_their_rooms(
    amount: int, claimants: list[tuple[int, int]]
) -> None:
    weights, rooms = [w for w, _ in claimants], [r for _, r in claimants]
    shares = exact_shares(amount, weights, rooms)
    takers = sum(room for weight, room in claimants if weight)
    assert sum(shares) == min(amount, takers)
    assert all(0 <= share <= room for share, room in zip(shares, rooms, strict=True))
    levels = {s / w for s, w, r in zip(shares, weights, rooms, strict=True) if w and s < r}
    assert len(levels) <= 1
    assert all(r <= level * w for level in levels for w, r, s in _full(weights, rooms, shares))


def _full(
    weights: list[int], rooms: list[int], shares: list[Fraction]
) -> list[tuple[int, int, Fraction]]:
    rows = zip(weights, rooms, shares, strict=True)
    return [(w, r, s) for w, r, s in rows if w and s == r]


@given(st.integers(0, 10**15), CLAIMANTS)
def test_rounded__any_tier__equals_the_service(
    amount: int, claimants: list[tuple[int, int]]
) -> None:
    weights, rooms = [w for w, _ in claimants], [r for _, r in claimants]
    assert rounded(exact_shares(amount, weights, rooms)) == fill(amount, weights, rooms)


@given(st.integers(0, 2**53 - 1), st.integers(0, 10**6))
def test_net__any_rate__is_the_largest_whose_gross_fits(gross: int, vat_ppm: int) -> None:
    net = net_fen(gross, vat_ppm)
    assert net * (10**6 + vat_ppm) <= gross * 10**6 < (net + 1) * (10**6 + vat_ppm)


def test_charge__vector_of_the_domain_report__is_exact() -> None:
    bands = [
        {"up_to_units": 10_000, "price_micro_yuan": 0},
        {"up_to_units": 1_000_000, "price_micro_yuan": 30_000},
        {"up_to_units": 10_000_000, "price_micro_yuan": 20_000},
        {"up_to_units": 2**64 - 1, "price_micro_yuan": 10_000},
    ]
    tariff = {"free_quota_units": 0, "discount_ppm": 0, "bands": bands}
    assert charge_fen(tariff, 0, 1_234_567) == 3_439_134
    assert charge_fen(tariff | {"discount_ppm": 200_000}, 0, 1_234_567) == 2_751_307


def test_rounded__tie__goes_to_the_earlier() -> None:
    assert rounded([Fraction(1, 2), Fraction(1, 2), Fraction(3)]) == [1, 0, 3]


@given(st.integers(0, 70_000))
@settings(max_examples=25, deadline=None)
@example(65_536 + 256 + 7)
@example(256)
def test_tree__any_size__has_the_root_of_the_definition(size: int) -> None:
    tree, receipts = _tree(size)
    leaves = [leaf_hash(receipt) for receipt in receipts]
    assert tree.root(size) == _by_definition(leaves)
    assert tree.root(size // 3) == _by_definition(leaves[: size // 3])


@given(st.integers(1, 1_000))
@settings(max_examples=50, deadline=None)
def test_tree__way_of_every_receipt__leads_to_the_root(size: int) -> None:
    tree, receipts = _tree(size)
    for index, way in tree.ways_at_end(size):
        assert climb(leaf_hash(receipts[index]), way) == tree.root(size)
    if size >= 256:
        ways = tree.ways_in_run(0)
        assert [index for index, _ in ways] == list(range(256))
        assert {climb(leaf_hash(receipts[at]), way) for at, way in ways} == {tree.root(256)}


def _tree(size: int) -> tuple[ReceiptRows, list[bytes]]:
    receipts = [index.to_bytes(96, "big") for index in range(size)]
    tree = ReceiptRows(lambda first, end: b"".join(receipts[first:end]))
    tree.add(tile_roots(b"".join(receipts[: size - size % 256]), 96))
    tree.finish()
    return tree, receipts


def _by_definition(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    parts = _by_definition(leaves[:middle]) + _by_definition(leaves[middle:])
    return sha256(b"\x01" + parts).digest()
