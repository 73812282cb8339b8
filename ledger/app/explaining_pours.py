"""Why a line of a pour is what it is: an earlier cycle's excess, or the cycle's own reserve.

A line is named `<scheme>/<tier>/<position>@<event>`, as statements name it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from uuid import UUID

from ledger.app.explaining_batches import Step, pour_line_name
from ledger.app.market import Market
from ledger.app.names import display_names
from ledger.app.sharing import SharePlace, share_steps
from ledger.domain.calendar import instant_text
from ledger.domain.money import Tier
from ledger.projection import queries
from ledger.projection.errors import NotFoundError

CARRY_RULE = "发改价格〔2025〕65号: 在不同周期平滑处理, over 1 to 3 cycles"
CLOSE_RULE = "domain report 4.3 step 11: the reserve fills the cycle's years, oldest first"
Found = tuple[dict[str, Any], set[UUID]]


def explain_pour_line(market: Market, scheme_id: UUID, place: tuple[int, int, int]) -> Found | None:
    """Explain a line of a pour; None where no pour has it.

    Args:
        market: the market.
        scheme_id: scheme that was poured into.
        place: tier, position and number of the event.
    """
    tier, position, event_no = place
    with market.read() as connection:
        pours = queries.fills_of(connection, scheme_id)
        pour = next((item for item in pours if item.fill.event_no == event_no), None)
        named = [
            line
            for line in (pour.lines if pour else ())
            if (line.tier, line.position) == (tier, position)
        ]
        if pour is None or not named:
            return None
        line = named[0]
        shared = share_steps(SharePlace.of_pour(connection, pour), line)
        steps = [_source(connection, pour), *shared]
        parties = {queries.scheme(connection, scheme_id).operator_id}
        if line.claimant_id is not None:
            parties.add(queries.earner_of(connection, line.claimant_id))
            parties.add(queries.payee_of_claimant(connection, line.claimant_id))
    names = display_names(market)
    return {
        "kind": "line",
        "name": pour_line_name(pour, line),
        "tier": Tier(tier).name.lower(),
        "claimant_id": str(line.claimant_id) if line.claimant_id else None,
        "claimant": names.get(line.claimant_id) if line.claimant_id else None,
        "amount_micro_fen": str(line.amount_micro_fen),
        "poured_at": instant_text(pour.fill.recorded_at),
        "steps": [step.as_dict() for step in steps],
    }, parties


def _source(connection: Any, pour: queries.FillDetail) -> Step:
    if pour.fill.is_carry_in:
        return _carried_in(connection, pour)
    return _closed(connection, pour)


def _carried_in(connection: Any, pour: queries.FillDetail) -> Step:
    """Return the instalments of the cycles before that fall into this one."""
    cycle = queries.cycle(connection, pour.fill.cycle_id)
    lines, age, previous_id, total = [], 1, cycle.previous_id, 0
    while previous_id is not None:
        previous = queries.cycle(connection, previous_id)
        count, carried = previous.instalment_count, previous.carry_out_micro_fen
        if 0 < age <= count:
            part = carried // count
            if age == count:
                part = carried - part * (count - 1)
            total += part
            how = f"{carried} / {count}, instalment {age} of {count}"
            lines.append(f"cycle {previous_id}: {how} = {part} µfen")
        age, previous_id = age + 1, previous.previous_id
    lines.append(f"poured into year {cycle.first_year}: {total} µfen")
    recorded = f"recorded {pour.fill.amount_micro_fen} µfen, event {pour.fill.event_no}"
    return Step("期初结转 Carry-in poured", CARRY_RULE, (*lines, recorded))


def _closed(connection: Any, pour: queries.FillDetail) -> Step:
    """Return what the reserves of the cycle were, and what the years before this one took."""
    fills, left = [], pour.fill.amount_micro_fen
    for year in queries.years_of(connection, pour.fill.cycle_id):
        own = queries.fills_of(connection, year.scheme_id)
        closing = next((item for item in own if not item.fill.is_carry_in), None)
        if closing is None:
            raise NotFoundError("a closed year without its fill", got=str(year.scheme_id))
        fills.append((year, closing))
        if year.scheme_id == pour.fill.scheme_id:
            break
    first = fills[0][1].fill.amount_micro_fen
    lines = [f"reserves of the cycle's years together: {first} µfen"]
    for (year, closing), (_, following) in pairwise(fills):
        before, after = closing.fill.amount_micro_fen, following.fill.amount_micro_fen
        lines.append(f"year {year.year} took {before} − {after} = {before - after} µfen")
    lines.append(f"poured into year {fills[-1][0].year}: {left} µfen, event {pour.fill.event_no}")
    return Step("周期清算 Close of the cycle", CLOSE_RULE, tuple(lines))
