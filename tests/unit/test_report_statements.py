"""Statements: figures that add up, tables that a spreadsheet may open, and the verifier's view."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from ledger.projection.chain_copy import ChainCopy, StoredBlock
from ledger.projection.database import migrate, open_engine, read
from ledger.projection.errors import NotFoundError
from ledger.projection.stored import StoredEvent, plain
from ledger.report import (
    StatementSumError,
    canonical,
    market_statement,
    organisation_statement,
    require_sums,
    to_csv,
)
from ledger.verification import VerificationReport, verify
from tests.unit import market_story
from tests.unit import verified_market as m

pytestmark = pytest.mark.unit

NAMES = {m.BUYER: {"zh": "示例买方", "en": "Sample buyer"}}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> m.VerifiedMarket:
    return m.VerifiedMarket(tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def engine(market: m.VerifiedMarket, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return projected(tmp_path_factory.mktemp("database"), stored(market))


@pytest.fixture(scope="module")
def statement(engine: Any) -> dict[str, Any]:
    with read(engine) as connection:
        return json.loads(canonical(market_statement(connection, NAMES)))


def stored(market: m.VerifiedMarket) -> list[StoredEvent]:
    names = StoredEvent.__dataclass_fields__
    return [
        StoredEvent(**{name: getattr(event, name) for name in names} | {"args": plain(event.args)})
        for event in market.events
    ]


def projected(folder: Path, events: list[StoredEvent]) -> Any:
    engine = open_engine(f"sqlite:///{folder}/ledger.db")
    migrate(engine)
    blocks = [StoredBlock(e.block_number, e.block_hash, e.block_time) for e in events]
    copy = ChainCopy(engine)
    assert copy.store(copy.position(), blocks, events)
    return engine


def check(market: m.VerifiedMarket, report: dict[str, Any]) -> VerificationReport:
    return verify(market.events, logs=market.logs, report=report)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from leaves(item, (*path, key))
    else:
        yield path


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def test_statement__sound_market__says_who_gets_what_and_why(statement: dict[str, Any]) -> None:
    used = [(u["licence_no"], u["units"], u["gross_fen"], u["paid_fen"]) for u in statement["uses"]]
    assert used == [(1, 12_500, m.GROSS_FEN + m.LATER_FEN, m.GROSS_FEN), (2, 7, 0, 0)]
    got = {
        row["claimant_id"]: (row["earner_id"], row["payee_id"], row["remitted_fen"])
        for row in statement["claimants"]
    }
    assert got == {
        str(m.OPERATOR): (str(m.OPERATOR), str(m.OPERATOR), 5_000),
        str(m.WEATHER): (str(m.PROVIDER), str(m.TREASURY), 8_559),
        str(m.TRAFFIC): (str(m.UTILITY), str(m.TREASURY), 6_113),
    }
    weather = statement["claimants"][1]
    assert weather["entitled_micro_fen"] == str(m.LINES_MICRO_FEN[1])
    assert weather["reasons"] == [
        {
            "kind": "split",
            "invoice_id": str(m.INVOICE),
            "product_id": str(m.PRODUCT),
            "tier": "lineage_cost",
            "amount_micro_fen": str(m.LINES_MICRO_FEN[1]),
        }
    ]
    assert statement["totals"]["receipt_count"] == 302
    assert statement["names"] == {str(m.BUYER): NAMES[m.BUYER]}


def test_statement__twice__same_bytes(engine: Any, tmp_path: Path, market: Any) -> None:
    with read(engine) as one, read(projected(tmp_path, stored(market))) as other:
        assert canonical(market_statement(one)) == canonical(market_statement(other))


def test_statement__empty_market__has_no_rows(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    migrate(engine)
    with read(engine) as connection:
        found = market_statement(connection)
    assert found["claimants"] == []
    assert set(found["totals"].values()) == {0, "0"}


def test_statement__of_an_organisation__has_its_rows_only(engine: Any) -> None:
    with read(engine) as connection:
        provider = organisation_statement(connection, m.PROVIDER)
        buyer = organisation_statement(connection, m.BUYER)
        with pytest.raises(NotFoundError):
            organisation_statement(connection, m.uid(99))
    assert [row["claimant_id"] for row in provider["claimants"]] == [str(m.WEATHER)]
    assert provider["uses"] == []
    assert [row["licence_no"] for row in buyer["uses"]] == [1, 2]


def test_verify__statement_of_a_sound_market__every_figure_agrees(
    market: m.VerifiedMarket, statement: dict[str, Any]
) -> None:
    report = check(market, statement)
    assert report.findings == []
    assert report.checked["figures"] > 100


def test_verify__statement_of_an_earlier_block__is_compared_with_that_block(
    market: m.VerifiedMarket, tmp_path: Path
) -> None:
    for size in (10, 40, 55, 60, 65):
        folder = tmp_path / str(size)
        folder.mkdir()
        with read(projected(folder, stored(market)[:size])) as connection:
            earlier = market_statement(connection)
        assert check(market, earlier).findings == []


def test_verify__any_figure_of_a_statement_altered__its_path_is_named(
    market: m.VerifiedMarket, statement: dict[str, Any]
) -> None:
    paths = [path for path in leaves(statement) if path[0] not in ("names", "block_number")]
    assert len(paths) > 100
    for path in paths[:: max(1, len(paths) // 60)]:
        copy = deepcopy(statement)
        value = at(copy, path)
        changed = value + 1 if isinstance(value, int) else f"{value}1"
        at(copy, path[:-1])[path[-1]] = changed
        found = check(market, copy).findings
        assert found
        assert found[0].code in ("verify.report_figure", "verify.report_format")
        assert found[0].where.endswith(str(path[-1]) if isinstance(path[-1], str) else "]")


def test_verify__one_fen_in_a_claimants_line__says_both_amounts(
    market: m.VerifiedMarket, statement: dict[str, Any]
) -> None:
    copy = deepcopy(statement)
    copy["claimants"][1]["remitted_fen"] += 1
    (finding,) = check(market, copy).findings
    name = f"scheme_id={m.SCHEME},claimant_id={m.WEATHER}"
    assert finding.where == f"report.claimants[{name}].remitted_fen"
    assert (finding.got, finding.expected) == (8_560, 8_559)


def test_verify__figure_added_or_row_missing__is_found(
    market: m.VerifiedMarket, statement: dict[str, Any]
) -> None:
    added, missing, lost = deepcopy(statement), deepcopy(statement), deepcopy(statement)
    added["totals"]["bonus_fen"] = 1
    missing["claimants"].pop()
    del lost["block_number"]
    assert check(market, added).findings[0].where == "report.totals.bonus_fen"
    assert check(market, missing).findings[0].where == "report.claimants.length"
    assert check(market, lost).findings[0].code == "verify.report_malformed"


@pytest.mark.parametrize(
    "path",
    [
        ("totals", "net_fen"),
        ("totals", "remitted_fen"),
        ("schemes", 0, "gross_fen"),
        ("schemes", 0, "reserve_micro_fen"),
        ("uses", 0, "paid_fen"),
        ("claimants", 0, "entitled_micro_fen"),
        ("claimants", 0, "payable_fen"),
        ("claimants", 0, "reasons", 0, "amount_micro_fen"),
        ("payees", 0, "remitted_fen"),
    ],
)
def test_sums__one_figure_altered__statement_is_refused(
    statement: dict[str, Any], path: tuple[Any, ...]
) -> None:
    require_sums(statement)
    copy = deepcopy(statement)
    value = at(copy, path)
    at(copy, path[:-1])[path[-1]] = value + 1 if isinstance(value, int) else str(int(value) + 1)
    with pytest.raises(StatementSumError) as caught:
        require_sums(copy)
    assert caught.value.field


def test_statement__story_whose_sums_are_right__is_made(tmp_path: Path) -> None:
    with read(projected(tmp_path, market_story.story())) as connection:
        found = market_statement(connection)
    assert found["totals"]["net_fen"] == market_story.NET_FEN


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", " =1", "＝1"])
def test_csv__text_like_a_formula__does_not_run(text: str) -> None:
    rows = list(csv.reader(io.StringIO(to_csv([{"name": text}]), newline="")))
    assert not rows[1][0].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
    assert rows[1][0].removeprefix("'") == text


def test_csv__values__come_back_exactly() -> None:
    row = {"a": -5, "b": None, "c": True, "d": '甲,"乙"\n', "e": [{"x": 1}], "f": 2**64}
    back = list(csv.DictReader(io.StringIO(to_csv([row]), newline="")))
    expected = {"a": "-5", "b": "", "c": "true", "d": '甲,"乙"\n', "e": '[{"x":1}]'}
    assert back == [expected | {"f": str(2**64)}]
    assert to_csv([]) == ""


def test_csv__row_with_an_unknown_column__is_refused() -> None:
    with pytest.raises(ValueError, match="b"):
        to_csv([{"a": 1}, {"a": 1, "b": 2}])
