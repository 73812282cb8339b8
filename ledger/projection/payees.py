"""Who earns what a claimant is credited, and who is paid for it: handlers and queries alike ask.

A public institution's account is parted between itself and its city's treasury as
`ledger.domain.parting` says, from the city's newest rule on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from ledger.domain.codes import PayeeRule, Role
from ledger.domain.parting import Parting
from ledger.projection.errors import NotFoundError, ProjectionError
from ledger.projection.tables import (
    account_parts,
    datasets,
    kinds,
    organisations,
    roles,
    treasury_rules,
)

_PROVIDER = select(datasets.c.provider_id).where(datasets.c.dataset_id == bindparam("claimant_id"))
_EARNER = (
    select(organisations.c.city_code, kinds.c.payee_rule)
    .join(kinds, kinds.c.kind == organisations.c.kind)
    .where(organisations.c.organisation_id == bindparam("earner_id"))
)
_TREASURY = (
    select(roles.c.organisation_id)
    .where(roles.c.city_code == bindparam("city_code"), roles.c.role == Role.TREASURY)
    .order_by(roles.c.organisation_id)
)
_RULE = (
    select(treasury_rules.c.rule_no, treasury_rules.c.treasury_ppm)
    .where(treasury_rules.c.city_code == bindparam("city_code"))
    .order_by(treasury_rules.c.rule_no.desc())
    .limit(1)
)
_PART = select(account_parts).where(
    account_parts.c.scheme_id == bindparam("scheme_id"),
    account_parts.c.claimant_id == bindparam("claimant_id"),
)


class PayeeUnknownError(ProjectionError):
    """A claimant's income goes to a treasury that its city does not have."""

    code = "projection.payee_unknown"


@dataclass(frozen=True, slots=True)
class Payees:
    """Who is paid for an earner: itself where `treasury_id` is None, else its city's treasury;
    both where a city's rule has a number."""

    earner_id: UUID
    treasury_id: UUID | None = None
    rule_no: int = 0
    treasury_ppm: int = 0

    @property
    def payee_id(self) -> UUID:
        """The treasury where there is one, else the earner."""
        return self.earner_id if self.treasury_id is None else self.treasury_id


def earner_of(connection: Connection, claimant_id: Any) -> Any:
    """Return who earns what a claimant is credited: a dataset's provider, or itself."""
    found = connection.execute(_PROVIDER, {"claimant_id": claimant_id}).scalar_one_or_none()
    return found or claimant_id


def payees_of(connection: Connection, claimant_id: Any) -> Payees:
    """Return who is paid for a claimant.

    Raises:
        NotFoundError: the claimant is neither a dataset nor an organisation.
        PayeeUnknownError: the city has no treasury.
    """
    earner_id = earner_of(connection, claimant_id)
    earner = connection.execute(_EARNER, {"earner_id": earner_id}).one_or_none()
    if earner is None:
        raise NotFoundError("no such claimant", field="claimant_id", got=str(claimant_id))
    if earner.payee_rule == PayeeRule.ITSELF:
        return Payees(earner_id)
    key = {"city_code": earner.city_code}
    treasury_id = connection.execute(_TREASURY, key).scalars().first()
    if treasury_id is None:
        city_code = earner.city_code
        raise PayeeUnknownError(
            f"city {city_code} has no treasury", field="city_code", got=city_code
        )
    rule = connection.execute(_RULE, key).one_or_none()
    if earner.payee_rule == PayeeRule.TREASURY or rule is None:
        return Payees(earner_id, treasury_id)
    return Payees(earner_id, treasury_id, rule.rule_no, rule.treasury_ppm)


def parting_of(connection: Connection, scheme_id: Any, claimant_id: Any) -> Parting | None:
    """Return how an account is parted, None while nothing was paid under a rule."""
    key = {"scheme_id": scheme_id, "claimant_id": claimant_id}
    row = connection.execute(_PART, key).mappings().one_or_none()
    return None if row is None else Parting(**{name: row[name] for name in Parting._fields})


def payable_fen(
    connection: Connection,
    scheme_id: Any,
    claimant_id: Any,
    payees: Payees,
    due_fen: int,
    remitted_fen: int,
) -> tuple[int, int]:
    """Return the whole fen that are payable to an earner's own account and to its treasury."""
    if payees.treasury_id is None:
        return due_fen - remitted_fen, 0
    if not payees.rule_no:
        return 0, due_fen - remitted_fen
    part = parting_of(connection, scheme_id, claimant_id) or Parting()
    followed = part.following(payees.rule_no, payees.treasury_ppm, remitted_fen)
    return followed.left_fen(due_fen, remitted_fen)
