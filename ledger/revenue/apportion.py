"""Sharing a whole amount by weights: largest remainder, and with a cap for each claimant.

Rules kept here:
1. Integers only; what is shared always sums to what was given to share.
2. Lists are in claimant order (ascending ids), so a tie goes to the lower id by position.
3. A capped claimant gets its room exactly, so only the last round ever rounds, and each line is
   less than one µfen from the exact share.

Source: domain report 4.3 steps 5 and 9.
"""

from __future__ import annotations

from collections.abc import Sequence


def apportion(amount: int, weights: Sequence[int]) -> list[int]:
    """Share `amount` in proportion to weights: floor, then one more by largest remainder.

    Args:
        amount: what to share, ≥ 0.
        weights: one per claimant in claimant order, each ≥ 0, not all zero.

    Returns:
        One share per claimant; they sum to `amount`, a tie goes to the earlier claimant.
    """
    whole = sum(weights)
    floors, remainders = [], []
    for weight in weights:
        share, remainder = divmod(amount * weight, whole)
        floors.append(share)
        remainders.append(remainder)
    missing = amount - sum(floors)
    if missing:
        by_remainder = sorted(range(len(weights)), key=lambda index: -remainders[index])
        for index in by_remainder[:missing]:
            floors[index] += 1
    return floors


def fill(amount: int, weights: Sequence[int], rooms: Sequence[int]) -> list[int]:
    """Share `amount` by weights, none beyond its room; what one cannot take goes to the others.

    Args:
        amount: what there is to share, ≥ 0; what nobody has room for is left over.
        weights: one per claimant in claimant order, each ≥ 0; weight 0 takes nothing.
        rooms: the most that each claimant may take, same order, each ≥ 0.

    Returns:
        One line per claimant, summing to min(amount, room of all claimants with a weight).
    """
    lines = [0] * len(weights)
    active = [index for index, weight in enumerate(weights) if weight]
    left = amount
    while active:
        whole = sum(weights[index] for index in active)
        full = [i for i in active if rooms[i] * whole <= left * weights[i]]
        if not full:
            break
        for index in full:
            lines[index] = rooms[index]
            left -= rooms[index]
        closed = set(full)
        active = [index for index in active if index not in closed]
    if active:
        for index, share in zip(
            active, apportion(left, [weights[index] for index in active]), strict=True
        ):
            lines[index] = share
    return lines
