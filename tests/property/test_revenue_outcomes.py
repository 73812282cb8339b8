"""Flattened outcome shares against a walk along every path, in exact fractions."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.ids import ClaimantId
from ledger.domain.units import PPM_WHOLE, Fen, Ppm
from ledger.revenue.outcomes import OutcomeShare, Source, flatten, split_outcome

pytestmark = pytest.mark.property

WHOLE = Ppm(PPM_WHOLE)
DATASETS = [ClaimantId(UUID(int=number)) for number in range(1, 5)]


class Family(NamedTuple):
    """Derived products from the oldest to the youngest: each names its parents and their shares."""

    sources: dict[ClaimantId, list[tuple[ClaimantId, int]]]

    @property
    def youngest(self) -> ClaimantId:
        return next(reversed(self.sources))

    def flattened(self) -> dict[ClaimantId, tuple[OutcomeShare, ...]]:
        """Flatten each product from what its parents were flattened to."""
        found: dict[ClaimantId, tuple[OutcomeShare, ...]] = {}
        for key, parents in self.sources.items():
            found[key] = flatten(
                [Source(parent, Ppm(share), found.get(parent, ())) for parent, share in parents],
                WHOLE,
            )
        return found

    def paths(self, start: ClaimantId) -> Iterator[list[tuple[ClaimantId, int]]]:
        """Yield every path up to any ancestor: who is passed, and the share of each step."""
        for parent, share in self.sources.get(start, ()):
            yield [(parent, share)]
            for rest in self.paths(parent):
                yield [(parent, share), *rest]


@st.composite
def families(draw: st.DrawFn) -> Family:
    """Return up to five products, each made of up to three of the datasets and products before."""
    sources: dict[ClaimantId, list[tuple[ClaimantId, int]]] = {}
    for number in range(draw(st.integers(1, 5))):
        known = [*DATASETS, *sources]
        parents = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
        shares = st.one_of(st.integers(0, 7), st.integers(0, PPM_WHOLE // len(parents)))
        key = ClaimantId(UUID(int=100 + number))
        sources[key] = [(parent, draw(shares)) for parent in parents]
    return Family(sources)


@given(families())
@settings(max_examples=400)
def test_flatten__any_family__path_sums_floored_and_nothing_lost(family: Family) -> None:
    found = family.flattened()
    shares = {share.ancestor_id: share.share_ppm for share in found[family.youngest]}
    assert list(shares) == sorted(shares)
    assert sum(shares.values()) == sum(share for _, share in family.sources[family.youngest])
    exact: dict[ClaimantId, Fraction] = dict.fromkeys(DATASETS, Fraction(0))
    floors = dict.fromkeys(DATASETS, 0)
    for path in family.paths(family.youngest):
        last = path[-1][0]
        if last in exact:
            product = Fraction(PPM_WHOLE)
            for _, share in path:
                product *= Fraction(share, PPM_WHOLE)
            exact[last] += product
            floors[last] += len(path) - 1
    for key in DATASETS:
        # Each step of a path but the first may floor away less than one ppm.
        assert exact[key] - floors[key] <= shares.get(key, 0) <= exact[key]


@given(families())
@settings(max_examples=200)
def test_flatten__parents_in_any_order__same_shares(family: Family) -> None:
    other = Family({key: list(reversed(parents)) for key, parents in family.sources.items()})
    assert family.flattened() == other.flattened()


@given(families(), st.integers(0, 10**9), st.integers(0, PPM_WHOLE))
@settings(max_examples=200)
def test_split__any_income__whole_and_proportional(family: Family, net: int, fee: int) -> None:
    shares = family.flattened()[family.youngest]
    fee_ppm = Ppm(min(fee, PPM_WHOLE - sum(share.share_ppm for share in shares)))
    split = split_outcome(Fen(net), fee_ppm, shares)
    parts = [split.fee_micro_fen, split.developer_micro_fen, *split.shares_micro_fen.values()]
    assert sum(parts) == net * PPM_WHOLE
    assert all(part >= 0 for part in parts)
    assert split.shares_micro_fen == {row.ancestor_id: net * row.share_ppm for row in shares}
