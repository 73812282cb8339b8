"""What the events of derived products mean for the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.domain.codes import InvoiceState, SchemeState
from ledger.domain.money import Tier
from ledger.projection import queries
from ledger.projection.chain_copy import ChainCopy, StoredBlock
from ledger.projection.database import migrate, open_engine, read
from ledger.projection.errors import NotFoundError
from ledger.projection.projector import projection_digest, rebuild
from ledger.projection.stored import StoredEvent
from tests.unit import derived_market_story as d
from tests.unit import market_story as m

pytestmark = pytest.mark.unit


def engine_of(folder: Path, events: list[StoredEvent]) -> Any:
    engine = open_engine(f"sqlite:///{folder}/ledger.db")
    migrate(engine)
    blocks = [StoredBlock(e.block_number, e.block_hash, e.block_time) for e in events]
    copy = ChainCopy(engine)
    assert copy.store(copy.position(), blocks, events)
    return engine


def test_outcome__shared__each_of_the_lineage_has_net_times_ppm(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, d.derived_story()[:-2])
    with read(engine) as connection:
        split = queries.split_of(connection, d.BILL)
        accounts = queries.accounts_of(connection, d.MARKET_SCHEME)
        scheme = queries.scheme(connection, d.MARKET_SCHEME)
        product = queries.product(connection, d.DERIVED)
        sources = queries.sources_of(connection, d.DERIVED)
        assert queries.affiliates_of(connection, m.OPERATOR) == []
        assert queries.licence(connection, d.LICENCE_NO).outcome_ppm == 7
    assert {(line.tier, line.amount_micro_fen) for line in split.lines} == {
        (Tier.OUTCOME, 100_000 * ppm) for ppm in (100_000, 50_000, 850_000)
    }
    assert {row.claimant_id: row.entitled_micro_fen for row in accounts} == {
        m.DATASET: 10**10,
        m.TREASURY: 5 * 10**9,
        m.BUYER: 85 * 10**9,
    }
    assert (scheme.state, scheme.split_count, scheme.reserve_micro_fen) == (
        SchemeState.MARKET,
        1,
        0,
    )
    assert product.product.is_derived
    assert [(row.licence_no, row.share_ppm) for row in sources] == [(1, 100_000)]


def test_outcome__corrected_in_two_parts__half_is_left_and_then_nothing(tmp_path: Path) -> None:
    events = d.derived_story()
    with read(engine_of(tmp_path, events[:-1])) as connection:
        split = queries.split_of(connection, d.BILL)
        invoice = queries.invoice(connection, d.BILL)
    assert (split.split.net_fen, split.split.vat_fen) == (50_000, 3_000)
    assert sum(line.amount_micro_fen for line in split.lines) == 50_000 * 10**6
    assert (invoice.state, invoice.gross_fen) == (InvoiceState.SPLIT, 53_000)
    whole = tmp_path / "whole"
    whole.mkdir()
    engine = engine_of(whole, events)
    with read(engine) as connection:
        assert queries.invoice(connection, d.BILL).state == InvoiceState.REFUNDED
        with pytest.raises(NotFoundError):
            queries.split_of(connection, d.BILL)
        accounts = queries.accounts_of(connection, d.MARKET_SCHEME)
        before = projection_digest(connection)
    assert {row.entitled_micro_fen for row in accounts} == {0}
    assert rebuild(engine) == len(events)
    with read(engine) as connection:
        assert projection_digest(connection) == before
