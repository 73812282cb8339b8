"""Corrections, changes and closes: a market that keeps the rules, and each fault that is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger.chain.contracts import INDEXED
from ledger.chain.events import event_names
from ledger.projection import queries
from ledger.projection.database import read
from ledger.report import canonical, market_statement
from ledger.verification import VerificationReport, verify
from tests.integration.derived_faults import FAULTS as OUTCOME_FAULTS
from tests.unit import closed_market as c
from tests.unit import verified_market as m
from tests.unit.test_report_statements import projected, stored

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> c.ClosedMarket:
    return c.ClosedMarket(tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def engine(market: c.ClosedMarket, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return projected(tmp_path_factory.mktemp("database"), stored(market))


def check(market: c.ClosedMarket, events: Any = None, report: Any = None) -> VerificationReport:
    told = market.events if events is None else events
    return verify(told, logs=market.logs, documents=market.documents, report=report)


def codes(report: VerificationReport) -> set[str]:
    return {finding.code.removeprefix("verify.") for finding in report.findings}


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change that puts the last part of a path at the place the others name."""
    *keys, last, value = path

    def change(args: dict[str, Any]) -> None:
        target: Any = args
        for key in keys:
            target = target[key]
        target[last] = value

    return change


def test_verify__whole_life_of_a_scheme__finds_nothing(market: c.ClosedMarket) -> None:
    report = check(market)
    assert report.findings == []
    checked = report.checked
    assert (checked["corrections"], checked["reductions"], checked["splits"]) == (1, 1, 2)
    assert (checked["years_closed"], checked["cycles_closed"]) == (1, 1)


def test_verify__every_kind_of_event__is_told(market: c.ClosedMarket) -> None:
    told = {event.name for event in market.events} | {name for name, *_ in OUTCOME_FAULTS}
    assert told == {name for contract in INDEXED for name in event_names(contract)}


def test_statement__after_the_close__is_what_the_events_imply(
    market: c.ClosedMarket, engine: Any
) -> None:
    with read(engine) as connection:
        statement = json.loads(canonical(market_statement(connection, {})))
    assert check(market, report=statement).findings == []
    assert statement["totals"]["receivable_fen"] == 5_000 + 8_559 + 6_113 - 6_000
    assert statement["totals"]["carry_in_micro_fen"] == str(market.reserve // 2)
    kinds = {reason["kind"] for row in statement["claimants"] for reason in row["reasons"]}
    assert kinds == {"split", "correction", "carry_in"}


def test_projection__correction_and_second_split__balance(engine: Any) -> None:
    with read(engine) as connection:
        entries = queries.entries_of(connection, m.INVOICE)
        scheme = queries.scheme(connection, m.SCHEME)
        close = queries.year_close(connection, m.SCHEME)
        cycle = queries.cycle(connection, m.SCHEME)
        versions = queries.versions_of_scheme(connection, m.SCHEME)
        accounts = {row.claimant_id: row for row in queries.accounts_of(connection, m.SCHEME)}
        later = queries.invoice(connection, m.LATER)
        assert queries.receivable_fen(connection, m.TREASURY) == 8_559 + 1_834 - 6_000
    assert [entry.split.is_correction for entry in entries] == [False, True, False]
    assert [version.version_no for version in versions] == [1, 2]
    assert all(version.in_force_at for version in versions)
    assert (scheme.reserve_micro_fen, scheme.state) == (0, 4)
    assert cycle.carry_out_micro_fen == close.income_micro_fen - (
        close.permitted_micro_fen - scheme.tax_micro_fen + scheme.tax_taken_micro_fen
    )
    assert accounts[m.WEATHER].remitted_micro_fen == 6_000 * 10**6
    assert (later.state, later.gross_fen, later.is_frozen) == (5, 0, False)


FAULTS: list[tuple[str, int, Callable[[dict[str, Any]], Any], str]] = [
    ("SchemeApproved", 1, put("terms", "providers_ppm", 400_001), "profit_vector"),
    ("SchemeApproved", 1, put("terms", "governance_id", c.m.UUID(int=0)), "profit_vector"),
    ("SchemeApproved", 1, put("terms", "previous_cycle_id", m.uid(99)), "cycle_mismatch"),
    ("SchemeApproved", 1, put("terms", "cycle_id", m.SCHEME), "cycle_mismatch"),
    ("SchemeChangeAnnounced", 0, put("terms", "year", 2027), "change_differs"),
    ("SchemeChangeAnnounced", 0, put("change_from", m.START), "change_time"),
    ("SchemeChangeAnnounced", 0, put("change_from", m.START + 10**8), "change_time"),
    ("SchemeChanged", 0, put("costs", 0, "cost_fen", 4_001), "change_differs"),
    ("SchemeChanged", 0, put("version_no", 3), "version_no"),
    ("InvoiceFrozen", 0, put("invoice_id", m.INVOICE), "invoice_state"),
    ("InvoiceReduced", 0, put("reduction_fen", m.LATER_FEN + 1), "reduction_too_large"),
    ("InvoiceReduced", 0, put("gross_fen", 1), "reduction_sum"),
    ("SplitCorrected", 0, put("split", "tax_micro_fen", 1), "correction_differs"),
    ("SplitCorrected", 0, put("receivables", 0, "amount_fen", 4_999), "receivables"),
    ("SplitCorrected", 0, put("receivables", 1, "payee_id", m.PROVIDER), "receivables"),
    ("SplitCorrected", 0, put("receivables", 2, "payee_id", m.TREASURY), "receivables"),
    ("SplitCorrected", 0, put("release_no", 3), "release_order"),
    ("SplitCorrected", 0, put("reduction_fen", m.GROSS_FEN + 1), "reduction_too_large"),
    ("SplitRecorded", 1, put("split", "benefit_micro_fen", 0, 116_250_003), "split_benefit"),
    ("SplitRecorded", 1, put("split", "benefit_micro_fen", []), "split_benefit_count"),
    ("SplitRecorded", 1, put("split", "forgone_micro_fen", 1), "split_forgone"),
    ("SplitRecorded", 1, put("split", "reserve_micro_fen", 1), "split_reserve"),
    ("SplitRecorded", 1, put("split", "common_cost", [None]), "event_malformed"),
    ("RemittanceOpened", 4, put("set_off_fen", 5_999), "set_off"),
    ("YearClosed", 0, put("deviation_ppm", 1), "close_deviation"),
    ("YearClosed", 0, put("outcome", 1), "close_deviation"),
    ("YearClosed", 0, put("income_micro_fen", 1), "close_income"),
    ("YearClosed", 0, put("permitted_micro_fen", 1), "close_permitted"),
    ("DeviationAnswered", 0, put("authority_id", m.REGISTRAR), "role_missing"),
    ("CycleClosed", 0, put("instalment_count", 4), "instalment_count"),
    ("CycleClosed", 0, put("carry_out_micro_fen", 1), "carry_out"),
    ("CycleClosed", 0, put("fills", 0, "claimant_ids", [m.OPERATOR]), "fill_claimants"),
    ("CycleClosed", 0, put("fills", []), "fill_count"),
    ("CarryInPoured", 0, put("amount_micro_fen", 5), "carry_in"),
    ("CarryInPoured", 0, put("fill", "split", "lineage_cost_micro_fen", 0, 3), "split_line"),
]


@pytest.mark.parametrize(
    ("name", "number", "change", "code"), FAULTS, ids=[f"{f[0]}-{f[3]}" for f in FAULTS]
)
def test_verify__one_figure_altered__is_found(
    market: c.ClosedMarket,
    name: str,
    number: int,
    change: Callable[[dict[str, Any]], Any],
    code: str,
) -> None:
    assert code in codes(check(market, m.altered(market.events, name, number, change)))


@pytest.mark.parametrize(
    ("name", "number", "code"),
    [
        ("SplitCorrected", 0, "correction_differs"),
        ("YearClosed", 0, "scheme_state"),
        ("DeviationAnswered", 0, "scheme_state"),
        ("CycleClosed", 0, "cycle_twice"),
        ("CarryInPoured", 0, "carry_in_twice"),
        ("InvoiceReduced", 0, "invoice_state"),
    ],
)
def test_verify__told_twice__is_found(
    market: c.ClosedMarket, name: str, number: int, code: str
) -> None:
    again = [event for event in market.copy() if event.name == name][number]
    events = [*market.copy(), replace(again, block_number=len(market.events) + 1)]
    assert code in codes(check(market, events))


@pytest.mark.parametrize(
    ("name", "number", "code"),
    [
        ("SchemeChanged", 0, "change_due"),
        ("InvoiceReduced", 0, "close_unsplit"),
        ("DeviationAnswered", 0, "scheme_state"),
        ("SplitCorrected", 0, "invoice_state"),
    ],
)
def test_verify__step_left_out__is_found(
    market: c.ClosedMarket, name: str, number: int, code: str
) -> None:
    events = market.copy()
    left_out = [event for event in events if event.name == name][number]
    events.remove(left_out)
    assert code in codes(check(market, events))


def test_verify__year_closed_before_its_end__is_found(market: c.ClosedMarket) -> None:
    events = [
        replace(event, block_time=m.START + 100) if event.name == "YearClosed" else event
        for event in market.copy()
    ]
    assert "year_not_over" in codes(check(market, events))


def test_verify__released_while_frozen__is_found(market: c.ClosedMarket) -> None:
    frozen = next(event for event in market.copy() if event.name == "InvoiceFrozen")
    args = frozen.args | {"invoice_id": m.INVOICE}
    events = market.copy()
    at = next(i for i, event in enumerate(events) if event.name == "InvoiceReleased")
    events.insert(at, replace(frozen, args=args, block_number=events[at].block_number))
    # The same block, before it.
    events[at + 1] = replace(events[at + 1], log_index=1)
    granted = next(e for e in market.copy() if e.name == "RoleGranted" and e.args["role"] == 7)
    events.insert(0, replace(granted, block_number=events[at].block_number - 1, log_index=5))
    assert "released_frozen" in codes(check(market, events))
