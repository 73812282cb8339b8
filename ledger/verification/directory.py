"""Organisations, signers, roles and payees, replayed from the directory's events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import OrganisationStatus, Role
from ledger.verification.findings import Findings
from ledger.verification.replay import Replay

LOCAL_ROLES = frozenset(
    {Role.PROVIDER, Role.REGISTRAR, Role.PRICE_AUTHORITY, Role.TREASURY, Role.HANDLER}
)
_ALONE = frozenset({Role.REGULATOR})
_APART = frozenset({Role.OPERATOR, Role.PRICE_AUTHORITY})


@dataclass(slots=True)
class Organisation:
    """An organisation as far as the events tell; `roles` are pairs of role and city."""

    kind: int
    city_code: int
    status: int
    roles: set[tuple[int, int]] = field(default_factory=set)


class DirectoryReplay(Replay):
    """The state of the directory, and what is wrong with how it came about."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(findings)
        self.cities: set[int] = set()
        self.kinds: dict[int, dict[str, Any]] = {}
        self.organisations: dict[UUID, Organisation] = {}
        self.signers: dict[str, UUID] = {}
        self.treasuries: dict[int, UUID] = {}
        self.desk: str | None = None
        self.handlers = {
            "CityOpened": self._city_opened,
            "KindDefined": self._kind_defined,
            "OrganisationAdmitted": self._admitted,
            "OrganisationStatusSet": self._status_set,
            "SignerAdded": self._signer_added,
            "SignerRemoved": self._signer_removed,
            "RoleGranted": self._role_granted,
            "RoleRevoked": self._role_revoked,
            "DeskAppointed": self._desk_appointed,
        }

    def has_role(self, organisation_id: UUID, role: int, city_code: int) -> bool:
        """Return whether an active organisation holds a role in a city."""
        found = self.organisations.get(organisation_id)
        is_active = found is not None and found.status == OrganisationStatus.ACTIVE
        return is_active and found is not None and (role, city_code) in found.roles

    def has_role_at_home(self, organisation_id: UUID, role: int) -> bool:
        """Return whether an active organisation holds a role in its own city."""
        found = self.organisations.get(organisation_id)
        return found is not None and self.has_role(organisation_id, role, found.city_code)

    def payee_of(self, organisation_id: UUID) -> UUID | None:
        """Return who is paid for an organisation; None where nobody can be."""
        found = self.organisations.get(organisation_id)
        if found is None:
            return None
        if not self.kinds.get(found.kind, {}).get("is_paid_to_treasury"):
            return organisation_id
        return self.treasuries.get(found.city_code)

    def require_role(self, organisation_id: UUID, role: Role, city_code: int, where: str) -> None:
        """Record a finding unless the organisation is active and holds the role in the city."""
        self.findings.require(
            self.has_role(organisation_id, role, city_code),
            "role_missing",
            where,
            organisation_id,
            f"{role.name.lower()} in {city_code}",
        )

    def _city_opened(self, event: Event, where: str) -> None:
        code = event.args["city_code"]
        self.findings.require(code not in self.cities, "city_twice", where, code, "a new city")
        self.cities.add(code)

    def _desk_appointed(self, event: Event, where: str) -> None:
        self.findings.require(self.desk is None, "desk_twice", where, event.args["desk"], self.desk)
        self.desk = event.args["desk"]

    def _kind_defined(self, event: Event, where: str) -> None:
        self.kinds[event.args["kind"]] = dict(event.args["rule"])

    def _admitted(self, event: Event, where: str) -> None:
        organisation_id, facts = event.args["organisation_id"], event.args["organisation"]
        self.findings.count("organisations")
        self._require_city(facts["city_code"], where)
        known = sorted(self.kinds)
        self.findings.require(
            facts["kind"] in self.kinds, "kind_unknown", where, facts["kind"], known
        )
        if not self.findings.require(
            organisation_id not in self.organisations,
            "organisation_twice",
            where,
            organisation_id,
            "a new id",
        ):
            return
        self.findings.same(
            "organisation_status", where, facts["status"], int(OrganisationStatus.ACTIVE)
        )
        self.organisations[organisation_id] = Organisation(
            facts["kind"], facts["city_code"], facts["status"]
        )
        self._bind(event.args["signer"], organisation_id, where)

    def _status_set(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        if found is not None:
            found.status = event.args["status"]

    def _signer_added(self, event: Event, where: str) -> None:
        if self._known(event, where) is not None:
            self._bind(event.args["signer"], event.args["organisation_id"], where)

    def _signer_removed(self, event: Event, where: str) -> None:
        signer, organisation_id = event.args["signer"], event.args["organisation_id"]
        self.findings.same(
            "signer_not_bound", where, self.signers.pop(signer, None), organisation_id
        )

    def _role_granted(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        if found is None:
            return
        role, city_code = event.args["role"], event.args["city_code"]
        self._require_city(city_code, where)
        if role in LOCAL_ROLES:
            self.findings.same("role_outside_city", where, city_code, found.city_code)
        allowed = self.kinds.get(found.kind, {}).get("roles", 0)
        self.findings.require(
            bool(allowed >> role & 1), "role_not_for_kind", where, role, f"a role of {found.kind}"
        )
        self.findings.require(
            (role, city_code) not in found.roles, "role_twice", where, role, "a new role"
        )
        self._require_apart(found, role, where)
        found.roles.add((role, city_code))
        if role == Role.TREASURY:
            self.treasuries[city_code] = event.args["organisation_id"]

    def _require_apart(self, found: Organisation, role: int, where: str) -> None:
        for held in sorted({held for held, _ in found.roles} - {role}):
            pair = {held, role}
            self.findings.require(
                not (pair & _ALONE or pair == _APART),
                "role_forbidden_pair",
                where,
                sorted(pair),
                "roles that one hand may hold",
            )

    def _role_revoked(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        if found is None:
            return
        key = event.args["role"], event.args["city_code"]
        self.findings.require(key in found.roles, "role_not_held", where, key[0], "a held role")
        found.roles.discard(key)
        is_treasury = self.treasuries.get(key[1]) == event.args["organisation_id"]
        if key[0] == Role.TREASURY and is_treasury:
            del self.treasuries[key[1]]

    def _known(self, event: Event, where: str) -> Organisation | None:
        organisation_id = event.args["organisation_id"]
        found = self.organisations.get(organisation_id)
        self.findings.require(
            found is not None, "organisation_unknown", where, organisation_id, "an admitted one"
        )
        return found

    def _require_city(self, city_code: int, where: str) -> None:
        self.findings.require(
            city_code in self.cities, "city_unknown", where, city_code, sorted(self.cities)
        )

    def _bind(self, signer: str, organisation_id: UUID, where: str) -> None:
        held = self.signers.get(signer)
        self.findings.require(held is None, "signer_taken", where, signer, "a free account")
        self.signers[signer] = organisation_id
