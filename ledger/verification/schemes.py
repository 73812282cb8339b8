"""Schemes: approval, change, the close of years and cycles, replayed and recomputed.

Source: domain report 4.2 and 4.3 step 11; 发改价格〔2025〕65号.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import CloseOutcome, InvoiceState, Role, SchemeState
from ledger.domain.units import (
    HOLD_DAYS_MAX,
    MICRO_FEN_PER_FEN,
    PPM_WHOLE,
    SPREAD_PPM_MAX,
    UINT32_MAX,
)
from ledger.verification.books import Account, Books, Cycle, Reason, Scheme
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.tiers import GradeOf, Listed, TierCheck, post

NOBODY = UUID(int=0)
_YEARS_MAX = 3
_DEVIATION_LIMIT_PPM = 100_000
_CHINA = timedelta(hours=8)
_KEPT = ("operator_id", "platform_id", "city_code", "year", "cycle_id")
_VECTOR = ("providers_ppm", "operator_ppm", "platform_ppm", "governance_ppm")


class SchemeCheck:
    """Checks what a price authority approves, and how years and cycles end."""

    def __init__(
        self, findings: Findings, books: Books, directory: DirectoryReplay, grade_of: GradeOf
    ) -> None:
        self._findings = findings
        self._books = books
        self._directory = directory
        self._grade_of = grade_of

    def approved(self, event: Event, where: str) -> None:
        """Check a new scheme, and open its accounts."""
        terms, costs = event.args["terms"], event.args["costs"]
        scheme_id = event.args["scheme_id"]
        self._findings.count("schemes")
        self._findings.same("scheme_id_differs", where, terms["scheme_id"], scheme_id)
        is_new = scheme_id not in self._books.schemes
        if not self._findings.require(is_new, "scheme_twice", where, scheme_id, "a new id"):
            return
        self._directory.require_role(terms["operator_id"], Role.OPERATOR, terms["city_code"], where)
        self._check_terms(terms, costs, where)
        self._findings.require(bool(costs), "claimant_order", where, [], "claimants")
        self._join_cycle(terms, where)
        scheme = Scheme(terms, {}, event.block_time)
        self._books.schemes[scheme_id] = scheme
        _enter(scheme, terms, costs)

    def announced(self, event: Event, where: str) -> None:
        """Check a change that will hold: what it keeps, and that it is not of the past."""
        scheme = self._scheme(event, SchemeState.OPEN, where)
        if scheme is None:
            return
        args = event.args
        self._check_terms(args["terms"], args["costs"], where)
        for name in _KEPT:
            got, expected = args["terms"][name], scheme.terms[name]
            self._findings.same("change_differs", f"{where}, {name}", got, expected)
        is_ahead = args["change_from"] >= event.block_time
        self._findings.require(
            is_ahead, "change_time", where, args["change_from"], f"{event.block_time} or later"
        )
        scheme.announced = args

    def changed(self, event: Event, where: str) -> None:
        """Check that what comes into force is what was announced, and not before its time."""
        scheme = self._scheme(event, SchemeState.OPEN, where)
        if scheme is None:
            return
        args, announced = event.args, scheme.announced or {}
        for name in ("terms", "costs"):
            self._findings.same("change_differs", where, args[name], announced.get(name))
        due = announced.get("change_from", 0)
        self._findings.require(event.block_time >= due, "change_time", where, event.block_time, due)
        self._findings.same("version_no", where, args["version_no"], scheme.version_no + 1)
        scheme.announced = None
        _enter(scheme, args["terms"], args["costs"])

    def year_closed(self, event: Event, where: str) -> None:
        """Check the close of a year: after its end, when all is split, with its deviation."""
        scheme = self._scheme(event, SchemeState.OPEN, where)
        if scheme is None:
            return
        args, terms = event.args, scheme.terms
        self._findings.count("years_closed")
        year = (datetime.fromtimestamp(event.block_time, UTC) + _CHINA).year
        self._findings.require(year > terms["year"], "year_not_over", where, year, terms["year"])
        self._check_split(args["scheme_id"], where)
        permitted = scheme.cost_micro_fen + scheme.profit_micro_fen + scheme.tax_micro_fen
        income = scheme.income_micro_fen
        self._findings.same("close_income", where, args["income_micro_fen"], income)
        self._findings.same("close_permitted", where, args["permitted_micro_fen"], permitted)
        got = [args["deviation_ppm"], args["outcome"]]
        expected = [0, 0] if terms["is_trial"] else _deviation(income, permitted)
        self._findings.same("close_deviation", where, got, expected)
        scheme.state = SchemeState.YEAR_CLOSED if args["outcome"] else SchemeState.ANSWERED

    def answered(self, event: Event, where: str) -> None:
        """Check who answers a deviation."""
        scheme = self._scheme(event, SchemeState.YEAR_CLOSED, where)
        if scheme is None:
            return
        authority_id, city_code = event.args["authority_id"], scheme.terms["city_code"]
        self._directory.require_role(authority_id, Role.PRICE_AUTHORITY, city_code, where)
        scheme.state = SchemeState.ANSWERED

    def cycle_closed(self, event: Event, where: str) -> None:
        """Check that the reserves went through the cycle's years, and what is carried out."""
        args = event.args
        self._findings.count("cycles_closed")
        cycle = self._books.cycles.get(args["cycle_id"])
        if cycle is None:
            self._findings.add("cycle_unknown", where, args["cycle_id"], "an opened cycle")
            return
        self._findings.same("cycle_twice", where, cycle.instalment_count, 0)
        count = args["instalment_count"]
        is_lawful = 1 <= count <= _YEARS_MAX
        self._findings.require(is_lawful, "instalment_count", where, count, "1 to 3")
        years = [self._books.schemes[scheme_id] for scheme_id in cycle.scheme_ids]
        self._findings.same("fill_count", where, len(args["fills"]), len(years))
        is_due = cycle.previous_id is not None and not cycle.is_poured and self._carry_in(cycle) > 0
        self._findings.require(not is_due, "carry_in_open", where, cycle.previous_id, "poured")
        left = 0
        for scheme in years:
            self._check_split(scheme.terms["scheme_id"], where)
            self._findings.same("scheme_state", where, int(scheme.state), int(SchemeState.ANSWERED))
            scheme.state = SchemeState.CYCLE_CLOSED
            left += scheme.reserve_micro_fen
            scheme.carry_out_micro_fen = scheme.reserve_micro_fen
            scheme.reserve_micro_fen = 0
        for scheme, fill in zip(years, args["fills"], strict=False):
            pooled = [key for key, account in scheme.accounts.items() if account.is_pooled]
            self._fill(scheme, fill, sorted(pooled), left, Reason("cycle_close"), where)
            scheme.carry_out_micro_fen -= left - scheme.reserve_micro_fen
            left, scheme.reserve_micro_fen = scheme.reserve_micro_fen, 0
        self._findings.same("carry_out", where, args["carry_out_micro_fen"], left)
        cycle.instalment_count = count
        cycle.carry_out_micro_fen = args["carry_out_micro_fen"]

    def poured(self, event: Event, where: str) -> None:
        """Check the deduction of earlier cycles' excess."""
        scheme = self._scheme(event, SchemeState.OPEN, where)
        cycle = self._books.cycles.get(event.args["cycle_id"])
        if scheme is None or cycle is None:
            self._findings.add("cycle_unknown", where, event.args["cycle_id"], "an opened cycle")
            return
        amount = event.args["amount_micro_fen"]
        self._findings.same("carry_in", where, amount, self._carry_in(cycle))
        first = cycle.scheme_ids[0]
        self._findings.same("carry_in_year", where, event.args["scheme_id"], first)
        self._findings.require(not cycle.is_poured, "carry_in_twice", where, first, "once")
        cycle.is_poured = True
        costly = [key for key, account in scheme.accounts.items() if account.cost_micro_fen]
        fill = event.args["fill"]
        self._fill(scheme, fill, sorted(costly), amount, Reason("carry_in"), where)
        scheme.carry_in_micro_fen += amount

    def _check_split(self, scheme_id: UUID, where: str) -> None:
        """Check that no bill of a scheme is open and no income waits to be split."""
        unsplit = [
            str(key)
            for key, invoice in self._books.invoices.items()
            if invoice.scheme_id == scheme_id and invoice.state < InvoiceState.SPLIT
        ]
        self._findings.same("close_unsplit", where, unsplit, [])

    def _fill(
        self,
        scheme: Scheme,
        fill: dict[str, Any],
        expected: list[UUID],
        amount: int,
        reason: Reason,
        where: str,
    ) -> None:
        ids = list(fill["claimant_ids"])
        if self._findings.same("fill_claimants", where, ids, expected):
            listed = [Listed(key, scheme.accounts[key].cost_micro_fen) for key in ids]
            check = TierCheck(self._findings, scheme, self._grade_of, listed)
            check.check(fill["split"], amount, 0, where)
        post(scheme, fill["split"], ids, reason)

    def _carry_in(self, cycle: Cycle) -> int:
        """Return the first instalment of the cycle before, the second of the one before it …"""
        amount, previous_id = 0, cycle.previous_id
        for age in range(1, _YEARS_MAX + 1):
            previous = self._books.cycles.get(previous_id) if previous_id else None
            if previous is None:
                break
            count, whole = previous.instalment_count, previous.carry_out_micro_fen
            if age <= count:
                part = whole // count
                amount += part if age < count else whole - part * (count - 1)
            previous_id = previous.previous_id
        return amount

    def _join_cycle(self, terms: dict[str, Any], where: str) -> None:
        cycle_id, previous_id = terms["cycle_id"], terms["previous_cycle_id"]
        cycle = self._books.cycles.get(cycle_id)
        if cycle is None:
            before = None if previous_id == NOBODY else previous_id
            self._books.cycles[cycle_id] = Cycle([terms["scheme_id"]], before)
            is_known = before is None or before in self._books.cycles
            self._findings.require(is_known, "cycle_mismatch", where, before, "an earlier cycle")
            return
        first = self._books.schemes[cycle.scheme_ids[0]].terms
        got = [terms["operator_id"], terms["city_code"], terms["year"]]
        year = first["year"] + len(cycle.scheme_ids)
        self._findings.same(
            "cycle_mismatch", where, got, [first["operator_id"], first["city_code"], year]
        )
        is_open = len(cycle.scheme_ids) < _YEARS_MAX and not cycle.instalment_count
        self._findings.require(is_open, "cycle_mismatch", where, cycle_id, "an open cycle")
        cycle.scheme_ids.append(terms["scheme_id"])

    def _check_terms(
        self, terms: dict[str, Any], costs: Iterable[dict[str, Any]], where: str
    ) -> None:
        limits = {"spread_ppm": SPREAD_PPM_MAX, "bond_ppm": PPM_WHOLE, "vat_ppm": PPM_WHOLE}
        for name, limit in (limits | {"surcharge_ppm": PPM_WHOLE}).items():
            self._findings.require(
                terms[name] <= limit, "rate_too_large", f"{where}, {name}", terms[name], limit
            )
        days = terms["hold_days"]
        self._findings.require(days <= HOLD_DAYS_MAX, "hold_too_long", where, days, HOLD_DAYS_MAX)
        vector = sum(terms[name] for name in _VECTOR)
        expected = 0 if terms["is_trial"] else PPM_WHOLE
        self._findings.same("profit_vector", where, vector, expected)
        is_held = terms["governance_ppm"] == 0 or terms["governance_id"] != NOBODY
        self._findings.require(is_held, "profit_vector", where, NOBODY, "who holds governance")
        ids = [cost["claimant_id"] for cost in costs]
        self._findings.same("claimant_order", where, ids, sorted(set(ids)))

    def _scheme(self, event: Event, state: SchemeState, where: str) -> Scheme | None:
        scheme = self._books.schemes.get(event.args["scheme_id"])
        if scheme is None:
            self._findings.add("scheme_unknown", where, event.args["scheme_id"], "an approved one")
            return None
        self._findings.same("scheme_state", where, int(scheme.state), int(state))
        return scheme


def _enter(scheme: Scheme, terms: dict[str, Any], costs: Iterable[dict[str, Any]]) -> None:
    """Take a version into force; nothing falls below what was posted under those before."""
    organisations = (terms["operator_id"], terms["platform_id"])
    for cost in costs:
        account = scheme.accounts.setdefault(cost["claimant_id"], Account())
        whole = _whole_fen(account.recovered_micro_fen)
        account.cost_micro_fen = max(cost["cost_fen"] * MICRO_FEN_PER_FEN, whole)
        account.is_pooled = account.is_pooled or cost["claimant_id"] in organisations
    rate = 0 if terms["is_trial"] else terms["bond_ppm"] + terms["spread_ppm"]
    profit = scheme.cost_micro_fen // MICRO_FEN_PER_FEN * rate
    scheme.profit_micro_fen = max(profit, scheme.benefit_micro_fen)
    tax = terms["tax_fen"] * MICRO_FEN_PER_FEN
    scheme.tax_micro_fen = max(tax, _whole_fen(scheme.tax_taken_micro_fen))
    scheme.terms = terms
    scheme.version_no += 1


def _whole_fen(amount_micro_fen: int) -> int:
    """Return µfen rounded up to the whole fen, in µfen."""
    return -(-amount_micro_fen // MICRO_FEN_PER_FEN) * MICRO_FEN_PER_FEN


def _deviation(income: int, permitted: int) -> list[int]:
    distance = abs(income - permitted) * PPM_WHOLE
    is_within = distance <= permitted * _DEVIATION_LIMIT_PPM
    ppm = min(distance // permitted, UINT32_MAX) if permitted else 0
    return [ppm, int(CloseOutcome.ADJUST_PRICE if is_within else CloseOutcome.ADJUST_CAP)]
