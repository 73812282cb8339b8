"""Products, tariffs and licences, replayed from the licence registry's events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import LicenceState, OpeningTier, ProductState, Role
from ledger.domain.units import PPM_WHOLE
from ledger.verification.datasets import DatasetsReplay
from ledger.verification.dealings import ApplicationsReplay
from ledger.verification.derived import DerivedCheck
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.replay import Replay
from ledger.verification.sold import (
    CHARGEABLE,
    KEPT_BYTES,
    UINT40_MAX,
    Licence,
    Product,
    check_bands,
    check_caps,
    check_competition,
    check_terms,
)
from ledger.verification.typed_data import agreement_digest, supplement_digest

QUOTE_SECONDS = 14 * 24 * 3600
"""How long a quote holds its tariff."""
_DATASET = 1
NOBODY = UUID(int=0)
"""The actor where the objection desk acted; that a case explains it is checked there."""


class LicencesReplay(Replay):
    """The state of the licence registry, and what is wrong with how it came about.

    Args:
        findings: where faults go.
        directory: who may do what, at the same moment.
        datasets: what may be sold, at the same moment.
        applications: what was approved for conditional use, at the same moment.
        domain: EIP-712 domain of agreements; without it their digests are not recomputed.
    """

    def __init__(
        self,
        findings: Findings,
        directory: DirectoryReplay,
        datasets: DatasetsReplay,
        applications: ApplicationsReplay,
        domain: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(findings)
        self.directory = directory
        self.datasets = datasets
        self.applications = applications
        self.domain = domain
        self.products: dict[UUID, Product] = {}
        self.licences: dict[int, Licence] = {}
        self.agreements: set[UUID] = set()
        self.undecided: set[int] = set()
        """Licences granted or extended by the last event, whose opening is said next."""
        self.handlers = {
            "ProductListed": self._listed,
            "ProductDerived": self._derived,
            "ProductStateSet": self._product_state_set,
            "CapsApproved": self._caps_approved,
            "TariffPublished": self._tariff_published,
            "LicenceGranted": self._granted,
            "OpeningDecided": self._opening_decided,
            "LicenceSupplemented": self._supplemented,
            "LicenceStateSet": self._licence_state_set,
        }

    def tariff_of(self, licence: Licence) -> dict[str, Any] | None:
        """Return the tariff that a licence fixed; None when it is free or the tariff unknown."""
        product = self.products.get(licence.product_id)
        return None if product is None else product.tariffs.get(licence.tariff_no)

    def _listed(self, event: Event, where: str) -> None:
        args = event.args
        self.findings.count("products")
        is_new = args["product_id"] not in self.products
        if not self.findings.require(is_new, "product_twice", where, args["product_id"], "new id"):
            return
        self.directory.require_role(args["operator_id"], Role.OPERATOR, args["city_code"], where)
        self.findings.require(args["modes"] > 0, "mode_not_offered", where, args["modes"], "modes")
        self._check_lineage(args["lineage"], where)
        product = Product(args["operator_id"], args["city_code"], args["modes"], args["lineage"])
        self.products[args["product_id"]] = product
        self._require_sellable(product, args["modes"], where, event.block_time)

    def _derived(self, event: Event, where: str) -> None:
        args = event.args
        self.findings.count("products")
        is_new = args["product_id"] not in self.products
        if not self.findings.require(is_new, "product_twice", where, args["product_id"], "new id"):
            return
        check = DerivedCheck(self.findings, self.directory, self.products, self.licences)
        upstream = check.check(event, where)
        product = Product(
            args["developer_id"],
            args["city_code"],
            args["modes"],
            args["lineage"],
            is_derived=True,
            upstream=upstream,
        )
        self.products[args["product_id"]] = product
        self._require_sellable(product, args["modes"], where, event.block_time)

    def compare_lineages(self, written: Mapping[UUID, list[dict[str, Any]]]) -> None:
        """Compare the lineage of every product with the one that is written on chain."""
        for product_id, product in self.products.items():
            self.findings.count("lineages")
            where = f"product {product_id}"
            self.findings.same("lineage_written", where, written.get(product_id), product.lineage)

    def _check_lineage(self, lineage: list[dict[str, Any]], where: str) -> None:
        ids = [entry["claimant_id"] for entry in lineage]
        self.findings.require(
            ids == sorted(set(ids)), "lineage_order", where, ids, "ascending, each once"
        )
        weights = [entry["weight_ppm"] for entry in lineage]
        self.findings.same("lineage_sum", where, sum(weights), PPM_WHOLE)
        self.findings.require(0 not in weights, "lineage_empty_entry", where, weights, "no zero")
        self.findings.require(
            any(entry["kind"] == _DATASET for entry in lineage), "lineage_no_dataset", where
        )
        for entry in lineage:
            known = self.datasets.datasets if entry["kind"] == _DATASET else None
            holders = self.directory.organisations if known is None else known
            self.findings.require(
                entry["claimant_id"] in holders, "claimant_unknown", where, entry["claimant_id"]
            )

    def _product_state_set(self, event: Event, where: str) -> None:
        product = self._product(event, where)
        if product is None:
            return
        actor_id = event.args["actor_id"]
        if actor_id == NOBODY:
            product.state = event.args["state"]
            return
        self._require_operator_or_registrar(actor_id, product, where)
        self._step(product, event.args["state"], actor_id != product.operator_id, where)

    def _caps_approved(self, event: Event, where: str) -> None:
        product = self._product(event, where)
        check_bands(self.findings, event.args["caps"], where)
        if product is None:
            return
        authority_id = event.args["authority_id"]
        self.directory.require_role(authority_id, Role.PRICE_AUTHORITY, product.city_code, where)
        self.findings.require(
            authority_id != product.operator_id, "approver_is_operator", where, authority_id
        )
        self.findings.require(not product.is_derived, "caps_of_derived", where, authority_id)
        product.caps = event.args["caps"]

    def _tariff_published(self, event: Event, where: str) -> None:
        product = self._product(event, where)
        tariff = event.args["tariff"]
        self.findings.count("tariffs")
        check_bands(self.findings, tariff["bands"], where)
        self.findings.require(
            tariff["discount_ppm"] <= PPM_WHOLE, "discount", where, tariff["discount_ppm"]
        )
        if product is None:
            return
        number = event.args["tariff_no"]
        self.findings.same("tariff_no", where, number, len(product.tariffs) + 1)
        product.tariffs[number] = tariff
        product.superseded_at[number - 1] = event.block_time
        if product.is_derived:
            return
        if self.findings.require(product.caps is not None, "caps_missing", where):
            check_caps(self.findings, tariff["bands"], product.caps or [], where)

    def _granted(self, event: Event, where: str) -> None:
        number, agreement = event.args["licence_no"], event.args["agreement"]
        self.findings.count("licences")
        self.findings.same("licence_no", where, number, len(self.licences) + 1)
        is_new = agreement["agreement_id"] not in self.agreements
        self.findings.require(is_new, "agreement_used", where, agreement["agreement_id"])
        self.agreements.add(agreement["agreement_id"])
        check_terms(self.findings, event, agreement, where)
        self._check_parties(event, agreement, where)
        if self.domain is not None:
            expected = agreement_digest(self.domain, agreement)
            self.findings.same("agreement_digest", where, event.args["agreement_digest"], expected)
        licence = self.licences[number] = Licence(
            product_id=agreement["product_id"],
            buyer_id=agreement["buyer_id"],
            tariff_no=agreement["tariff_no"],
            purpose=agreement["purpose"],
            modes=agreement["modes"],
            valid_from=agreement["valid_from"],
            valid_until=agreement["valid_until"],
            valid_until_max=agreement["valid_until"],
            quota_units=agreement["quota_units"],
            quota_units_max=agreement["quota_units"],
            agreement_digest=event.args["agreement_digest"],
            team_max=agreement["team_max"],
            outcome_ppm=agreement["outcome_ppm"],
            is_accepted_by_use=agreement["is_accepted_by_use"],
        )
        self._check_use(number, licence, event, where)

    def _opening_decided(self, event: Event, where: str) -> None:
        args, licence = event.args, self.licences.get(event.args["licence_no"])
        product = self.products.get(licence.product_id) if licence else None
        if licence is None or product is None:
            self.findings.add("licence_unknown", where, args["licence_no"], "a granted one")
            return
        is_due = args["licence_no"] in self.undecided
        self.findings.require(is_due, "opening_unasked", where, args["licence_no"])
        self.undecided.discard(args["licence_no"])
        ids = [entry["claimant_id"] for entry in product.lineage if entry["kind"] == _DATASET]
        tier, numbers = self.datasets.opening_of(
            ids, licence.modes, licence.purpose, event.block_time
        )
        self.findings.same("opening_tier", where, args["tier"], tier)
        self.findings.same("opening_policies", where, args["policy_nos"], numbers)
        is_open = tier != OpeningTier.FORBIDDEN
        self.findings.require(is_open, "opening_forbidden", where, tier, "an opened cell")

    def _check_parties(self, event: Event, agreement: dict[str, Any], where: str) -> None:
        buyer_id, operator_id = agreement["buyer_id"], agreement["operator_id"]
        share = agreement["outcome_ppm"]
        self.findings.require(share <= PPM_WHOLE, "outcome_share", where, share, PPM_WHOLE)
        self.findings.require(buyer_id != operator_id, "self_dealing", where, buyer_id)
        self.findings.require(
            self.directory.has_role_at_home(buyer_id, Role.BUYER), "buyer_role", where, buyer_id
        )
        self.findings.require(agreement["quota_units"] > 0, "quota_empty", where, 0, "> 0")
        begin, end = agreement["valid_from"], agreement["valid_until"]
        self.findings.require(begin < end <= UINT40_MAX, "validity_empty", where, [begin, end])
        product = self.products.get(agreement["product_id"])
        if product is None:
            self.findings.add("product_unknown", where, agreement["product_id"], "a listed one")
            return
        self.findings.same("agreement_operator", where, operator_id, product.operator_id)
        self.findings.require(
            not agreement["modes"] & ~product.modes, "mode_not_offered", where, agreement["modes"]
        )
        self._check_tariff(event, agreement, product, where)

    def _check_use(self, number: int, licence: Licence, event: Event, where: str) -> None:
        """Check what a licence, and more of it, asks of its product and of the data."""
        self.undecided.add(number)
        product = self.products.get(licence.product_id)
        if product is None:
            return
        self.findings.same("product_not_listed", where, product.state, int(ProductState.LISTED))
        self._require_sellable(product, licence.modes, where, event.block_time)
        check_competition(self.findings, licence, where)
        datasets = [row["claimant_id"] for row in product.lineage if row["kind"] == _DATASET]
        self.applications.check_licence(licence, datasets, where)

    def _check_tariff(
        self, event: Event, agreement: dict[str, Any], product: Product, where: str
    ) -> None:
        """Check that the tariff is in force, or was within the life of a quote."""
        got = agreement["tariff_no"]
        in_force = len(product.tariffs) if agreement["purpose"] in CHARGEABLE else 0
        if got and in_force and got in product.tariffs and got in product.superseded_at:
            until = product.superseded_at[got] + QUOTE_SECONDS
            is_quoted = event.block_time <= until
            self.findings.require(is_quoted, "quote_over", where, event.block_time, until)
        else:
            self.findings.same("agreement_tariff", where, got, in_force)

    def _supplemented(self, event: Event, where: str) -> None:
        change = event.args["supplement"]
        licence = self._licence(event, where)
        check_terms(self.findings, event, change, where)
        if self.domain is not None:
            expected = supplement_digest(self.domain, change)
            self.findings.same("agreement_digest", where, event.args["agreement_digest"], expected)
        if licence is None:
            return
        self.findings.same("licence_no", where, change["licence_no"], event.args["licence_no"])
        previous, latest = change["previous_digest"], licence.agreement_digest
        self.findings.same("supplement_order", where, previous[:KEPT_BYTES], latest[:KEPT_BYTES])
        self.findings.require(
            licence.state != LicenceState.TERMINATED, "licence_ended", where, licence.state
        )
        self.findings.require(change["quota_units"] > 0, "quota_empty", where, 0, "> 0")
        begin, end = licence.valid_from, change["valid_until"]
        self.findings.require(begin < end <= UINT40_MAX, "validity_empty", where, [begin, end])
        is_longer = change["valid_until"] > licence.valid_until
        is_more = is_longer or change["quota_units"] > licence.quota_units
        licence.agreement_digest = event.args["agreement_digest"]
        licence.valid_until = change["valid_until"]
        licence.valid_until_max = max(licence.valid_until_max, change["valid_until"])
        licence.quota_units = change["quota_units"]
        licence.quota_units_max = max(licence.quota_units_max, change["quota_units"])
        if is_more:
            self._check_use(event.args["licence_no"], licence, event, where)

    def _licence_state_set(self, event: Event, where: str) -> None:
        licence = self._licence(event, where)
        if licence is None:
            return
        new, actor_id = event.args["state"], event.args["actor_id"]
        if actor_id == NOBODY:
            licence.state = new
            return
        product = self.products.get(licence.product_id)
        is_end_by_buyer = new == LicenceState.TERMINATED and actor_id == licence.buyer_id
        if product is not None and not is_end_by_buyer:
            self._require_operator_or_registrar(actor_id, product, where)
        is_operator = product is not None and actor_id == product.operator_id
        self._step(licence, new, not (is_operator or is_end_by_buyer), where)

    def _step(self, subject: Product | Licence, new: int, is_authority: bool, where: str) -> None:
        """Take a product or licence to a state; both have the same three."""
        old, may_hold = subject.state, is_authority and not subject.is_held
        is_hold = may_hold and new == LicenceState.SUSPENDED
        is_step = new != 0 and old != LicenceState.TERMINATED and (old != new or is_hold)
        self.findings.require(is_step, "state_step", where, [old, new], "a state that may follow")
        is_lifted = subject.is_held and not is_authority and new == LicenceState.ACTIVE
        self.findings.require(not is_lifted, "suspended_by_authority", where, new, int(old))
        subject.state, subject.is_held = new, is_hold

    def _require_operator_or_registrar(self, actor_id: UUID, product: Product, where: str) -> None:
        if actor_id != product.operator_id:
            self.directory.require_role(actor_id, Role.REGISTRAR, product.city_code, where)

    def _require_sellable(self, product: Product, modes: int, where: str, time: int) -> None:
        for entry in product.lineage:
            if entry["kind"] == _DATASET:
                self.datasets.require_sellable(entry["claimant_id"], modes, where, time)

    def _product(self, event: Event, where: str) -> Product | None:
        product_id = event.args["product_id"]
        found = self.products.get(product_id)
        self.findings.require(found is not None, "product_unknown", where, product_id)
        return found

    def _licence(self, event: Event, where: str) -> Licence | None:
        number = event.args["licence_no"]
        found = self.licences.get(number)
        self.findings.require(found is not None, "licence_unknown", where, number)
        return found
