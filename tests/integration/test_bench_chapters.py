"""Every chapter of the benchmarks at its smallest: what it sets up still fits the product."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.bench import catalogue, command, index, intake, log_stages, money, month_close
from scripts.bench.figures import Figure
from scripts.bench.history import Shape

pytestmark = pytest.mark.integration

RECEIPTS = 3_000
STAGES = ("make", "bring", "again", "columns", "usage_by_licence", "usage_by_product", "audit")


def measured(figures: list[Figure]) -> set[str]:
    assert all(figure.value > 0 for figure in figures)
    return {figure.name for figure in figures}


def test_money__tiny_month__is_priced_split_and_closed() -> None:
    tiny = replace(
        month_close.SCALE, datasets=6, products=3, sources=1, buyers=3, licences=3, receipts=2
    )
    found = measured(money.measure(prices=50, splits=5, scale=tiny))
    assert {"money.price_per_s", "money.split_per_s", "money.month_close_seconds"} <= found


def test_catalogue__few_datasets__are_searched_on_both_databases() -> None:
    found = measured(catalogue.measure(datasets=40, searches=20))
    assert {"catalogue.search_p95_ms", "catalogue.search_p95_ms_postgresql"} <= found


def test_index__few_events__are_replayed() -> None:
    assert measured(index.measure(datasets=2, runs=1)) == {"indexer.events_per_s"}


def test_command__few_commands__are_carried_out() -> None:
    assert "command.round_trip_p99_ms" in measured(command.measure(commands=2))


def test_log__short_history__goes_through_every_stage(tmp_path: Path) -> None:
    shape = Shape(RECEIPTS, licences=100, products=5, buyers=10)
    said = {name: log_stages.STAGES[name](tmp_path, shape) for name in (*STAGES, "prove")}
    assert all(said.values())


def test_log__few_requests__are_taken_over_http() -> None:
    found = measured(intake.measure_form(intake.JSON_100, 2_000))
    assert f"{intake.JSON_100.name}_per_s" in found
