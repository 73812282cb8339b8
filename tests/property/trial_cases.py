"""Bodies of trials made from one number each, fast enough for a hundred thousand of them."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

MILLION = 1_000_000
_LETTERS = "aZé9 _机\U0001f600-"


def scheme_case(seed: int) -> dict[str, Any]:
    """Return a body of a scheme: up to eight claimants, six incomes or refunds, a close."""
    draw = Random(seed)
    names = list({"".join(draw.choices(_LETTERS, k=draw.randrange(4))) for _ in range(8)})
    scheme = {
        "costs_fen": {name: _amount(draw) for name in names},
        "operator": draw.choice(names),
        "platform": draw.choice(names),
        "bond_ppm": draw.randrange(60_000),
        "spread_ppm": draw.randrange(60_001),
        "tax_fen": _amount(draw) + 1,
        "surcharge_ppm": draw.choice([0, 7_200, 250_000, MILLION]),
        "vat_ppm": draw.choice([0, 1, 60_000, 130_000, MILLION]),
        "profit_ppm": _shares(draw, ["providers", "operator", "platform", "governance"]),
        "carry_in_fen": draw.choice([0, _amount(draw)]),
    }
    taken: list[dict[str, Any]] = []
    standing: list[dict[str, Any]] = []
    for _ in range(draw.randrange(7)):
        if standing and draw.random() < 0.25:
            chosen = standing.pop(draw.randrange(len(standing)))
            taken.append(chosen | {"refund": True, "quality": {}, "pool": []})
        else:
            standing.append(_income(draw, scheme["costs_fen"]))
            taken.append(standing[-1])
    return {
        "scheme": scheme,
        "incomes": taken,
        "close": draw.choice([None, "year", "cycle"]),
        "carry_over_cycles": draw.randrange(1, 4),
    }


def tariff_case(seed: int) -> dict[str, Any]:
    """Return a body of a tariff: up to 16 bands and a use near the ends of some."""
    draw = Random(seed)
    ends = sorted({draw.randrange(1, 9_000) for _ in range(draw.randrange(16))})
    return {
        "bands": [
            {"up_to": end, "price_micro_yuan": draw.randrange(10**7)} for end in [*ends, None]
        ],
        "free_quota": draw.choice([0, draw.randrange(5_000)]),
        "discount_ppm": draw.choice([0, draw.randrange(MILLION + 1)]),
        "already_used": draw.choice([0, draw.randrange(20_000)]),
        "units": draw.randrange(20_000),
    }


def _income(draw: Random, costs_fen: dict[str, int]) -> dict[str, Any]:
    names = list(costs_fen)
    chosen = draw.sample(names, draw.randint(1, len(names)))
    most = sum(costs_fen.values()) * 2 + 99
    return {
        "gross_fen": draw.choice([draw.randrange(9), draw.randrange(most)]),
        "weights_ppm": _shares(draw, chosen),
        "quality": {name: draw.choice([0, 50, 80, 90, 100]) for name in chosen[1:]},
        "pool": draw.sample(names, draw.randint(0, len(names))),
        "refund": False,
    }


def _amount(draw: Random) -> int:
    return draw.randrange(draw.choice([1, 20, 10**6, 10**9, 10**11]))


def _shares(draw: Random, names: list[str]) -> dict[str, int]:
    cuts = sorted(draw.randrange(draw.choice([9, MILLION]) + 1) for _ in names[1:])
    edges = [0, *cuts, MILLION]
    return {name: b - a for name, (a, b) in zip(names, pairwise(edges), strict=True)}
