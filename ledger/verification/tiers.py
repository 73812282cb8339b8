"""The tiers of a split, recomputed with exact fractions.

Rules kept here:
1. Each tier is filled before the next one gets anything; the common pool is the operator, the
   platform and every dataset whose product was sold this year, weighted by the cost still open.
2. Permitted profit goes by the profit vector, the providers' part by weight and quality; what no
   quality earned lies in the reserve and stays used up.
3. A line may lie one µfen beside its exact share; that it is the largest remainder's is said too.

Source: domain report 4.3 steps 5 to 9; 发改价格〔2025〕65号.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from ledger.domain.codes import QualityGrade
from ledger.domain.units import PPM_WHOLE
from ledger.verification.books import Scheme
from ledger.verification.findings import Findings
from ledger.verification.shares import exact_shares, rounded

GradeOf = Callable[[UUID], int]
"""Returns the grade of a dataset's last inspection, 0 where there was none."""
_COEFFICIENTS = {QualityGrade.B: 90, QualityGrade.C: 80, QualityGrade.D: 50, QualityGrade.E: 0}
_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Listed:
    """One claimant of a product, or of what is poured without one, and its weight."""

    claimant_id: UUID
    weight: int


class TierCheck:
    """Checks the lines of one split against the balances before it."""

    def __init__(
        self, findings: Findings, scheme: Scheme, grade_of: GradeOf, listed: Sequence[Listed]
    ) -> None:
        self._findings = findings
        self._scheme = scheme
        self._grade_of = grade_of
        self._listed = listed

    def check(self, split: dict[str, Any], income: int, tax: int, where: str) -> None:
        """Check every tier of a split of `income` µfen, of which `tax` is to be set aside."""
        findings = self._findings
        findings.same("split_tax", where, split["tax_micro_fen"], tax)
        findings.same("split_sum", where, sum_of(split), income)
        lines = split["lineage_cost_micro_fen"]
        if not findings.same("split_line_count", where, len(lines), len(self._listed)):
            return
        cost = self._check_lineage(lines, income - tax, where)
        left = income - tax - sum(cost.values())
        common = self._check_common(split["common_cost"], left, cost, where)
        left -= common
        left = self._check_benefit(split, left, where)
        findings.same("split_reserve", where, split["reserve_micro_fen"], left)

    def _check_lineage(self, lines: list[int], amount: int, where: str) -> dict[UUID, int]:
        ids = [entry.claimant_id for entry in self._listed]
        rooms = [self._scheme.room_of(claimant_id) for claimant_id in ids]
        shares = exact_shares(amount, [entry.weight for entry in self._listed], rooms)
        return self._check_shares("split_line", ids, lines, shares, where)

    def _check_common(
        self, lines: list[dict[str, Any]], amount: int, cost: dict[UUID, int], where: str
    ) -> int:
        """Return what the pool takes; `cost` is what its members took in the tier above."""
        if amount == 0:
            self._findings.same("split_common", where, lines, [])
            return 0
        listed = {entry.claimant_id for entry in self._listed}
        open_cost = {
            claimant_id: account.room_micro_fen - cost.get(claimant_id, 0)
            for claimant_id, account in sorted(self._scheme.accounts.items())
            if account.is_pooled or (claimant_id in listed and account.cost_micro_fen)
        }
        members = [claimant_id for claimant_id, room in open_cost.items() if room]
        got = [line["claimant_id"] for line in lines if open_cost.get(line["claimant_id"], 1)]
        if not self._findings.same("split_pool", where, got, members):
            return sum(int(line["amount_micro_fen"]) for line in lines)
        rooms = [open_cost[claimant_id] for claimant_id in members]
        paid = {line["claimant_id"]: line["amount_micro_fen"] for line in lines}
        amounts = [paid[claimant_id] for claimant_id in members]
        shares = exact_shares(amount, rooms, rooms)
        return sum(self._check_shares("split_common", members, amounts, shares, where).values())

    def _check_benefit(self, split: dict[str, Any], left: int, where: str) -> int:
        """Return what is left for the reserve, a forgone part included."""
        amount = min(left, self._scheme.profit_room_micro_fen)
        lines = split["benefit_micro_fen"]
        count = 3 + len(self._listed) if amount else 0
        if not self._findings.same("split_benefit_count", where, len(lines), count) or not amount:
            self._findings.same("split_forgone", where, split["forgone_micro_fen"], 0)
            return left
        terms = self._scheme.terms
        names = ("governance_ppm", "operator_ppm", "platform_ppm", "providers_ppm")
        parts = rounded([Fraction(amount * terms[name], PPM_WHOLE) for name in names])
        ids = [terms["governance_id"], terms["operator_id"], terms["platform_id"]]
        shares = [Fraction(part) for part in parts[:3]]
        self._check_shares("split_benefit", ids, lines[:3], shares, where)
        merits = [self._merit(entry) for entry in self._listed]
        whole = sum(merits)
        forgone = 0 if whole else parts[3]
        self._findings.same("split_forgone", where, split["forgone_micro_fen"], forgone)
        earned = [Fraction(parts[3] * merit, whole) if whole else Fraction(0) for merit in merits]
        providers = [entry.claimant_id for entry in self._listed]
        self._check_shares("split_benefit", providers, lines[3:], earned, where)
        return left - amount + forgone

    def _merit(self, entry: Listed) -> int:
        terms = self._scheme.terms
        if entry.claimant_id in (terms["operator_id"], terms["platform_id"]):
            return 0
        grade = self._grade_of(entry.claimant_id)
        return entry.weight * (_COEFFICIENTS.get(QualityGrade(grade), _WHOLE) if grade else _WHOLE)

    def _check_shares(
        self,
        code: str,
        ids: Sequence[UUID],
        lines: Sequence[int],
        shares: Sequence[Fraction],
        where: str,
    ) -> dict[UUID, int]:
        expected = rounded(shares)
        self._findings.count("split_lines", len(lines))
        for claimant_id, line, share, whole in zip(ids, lines, shares, expected, strict=True):
            named = f"{where}, claimant {claimant_id}"
            is_near = abs(line - share) <= 1
            if self._findings.require(is_near, code, named, line, whole):
                self._findings.same("split_rounding", named, line, whole)
        return dict(zip(ids, expected, strict=True))


def sum_of(split: dict[str, Any]) -> int:
    """Return the sum of all lines of a split."""
    common = sum(int(line["amount_micro_fen"]) for line in split["common_cost"])
    listed = sum(split["lineage_cost_micro_fen"]) + sum(split["benefit_micro_fen"])
    return int(split["tax_micro_fen"] + split["reserve_micro_fen"] + listed + common)


def post(
    scheme: Scheme, split: dict[str, Any], ids: Sequence[UUID], reason: Any, sign: int = 1
) -> None:
    """Post a split as it is recorded, right or wrong, so that one fault is found once.

    Args:
        scheme: its balances change.
        split: as the event has it.
        ids: claimants of the lineage or of a fill, in their order.
        reason: what the accounts remember: kind, invoice and product; the tier and µfen are added.
        sign: -1 for the opposite entries.
    """
    terms = scheme.terms
    organisations = [terms["governance_id"], terms["operator_id"], terms["platform_id"]]
    for claimant_id, line in zip(ids, split["lineage_cost_micro_fen"], strict=False):
        scheme.recover(claimant_id, sign * line, reason, "lineage_cost")
    for item in split["common_cost"]:
        amount = sign * item["amount_micro_fen"]
        scheme.recover(item["claimant_id"], amount, reason, "common_cost")
    earners = [*organisations, *ids]
    for claimant_id, line in zip(earners, split["benefit_micro_fen"], strict=False):
        scheme.share(claimant_id, sign * line, reason)
    forgone = sign * split["forgone_micro_fen"]
    scheme.tax_taken_micro_fen += sign * split["tax_micro_fen"]
    scheme.benefit_micro_fen += sign * sum(split["benefit_micro_fen"]) + forgone
    scheme.forgone_micro_fen += forgone
    scheme.reserve_micro_fen += sign * split["reserve_micro_fen"]
