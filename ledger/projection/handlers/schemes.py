"""Events of RevenueLedger about schemes: approval, change, the close of years and cycles."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, select

from ledger.domain.codes import SchemeState
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection.handlers.base import change, handles, insert, insert_all
from ledger.projection.handlers.basis import basis_of
from ledger.projection.handlers.shares import (
    find_account,
    lines_of,
    open_account,
    post,
    scheme_row,
    some,
)
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import (
    cycles,
    fill_lines,
    fills,
    scheme_accounts,
    scheme_versions,
    schemes,
    year_closes,
)

_CYCLE = select(cycles).where(cycles.c.cycle_id == bindparam("cycle_id"))
_YEARS = (
    select(schemes.c.scheme_id)
    .where(schemes.c.cycle_id == bindparam("cycle_id"))
    .order_by(schemes.c.year)
)
_TERMS = (
    "is_trial",
    "bond_ppm",
    "spread_ppm",
    "surcharge_ppm",
    "vat_ppm",
    "providers_ppm",
    "operator_ppm",
    "platform_ppm",
    "governance_ppm",
    "hold_days",
    "decision_digest",
)


@handles("SchemeApproved")
def scheme_approved(connection: Connection, event: StoredEvent) -> None:
    """A scheme is approved: what each claimant may recover."""
    terms, costs = event.args["terms"], event.args["costs"]
    _join_cycle(connection, terms)
    zeros = dict.fromkeys(
        ("tax_taken", "recovered", "benefit", "forgone", "reserve", "cost", "profit", "tax"), 0
    )
    insert(
        connection,
        schemes,
        **{name: terms[name] for name in _TERMS},
        **{name: terms[name] for name in ("scheme_id", "operator_id", "platform_id", "cycle_id")},
        **{f"{name}_micro_fen": value for name, value in zeros.items()},
        city_code=terms["city_code"],
        year=terms["year"],
        governance_id=some(terms["governance_id"]),
        release_count=0,
        split_count=0,
        state=SchemeState.OPEN,
        version_no=1,
        approved_at=event.block_time,
    )
    _version(connection, event, 1, event.block_time)
    _enter(connection, terms, costs)


@handles("SchemeChangeAnnounced")
def change_announced(connection: Connection, event: StoredEvent) -> None:
    """Another version will hold; it replaces one that was announced and is not in force."""
    scheme = scheme_row(connection, event.args["scheme_id"])
    number = scheme["version_no"] + 1
    connection.execute(
        scheme_versions.delete().where(
            scheme_versions.c.scheme_id == scheme["scheme_id"],
            scheme_versions.c.version_no == number,
        )
    )
    _version(connection, event, number, None)


@handles("SchemeChanged")
def scheme_changed(connection: Connection, event: StoredEvent) -> None:
    """The announced version is in force."""
    terms, number = event.args["terms"], event.args["version_no"]
    scheme_id = event.args["scheme_id"]
    key = {"scheme_id": scheme_id, "version_no": number}
    change(connection, scheme_versions, key, in_force_at=event.block_time)
    change(
        connection,
        schemes,
        {"scheme_id": scheme_id},
        governance_id=some(terms["governance_id"]),
        version_no=number,
        **{name: terms[name] for name in _TERMS},
    )
    _enter(connection, terms, event.args["costs"])


@handles("YearClosed")
def year_closed(connection: Connection, event: StoredEvent) -> None:
    """A year ends with its deviation; a trial has none, so nothing waits for an answer."""
    args = event.args
    insert(
        connection,
        year_closes,
        scheme_id=args["scheme_id"],
        income_micro_fen=args["income_micro_fen"],
        permitted_micro_fen=args["permitted_micro_fen"],
        deviation_ppm=args["deviation_ppm"],
        outcome=args["outcome"],
        document_digest=args["document_digest"],
        closed_at=event.block_time,
        response_digest=None,
        answered_at=None,
    )
    state = SchemeState.YEAR_CLOSED if args["outcome"] else SchemeState.ANSWERED
    change(connection, schemes, {"scheme_id": args["scheme_id"]}, state=state)


@handles("DeviationAnswered")
def deviation_answered(connection: Connection, event: StoredEvent) -> None:
    """The price authority has answered what the deviation asked."""
    key = {"scheme_id": event.args["scheme_id"]}
    change(
        connection,
        year_closes,
        key,
        response_digest=event.args["response_digest"],
        answered_at=event.block_time,
    )
    change(connection, schemes, key, state=SchemeState.ANSWERED)


@handles("CycleClosed")
def cycle_closed(connection: Connection, event: StoredEvent) -> None:
    """All reserves of the cycle pass through its years, oldest first; the rest is carried out."""
    cycle_id = event.args["cycle_id"]
    years = connection.execute(_YEARS, {"cycle_id": cycle_id}).scalars().all()
    left = 0
    for scheme_id in years:
        left += scheme_row(connection, scheme_id)["reserve_micro_fen"]
        key = {"scheme_id": scheme_id}
        change(connection, schemes, key, reserve_micro_fen=0, state=SchemeState.CYCLE_CLOSED)
    for scheme_id, fill in zip(years, event.args["fills"], strict=True):
        _fill(connection, event, scheme_id, cycle_id, fill, left, is_carry_in=False)
        left = fill["split"]["reserve_micro_fen"]
        change(connection, schemes, {"scheme_id": scheme_id}, reserve_micro_fen=0)
    change(
        connection,
        cycles,
        {"cycle_id": cycle_id},
        instalment_count=event.args["instalment_count"],
        carry_out_micro_fen=event.args["carry_out_micro_fen"],
        decision_digest=event.args["decision_digest"],
        closed_at=event.block_time,
    )


@handles("CarryInPoured")
def carry_in_poured(connection: Connection, event: StoredEvent) -> None:
    """What earlier cycles recovered too much takes room of the new cycle's first year."""
    args = event.args
    amount = args["amount_micro_fen"]
    _fill(
        connection,
        event,
        args["scheme_id"],
        args["cycle_id"],
        args["fill"],
        amount,
        is_carry_in=True,
    )
    change(connection, cycles, {"cycle_id": args["cycle_id"]}, is_poured=True)


def _fill(
    connection: Connection,
    event: StoredEvent,
    scheme_id: Any,
    cycle_id: Any,
    fill: dict[str, Any],
    amount: int,
    *,
    is_carry_in: bool,
) -> None:
    scheme = scheme_row(connection, scheme_id)
    found = lines_of(scheme, fill["split"], fill["claimant_ids"], amount)
    key = {"scheme_id": scheme_id, "is_carry_in": is_carry_in}
    insert(
        connection,
        fills,
        **key,
        event_no=event.event_no,
        cycle_id=cycle_id,
        amount_micro_fen=amount,
        forgone_micro_fen=fill["split"]["forgone_micro_fen"],
        basis=basis_of(connection, scheme, found),
        recorded_at=event.block_time,
        tx_hash=event.tx_hash,
    )
    insert_all(connection, fill_lines, [line.row(**key) for line in found])
    post(connection, scheme, found, fill["split"]["forgone_micro_fen"])


def _version(
    connection: Connection, event: StoredEvent, number: int, in_force_at: int | None
) -> None:
    insert(
        connection,
        scheme_versions,
        scheme_id=event.args["scheme_id"],
        version_no=number,
        change_from=event.args.get("change_from", event.block_time),
        in_force_at=in_force_at,
        terms=event.args["terms"],
        costs=event.args["costs"],
    )


def _join_cycle(connection: Connection, terms: dict[str, Any]) -> None:
    key = {"cycle_id": terms["cycle_id"]}
    found = connection.execute(_CYCLE, key).mappings().one_or_none()
    if found is not None:
        change(connection, cycles, key, year_count=found["year_count"] + 1)
        return
    insert(
        connection,
        cycles,
        **key,
        operator_id=terms["operator_id"],
        city_code=terms["city_code"],
        first_year=terms["year"],
        year_count=1,
        previous_id=some(terms["previous_cycle_id"]),
        is_poured=False,
        instalment_count=0,
        carry_out_micro_fen=0,
        decision_digest=None,
        closed_at=None,
    )


def _enter(connection: Connection, terms: dict[str, Any], costs: list[dict[str, Any]]) -> None:
    """Enter costs, tax and profit; none falls below what was posted to it already."""
    scheme = scheme_row(connection, terms["scheme_id"])
    total = scheme["cost_micro_fen"]
    for cost in costs:
        total += _enter_cost(connection, scheme, cost["claimant_id"], cost["cost_fen"])
    tax = max(terms["tax_fen"] * MICRO_FEN_PER_FEN, _whole(scheme["tax_taken_micro_fen"]))
    rate = 0 if terms["is_trial"] else terms["bond_ppm"] + terms["spread_ppm"]
    change(
        connection,
        schemes,
        {"scheme_id": terms["scheme_id"]},
        cost_micro_fen=total,
        tax_micro_fen=tax,
        profit_micro_fen=max(total // MICRO_FEN_PER_FEN * rate, scheme["benefit_micro_fen"]),
    )


def _enter_cost(
    connection: Connection, scheme: dict[str, Any], claimant_id: Any, cost_fen: int
) -> int:
    """Return by how much the cost of a claimant changes."""
    is_organisation = str(claimant_id) in (str(scheme["operator_id"]), str(scheme["platform_id"]))
    before = find_account(connection, scheme["scheme_id"], claimant_id)
    if before is None:
        cost = cost_fen * MICRO_FEN_PER_FEN
        open_account(connection, scheme["scheme_id"], claimant_id, cost, is_organisation)
        return cost
    cost = max(cost_fen * MICRO_FEN_PER_FEN, _whole(before["recovered_micro_fen"]))
    change(
        connection,
        scheme_accounts,
        {"scheme_id": scheme["scheme_id"], "claimant_id": claimant_id},
        cost_micro_fen=cost,
        is_pooled=before["is_pooled"] or is_organisation,
    )
    return int(cost - before["cost_micro_fen"])


def _whole(amount_micro_fen: int) -> int:
    """Return an amount in µfen rounded up to the whole fen: approved amounts are whole."""
    return -(-amount_micro_fen // MICRO_FEN_PER_FEN) * MICRO_FEN_PER_FEN
