"""Applications and negotiations, replayed from their events with rules of this layer's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import ApplicationState as A
from ledger.domain.codes import NegotiationState as N
from ledger.domain.codes import OpenClass, ProductState, Role
from ledger.domain.ids import ZERO_DIGEST
from ledger.verification.datasets import DatasetsReplay
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.replay import Replay
from ledger.verification.sold import KEPT_BYTES, Licence

_OPEN = (N.REQUESTED, N.OFFERED, N.ACCEPTED, N.AGREED)


@dataclass(slots=True)
class Application:
    """An application as far as the events tell."""

    dataset_id: UUID
    applicant_id: UUID
    purpose: int
    modes: int
    state: int = A.SUBMITTED
    valid_until: int = 0


class ApplicationsReplay(Replay):
    """What buyers applied for and what providers decided."""

    def __init__(
        self, findings: Findings, directory: DirectoryReplay, datasets: DatasetsReplay
    ) -> None:
        super().__init__(findings)
        self.directory = directory
        self.datasets = datasets
        self.required: set[UUID] = set()
        self.applications: dict[UUID, Application] = {}
        self.approved: dict[tuple[UUID, UUID, int], Application] = {}
        self.handlers = {
            "ApplicationRequirementSet": self._requirement_set,
            "ApplicationSubmitted": self._submitted,
            "ApplicationDecided": self._decided,
            "ApplicationWithdrawn": self._withdrawn,
        }

    def check_licence(self, licence: Licence, dataset_ids: list[UUID], where: str) -> None:
        """Check that each dataset that needs an application has one for all of a licence."""
        for dataset_id in self.required.intersection(dataset_ids):
            found = self.approved.get((dataset_id, licence.buyer_id, licence.purpose))
            is_granted = found is not None and not licence.modes & ~found.modes
            if self.findings.require(is_granted, "application_missing", where, dataset_id):
                until = found.valid_until if found else 0
                self.findings.require(
                    licence.valid_until <= until,
                    "application_expired",
                    where,
                    licence.valid_until,
                    until,
                )

    def _requirement_set(self, event: Event, where: str) -> None:
        dataset_id, is_required = event.args["dataset_id"], event.args["is_required"]
        self._require_provider(dataset_id, event.args["provider_id"], where)
        dataset = self.datasets.datasets.get(dataset_id)
        if is_required and dataset is not None:
            self.findings.same(
                "application_class", where, dataset.open_class, int(OpenClass.CONDITIONAL)
            )
        (self.required.add if is_required else self.required.discard)(dataset_id)

    def _submitted(self, event: Event, where: str) -> None:
        args = event.args
        self.findings.count("applications")
        is_new = args["application_id"] not in self.applications
        self.findings.require(is_new, "application_twice", where, args["application_id"])
        self.findings.require(
            self.directory.has_role_at_home(args["applicant_id"], Role.BUYER),
            "buyer_role",
            where,
            args["applicant_id"],
        )
        dataset = self.datasets.datasets.get(args["dataset_id"])
        if self.findings.require(dataset is not None, "dataset_unknown", where, args["dataset_id"]):
            offered = dataset.delivery_modes if dataset else 0
            is_offered = args["modes"] and not args["modes"] & ~offered
            self.findings.require(
                bool(is_offered), "mode_not_offered", where, args["modes"], offered
            )
            is_other = dataset is not None and dataset.provider_id != args["applicant_id"]
            self.findings.require(is_other, "self_dealing", where, args["applicant_id"])
        self.applications[args["application_id"]] = Application(
            args["dataset_id"], args["applicant_id"], args["purpose"], args["modes"]
        )

    def _decided(self, event: Event, where: str) -> None:
        args = event.args
        found = self._open(args["application_id"], where)
        if found is None:
            return
        self._require_provider(found.dataset_id, args["provider_id"], where)
        until = args["valid_until"]
        is_term = until > event.block_time if args["is_approved"] else until == 0
        self.findings.require(is_term, "application_term", where, until, event.block_time)
        found.state = A.APPROVED if args["is_approved"] else A.REFUSED
        found.valid_until = until
        if args["is_approved"]:
            self.approved[found.dataset_id, found.applicant_id, found.purpose] = found

    def _withdrawn(self, event: Event, where: str) -> None:
        found = self._open(event.args["application_id"], where)
        if found is not None:
            found.state = A.WITHDRAWN

    def _open(self, application_id: UUID, where: str) -> Application | None:
        found = self.applications.get(application_id)
        if not self.findings.require(
            found is not None, "application_unknown", where, application_id
        ):
            return None
        state = found.state if found else 0
        self.findings.same("application_step", where, int(state), int(A.SUBMITTED))
        return found

    def _require_provider(self, dataset_id: UUID, actor_id: UUID, where: str) -> None:
        dataset = self.datasets.datasets.get(dataset_id)
        if self.findings.require(dataset is not None, "dataset_unknown", where, dataset_id):
            expected = dataset.provider_id if dataset else None
            self.findings.same("actor_not_provider", where, actor_id, expected)


@dataclass(slots=True)
class Thread:
    """A negotiation as far as the events tell."""

    parties: tuple[UUID, UUID, UUID]
    state: int
    last_digest: bytes
    deadline: int
    offers: int = 1


@dataclass(slots=True)
class Sales:
    """What negotiations need of products and licences, read as they are at the moment."""

    products: dict[UUID, Any] = field(default_factory=dict)
    licences: dict[int, Any] = field(default_factory=dict)


class NegotiationsReplay(Replay):
    """Offers in turn, up to the licence or the end."""

    def __init__(self, findings: Findings, directory: DirectoryReplay, sales: Sales) -> None:
        super().__init__(findings)
        self.directory = directory
        self.sales = sales
        self.threads: dict[UUID, Thread] = {}
        self.handlers = {
            "OfferMade": self._offered,
            "OfferAccepted": self._accepted,
            "AgreementProposed": self._agreed,
            "NegotiationFinalized": self._finalized,
            "NegotiationTerminated": self._terminated,
        }

    def _offered(self, event: Event, where: str) -> None:
        args = event.args
        self.findings.count("offers")
        parties = (args["product_id"], args["operator_id"], args["buyer_id"])
        thread = self.threads.get(args["thread_id"])
        deadline = args["deadline"]
        self.findings.require(
            deadline >= event.block_time, "offer_deadline", where, deadline, event.block_time
        )
        if thread is None:
            self._check_new(event, parties, where)
            self.threads[args["thread_id"]] = Thread(
                parties, args["state"], args["offer_digest"], deadline
            )
            return
        self.findings.same("offer_parties", where, parties, thread.parties)
        self.findings.same("offer_order", where, args["previous_digest"], thread.last_digest)
        self.findings.same("offer_no", where, args["offer_no"], thread.offers + 1)
        answers = {N.REQUESTED: N.OFFERED, N.OFFERED: N.REQUESTED}
        expected = answers.get(N(thread.state)) if thread.state else None
        self.findings.require(
            args["state"] == expected, "offer_out_of_turn", where, args["state"], expected
        )
        self._require_standing(thread, event, where)
        thread.state, thread.last_digest = args["state"], args["offer_digest"]
        thread.deadline, thread.offers = deadline, thread.offers + 1

    def _check_new(self, event: Event, parties: tuple[UUID, UUID, UUID], where: str) -> None:
        args = event.args
        product_id, operator_id, buyer_id = parties
        self.findings.same("offer_order", where, args["previous_digest"], ZERO_DIGEST)
        self.findings.same("offer_no", where, args["offer_no"], 1)
        is_first = args["state"] in (N.REQUESTED, N.OFFERED)
        self.findings.require(is_first, "offer_out_of_turn", where, args["state"], "an offer")
        self.findings.require(buyer_id != operator_id, "self_dealing", where, buyer_id)
        known = buyer_id in self.directory.organisations
        self.findings.require(known, "organisation_unknown", where, buyer_id)
        product = self.sales.products.get(product_id)
        if product is None:
            self.findings.add("product_unknown", where, product_id, "a listed one")
            return
        self.findings.same("agreement_operator", where, operator_id, product.operator_id)
        listed = int(ProductState.LISTED)
        self.findings.same("product_not_listed", where, int(product.state), listed)

    def _accepted(self, event: Event, where: str) -> None:
        thread = self._thread(event, (N.OFFERED,), event.args["offer_digest"], where)
        if thread is not None:
            self._require_standing(thread, event, where)
            thread.state = N.ACCEPTED

    def _agreed(self, event: Event, where: str) -> None:
        due = (N.ACCEPTED, N.REQUESTED)
        thread = self._thread(event, due, event.args["offer_digest"], where)
        if thread is not None:
            self._require_standing(thread, event, where)
            thread.state, thread.last_digest = N.AGREED, event.args["agreement_digest"]
            thread.deadline = event.args["deadline"]

    def _finalized(self, event: Event, where: str) -> None:
        args = event.args
        thread = self._thread(event, (N.AGREED,), args["agreement_digest"], where)
        if thread is None:
            return
        thread.state = N.FINALIZED
        licence = self.sales.licences.get(args["licence_no"])
        got = licence.agreement_digest[:KEPT_BYTES] if licence else None
        agreed = args["agreement_digest"][:KEPT_BYTES]
        self.findings.same("negotiated_agreement", where, got, agreed)

    def _terminated(self, event: Event, where: str) -> None:
        thread = self._thread(event, _OPEN, None, where)
        if thread is not None:
            actor_id = event.args["actor_id"]
            is_party = actor_id in thread.parties[1:]
            self.findings.require(is_party, "negotiation_not_party", where, actor_id)
            thread.state = N.TERMINATED

    def _thread(
        self, event: Event, states: tuple[N, ...], last: bytes | None, where: str
    ) -> Thread | None:
        thread_id = event.args["thread_id"]
        found = self.threads.get(thread_id)
        if not self.findings.require(found is not None, "thread_unknown", where, thread_id):
            return None
        if found is not None:
            is_due = found.state in states
            self.findings.require(is_due, "offer_out_of_turn", where, int(found.state), states)
            if last is not None:
                self.findings.same("offer_order", where, last, found.last_digest)
        return found

    def _require_standing(self, thread: Thread, event: Event, where: str) -> None:
        self.findings.require(
            thread.deadline >= event.block_time,
            "offer_expired",
            where,
            event.block_time,
            thread.deadline,
        )
