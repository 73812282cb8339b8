"""The verifier finds every wrong step, clock, handler, share and effect of an objection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.events import Event
from ledger.verification import verify
from ledger.verification.working_days import last_second
from tests.unit import closed_market as c
from tests.unit import verified_market as m
from tests.unit.objection_story import due_after
from tests.unit.test_verification_closing import put

pytestmark = pytest.mark.unit

OF = "organisation_id"
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> c.ClosedMarket:
    return c.ClosedMarket(Path(tmp_path_factory.mktemp("objections")))


def codes(market: c.ClosedMarket, events: list[Event]) -> set[str]:
    report = verify(events, logs=market.logs, documents=market.documents)
    return {finding.code.removeprefix("verify.") for finding in report.findings}


FAULTS: list[tuple[str, int, Change, str]] = [
    ("ObjectionOpened", 0, put("claim", "ground", 1), "objection_ground"),
    ("ObjectionOpened", 0, put("claim", "respondent_id", m.UTILITY), "respondent"),
    ("ObjectionOpened", 0, put("claim", "respondent_id", m.BUYER), "self_objection"),
    ("ObjectionOpened", 0, put("claim", "subject_id", m.uid(99)), "subject_unknown"),
    ("ObjectionOpened", 0, put("claim", "statement_digest", bytes(32)), "document_missing"),
    ("ObjectionOpened", 0, put("claim", "objection_id", m.uid(99)), "objection_id"),
    ("ObjectionOpened", 0, put("city_code", 321100), "objection_city"),
    ("ObjectionOpened", 0, put("is_of_platform", False), "objection_route"),
    ("ObjectionOpened", 0, put("objector_id", m.uid(99)), "objector_unknown"),
    ("ObjectionOpened", 0, put("evidence_digests", []), "evidence_count"),
    ("ObjectionOpened", 0, put("due_at", m.START), "objection_clock"),
    ("ObjectionOpened", 1, put("suspend_due_at", 0), "objection_clock"),
    ("ObjectionAdvanced", 0, put("from", 2), "objection_state"),
    ("ObjectionAdvanced", 0, put("to", 5), "objection_step"),
    ("ObjectionAdvanced", 0, put("due_at", 1), "objection_clock"),
    ("ObjectionAdvanced", 0, put("decide_due_at", 1), "objection_clock"),
    ("ObjectionAdvanced", 0, put("actor_id", m.PLATFORM), "role_missing"),
    ("ObjectionAdvanced", 1, put("actor_id", m.OPERATOR), "not_respondent"),
    ("ObjectionAdvanced", 2, put("actor_id", m.PRICE), "not_handler"),
    ("ObjectionAdvanced", 2, put("document_digest", bytes(32)), "document_missing"),
    ("ObjectionAdvanced", 3, put("document_digest", m.digest(77)), "correction_unknown"),
    ("ObjectionAdvanced", 3, put("to", 8), "objection_step"),
    ("ObjectionAdvanced", 6, put("actor_id", m.PROVIDER), "not_objector"),
    ("ObjectionHoldSet", 0, put("is_holding", False), "hold_twice"),
    ("ObjectionHoldSet", 0, put("document_digest", m.digest(77)), "effect_missing"),
    ("InvoiceFrozen", 0, put("is_frozen", False), "effect_missing"),
    ("InvoiceFrozen", 1, put("invoice_id", m.INVOICE), "effect_missing"),
    ("DatasetSuspensionSet", 1, put("dataset_id", m.TRAFFIC), "effect_missing"),
    ("ObjectionDecided", 0, put("outcome", 1), "outcome_not_for_subject"),
    ("ObjectionDecided", 0, put("refund_fen", m.LATER_FEN + 1), "refund_amount"),
    ("ObjectionDecided", 0, put("refund_fen", 0), "refund_amount"),
    ("ObjectionDecided", 0, put("shares", 0, "share_ppm", 400_001), "share_sum"),
    ("ObjectionDecided", 0, put("shares", []), "share_sum"),
    ("ObjectionDecided", 0, put("shares", 0, OF, m.PLATFORM), "share_order"),
    (
        "ObjectionDecided",
        0,
        put("shares", 1, "organisation_id", m.UTILITY),
        "liability_below_floor",
    ),
    ("ObjectionDecided", 0, put("shares", 0, OF, m.REGISTRAR), "handler_is_party"),
    ("ReliefNoticed", 0, put("limit_at", m.START), "relief_limit"),
    ("ReliefNoticed", 0, put("route", 2), "relief_limit"),
    ("InvoiceReduced", 0, put("reduction_fen", m.LATER_FEN - 1), "refund_not_executed"),
    ("ObjectionEscalated", 0, put("escalation_no", 2), "escalation_no"),
    ("ObjectionEscalated", 0, put("due_at", 1), "objection_clock"),
    ("ObjectionExtended", 0, put("decide_due_at", 1), "objection_clock"),
    ("ObjectionExtended", 0, put("actor_id", m.PRICE), "not_handler"),
]


@pytest.mark.parametrize(
    ("name", "number", "change", "code"),
    FAULTS,
    ids=[f"{name}-{number}-{code}" for name, number, _, code in FAULTS],
)
def test_verify__one_value_altered__is_found(
    market: c.ClosedMarket, name: str, number: int, change: Change, code: str
) -> None:
    assert code in codes(market, m.altered(market.events, name, number, change))


@pytest.mark.parametrize(
    ("name", "number", "code"),
    [
        ("ObjectionOpened", 0, "objection_unknown"),
        ("ObjectionHoldSet", 0, "effect_without_case"),
        ("ObjectionHoldSet", 2, "hold_missing"),
        ("InvoiceFrozen", 0, "effect_missing"),
        ("DatasetSuspensionSet", 1, "effect_missing"),
        ("ObjectionAdvanced", 1, "objection_state"),
        ("ObjectionEscalated", 0, "clock_expired"),
        ("InvoiceReduced", 0, "refund_not_executed"),
        ("ReliefNoticed", 0, "objection_state"),
    ],
)
def test_verify__event_left_out__is_found(
    market: c.ClosedMarket, name: str, number: int, code: str
) -> None:
    events = market.copy()
    events.remove([event for event in events if event.name == name][number])
    assert code in codes(market, events)


@pytest.mark.parametrize(
    ("name", "number", "code"),
    [
        ("DeskAppointed", 0, "desk_twice"),
        ("ObjectionOpened", 0, "objection_twice"),
        ("ObjectionAdvanced", 6, "objection_state"),
        ("ObjectionEscalated", 0, "not_late"),
        ("ObjectionExtended", 0, "extended_twice"),
    ],
)
def test_verify__event_told_twice__is_found(
    market: c.ClosedMarket, name: str, number: int, code: str
) -> None:
    events = market.copy()
    again = [event for event in events if event.name == name][number]
    at = events.index(again)
    events.insert(at + 1, replace(again, log_index=1))
    assert code in codes(market, events)


def test_verify__effect_in_another_transaction__is_found(market: c.ClosedMarket) -> None:
    events = [
        replace(event, tx_hash="0x" + "ee" * 32) if event.name == "InvoiceFrozen" else event
        for event in market.copy()
    ]
    assert "effect_missing" in codes(market, events)


def test_verify__restored_by_another_while_held__is_found(market: c.ClosedMarket) -> None:
    events = market.copy()
    held = [event for event in events if event.name == "DatasetSuspensionSet"][1]
    at = events.index(held)
    args = held.args | {"is_suspended": False}
    events.insert(at + 1, replace(held, args=args, log_index=1, tx_hash="0x" + "ee" * 32))
    assert "held_by_desk" in codes(market, events)


def test_verify__same_fact_by_the_same_party__is_found(market: c.ClosedMarket) -> None:
    events = market.copy()
    first = next(event for event in events if event.name == "ObjectionOpened")
    again = m.uid(89)
    args = first.args | {"objection_id": again}
    args["claim"] = args["claim"] | {"objection_id": again}
    late = replace(first, args=args, block_number=len(events) + 1)
    assert {"fact_twice"} <= codes(market, [*events, late])
    soon = replace(first, args=args, log_index=1)
    events.insert(events.index(first) + 1, soon)
    assert {"fact_twice", "case_open"} <= codes(market, events)


@pytest.mark.parametrize("count", [1, 3, 5, 10, 15])
def test_working_days__counted_twice__agree(count: int) -> None:
    for hour in range(0, 24 * 15, 5):
        now = m.START + hour * 3600
        assert last_second({2026: 2**365 - 1}, now, count) == due_after(now, count)
