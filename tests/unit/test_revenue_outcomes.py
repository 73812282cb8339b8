"""Derived products: shares up the lineage, diamonds, and who may not sell."""

from __future__ import annotations

from uuid import UUID

import pytest

from ledger.domain.errors import ValueOutOfRangeError
from ledger.domain.ids import ClaimantId, OrganisationId
from ledger.domain.units import Fen, Ppm
from ledger.revenue.errors import AncestorCountError, OperatorResellsError, OutcomeCapError
from ledger.revenue.outcomes import (
    OutcomeShare,
    Source,
    flatten,
    require_seller,
    split_outcome,
)

pytestmark = pytest.mark.unit

CAP = Ppm(300_000)


def who(number: int) -> ClaimantId:
    return ClaimantId(UUID(int=number))


def share(number: int, share_ppm: int) -> OutcomeShare:
    return OutcomeShare(who(number), Ppm(share_ppm))


def test_flatten__diamond__pays_the_shared_ancestor_its_path_sum() -> None:
    left = Source(who(2), Ppm(100_000), (share(1, 200_000),))
    right = Source(who(3), Ppm(50_000), (share(1, 400_000),))
    # 10 % · 20 % + 5 % · 40 % to the one above; each side keeps the rest.
    assert flatten([left, right], CAP) == (
        share(1, 40_000),
        share(2, 80_000),
        share(3, 30_000),
    )


def test_flatten__share_that_does_not_divide__is_floored_and_the_rest_kept() -> None:
    found = flatten([Source(who(2), Ppm(3), (share(1, 500_000),))], CAP)
    assert found == (share(1, 1), share(2, 2))


def test_flatten__same_parent_twice_and_nothing_shared__adds_up_and_stays() -> None:
    sources = [Source(who(2), Ppm(10)), Source(who(2), Ppm(5)), Source(who(3), Ppm(0))]
    assert flatten(sources, CAP) == (share(2, 15), share(3, 0))


def test_flatten__more_than_the_agreed_cap__refused() -> None:
    with pytest.raises(OutcomeCapError):
        flatten([Source(who(2), Ppm(300_001))], CAP)


def test_flatten__sixteen_ancestors__one_more_refused() -> None:
    sources = [Source(who(number), Ppm(1)) for number in range(1, 18)]
    assert len(flatten(sources[:16], CAP)) == 16
    with pytest.raises(AncestorCountError):
        flatten(sources, CAP)


def test_split__fee_shares_and_developer__are_exact_and_whole() -> None:
    split = split_outcome(Fen(12_345), Ppm(30_000), [share(1, 40_000), share(2, 7)])
    assert split.fee_micro_fen == 12_345 * 30_000
    assert split.shares_micro_fen == {who(1): 12_345 * 40_000, who(2): 12_345 * 7}
    parts = [split.fee_micro_fen, split.developer_micro_fen, *split.shares_micro_fen.values()]
    assert sum(parts) == split.income_micro_fen == 12_345 * 10**6


def test_split__nothing_earned__nobody_gets_anything() -> None:
    split = split_outcome(Fen(0), Ppm(30_000), [share(1, 40_000)])
    assert (split.income_micro_fen, split.developer_micro_fen) == (0, 0)


@pytest.mark.parametrize(("net_fen", "fee_ppm"), [(-1, 0), (1, 1_000_001), (2**53, 0)])
def test_split__amounts_outside_their_limits__refused(net_fen: int, fee_ppm: int) -> None:
    with pytest.raises(ValueOutOfRangeError):
        split_outcome(Fen(net_fen), Ppm(fee_ppm), [])


def test_split__fee_and_shares_above_the_whole__refused() -> None:
    with pytest.raises(OutcomeCapError):
        split_outcome(Fen(1), Ppm(700_000), [share(1, 300_001)])


def test_seller__operator_or_affiliate__refused() -> None:
    operator, seller = OrganisationId(UUID(int=7)), OrganisationId(UUID(int=8))
    require_seller(seller, [operator], [])
    require_seller(seller, [operator], [(seller, UUID(int=9))])
    for related in ([(seller, operator)], [(operator, seller)]):
        with pytest.raises(OperatorResellsError):
            require_seller(seller, [operator], related)
    with pytest.raises(OperatorResellsError):
        require_seller(operator, [operator], [])
