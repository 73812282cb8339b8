"""The bytes of a split: as the interface writes them down, and nothing else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.contracts import decode_calldata, encode_call
from ledger.codec.splits import decode_split, encode_split
from ledger.domain.errors import MalformedValueError

pytestmark = pytest.mark.unit

MEMBER = UUID(int=0x0102)
SPLIT: dict[str, Any] = {
    "tax_micro_fen": 1,
    "lineage_cost_micro_fen": [4, 5],
    "common_cost": [{"claimant_id": MEMBER, "amount_micro_fen": 2**64 - 1}],
    "benefit_micro_fen": [6, 7, 8, 9, 10],
    "forgone_micro_fen": 2,
    "reserve_micro_fen": 3,
}
amounts = st.integers(0, 2**64 - 1)
splits = st.fixed_dictionaries(
    {
        "tax_micro_fen": amounts,
        "lineage_cost_micro_fen": st.lists(amounts, max_size=70),
        "common_cost": st.lists(
            st.fixed_dictionaries({"claimant_id": st.uuids(), "amount_micro_fen": amounts}),
            max_size=20,
        ),
        "benefit_micro_fen": st.lists(amounts, max_size=70),
        "forgone_micro_fen": amounts,
        "reserve_micro_fen": amounts,
    }
)


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(8, "big") for number in numbers)


def test_encode__every_part__in_its_place() -> None:
    counts = b"\x00\x02\x00\x05\x00\x01"
    lines = words(4, 5) + words(6, 7, 8, 9, 10)
    expected = words(1, 2, 3) + counts + lines + MEMBER.bytes + b"\xff" * 8
    assert encode_split(SPLIT) == expected


@given(splits)
def test_decode__what_was_encoded__comes_back(split: dict[str, Any]) -> None:
    assert decode_split(encode_split(split)) == split


@pytest.mark.parametrize("cut", [0, 29, -1, -8])
def test_decode__other_length_than_its_counts_say__refused(cut: int) -> None:
    data = encode_split(SPLIT)
    with pytest.raises(MalformedValueError, match="counts"):
        decode_split(data[:cut])
    with pytest.raises(MalformedValueError, match="counts"):
        decode_split(data + b"\x00")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tax_micro_fen", 2**64),
        ("tax_micro_fen", -1),
        ("lineage_cost_micro_fen", [1.5]),
        ("lineage_cost_micro_fen", [0] * 65_536),
        ("common_cost", [{"claimant_id": "no id", "amount_micro_fen": 1}]),
        ("benefit_micro_fen", None),
    ],
)
def test_encode__what_is_no_split__refused(field: str, value: Any) -> None:
    with pytest.raises(MalformedValueError, match="not the lines"):
        encode_split(SPLIT | {field: value})


def test_calldata__of_a_fill__has_the_split_as_a_dict() -> None:
    fill = {"claimant_ids": [MEMBER], "split": SPLIT}
    data = encode_call("RevenueLedger", "pourCarryIn", UUID(int=7), fill)
    assert decode_calldata("RevenueLedger", data) == (
        "pourCarryIn",
        {"scheme_id": UUID(int=7), "fill": fill},
    )
