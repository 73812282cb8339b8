"""The lines of a split as the chain takes and emits them: one string of bytes, all big-endian.

    tax | forgone | reserve | a | b | c | a lines of cost | b of profit | c of the common pool

Rules kept here:
1. Amounts are µfen in 8 bytes; the counts a, b, c have 2; a line of the pool is an id of 16 bytes
   and its amount, any other line an amount alone, in the order of the claimants.
2. Decoding is strict: as many bytes as the counts say, or a typed error.

Whether the lines are right is for those who know scheme and lineage.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ledger.domain.errors import MalformedValueError

_HEAD = struct.Struct(">3Q3H")
_COMMON = struct.Struct(">16sQ")
_LINE_BYTES = 8


def encode_split(split: Mapping[str, Any]) -> bytes:
    """Return the bytes of a split.

    Args:
        split: `tax_micro_fen`, `forgone_micro_fen`, `reserve_micro_fen`; the lists
            `lineage_cost_micro_fen` and `benefit_micro_fen`; `common_cost`, a list of
            `{"claimant_id": UUID, "amount_micro_fen"}`.

    Raises:
        MalformedValueError: a field is missing, an amount has more than 64 bits, or there are more
            than 65,535 lines.
    """
    try:
        cost, benefit = split["lineage_cost_micro_fen"], split["benefit_micro_fen"]
        common = split["common_cost"]
        sums = (split[f"{name}_micro_fen"] for name in ("tax", "forgone", "reserve"))
        head = _HEAD.pack(*sums, len(cost), len(benefit), len(common))
        lines = struct.pack(f">{len(cost) + len(benefit)}Q", *cost, *benefit)
        pool = (
            _COMMON.pack(item["claimant_id"].bytes, item["amount_micro_fen"]) for item in common
        )
        return head + lines + b"".join(pool)
    except (struct.error, KeyError, TypeError, AttributeError) as error:
        raise MalformedValueError(
            f"these are not the lines of a split: {error}", field="split", got=str(split)
        ) from error


def decode_split(data: bytes) -> dict[str, Any]:
    """Return the split that bytes stand for, as `encode_split` takes it.

    Raises:
        MalformedValueError: they are of another length than their counts say.
    """
    counts = _HEAD.unpack_from(data)[3:] if len(data) >= _HEAD.size else (0, 0, 0)
    cost, benefit, common = counts
    pool_at = _HEAD.size + (cost + benefit) * _LINE_BYTES
    expected = pool_at + common * _COMMON.size
    if len(data) != expected:
        raise MalformedValueError(
            "a split is longer or shorter than its counts say",
            field="split",
            got=len(data),
            expected=expected,
        )
    tax, forgone, reserve, *_ = _HEAD.unpack_from(data)
    lines = struct.unpack_from(f">{cost + benefit}Q", data, _HEAD.size)
    return {
        "tax_micro_fen": tax,
        "lineage_cost_micro_fen": list(lines[:cost]),
        "common_cost": [
            {"claimant_id": UUID(bytes=claimant_id), "amount_micro_fen": amount}
            for claimant_id, amount in _COMMON.iter_unpack(data[pool_at:])
        ],
        "benefit_micro_fen": list(lines[cost:]),
        "forgone_micro_fen": forgone,
        "reserve_micro_fen": reserve,
    }
