"""Sums of use over any logs, however much of them is sealed, against sums in plain Python."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.calendar import period_of
from ledger.log.usage import Dimension, LicenceFacts, UsageFilter, UsageRow, sum_usage
from tests.unit.receipt_story import JANUARY_MS, columns_of, write_receipts

pytestmark = pytest.mark.property

MONTH_MS = 31 * 24 * 3_600_000
SEGMENT = 4
LICENCES = {
    1: LicenceFacts(1, "rain", "bank", 320100),
    2: LicenceFacts(2, "rain", "insurer", 320100),
    3: LicenceFacts(3, "roads", "bank", 341100),
    4: LicenceFacts(4, "polls", "bank", 341100),
}
LINEAGE = {"rain": ["gauges", "radar"], "roads": ["radar"], "polls": []}
amounts = st.one_of(st.integers(0, 9), st.integers(2**62, 2**64 - 1))
uses = st.tuples(
    st.integers(1, 5),
    st.integers(0, 3).map(lambda month: JANUARY_MS + month * MONTH_MS),
    st.integers(1, 2),
    st.integers(1, 2),
    st.sampled_from([0, 0, 1]),
    amounts,
    amounts,
)
logs = st.lists(
    st.tuples(st.lists(uses, max_size=14), st.integers(0, 14), st.integers(0, 14)),
    min_size=1,
    max_size=3,
)
"""Of each log its receipts, how many were sealed, and how many are summed."""
narrowed = st.fixed_dictionaries(
    {},
    optional={
        "period_from": st.sampled_from([202601, 202602]),
        "period_to": st.sampled_from([202601, 202603]),
        "licence_no": st.integers(1, 5),
        "product_id": st.sampled_from(["rain", "roads", "none"]),
        "buyer_id": st.sampled_from(["bank", "insurer"]),
        "is_known_only": st.booleans(),
    },
)


def keys_of(use: tuple[int, ...]) -> list[dict[Dimension, Any]]:
    """Every key that a use counts under: one for each dataset, or one without any."""
    facts = LICENCES.get(use[0])
    product = facts.product_id if facts else None
    return [
        {
            Dimension.LICENCE: use[0],
            Dimension.PRODUCT: product,
            Dimension.DATASET: dataset,
            Dimension.BUYER: facts.buyer_id if facts else None,
            Dimension.CITY: facts.city_code if facts else None,
            Dimension.MONTH: period_of(use[1] // 1_000),
            Dimension.MODE: use[2],
            Dimension.PURPOSE: use[3],
        }
        for dataset in LINEAGE.get(product or "", []) or [None]
    ]


def is_wanted(use: tuple[int, ...], wanted: UsageFilter) -> bool:
    facts = LICENCES.get(use[0])
    month = period_of(use[1] // 1_000)
    is_of_licences = wanted.is_known_only or wanted.product_id or wanted.buyer_id
    return (
        (wanted.period_from or 0) <= month <= (wanted.period_to or 999999)
        and wanted.licence_no in (None, use[0])
        and not (is_of_licences and facts is None)
        and wanted.product_id in (None, facts.product_id if facts else None)
        and wanted.buyer_id in (None, facts.buyer_id if facts else None)
    )


def added_up(
    counted: list[tuple[int, ...]], by: list[Dimension], wanted: UsageFilter
) -> dict[tuple[Any, ...], UsageRow]:
    groups: dict[tuple[Any, ...], list[tuple[int, ...]]] = defaultdict(list)
    for use in counted:
        if is_wanted(use, wanted):
            for key in {tuple(found[part] for part in by) for found in keys_of(use)}:
                groups[key].append(use)
    return {
        key: UsageRow(
            key,
            len(group),
            sum(use[4] != 0 for use in group),
            sum(use[5] for use in group),
            sum(use[6] for use in group),
            min(use[1] for use in group),
            max(use[1] for use in group),
        )
        for key, group in groups.items()
    }


@settings(max_examples=60, deadline=None)
@given(logs, st.lists(st.sampled_from(Dimension), unique=True, min_size=1), narrowed)
def test_usage__any_logs_and_dimensions__equals_sums_in_python(
    given_logs: list[tuple[list[tuple[int, ...]], int, int]],
    by: list[Dimension],
    given_filter: dict[str, Any],
) -> None:
    wanted = UsageFilter(**given_filter)
    parts, counted = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number, (receipts, sealed, size) in enumerate(given_logs):
            log = Path(folder) / str(number)
            write_receipts(log, receipts)
            columns_of(log, SEGMENT).seal(min(sealed, len(receipts)))
            parts.append(columns_of(log, SEGMENT).parts(min(size, len(receipts))))
            counted += receipts[:size]
        rows = sum_usage(
            parts,
            by=by,
            wanted=wanted,
            licences=list(LICENCES.values()),
            lineage=[(product, one) for product, found in LINEAGE.items() for one in found],
        )
    assert {row.key: row for row in rows} == added_up(counted, by, wanted)
