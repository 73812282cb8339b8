"""Bodies of trials: the vectors of the specification, and copies of them with one thing changed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden/revenue_vectors.json").read_text(encoding="utf-8")
)
_SCHEME = VECTORS["scheme"]
_RATES = ("bond_ppm", "spread_ppm", "tax_fen", "surcharge_ppm", "vat_ppm")
GROSS_FEN = {"V1": 10_600_000, "V2": 99_999, "V3": 508_800_000, "V4": 106_000_000}


def scheme_body(**changes: Any) -> dict[str, Any]:
    """Return the year of the vectors, closed as a cycle over two later ones."""
    body: dict[str, Any] = {
        "scheme": {
            "costs_fen": _SCHEME["costs_fen"],
            "operator": "O",
            "platform": "P",
            "profit_ppm": {
                "providers": 400_000,
                "operator": 400_000,
                "platform": 100_000,
                "governance": 100_000,
            },
            "carry_in_fen": 0,
        }
        | {name: _SCHEME[name] for name in _RATES},
        "incomes": [
            {
                "gross_fen": GROSS_FEN[vector["name"]],
                "weights_ppm": vector["weights_ppm"],
                "quality": _SCHEME["quality"],
                "pool": _SCHEME["pool"],
                "refund": False,
            }
            for vector in VECTORS["splits"]
        ],
        "close": "cycle",
        "carry_over_cycles": 2,
    }
    return json.loads(json.dumps(body | changes))


def tariff_body(**changes: Any) -> dict[str, Any]:
    """Return the tariff of the vectors and its use."""
    body = {
        "bands": VECTORS["tariff"]["bands"],
        "free_quota": 0,
        "discount_ppm": 0,
        "already_used": 0,
        "units": VECTORS["tariff"]["units"],
    }
    return json.loads(json.dumps(body | changes))


def changed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of a body with the member at a path replaced; `...` as value removes it."""
    made = copy.deepcopy(body)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = made
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return made
