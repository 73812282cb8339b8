"""What people ask about objections: one case with its clock, work, statistics, papers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from ledger.app.lookup import plain
from ledger.app.market import Market
from ledger.app.names import display_names
from ledger.domain.calendar import period_of, period_text
from ledger.domain.ids import digest_text
from ledger.domain.objections import (
    RESPONSIBLE,
    Ground,
    ObjectionState,
    Outcome,
    ReliefRoute,
    SubjectKind,
    subject_text,
)
from ledger.projection import queries

_PAGE = 500
_LIVE = [int(state) for state in ObjectionState if state.is_live]
_FINAL = [int(state) for state in ObjectionState if not state.is_live]


def objection_found(market: Market, objection_id: UUID) -> dict[str, Any]:
    """Return one case ready for a page: codes by name, names of parties, steps, shares, clocks.

    Raises:
        NotFoundError: it is unknown.
    """
    with market.read() as connection:
        row = queries.objection(connection, objection_id)
        steps = queries.steps_of_objection(connection, objection_id)
        shares = queries.shares_of_objection(connection, objection_id)
    names = display_names(market)
    involved = {row.objector_id, row.respondent_id, *(step.actor_id for step in steps)}
    involved |= {share.organisation_id for share in shares}
    return (
        plain(row)
        | _summary(row, market.now_seconds())
        | {
            "responsible_roles": [role.name.lower() for role in RESPONSIBLE[Ground(row.ground)]],
            "relief_route": _name(ReliefRoute, row.relief_route),
            "names": {str(key): names[key] for key in involved if key in names},
            "steps": [_step(step) for step in steps],
            "shares": [plain(share) for share in shares],
        }
    )


def work_list(
    market: Market,
    *,
    city_code: int | None = None,
    party_id: UUID | None = None,
    is_live: bool = True,
    is_overdue: bool = False,
) -> list[dict[str, Any]]:
    """Return cases with when their next step is due, the most urgent first.

    Args:
        city_code: only cases of this city.
        party_id: only cases of this objector, respondent or handler.
        is_live: cases that run; those at their end when false.
        is_overdue: only cases whose clock has run out.
    """
    now = market.now_seconds()
    states = _LIVE if is_live else _FINAL
    found = [
        _summary(row, now)
        for row in _rows(market, states=states, city_code=city_code, party_id=party_id)
    ]
    wanted = [row for row in found if row["is_overdue"] or not is_overdue]
    return sorted(wanted, key=lambda row: (row["next_due_at"], row["objection_id"]))


def objection_statistics(
    market: Market, *, city_code: int | None = None, first: int = 0, last: int = 2**40
) -> dict[str, Any]:
    """Return how many cases there were by ground, outcome, state, month and city; for regulators.

    Args:
        city_code: only cases of this city.
        first: opened at or after, Unix seconds.
        last: opened before, Unix seconds.
    """
    now = market.now_seconds()
    rows = list(_rows(market, city_code=city_code, opened_from=first, opened_until=last))
    ended = [row for row in rows if row.ended_at]
    seconds = sum(row.ended_at - row.opened_at for row in ended)
    return {
        "total": len(rows),
        "open": len(rows) - len(ended),
        "overdue": sum(_is_overdue(row, now) for row in rows),
        "escalated": sum(row.escalation_count > 0 for row in rows),
        "holding": sum(row.is_holding for row in rows),
        "refunded_fen": sum(row.refund_fen for row in rows if row.state >= ObjectionState.EXECUTED),
        "mean_seconds": seconds // len(ended) if ended else 0,
        "by_ground": _counted("ground", (_name(Ground, row.ground) for row in rows)),
        "by_outcome": _counted("outcome", (_name(Outcome, row.outcome) for row in rows)),
        "by_state": _counted("state", (_name(ObjectionState, row.state) for row in rows)),
        "by_month": _counted("month", (period_text(period_of(row.opened_at)) for row in rows)),
        "by_city": _counted("city_code", (row.city_code for row in rows)),
    }


def objection_papers(market: Market, objection_id: UUID) -> list[dict[str, Any]]:
    """Return the documents of a case that are here, in the order of its steps; for its parties.

    Raises:
        NotFoundError: the case is unknown.
    """
    with market.read() as connection:
        row = queries.objection(connection, objection_id)
        steps = queries.steps_of_objection(connection, objection_id)
    digests = [row.statement_digest, row.fact_digest]
    digests += [bytes.fromhex(text[2:]) for text in row.evidence_digests]
    digests += [step.document_digest for step in steps[1:] if step.document_digest]
    found = []
    for digest in dict.fromkeys(digests):
        document = market.documents.find(digest)
        record = dict(document.record) if document else {"type": "missing"}
        found.append({"digest": digest_text(digest)} | record)
    return found


def parties_of_objection(market: Market, objection_id: UUID) -> set[UUID]:
    """Return who may read the papers of a case: objector, respondent, and who acted in it.

    Raises:
        NotFoundError: the case is unknown.
    """
    with market.read() as connection:
        row = queries.objection(connection, objection_id)
        steps = queries.steps_of_objection(connection, objection_id)
    actors = {step.actor_id for step in steps if step.kind != "escalated"}
    return {row.objector_id, row.respondent_id, *actors}


def _rows(market: Market, **wanted: Any) -> Iterator[queries.ObjectionRow]:
    offset = 0
    with market.read() as connection:
        while True:
            page = queries.objections_page(connection, limit=_PAGE, offset=offset, **wanted)
            yield from page.items
            offset += len(page.items)
            if offset >= page.total:
                return


def _summary(row: queries.ObjectionRow, now: int) -> dict[str, Any]:
    return {
        "objection_id": str(row.objection_id),
        "objector_id": str(row.objector_id),
        "respondent_id": str(row.respondent_id),
        "handler_id": str(row.handler_id) if row.handler_id else None,
        "subject_kind": _name(SubjectKind, row.subject_kind),
        "subject": subject_text(row.subject_kind, row.subject_id),
        "ground": _name(Ground, row.ground),
        "city_code": row.city_code,
        "state": _name(ObjectionState, row.state),
        "outcome": _name(Outcome, row.outcome),
        "competent_role": "registrar" if row.is_of_platform or row.escalation_count else "handler",
        "is_holding": row.is_holding,
        "opened_at": row.opened_at,
        "next_due_at": row.next_due_at,
        "is_overdue": _is_overdue(row, now),
        "seen_at": now,
    }


def _is_overdue(row: queries.ObjectionRow, now: int) -> bool:
    return 0 < row.next_due_at < now


def _step(step: queries.ObjectionStepRow) -> dict[str, Any]:
    return plain(step) | {
        "from_state": _name(ObjectionState, step.from_state),
        "to_state": _name(ObjectionState, step.to_state),
    }


def _name(kind: Any, number: int) -> str | None:
    return str(kind(number).name.lower()) if number else None


def _counted(key: str, values: Any) -> list[dict[str, Any]]:
    counts = Counter(values)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return [{key: value, "count": count} for value, count in ordered]
