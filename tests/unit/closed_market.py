"""The verified market goes on: an objection, a credit note, another version of its scheme, a split
taken back and done anew, the close of the year and of its cycle, and what the next cycle deducts.

Amounts come from the money layer, which neither projections nor verification use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.domain.money import (
    ALL_TIERS,
    DEFAULT_PROFIT,
    ClaimantCost,
    Lineage,
    SchemeTerms,
    Tier,
)
from ledger.domain.units import Fen, MicroFen, Ppm
from ledger.revenue.waterfall import SchemeState, Split, pour, split_income
from tests.unit import verified_market as m
from tests.unit.objection_story import Objector

NEXT_SCHEME, NEXT_CYCLE = m.uid(42), m.uid(72)
LAST_BATCH = m.uid(64)
HANDLER = m.REGISTRAR
GOVERNANCE = m.TREASURY
CHANGED_COSTS_FEN = {m.OPERATOR: 4_000, m.WEATHER: 6_000, m.TRAFFIC: 5_000}
NEXT_COSTS_FEN = {m.OPERATOR: 2_000, m.WEATHER: 500, m.TRAFFIC: 700}
REFUND_FEN = 980
NEXT_YEAR = 110 * 24 * 3600
"""From September 2026 into January 2027, in seconds."""
NOTHING = {
    "tax_micro_fen": 0,
    "common_cost": [],
    "benefit_micro_fen": [],
    "forgone_micro_fen": 0,
}


class ClosedMarket(m.VerifiedMarket):
    """The verified market and its end."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        key = {"organisation_id": HANDLER, "city_code": m.CITY}
        self.say("Directory", "RoleGranted", **key, role=7)
        self.say("Directory", "DeskAppointed", desk="0x" + "de" * 20)
        cases = Objector(self)
        cases.refunded()
        self._correction()
        self._change()
        self._split_anew()
        self._close()
        cases.escalated()

    def _change(self) -> None:
        """From a trial to a scheme with profit, at lower costs."""
        approved = next(event for event in self.events if event.name == "SchemeApproved")
        self.terms = approved.args["terms"] | {
            "is_trial": False,
            "governance_id": GOVERNANCE,
            "providers_ppm": 400_000,
            "operator_ppm": 400_000,
            "platform_ppm": 100_000,
            "governance_ppm": 100_000,
        }
        costs = costs_of(CHANGED_COSTS_FEN)
        about = {"scheme_id": m.SCHEME, "terms": self.terms, "costs": costs}
        self.say(
            "RevenueLedger",
            "SchemeChangeAnnounced",
            **about,
            change_from=m.START + len(self.events) + 2,
        )
        self.say("RevenueLedger", "SchemeChanged", **about, version_no=2)

    def _correction(self) -> None:
        """The split is taken back after all was remitted, so the payees owe it."""
        recorded = next(event for event in self.events if event.name == "SplitRecorded")
        remitted = ((m.OPERATOR, m.OPERATOR, 5_000), (m.TREASURY, m.WEATHER, 8_559))
        remitted += ((m.UTILITY, m.TRAFFIC, 4_279), (m.TREASURY, m.TRAFFIC, 1_834))
        self.say(
            "RevenueLedger",
            "SplitCorrected",
            invoice_id=m.INVOICE,
            scheme_id=m.SCHEME,
            reduction_fen=REFUND_FEN,
            release_no=2,
            split=recorded.args["split"],
            receivables=[
                {"payee_id": payee_id, "claimant_id": claimant_id, "amount_fen": amount_fen}
                for payee_id, claimant_id, amount_fen in remitted
            ],
            receipt_digest=m.digest(32),
            document_digest=m.digest(33),
        )

    def _split_anew(self) -> None:
        """What is left of the bill is shared under the new version; what is owed is set off."""
        self.state = SchemeState(money_terms(self.terms, CHANGED_COSTS_FEN))
        gross_fen = m.GROSS_FEN - REFUND_FEN
        net_fen = gross_fen * 100 // 106
        lineage = Lineage.of({item["claimant_id"]: item["weight_ppm"] for item in m.LINEAGE})
        pool = [entry["claimant_id"] for entry in m.LINEAGE]
        self.split = split_income(self.state, Fen(net_fen), lineage, pool=pool)
        self.say(
            "RevenueLedger",
            "SplitRecorded",
            invoice_id=m.INVOICE,
            scheme_id=m.SCHEME,
            release_no=2,
            net_fen=net_fen,
            vat_fen=gross_fen - net_fen,
            split=told(self.split, pool),
        )
        line = {"scheme_id": m.SCHEME, "claimant_id": m.WEATHER, "amount_fen": 6_000}
        self.say(
            "RevenueLedger",
            "RemittanceOpened",
            batch_id=LAST_BATCH,
            payee_id=m.TREASURY,
            lines=[line],
            set_off_fen=6_000,
            document_digest=m.digest(34),
        )

    def _close(self) -> None:
        self.later_seconds = NEXT_YEAR
        terms = self.state.terms
        income = int(self.split.income_micro_fen)
        permitted = terms.permitted_micro_fen
        self.reserve = int(self.split.tier_micro_fen(Tier.RESERVE))
        self.tell(
            "YearClosed",
            document="document_digest",
            scheme_id=m.SCHEME,
            income_micro_fen=income,
            permitted_micro_fen=permitted,
            deviation_ppm=abs(income - permitted) * 10**6 // permitted,
            outcome=2,
        )
        self.tell(
            "DeviationAnswered",
            document="response_digest",
            scheme_id=m.SCHEME,
            authority_id=m.PRICE,
        )
        pool = [m.OPERATOR, m.WEATHER, m.TRAFFIC]
        fill = {"claimant_ids": pool, "split": NOTHING | {"lineage_cost_micro_fen": [0, 0, 0]}}
        fill["split"]["reserve_micro_fen"] = self.reserve
        self.tell(
            "CycleClosed",
            cycle_id=m.SCHEME,
            instalment_count=2,
            carry_out_micro_fen=self.reserve,
            fills=[fill],
        )
        self._next_cycle()

    def _next_cycle(self) -> None:
        terms = self.terms | {
            "scheme_id": NEXT_SCHEME,
            "cycle_id": NEXT_CYCLE,
            "previous_cycle_id": m.SCHEME,
            "year": 2027,
        }
        costs = costs_of(NEXT_COSTS_FEN)
        about = {"scheme_id": NEXT_SCHEME, "terms": terms, "costs": costs}
        self.say("RevenueLedger", "SchemeApproved", **about)
        state = SchemeState(money_terms(terms, NEXT_COSTS_FEN))
        amount, claimants = self.reserve // 2, sorted(NEXT_COSTS_FEN)
        poured = pour(state, MicroFen(amount), claimants)
        self.say(
            "RevenueLedger",
            "CarryInPoured",
            scheme_id=NEXT_SCHEME,
            cycle_id=NEXT_CYCLE,
            amount_micro_fen=amount,
            fill={"claimant_ids": claimants, "split": told(poured, claimants)},
        )

    def tell(self, name: str, *, document: str = "decision_digest", **args: Any) -> None:
        self.say("RevenueLedger", name, **args, **{document: m.digest(30)})


def costs_of(costs_fen: dict[UUID, int]) -> list[dict[str, Any]]:
    return [{"claimant_id": key, "cost_fen": costs_fen[key]} for key in sorted(costs_fen)]


def money_terms(terms: dict[str, Any], costs_fen: dict[UUID, int]) -> SchemeTerms:
    return SchemeTerms(
        costs=tuple(ClaimantCost(key, Fen(costs_fen[key])) for key in sorted(costs_fen)),
        operator_id=terms["operator_id"],
        platform_id=terms["platform_id"],
        bond_ppm=Ppm(terms["bond_ppm"]),
        spread_ppm=Ppm(terms["spread_ppm"]),
        tax_fen=Fen(terms["tax_fen"]),
        surcharge_ppm=Ppm(terms["surcharge_ppm"]),
        vat_ppm=Ppm(terms["vat_ppm"]),
        profit=DEFAULT_PROFIT,
        governance_id=GOVERNANCE,
        tiers=ALL_TIERS,
    )


def told(split: Split, listed: list[UUID]) -> dict[str, Any]:
    """Return a split as the chain tells it: full tiers only."""
    lines = list(split.tier(Tier.BENEFIT))
    first = [line.amount_micro_fen for line in lines[:3]]
    earned = {line.claimant_id: line.amount_micro_fen for line in lines[3:]}
    has_profit = any(first) or split.benefit_forgone_micro_fen
    benefit = [*first, *(earned.get(key, 0) for key in listed)] if has_profit else []
    cost = [line.amount_micro_fen for line in split.tier(Tier.LINEAGE_COST)]
    return NOTHING | {
        "tax_micro_fen": split.tier_micro_fen(Tier.TAX),
        "lineage_cost_micro_fen": cost,
        "benefit_micro_fen": benefit,
        "forgone_micro_fen": split.benefit_forgone_micro_fen,
        "reserve_micro_fen": split.tier_micro_fen(Tier.RESERVE),
    }
