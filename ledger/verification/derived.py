"""Derived products: who may sell them, and their outcome shares flattened by exact walks.

Rules kept here:
1. A share is followed along every path from a source up to a dataset; paths of one ancestor add up.
2. Where a share passes through a derived product, each part is floored to the ppm, and the
   product's developer keeps what the parts leave.

Source: domain report 4.3 step 13; 公共数据资源授权运营实施规范 art. 6.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import ClaimantKind, LicenceState, Role
from ledger.domain.units import PPM_WHOLE
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.sold import CHARGEABLE, Licence, Product

ANCESTORS_MAX = 16


class DerivedCheck:
    """Checks what a developer lists, against the licences and products before it."""

    def __init__(
        self,
        findings: Findings,
        directory: DirectoryReplay,
        products: Mapping[UUID, Product],
        licences: Mapping[int, Licence],
    ) -> None:
        self._findings = findings
        self._directory = directory
        self._products = products
        self._licences = licences

    def check(self, event: Event, where: str) -> frozenset[UUID]:
        """Check a listing and return the operators upstream."""
        args = event.args
        developer_id, lineage = args["developer_id"], args["lineage"]
        self._findings.count("derived_products")
        self._directory.require_role(developer_id, Role.DEVELOPER, args["city_code"], where)
        shares: Counter[tuple[UUID, int]] = Counter()
        upstream: set[UUID] = set()
        sums: defaultdict[int, int] = defaultdict(int)
        for source in args["sources"]:
            sums[source["licence_no"]] += source["share_ppm"]
            self._follow(source, developer_id, event.block_time, shares, upstream, where)
        for licence_no, total in sums.items():
            licence = self._licences.get(licence_no)
            agreed = licence.outcome_ppm if licence else None
            self._findings.same("outcome_agreed", f"{where}, licence {licence_no}", total, agreed)
        related = [
            key
            for key in sorted(upstream)
            if key == developer_id or self._directory.are_affiliates(key, developer_id)
        ]
        self._findings.same("operator_resells", where, related, [])
        self._check_lineage(lineage, developer_id, shares, where)
        return frozenset(upstream)

    def _follow(
        self,
        source: dict[str, Any],
        developer_id: UUID,
        time: int,
        shares: Counter[tuple[UUID, int]],
        upstream: set[UUID],
        where: str,
    ) -> None:
        named = f"{where}, licence {source['licence_no']}"
        licence = self._licences.get(source["licence_no"])
        product = self._products.get(licence.product_id) if licence else None
        if licence is None or product is None:
            self._findings.add("source_licence", named, None, "a granted licence")
            return
        is_own = licence.buyer_id == developer_id and licence.state == LicenceState.ACTIVE
        is_now = licence.valid_from <= time < licence.valid_until
        self._findings.require(is_own and is_now, "source_licence", named, licence.buyer_id)
        is_paid = licence.purpose in CHARGEABLE
        self._findings.require(is_paid, "source_purpose", named, int(licence.purpose), "paid use")
        upstream |= {product.operator_id, *product.upstream}
        ancestor_id, share = source["ancestor_id"], source["share_ppm"]
        if not product.is_derived:
            datasets = _datasets(product)
            self._findings.require(ancestor_id in datasets, "source_unknown", named, ancestor_id)
            shares[ancestor_id, ClaimantKind.DATASET] += share
            return
        self._findings.same("source_unknown", named, ancestor_id, licence.product_id)
        passed = {
            (row["claimant_id"], row["kind"]): share * row["weight_ppm"] // PPM_WHOLE
            for row in product.lineage[:-2]
        }
        for key, amount in passed.items():
            shares[key] += amount
        kept = share - sum(passed.values())
        shares[product.operator_id, ClaimantKind.ORGANISATION] += kept

    def _check_lineage(
        self,
        lineage: list[dict[str, Any]],
        developer_id: UUID,
        shares: Counter[tuple[UUID, int]],
        where: str,
    ) -> None:
        got = [(row["claimant_id"], row["kind"], row["weight_ppm"]) for row in lineage[:-2]]
        expected = [(key, kind, shares[key, kind]) for key, kind in sorted(shares)]
        self._findings.same("outcome_shares", where, _text(got), _text(expected))
        is_short = len(got) <= ANCESTORS_MAX
        self._findings.require(is_short, "ancestor_count", where, len(got), ANCESTORS_MAX)
        total = sum(row["weight_ppm"] for row in lineage)
        self._findings.same("lineage_sum", where, total, PPM_WHOLE)
        ends = [row["claimant_id"] for row in lineage[-2:]]
        if self._findings.same("lineage_developer", where, ends[-1:], [developer_id]):
            is_platform = self._directory.has_role_at_home(ends[0], Role.PLATFORM)
            self._findings.require(is_platform, "lineage_platform", where, ends[0], "a platform")
        has_dataset = any(row["kind"] == ClaimantKind.DATASET for row in lineage)
        self._findings.require(has_dataset, "lineage_no_dataset", where)


def _datasets(product: Product) -> set[UUID]:
    return {row["claimant_id"] for row in product.lineage if row["kind"] == ClaimantKind.DATASET}


def _text(rows: list[tuple[UUID, int, int]]) -> list[str]:
    return [f"{key} kind {int(kind)}: {share}" for key, kind, share in rows]
