"""Datasets, their versions and registration states, replayed from the registry's events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import OpenClass, QualityGrade, RegistrationState, Role, Sensitivity
from ledger.domain.ids import ZERO_DIGEST
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.replay import Replay

S = RegistrationState
_STEPS = frozenset(
    {
        (S.EVIDENCED, S.APPLIED),
        (S.APPLIED, S.ACCEPTED),
        (S.ACCEPTED, S.REVIEWED),
        (S.REVIEWED, S.PUBLIC_NOTICE),
        (S.PUBLIC_NOTICE, S.CODED),
        (S.CODED, S.CANCELLED),
        (S.CODED, S.EXPIRED),
        *((state, S.REVOKED) for state in (S.APPLIED, S.ACCEPTED, S.REVIEWED)),
        *((state, S.REVOKED) for state in (S.PUBLIC_NOTICE, S.CODED)),
    }
)
"""Source: 发改数据规〔2025〕26号."""


@dataclass(slots=True)
class Dataset:
    """A dataset as far as the events tell."""

    provider_id: UUID
    city_code: int
    open_class: int
    sensitivity: int
    delivery_modes: int
    lacks_masking: bool
    lacks_consent: bool
    state: int = S.EVIDENCED
    grade: int = QualityGrade.NONE
    is_suspended: bool = False
    version_no: int = 0

    def obstacles(self, modes: int) -> list[str]:
        """Return why it may not be sold in these modes; empty when it may."""
        reasons = {
            "not_open": self.open_class == OpenClass.NOT_OPEN,
            "too_sensitive": self.sensitivity != Sensitivity.GENERAL,
            "not_coded": self.state != S.CODED,
            "not_masked": self.lacks_masking,
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
        self.handlers = {
            "DatasetEvidenced": self._evidenced,
            "VersionAdded": self._version_added,
            "RegistrationAdvanced": self._advanced,
            "DatasetClassified": self._classified,
            "QualityInspected": self._inspected,
            "DatasetSuspensionSet": self._suspension_set,
        }

    def provider_of(self, claimant_id: UUID) -> UUID | None:
        """Return the provider of a dataset, None when it is no dataset."""
        found = self.datasets.get(claimant_id)
        return None if found is None else found.provider_id

    def require_sellable(self, dataset_id: UUID, modes: int, where: str) -> None:
        """Record a finding when a dataset may not be sold in these modes now."""
        found = self.datasets.get(dataset_id)
        reasons = ["unknown"] if found is None else found.obstacles(modes)
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
        is_masked = facts["masking_report_digest"] != ZERO_DIGEST
        has_consent = facts["source_consent_digest"] != ZERO_DIGEST
        self.datasets[args["dataset_id"]] = Dataset(
            provider_id=provider_id,
            city_code=city_code,
            open_class=facts["open_class"],
            sensitivity=facts["sensitivity"],
            delivery_modes=facts["delivery_modes"],
            lacks_masking=facts["contains_personal_information"] and not is_masked,
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
            found.state < S.CANCELLED, "version_after_end", where, found.state, "a live dataset"
        )
        found.version_no = event.args["version_no"]
        self.contents.setdefault(content, (event.args["dataset_id"], found.version_no))

    def _advanced(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        if found is None:
            return
        old, new = event.args["from"], event.args["to"]
        self.findings.same("registration_state", where, old, int(found.state))
        self.findings.require(
            (old, new) in _STEPS, "registration_step", where, [old, new], "a step of the procedure"
        )
        if new in (S.APPLIED, S.CANCELLED):
            self.findings.same(
                "actor_not_provider", where, event.args["actor_id"], found.provider_id
            )
        else:
            self._require_registrar(event.args["actor_id"], found, where)
        found.state = new

    def _classified(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        self._require_given(event.args, ("open_class", "sensitivity"), where)
        if found is not None:
            found.open_class = event.args["open_class"]
            found.sensitivity = event.args["sensitivity"]

    def _inspected(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        self._require_given(event.args, ("grade",), where)
        if found is not None:
            self._require_registrar(event.args["inspector_id"], found, where)
            found.grade = event.args["grade"]

    def _suspension_set(self, event: Event, where: str) -> None:
        found = self._known(event, where)
        if found is not None:
            found.is_suspended = event.args["is_suspended"]

    def _require_registrar(self, actor_id: UUID, found: Dataset, where: str) -> None:
        self.directory.require_role(actor_id, Role.REGISTRAR, found.city_code, where)
        self.findings.require(
            actor_id != found.provider_id, "registrar_is_applicant", where, actor_id, "another one"
        )

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
