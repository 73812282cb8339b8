"""Pricing schemes: approval, change, the close of a year and of a cycle.

The fills of a close are computed here and checked by the contract against the same rules.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command, parse_hex
from ledger.app.datasets import decision_document
from ledger.app.errors import ChangeAbsentError
from ledger.app.fields import (
    CityCode,
    HoldDaysField,
    Id,
    IncomeField,
    InstantField,
    Part,
    PpmField,
    Text,
    fresh_id,
)
from ledger.app.market import Market
from ledger.app.scheme_state import on_chain, pool_of, quality_of, state_of
from ledger.domain.ids import ClaimantId
from ledger.domain.money import CLAIMANT_COUNT_MAX, CYCLE_COUNT_MAX, DEFAULT_PROFIT
from ledger.domain.units import SPREAD_PPM_MAX, MicroFen
from ledger.projection import queries
from ledger.projection.queries.schemes import CycleRow, SchemeRow
from ledger.revenue.close import carry_out_instalments
from ledger.revenue.waterfall import pour

Connection = Any
"""A read connection as `Market.read` gives it."""
NOBODY = UUID(int=0)
_TRIAL_PROFIT = {"providers_ppm": 0, "operator_ppm": 0, "platform_ppm": 0, "governance_ppm": 0}


class CostField(Part):
    """The approved cost of one claimant for the year."""

    claimant_id: Id
    cost_fen: IncomeField


class ProfitField(Part):
    """How permitted profit is shared, in ppm that sum to 1,000,000."""

    providers_ppm: PpmField
    operator_ppm: PpmField
    platform_ppm: PpmField
    governance_ppm: PpmField


class SchemeFields(CommandRequest):
    """What approval and change of a scheme have in common."""

    bond_ppm: PpmField
    spread_ppm: Annotated[int, Field(ge=0, le=SPREAD_PPM_MAX)]
    surcharge_ppm: PpmField
    vat_ppm: PpmField
    tax_fen: IncomeField
    hold_days: HoldDaysField
    is_trial: bool = False
    profit: ProfitField | None = None
    """The demonstration's vector when absent: no national ratio exists."""
    governance_id: Id | None = None
    """Who holds the share for governance; the approving authority when absent."""
    reason: Text


class ApproveScheme(SchemeFields):
    """What the price authority approves for an operator and a year."""

    scheme_id: Id = Field(default_factory=fresh_id)
    operator_id: Id
    platform_id: Id | None = None
    """The city's platform when absent, or else the operator."""
    cycle_id: Id | None = None
    """A cycle of its own when absent."""
    previous_cycle_id: Id | None = None
    city_code: CityCode
    year: Annotated[int, Field(ge=2000, le=2999)]
    costs: Annotated[list[CostField], Field(min_length=1, max_length=CLAIMANT_COUNT_MAX)]


class AnnounceChange(SchemeFields):
    """Another version of a scheme, and from when on it holds; `costs` are those that change."""

    scheme_id: Id
    change_from: InstantField
    costs: Annotated[list[CostField], Field(default_factory=list, max_length=CLAIMANT_COUNT_MAX)]


class EnactChange(CommandRequest):
    """The announced change of a scheme, whose time has come."""

    scheme_id: Id


class CloseYear(CommandRequest):
    """The end of an accounting year, with the operator's annual accounts."""

    scheme_id: Id
    accounts: Text


class AnswerDeviation(CommandRequest):
    """The price authority's response to a year's deviation."""

    scheme_id: Id
    response: Text


class CloseCycle(CommandRequest):
    """The end of a cycle; its excess is deducted over so many later cycles."""

    cycle_id: Id
    instalments: Annotated[int, Field(ge=1, le=CYCLE_COUNT_MAX)]
    reason: Text


class PourCarryIn(CommandRequest):
    """The deduction of earlier cycles, poured into the first year of the scheme's cycle."""

    scheme_id: Id


@command("approve-scheme", ApproveScheme, "Approve a pricing scheme", "核定定价方案")
def approve_scheme(market: Market, actor_id: UUID | None, request: ApproveScheme) -> Command:
    """Plan the approval; costs go on chain in ascending order of ids."""
    decision = decision_document("scheme", request.scheme_id, request.reason)
    with market.read() as connection:
        platform_id = queries.platform_of(connection, request.city_code)
    terms = _terms(request, actor_id) | {
        "scheme_id": request.scheme_id,
        "operator_id": request.operator_id,
        "platform_id": request.platform_id or platform_id or request.operator_id,
        "cycle_id": request.cycle_id or request.scheme_id,
        "previous_cycle_id": request.previous_cycle_id or NOBODY,
        "city_code": request.city_code,
        "year": request.year,
        "decision_digest": decision.digest,
    }
    return Command(
        "revenue",
        "approveScheme",
        (terms, _costs(request.costs)),
        (decision,),
        {"scheme_id": str(request.scheme_id), "cycle_id": str(terms["cycle_id"])},
    )


@command("announce-change", AnnounceChange, "Announce a change of a scheme", "公告方案调整")
def announce_change(market: Market, actor_id: UUID | None, request: AnnounceChange) -> Command:
    """Plan the announcement of another version."""
    decision = decision_document("scheme", request.scheme_id, request.reason)
    with market.read() as connection:
        scheme = queries.scheme(connection, request.scheme_id)
        cycle = queries.cycle(connection, scheme.cycle_id)
    terms = _terms(request, actor_id) | {
        "scheme_id": request.scheme_id,
        "operator_id": scheme.operator_id,
        "platform_id": scheme.platform_id,
        "cycle_id": scheme.cycle_id,
        "previous_cycle_id": cycle.previous_id or NOBODY,
        "city_code": scheme.city_code,
        "year": scheme.year,
        "decision_digest": decision.digest,
    }
    return Command(
        "revenue",
        "announceChange",
        (terms, _costs(request.costs), request.change_from),
        (decision,),
        {"scheme_id": str(request.scheme_id), "change_from": request.change_from},
    )


@command("enact-change", EnactChange, "Bring a scheme's change into force", "方案调整生效")
def enact_change(market: Market, actor_id: UUID | None, request: EnactChange) -> Command:
    """Plan the entry of what was announced.

    Raises:
        ChangeAbsentError: nothing is announced.
    """
    with market.read() as connection:
        versions = queries.versions_of_scheme(connection, request.scheme_id)
    if not versions or versions[-1].in_force_at is not None:
        raise ChangeAbsentError(
            "no change of this scheme is announced",
            field="scheme_id",
            got=str(request.scheme_id),
            expected="a scheme with an announced change",
        )
    announced = versions[-1]
    return Command(
        "revenue",
        "enactChange",
        (_decoded(announced.terms), [_decoded(cost) for cost in announced.costs]),
        result={"scheme_id": str(request.scheme_id), "version_no": announced.version_no},
    )


@command("close-year", CloseYear, "Close an accounting year", "年度结账")
def close_year(market: Market, actor_id: UUID | None, request: CloseYear) -> Command:
    """Plan the close of a year."""
    accounts = decision_document("annual_accounts", request.scheme_id, request.accounts)
    return Command(
        "revenue",
        "closeYear",
        (request.scheme_id, accounts.digest),
        (accounts,),
        {"scheme_id": str(request.scheme_id)},
    )


@command("answer-deviation", AnswerDeviation, "Answer a year's deviation", "回应年度偏离")
def answer_deviation(market: Market, actor_id: UUID | None, request: AnswerDeviation) -> Command:
    """Plan the record of the authority's response."""
    response = decision_document("deviation_response", request.scheme_id, request.response)
    return Command(
        "revenue",
        "answerDeviation",
        (request.scheme_id, response.digest),
        (response,),
        {"scheme_id": str(request.scheme_id)},
    )


@command("close-cycle", CloseCycle, "Close a review cycle", "监管周期结账")
def close_cycle(market: Market, actor_id: UUID | None, request: CloseCycle) -> Command:
    """Plan the close of a cycle: reserves through its years, oldest first, the rest carried out."""
    decision = decision_document("cycle", request.cycle_id, request.reason)
    with market.read() as connection:
        years = queries.years_of(connection, request.cycle_id)
        left = sum(year.reserve_micro_fen for year in years)
        fills = []
        for year in years:
            fill = _fill(connection, year, left, is_carry_in=False)
            left = fill["split"]["reserve_micro_fen"]
            fills.append(fill)
    return Command(
        "revenue",
        "closeCycle",
        (request.cycle_id, request.instalments, fills, decision.digest),
        (decision,),
        {
            "cycle_id": str(request.cycle_id),
            "carry_out_micro_fen": str(left),
            "instalments_micro_fen": [
                str(part) for part in carry_out_instalments(MicroFen(left), request.instalments)
            ],
        },
    )


@command("pour-carry-in", PourCarryIn, "Deduct an earlier cycle's excess", "上期超收扣减")
def pour_carry_in(market: Market, actor_id: UUID | None, request: PourCarryIn) -> Command:
    """Plan the pour of what earlier cycles recovered too much."""
    with market.read() as connection:
        scheme = queries.scheme(connection, request.scheme_id)
        amount = carry_in_micro_fen(connection, queries.cycle(connection, scheme.cycle_id))
        fill = _fill(connection, scheme, amount, is_carry_in=True)
    return Command(
        "revenue",
        "pourCarryIn",
        (request.scheme_id, fill),
        result={"scheme_id": str(request.scheme_id), "carry_in_micro_fen": str(amount)},
    )


def carry_in_micro_fen(connection: Connection, cycle: CycleRow) -> int:
    """Return what a cycle deducts: the first instalment of the one before it, and so on."""
    amount, previous_id = 0, cycle.previous_id
    for age in range(CYCLE_COUNT_MAX):
        if previous_id is None:
            break
        previous = queries.cycle(connection, previous_id)
        if age < previous.instalment_count:
            carry_out = MicroFen(previous.carry_out_micro_fen)
            amount += carry_out_instalments(carry_out, previous.instalment_count)[age]
        previous_id = previous.previous_id
    return amount


def _fill(
    connection: Connection, scheme: SchemeRow, amount: int, *, is_carry_in: bool
) -> dict[str, Any]:
    accounts = queries.accounts_of(connection, scheme.scheme_id)
    state = state_of(scheme, accounts)
    costly = [ClaimantId(row.claimant_id) for row in accounts if row.cost_micro_fen]
    listed = sorted(costly) if is_carry_in else pool_of(accounts)
    split = pour(state, MicroFen(amount), listed, quality=quality_of(connection))
    return {"claimant_ids": listed, "split": on_chain(split, state, listed)}


def _terms(request: SchemeFields, actor_id: UUID | None) -> dict[str, Any]:
    profit = request.profit.model_dump() if request.profit else _default_profit()
    governance_id = request.governance_id or actor_id or NOBODY
    return {
        "bond_ppm": request.bond_ppm,
        "spread_ppm": request.spread_ppm,
        "surcharge_ppm": request.surcharge_ppm,
        "vat_ppm": request.vat_ppm,
        "tax_fen": request.tax_fen,
        "hold_days": request.hold_days,
        "is_trial": request.is_trial,
        "governance_id": NOBODY if request.is_trial else governance_id,
    } | (_TRIAL_PROFIT if request.is_trial else profit)


def _default_profit() -> dict[str, int]:
    return {
        "providers_ppm": int(DEFAULT_PROFIT.providers_ppm),
        "operator_ppm": int(DEFAULT_PROFIT.operator_ppm),
        "platform_ppm": int(DEFAULT_PROFIT.platform_ppm),
        "governance_ppm": int(DEFAULT_PROFIT.governance_ppm),
    }


def _costs(costs: list[CostField]) -> list[dict[str, Any]]:
    return sorted(
        (cost.model_dump(mode="python") for cost in costs), key=lambda cost: cost["claimant_id"]
    )


def _decoded(stored: dict[str, Any]) -> dict[str, Any]:
    """Return stored fields as the contract takes them: ids and digests are text there."""
    return {
        key: UUID(value)
        if key.endswith("_id")
        else parse_hex(value, key)
        if key.endswith("_digest")
        else value
        for key, value in stored.items()
    }
