"""Datasets, their versions and registration states, replayed from the registry's events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import (
    DeliveryMode,
    OpenClass,
    OpeningTier,
    QualityGrade,
    RegistrationState,
    Role,
    Sensitivity,
)
from ledger.domain.ids import ZERO_DIGEST
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.policies import Policies
from ledger.verification.registration import Registrations, Standing
from ledger.verification.replay import Replay

S = RegistrationState
_MEANS = ((90, QualityGrade.A), (80, QualityGrade.B), (70, QualityGrade.C), (60, QualityGrade.D))


@dataclass(slots=True)
class Dataset:
    """A dataset as far as the events tell."""

    standing: Standing
    open_class: int
    sensitivity: int
    delivery_modes: int
    is_personal: bool
    lacks_consent: bool
    is_masked: bool = False
    grade: int = QualityGrade.NONE
    is_suspended: bool = False
    version_no: int = 0

    @property
    def provider_id(self) -> UUID:
        """Who holds it."""
        return self.standing.provider_id

    @property
    def city_code(self) -> int:
        """Whose registrars and handlers are competent."""
        return self.standing.city_code

    @property
    def case(self) -> tuple[int, int, bool]:
        """What a table of graded opening asks of it."""
        return self.open_class, self.sensitivity, self.is_personal

    def obstacles(self, modes: int, time: int) -> list[str]:
        """Return why it may not be sold in these modes at a time; empty when it may."""
        reasons = {
            "not_open": self.open_class == OpenClass.NOT_OPEN,
            "too_sensitive": self.sensitivity != Sensitivity.GENERAL,
            "not_coded": self.standing.state != S.CODED,
            "expired": time > self.standing.valid_until,
            "not_masked": self.is_personal and not self.is_masked,
            "no_source_consent": self.lacks_consent,
            "grade_too_low": self.grade == QualityGrade.E,
            "suspended": self.is_suspended,
            "mode_not_offered": bool(modes & ~self.delivery_modes),
        }
        return [name for name, holds in reasons.items() if holds]


class DatasetsReplay(Replay):
    """The state of the dataset registry, and what is wrong with how it came about."""

    def __init__(self, findings: Findings, directory: DirectoryReplay) -> None:
        super().__init__(findings)
        self.directory = directory
        self.datasets: dict[UUID, Dataset] = {}
        self.contents: dict[bytes, tuple[UUID, int]] = {}
        self.quarters: dict[int, int] = {}
        self.policies = Policies(findings, directory)
        self.registrations = Registrations(findings, directory, self._standing)
        self.handlers = {
            "DatasetEvidenced": self._evidenced,
            "VersionAdded": self._version_added,
            "RegistrationAdvanced": self.registrations.advanced,
            "RegistrationCoded": self.registrations.coded,
            "NoticeObjected": self.registrations.objected,
            "NoticeObjectionDecided": self.registrations.decided,
            "VersionMasked": self._masked,
            "OpeningPolicyPublished": self.policies.published,
            "DutiesAnchored": self._duties_anchored,
            "DatasetClassified": self._classified,
            "QualityInspected": self._inspected,
            "DatasetSuspensionSet": self._suspension_set,
        }

    def provider_of(self, claimant_id: UUID) -> UUID | None:
        """Return the provider of a dataset, None when it is no dataset."""
        found = self.datasets.get(claimant_id)
        return None if found is None else found.provider_id

    def opening_of(
        self, dataset_ids: list[UUID], modes: int, purpose: int, time: int
    ) -> tuple[int, list[int]]:
        """Return the strictest tier of datasets in modes for a purpose, and the tables asked."""
        strictest, numbers = 0, []
        for dataset_id in dataset_ids:
            found = self.datasets[dataset_id]
            number = self.policies.number_in(found.standing.city_code, time)
            numbers.append(number)
            for mode in DeliveryMode:
                if modes & mode.bit:
                    tier = self.policies.tier(number, found.case, mode, purpose)
                    is_bare = tier == OpeningTier.MASKED and not found.is_masked
                    strictest = max(strictest, OpeningTier.FORBIDDEN if is_bare else tier)
        return strictest, numbers

    def require_sellable(self, dataset_id: UUID, modes: int, where: str, time: int) -> None:
        """Record a finding when a dataset may not be sold in these modes now."""
        found = self.datasets.get(dataset_id)
        reasons = ["unknown"] if found is None else found.obstacles(modes, time)
        self.findings.require(
            not reasons, "dataset_not_sellable", where, {str(dataset_id): reasons}, []
        )

    def _evidenced(self, event: Event, where: str) -> None:
        args, facts = event.args, event.args["registration"]
        provider_id, city_code = args["provider_id"], args["city_code"]
        self.findings.count("datasets")
        self.directory.require_role(provider_id, Role.PROVIDER, city_code, where)
        self.findings.same("dataset_id_differs", where, facts["dataset_id"], args["dataset_id"])
        self._require_given(facts, ("open_class", "sensitivity", "update_frequency"), where)
        self._require_given(facts, ("delivery_modes", "metadata_digest"), where)
        is_new = args["dataset_id"] not in self.datasets
        if not self.findings.require(is_new, "dataset_twice", where, args["dataset_id"], "new id"):
            return
        has_consent = facts["source_consent_digest"] != ZERO_DIGEST
        self.datasets[args["dataset_id"]] = Dataset(
            standing=Standing(provider_id, city_code),
            open_class=facts["open_class"],
            sensitivity=facts["sensitivity"],
            delivery_modes=facts["delivery_modes"],
            is_personal=facts["contains_personal_information"],
            lacks_consent=facts["is_shared_in"] and not has_consent,
        )

    def _version_added(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        version, content = event.args["version"], event.args["version"]["sha256_digest"]
        self.findings.count("versions")
        self._require_given(version, ("sha256_digest", "sm3_digest", "schema_digest"), where)
        for parent in event.args["parents"]:
            self.findings.require(
                parent in self.contents, "parent_unknown", where, parent, "registered content"
            )
        before = self.contents.get(content)
        self.findings.require(before is None, "content_twice", where, content, before)
        if found is None:
            return
        self.findings.same("version_no", where, event.args["version_no"], found.version_no + 1)
        self.findings.require(
            found.standing.state < S.CANCELLED,
            "version_after_end",
            where,
            found.standing.state,
            "a live dataset",
        )
        found.is_masked = False
        found.version_no = event.args["version_no"]
        self.contents.setdefault(content, (event.args["dataset_id"], found.version_no))

    def _standing(self, event: Event, where: str) -> Standing | None:
        found = self._known(event, where)
        return None if found is None else found.standing

    def _masked(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        source, number = event.args["source_digest"], event.args["version_no"]
        self._require_given(event.args, ("report_digest",), where)
        place = self.contents.get(source)
        self.findings.require(
            place is not None, "parent_unknown", where, source, "registered content"
        )
        if found is None:
            return
        self.findings.same("masking_version", where, number, found.version_no)
        is_other = place != (event.args["dataset_id"], number)
        self.findings.require(is_other, "masking_of_itself", where, source, "another version")
        found.is_masked = True

    def _duties_anchored(self, event: Event, where: str) -> None:
        args, city = event.args, event.args["city_code"]
        self.directory.require_role(args["registrar_id"], Role.REGISTRAR, city, where)
        last, quarter = self.quarters.get(city, 0), args["quarter_id"]
        is_next = quarter > last and 1 <= quarter % 10 <= 4
        self.findings.require(is_next, "duty_quarter", where, quarter, f"after {last}")
        self.findings.require(
            args["overdue_count"] <= args["duty_count"], "duty_count", where, args["overdue_count"]
        )
        self.quarters[city] = quarter

    def _classified(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        self._require_given(event.args, ("open_class", "sensitivity"), where)
        if found is not None:
            found.open_class = event.args["open_class"]
            found.sensitivity = event.args["sensitivity"]

    def _inspected(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        self.findings.same("grade", where, event.args["grade"], _grade(event.args["scores"]))
        if found is not None:
            inspector_id = event.args["inspector_id"]
            self.registrations.require_registrar(inspector_id, found.standing, where)
            found.grade = event.args["grade"]

    def _suspension_set(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        if found is not None:
            found.is_suspended = event.args["is_suspended"]

    def _known(self, event: Event, where: str) -> Dataset | None:
        dataset_id = event.args["dataset_id"]
        found = self.datasets.get(dataset_id)
        self.findings.require(
            found is not None, "dataset_unknown", where, dataset_id, "an evidenced one"
        )
        return found

    def _require_given(self, values: dict[str, Any], names: tuple[str, ...], where: str) -> None:
        for name in names:
            is_given = values[name] not in (0, ZERO_DIGEST)
            self.findings.require(is_given, "field_missing", where, name, "a value")


def _grade(scores: bytes) -> int:
    """Return the grade of six scores, -1 where one is no score."""
    if len(scores) != 6 or max(scores) > 100:
        return -1
    mean, least = sum(scores) // 6, min(scores)
    found = next((grade for limit, grade in _MEANS if mean >= limit), QualityGrade.E)
    worst = QualityGrade.E if least < 40 else QualityGrade.D if least < 60 else QualityGrade.A
    return int(max(found, worst))
