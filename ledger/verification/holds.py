"""What objections are about, and the effects that follow from cases in the same transaction.

An effect of the desk is expected from the case and must be the very next event; a change of state
that nobody took and no case explains is a finding, and so is one by others while a case holds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import LicenceState, ProductState
from ledger.domain.objections import SubjectKind
from ledger.verification.books import Books
from ledger.verification.datasets import DatasetsReplay
from ledger.verification.findings import Findings
from ledger.verification.licences import NOBODY, LicencesReplay
from ledger.verification.replay import place

Subject = tuple[int, UUID]
EFFECTS = frozenset({"DatasetSuspensionSet", "ProductStateSet", "LicenceStateSet", "InvoiceFrozen"})
_KINDS = {
    "DatasetSuspensionSet": (SubjectKind.DATASET, "dataset_id"),
    "ProductStateSet": (SubjectKind.PRODUCT, "product_id"),
    "LicenceStateSet": (SubjectKind.LICENCE, "licence_no"),
    "InvoiceFrozen": (SubjectKind.INVOICE, "invoice_id"),
}


@dataclass(frozen=True, slots=True)
class Effect:
    """A registry's event that must come next: where, on what, to which value, on which document."""

    tx_hash: str
    subject: Subject
    value: int
    digest: bytes


@dataclass(slots=True)
class Parties:
    """A subject's city, and the organisations that supply, sell or bought it."""

    city_code: int
    ids: tuple[UUID, ...]


@dataclass
class Holds:
    """Which cases hold what, and which effects are still to come."""

    findings: Findings
    datasets: DatasetsReplay
    licences: LicencesReplay
    books: Books
    counts: Counter[Subject] = field(default_factory=Counter)
    expected: list[Effect] = field(default_factory=list)
    _was_in_service: dict[Subject, bool] = field(default_factory=dict)

    def before(self, event: Event) -> None:
        """Check an event against the effects that are due, and against what is held."""
        where = place(event)
        try:
            effect = _effect_of(event)
        except (KeyError, TypeError, ValueError):
            effect = None  # The replay of its contract reports a malformed event.
        if self.expected:
            due = self.expected.pop(0)
            if effect != due:
                self.findings.add("effect_missing", where, effect, due)
                self.expected.clear()
            return
        if effect is None:
            return
        is_desks = event.name == "InvoiceFrozen" or event.args.get("actor_id") == NOBODY
        self.findings.require(not is_desks, "effect_without_case", where, effect.subject)
        is_held = self.counts[effect.subject] > 0
        self.findings.require(not is_held, "held_by_desk", where, effect.subject, "not held")

    def hold(self, event: Event, subject: Subject) -> None:
        """One case more holds a subject; the first puts it out of service."""
        self.counts[subject] += 1
        if self.counts[subject] == 1:
            self._was_in_service[subject] = self._is_in_service(subject)
            if self._was_in_service[subject]:
                self._expect(event, subject, is_in_service=False)

    def lift(self, event: Event, subject: Subject) -> None:
        """One case less; the last puts the subject back to where it was."""
        self.counts[subject] -= 1
        if self.counts[subject] == 0 and self._was_in_service.get(subject):
            self._expect(event, subject, is_in_service=True)

    def end(self, event: Event, subject: Subject) -> None:
        """A product or licence is taken away for good."""
        kind, key = subject
        finals = {
            SubjectKind.PRODUCT: int(ProductState.WITHDRAWN),
            SubjectKind.LICENCE: int(LicenceState.TERMINATED),
        }
        if kind not in finals:
            return
        product, licence = self.licences.products.get(key), self.licences.licences.get(key.int)
        now = product.state if kind == SubjectKind.PRODUCT and product else 0
        now = licence.state if kind == SubjectKind.LICENCE and licence else now
        if now != finals[SubjectKind(kind)]:
            digest = event.args["document_digest"]
            self.expected.append(Effect(event.tx_hash, subject, finals[SubjectKind(kind)], digest))

    def parties_of(self, subject: Subject) -> Parties | None:
        """Return who is a party to a subject, None when it is unknown."""
        kind, key = subject
        if kind == SubjectKind.DATASET:
            dataset = self.datasets.datasets.get(key)
            return Parties(dataset.city_code, (dataset.provider_id,)) if dataset else None
        buyers: tuple[UUID, ...] = ()
        if kind != SubjectKind.PRODUCT:
            invoice = self.books.invoices.get(key)
            number = key.int if kind == SubjectKind.LICENCE else invoice and invoice.licence_no
            licence = self.licences.licences.get(number or 0)
            if licence is None:
                return None
            key, buyers = licence.product_id, (licence.buyer_id,)
        product = self.licences.products.get(key)
        return Parties(product.city_code, (product.operator_id, *buyers)) if product else None

    def _is_in_service(self, subject: Subject) -> bool:
        kind, key = subject
        if kind == SubjectKind.DATASET:
            return not self.datasets.datasets[key].is_suspended
        if kind == SubjectKind.PRODUCT:
            return self.licences.products[key].state == ProductState.LISTED
        if kind == SubjectKind.LICENCE:
            return self.licences.licences[key.int].state == LicenceState.ACTIVE
        return True

    def _expect(self, event: Event, subject: Subject, *, is_in_service: bool) -> None:
        has_states = subject[0] in (SubjectKind.PRODUCT, SubjectKind.LICENCE)
        in_service, out = (1, 2) if has_states else (0, 1)
        value = in_service if is_in_service else out
        digest = event.args["document_digest"]
        self.expected.append(Effect(event.tx_hash, subject, value, digest))


def _effect_of(event: Event) -> Effect | None:
    """Return what an event does to a subject's service, None when it does nothing."""
    if event.name not in EFFECTS:
        return None
    args: dict[str, Any] = event.args
    kind, name = _KINDS[event.name]
    key = UUID(int=args[name]) if kind is SubjectKind.LICENCE else args[name]
    value = args.get("state", args.get("is_suspended", args.get("is_frozen")))
    return Effect(event.tx_hash, (int(kind), key), int(value or 0), args["decision_digest"])
