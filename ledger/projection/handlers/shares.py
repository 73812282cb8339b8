"""Postings: the lines of a split, and what they change in a scheme and its accounts.

Rules kept here:
1. Sums are asserted again, in integers: lines and income, cost and what is recovered of it.
2. A correction posts the same lines the other way; nothing is edited.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ledger.domain.money import Tier
from ledger.projection.errors import EventContradictsError
from ledger.projection.handlers.base import change, insert
from ledger.projection.tables import scheme_accounts, schemes

NOBODY = "00000000-0000-0000-0000-000000000000"
_COST_TIERS = (Tier.LINEAGE_COST, Tier.COMMON_COST)
_SCHEME = select(schemes).where(schemes.c.scheme_id == bindparam("scheme_id"))
_ACCOUNT = select(scheme_accounts).where(
    scheme_accounts.c.scheme_id == bindparam("scheme_id"),
    scheme_accounts.c.claimant_id == bindparam("claimant_id"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a split, as the tables keep it."""

    tier: Tier
    position: int
    claimant_id: Any
    amount_micro_fen: int

    def row(self, **key: Any) -> dict[str, Any]:
        """Return the line as a row with this key."""
        return key | {
            "tier": int(self.tier),
            "position": self.position,
            "claimant_id": self.claimant_id,
            "amount_micro_fen": self.amount_micro_fen,
        }


def some(identity: str) -> str | None:
    """Return an id of the chain, None for the empty one."""
    return None if identity == NOBODY else identity


def scheme_row(connection: Connection, scheme_id: str) -> dict[str, Any]:
    """Return a scheme as it stands."""
    return only(connection, _SCHEME, scheme_id=scheme_id)


def only(connection: Connection, query: Any, **key: Any) -> dict[str, Any]:
    """Return the one row of a query.

    Raises:
        EventContradictsError: there is none.
    """
    row = connection.execute(query, key).mappings().one_or_none()
    if row is None:
        raise EventContradictsError("an event names what no event made", got=str(key))
    return dict(row)


def lines_of(
    scheme: dict[str, Any], split: dict[str, Any], listed: Sequence[Any], income_micro_fen: int
) -> list[Line]:
    """Return the lines of a split of the chain, in the order of the law.

    Args:
        scheme: the row of its scheme.
        split: the split as the event has it.
        listed: claimants of the lineage, or of a fill, in their order.
        income_micro_fen: what the lines must sum to.

    Raises:
        EventContradictsError: they do not.
    """
    organisations = [scheme["governance_id"], scheme["operator_id"], scheme["platform_id"]]
    cost, benefit = split["lineage_cost_micro_fen"], split["benefit_micro_fen"]
    earners = [*organisations, *listed] if benefit else []
    found = [Line(Tier.TAX, 0, None, split["tax_micro_fen"])]
    for i, (who, amount) in enumerate(zip(listed, cost, strict=True)):
        found.append(Line(Tier.LINEAGE_COST, i, who, amount))
    for i, line in enumerate(split["common_cost"]):
        found.append(Line(Tier.COMMON_COST, i, line["claimant_id"], line["amount_micro_fen"]))
    for i, (who, amount) in enumerate(zip(earners, benefit, strict=True)):
        found.append(Line(Tier.BENEFIT, i, who, amount))
    found.append(Line(Tier.RESERVE, 0, None, split["reserve_micro_fen"]))
    total = sum(line.amount_micro_fen for line in found)
    if total != income_micro_fen:
        raise EventContradictsError(
            "the lines of a split do not sum to its net income",
            field="split",
            got=total,
            expected=income_micro_fen,
        )
    return found


def post(
    connection: Connection,
    scheme: dict[str, Any],
    lines: Sequence[Line],
    forgone_micro_fen: int,
    sign: int = 1,
) -> None:
    """Post lines to their accounts and to the scheme; `sign` -1 posts their opposites."""
    sums: defaultdict[Tier, int] = defaultdict(int)
    recovered: defaultdict[Any, int] = defaultdict(int)
    entitled: defaultdict[Any, int] = defaultdict(int)
    for line in lines:
        sums[line.tier] += sign * line.amount_micro_fen
        if line.claimant_id is not None:
            entitled[line.claimant_id] += sign * line.amount_micro_fen
            if line.tier in _COST_TIERS:
                recovered[line.claimant_id] += sign * line.amount_micro_fen
    for claimant_id, amount in entitled.items():
        if amount:
            _credit(connection, scheme["scheme_id"], claimant_id, recovered[claimant_id], amount)
    forgone = sign * forgone_micro_fen
    cost = sums[Tier.LINEAGE_COST] + sums[Tier.COMMON_COST]
    change(
        connection,
        schemes,
        {"scheme_id": scheme["scheme_id"]},
        tax_taken_micro_fen=scheme["tax_taken_micro_fen"] + sums[Tier.TAX],
        recovered_micro_fen=scheme["recovered_micro_fen"] + cost,
        benefit_micro_fen=scheme["benefit_micro_fen"] + sums[Tier.BENEFIT] + forgone,
        forgone_micro_fen=scheme["forgone_micro_fen"] + forgone,
        reserve_micro_fen=scheme["reserve_micro_fen"] + sums[Tier.RESERVE],
    )


def pool(connection: Connection, scheme_id: Any, claimants: Sequence[Any]) -> None:
    """Take claimants with an approved cost into the common pool of a year."""
    for claimant_id in claimants:
        account = find_account(connection, scheme_id, claimant_id)
        if account is not None and account["cost_micro_fen"] and not account["is_pooled"]:
            key = {"scheme_id": scheme_id, "claimant_id": claimant_id}
            change(connection, scheme_accounts, key, is_pooled=True)


def find_account(connection: Connection, scheme_id: Any, claimant_id: Any) -> dict[str, Any] | None:
    """Return a claimant's account, None while it has none."""
    key = {"scheme_id": scheme_id, "claimant_id": claimant_id}
    row = connection.execute(_ACCOUNT, key).mappings().one_or_none()
    return None if row is None else dict(row)


def open_account(
    connection: Connection, scheme_id: Any, claimant_id: Any, cost_micro_fen: int, is_pooled: bool
) -> dict[str, Any]:
    """Open an account and return it."""
    row = {
        "scheme_id": scheme_id,
        "claimant_id": claimant_id,
        "cost_micro_fen": cost_micro_fen,
        "recovered_micro_fen": 0,
        "entitled_micro_fen": 0,
        "remitted_micro_fen": 0,
        "is_pooled": is_pooled,
    }
    insert(connection, scheme_accounts, **row)
    return row


def _credit(
    connection: Connection, scheme_id: Any, claimant_id: Any, recovered: int, entitled: int
) -> None:
    """A claimant without an approved cost has an account as soon as it shares in the profit."""
    before = find_account(connection, scheme_id, claimant_id)
    if before is None:
        before = open_account(connection, scheme_id, claimant_id, 0, False)
    after = before["recovered_micro_fen"] + recovered
    if after > before["cost_micro_fen"]:
        raise EventContradictsError(
            "a claimant recovers more than its cost",
            field=str(claimant_id),
            got=after,
            expected=before["cost_micro_fen"],
        )
    change(
        connection,
        scheme_accounts,
        {"scheme_id": scheme_id, "claimant_id": claimant_id},
        recovered_micro_fen=after,
        entitled_micro_fen=before["entitled_micro_fen"] + entitled,
    )
