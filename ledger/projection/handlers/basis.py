"""What a split or a pour was computed from: rates, rooms and grades as they stood before it.

It is recorded with the lines, so that each can be explained number by number, whatever changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from ledger.domain.money import Tier
from ledger.projection.handlers.shares import Line
from ledger.projection.tables import datasets, scheme_accounts

_RATES = ("surcharge_ppm", "providers_ppm", "operator_ppm", "platform_ppm", "governance_ppm")
_COST_TIERS = (Tier.LINEAGE_COST, Tier.COMMON_COST)
_ACCOUNTS = select(scheme_accounts).where(
    scheme_accounts.c.scheme_id == bindparam("scheme_id"),
    scheme_accounts.c.claimant_id.in_(bindparam("ids", expanding=True)),
)
_GRADES = select(datasets.c.dataset_id, datasets.c.grade).where(
    datasets.c.dataset_id.in_(bindparam("ids", expanding=True))
)


def basis_of(
    connection: Connection, scheme: dict[str, Any], lines: Sequence[Line]
) -> dict[str, Any]:
    """Return the basis of lines that are not posted yet.

    `costs` and `rooms` are µfen by claimant of the cost tiers, `grades` numbers by dataset that
    shares in the profit; who was never inspected has 0, who is no dataset has none.
    """
    found = _claimants(lines, _COST_TIERS)
    key = {"scheme_id": scheme["scheme_id"], "ids": found}
    accounts = connection.execute(_ACCOUNTS, key).mappings().all() if found else []
    earning = _claimants(lines, (Tier.BENEFIT,))
    grades = connection.execute(_GRADES, {"ids": earning}).all() if earning else []
    return {
        "version_no": scheme["version_no"],
        **{name: scheme[name] for name in _RATES},
        "tax_room": max(0, scheme["tax_micro_fen"] - scheme["tax_taken_micro_fen"]),
        "profit_room": max(0, scheme["profit_micro_fen"] - scheme["benefit_micro_fen"]),
        "costs": {str(row["claimant_id"]): row["cost_micro_fen"] for row in accounts},
        "rooms": {
            str(row["claimant_id"]): row["cost_micro_fen"] - row["recovered_micro_fen"]
            for row in accounts
        },
        "grades": {str(row.dataset_id): row.grade for row in grades},
    }


def _claimants(lines: Sequence[Line], tiers: Sequence[Tier]) -> list[UUID]:
    # Those of a lineage come from its table, those of a fill from the event, as text.
    found = {str(line.claimant_id) for line in lines if line.tier in tiers and line.claimant_id}
    return [UUID(claimant_id) for claimant_id in sorted(found)]
