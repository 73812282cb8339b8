"""Directory: organisations, their signers and roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.chain.contracts.base import Contract, as_record
from ledger.chain.rpc_types import BlockId


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation as the chain keeps it; `joined_at` in Unix seconds."""

    kind: int
    status: int
    city_code: int
    joined_at: int
    profile_digest: bytes


@dataclass(frozen=True, slots=True)
class Payees:
    """A city's treasury and its part in ppm; the rest is for the organisation's own account."""

    treasury_id: UUID
    treasury_ppm: int
    rule_no: int


class Directory(Contract):
    """Views of the directory."""

    name = "Directory"

    def organisation(self, organisation_id: UUID, *, block: BlockId) -> Organisation:
        """Return an organisation; refused when unknown."""
        return as_record(Organisation, self.view("organisation", organisation_id, block=block))

    def organisation_of(self, signer: str, *, block: BlockId) -> UUID:
        """Return the active organisation for which an account signs; refused when none."""
        found: UUID = self.view("organisationOf", signer, block=block)
        return found

    def has_role(self, organisation_id: UUID, role: int, city_code: int, *, block: BlockId) -> bool:
        """Return whether an active organisation holds a role in a city."""
        return bool(self.view("hasRole", organisation_id, role, city_code, block=block))

    def is_trial(self, *, block: BlockId) -> bool:
        """Return whether the chain was deployed as a trial (试运行)."""
        return bool(self.view("isTrial", block=block))

    def working_days_of(self, year: int, *, block: BlockId) -> tuple[int, int]:
        """Return the two words of a year's table; both are zero where there is none."""
        low, high = self.view("workingDaysOf", year, block=block)
        return int(low), int(high)

    def working_days_after(self, from_seconds: int, count: int, *, block: BlockId) -> int:
        """Return the last Unix second of the n-th working day after an instant's day."""
        return int(self.view("workingDaysAfter", from_seconds, count, block=block))

    def payees_of(self, organisation_id: UUID, *, block: BlockId) -> Payees:
        """Return who is paid for what an organisation earns."""
        return as_record(Payees, self.view("payeesOf", organisation_id, block=block))

    def kind_rule(self, kind: int, *, block: BlockId) -> dict[str, Any]:
        """Return the rule of a kind: roles, is_institution, payee_rule."""
        rule: dict[str, Any] = self.view("kindRule", kind, block=block)
        return rule
