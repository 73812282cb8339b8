"""Organisations, signers, roles and payees, replayed from the directory's events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import OrganisationStatus, PayeeRule, Role
from ledger.domain.units import PPM_WHOLE
from ledger.verification.findings import Findings
from ledger.verification.replay import Replay
from ledger.verification.working_days import days_in, last_second

LOCAL_ROLES = frozenset(
    {Role.PROVIDER, Role.REGISTRAR, Role.PRICE_AUTHORITY, Role.TREASURY, Role.HANDLER}
)
NOTICE_DAYS = 10
"""Source: 发改数据规〔2025〕26号; a trial chain may have less."""
_ALONE = frozenset({Role.REGULATOR})
_ADMINISTRATION = 31
_FIRST_ACCOUNT = sum(1 << role for role in Role) + (1 << _ADMINISTRATION)
_ACTS = 0b111
_APART = frozenset({Role.OPERATOR, Role.PRICE_AUTHORITY})


@dataclass(slots=True)
class Organisation:
    """An organisation as far as the events tell; `roles` are pairs of role and city."""

    kind: int
    city_code: int
    status: int
    roles: set[tuple[int, int]] = field(default_factory=set)
    signers: dict[str, int] = field(default_factory=dict)
    """What each account may use: a bit for each role, and the last one for administration."""
    joint_acts: int = 0


class DirectoryReplay(Replay):
    """The state of the directory, and what is wrong with how it came about."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(findings)
        self.cities: set[int] = set()
        self.kinds: dict[int, dict[str, Any]] = {}
        self.organisations: dict[UUID, Organisation] = {}
        self.signers: dict[str, UUID] = {}
        self.prepared: dict[tuple[UUID, bytes], str] = {}
        self.treasuries: dict[int, UUID] = {}
        self.affiliates: set[frozenset[UUID]] = set()
        self.working_days: dict[int, int] = {}
        self.notice_days = NOTICE_DAYS
        self.is_trial: bool | None = None
        self.treasury_rules: dict[int, tuple[int, int]] = {}
        """By city: number and ppm of the newest rule on public institutions' income."""
        self.desk: str | None = None
        self.handlers = {
            "CityOpened": self._city_opened,
            "KindDefined": self._kind_defined,
            "TreasuryRuleSet": self._treasury_rule_set,
            "OrganisationAdmitted": self._admitted,
            "OrganisationStatusSet": self._status_set,
            "SignerAdded": self._signer_added,
            "SignerRolesSet": self._signer_roles_set,
            "SignerRemoved": self._signer_removed,
            "JointActsSet": self._joint_acts_set,
            "WorkPrepared": self._work_prepared,
            "RoleGranted": self._role_granted,
            "RoleRevoked": self._role_revoked,
            "AffiliatesDeclared": self._affiliates_declared,
            "AffiliationEnded": self._affiliation_ended,
            "WorkingDaysSet": self._working_days_set,
            "NoticeDaysSet": self._notice_days_set,
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
        if self._payee_rule(found) == PayeeRule.ITSELF:
            return organisation_id
        return self.treasuries.get(found.city_code)

    def rule_on(self, organisation_id: UUID) -> tuple[int, int] | None:
        """Return number and ppm of the rule that parts an organisation's income, None without."""
        found = self.organisations.get(organisation_id)
        if found is None or self._payee_rule(found) != PayeeRule.CITY_RULE:
            return None
        return self.treasury_rules.get(found.city_code)

    def _payee_rule(self, found: Organisation) -> int:
        return int(self.kinds.get(found.kind, {}).get("payee_rule", PayeeRule.ITSELF))

    def _treasury_rule_set(self, event: Event, where: str) -> None:
        args = event.args
        city_code, ppm = args["city_code"], args["treasury_ppm"]
        self.require_role(args["treasury_id"], Role.TREASURY, city_code, where)
        before, _ = self.treasury_rules.get(city_code, (0, 0))
        self.findings.same("treasury_rule_no", where, args["rule_no"], before + 1)
        self.findings.require(ppm <= PPM_WHOLE, "treasury_part", where, ppm, PPM_WHOLE)
        self.treasury_rules[city_code] = args["rule_no"], ppm

    def require_role(self, organisation_id: UUID, role: Role, city_code: int, where: str) -> None:
        """Record a finding unless the organisation is active and holds the role in the city."""
        self.findings.require(
            self.has_role(organisation_id, role, city_code),
            "role_missing",
            where,
            organisation_id,
            f"{role.name.lower()} in {city_code}",
        )

    def are_affiliates(self, one_id: UUID, other_id: UUID) -> bool:
        """Return whether two organisations are declared affiliates, in either order."""
        return frozenset((one_id, other_id)) in self.affiliates

    def notice_until(self, start_seconds: int) -> int:
        """Return the last second of a public notice; zero where notice takes no time."""
        if not self.notice_days:
            return 0
        return last_second(self.working_days, start_seconds, self.notice_days)

    def _working_days_set(self, event: Event, where: str) -> None:
        year, bits = event.args["year"], event.args["low"] | event.args["high"] << 256
        is_whole = event.args["low"] >> 256 == 0 and bits >> days_in(year) == 0
        self.findings.require(is_whole, "calendar_malformed", where, bits, f"days of {year}")
        self.working_days[year] = bits

    def _notice_days_set(self, event: Event, where: str) -> None:
        days, is_trial = event.args["working_days"], event.args["is_trial"]
        if self.is_trial is not None:
            self.findings.same("trial_mark", where, is_trial, self.is_trial)
        self.findings.require(
            days >= NOTICE_DAYS or is_trial, "notice_too_short", where, days, NOTICE_DAYS
        )
        self.notice_days, self.is_trial = days, is_trial

    def _affiliates_declared(self, event: Event, where: str) -> None:
        pair, actor_id = self._pair(event, where), event.args["actor_id"]
        is_fit = actor_id in pair or self._is_registrar_of(actor_id, pair)
        self.findings.require(
            is_fit, "affiliation_actor", where, actor_id, "one of them, registrar"
        )
        self.findings.require(pair not in self.affiliates, "affiliation_twice", where, sorted(pair))
        self.affiliates.add(pair)

    def _affiliation_ended(self, event: Event, where: str) -> None:
        pair, actor_id = self._pair(event, where), event.args["actor_id"]
        is_fit = actor_id not in pair and self._is_registrar_of(actor_id, pair)
        self.findings.require(is_fit, "affiliation_actor", where, actor_id, "a registrar")
        self.findings.require(pair in self.affiliates, "affiliation_unknown", where, sorted(pair))
        self.affiliates.discard(pair)

    def _pair(self, event: Event, where: str) -> frozenset[UUID]:
        one_id, other_id = event.args["one_id"], event.args["other_id"]
        is_pair = one_id < other_id and {one_id, other_id} <= self.organisations.keys()
        self.findings.require(is_pair, "affiliation_pair", where, [one_id, other_id], "two members")
        return frozenset((one_id, other_id))

    def _is_registrar_of(self, actor_id: UUID, pair: frozenset[UUID]) -> bool:
        cities = {self.organisations[key].city_code for key in pair if key in self.organisations}
        return any(self.has_role(actor_id, Role.REGISTRAR, city) for city in cities)

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
        self._bind(event.args["signer"], organisation_id, _FIRST_ACCOUNT, where)

    def _status_set(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        if found is not None:
            found.status = event.args["status"]

    def _signer_added(self, event: Event, where: str) -> None:
        if self._known(event, where) is not None:
            signer, roles = event.args["signer"], event.args["roles"]
            self._bind(signer, event.args["organisation_id"], roles, where)

    def _signer_removed(self, event: Event, where: str) -> None:
        signer, organisation_id = event.args["signer"], event.args["organisation_id"]
        self.findings.same(
            "signer_not_bound", where, self.signers.pop(signer, None), organisation_id
        )
        found = self.organisations.get(organisation_id)
        if found is not None:
            found.signers.pop(signer, None)
            self._require_governed(found, where)

    def _signer_roles_set(self, event: Event, where: str) -> None:
        found, signer = self._known(event, where), event.args["signer"]
        if found is None or not self._require_bound(event, where):
            return
        found.signers[signer] = event.args["roles"]
        self._require_roles(event.args["roles"], where)
        self._require_governed(found, where)

    def _joint_acts_set(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        if found is None:
            return
        acts = event.args["joint_acts"]
        is_sound = acts == 0 or (acts & 1 and not acts & ~_ACTS)
        self.findings.require(
            bool(is_sound), "joint_acts", where, acts, "administration, with others"
        )
        found.joint_acts = acts
        self._require_governed(found, where)

    def _work_prepared(self, event: Event, where: str) -> None:
        if self._require_bound(event, where):
            key = event.args["organisation_id"], event.args["work_digest"]
            self.prepared[key] = event.args["signer"]

    def _require_bound(self, event: Event, where: str) -> bool:
        signer, organisation_id = event.args["signer"], event.args["organisation_id"]
        return self.findings.same(
            "signer_not_bound", where, self.signers.get(signer), organisation_id
        )

    def _require_roles(self, roles: int, where: str) -> None:
        is_known = roles != 0 and not roles & ~_FIRST_ACCOUNT
        self.findings.require(is_known, "signer_roles", where, roles, "roles, at least one")

    def _require_governed(self, found: Organisation, where: str) -> None:
        """Somebody can change the signers; what takes two is not left to one."""
        is_governed = any(roles >> _ADMINISTRATION & 1 for roles in found.signers.values())
        self.findings.require(is_governed, "administrator_missing", where, 0, "one or more")
        if found.joint_acts:
            count = len(found.signers)
            self.findings.require(count >= 2, "second_signer_missing", where, count, "two or more")

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

    def _bind(self, signer: str, organisation_id: UUID, roles: int, where: str) -> None:
        held = self.signers.get(signer)
        self.findings.require(held is None, "signer_taken", where, signer, "a free account")
        self.signers[signer] = organisation_id
        self.organisations[organisation_id].signers[signer] = roles
        self._require_roles(roles, where)
