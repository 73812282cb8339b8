"""A dataset that is closed ends the metering of every licence over it, from that moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.projection import queries
from ledger.projection.chain_copy import ChainCopy, StoredBlock
from ledger.projection.database import migrate, open_engine, read
from ledger.projection.stored import StoredEvent
from tests.unit import market_story as m

pytestmark = pytest.mark.unit

SAID = {"dataset_id": str(m.DATASET), "decision_digest": "0x" + "05" * 32}
CLOSING: list[tuple[str, dict[str, Any]]] = [
    ("DatasetClassified", {"open_class": 3, "sensitivity": 1}),
    ("DatasetClassified", {"open_class": 2, "sensitivity": 2}),
    ("DatasetSuspensionSet", {"is_suspended": True}),
]
OPENING: dict[str, dict[str, Any]] = {
    "DatasetClassified": {"open_class": 2, "sensitivity": 1},
    "DatasetSuspensionSet": {"is_suspended": False},
}


def terms(tmp_path: Path, more: list[tuple[str, dict[str, Any]]]) -> tuple[int, list[StoredEvent]]:
    """Return until when the licence takes uses, and the events that were added."""
    events = m.story()
    last = events[-1].block_number
    number = max(event.event_no for event in events if event.contract == "DatasetRegistry")
    pattern = next(event for event in events if event.contract == "DatasetRegistry")
    added = [
        replace(
            pattern,
            name=name,
            args=SAID | args,
            event_no=number + step,
            block_number=last + step,
            block_hash=f"0x{last + step:064x}",
            block_time=events[-1].block_time + step,
            tx_hash=f"0x{10**7 + step:064x}",
        )
        for step, (name, args) in enumerate(more, start=1)
    ]
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    migrate(engine)
    copy = ChainCopy(engine)
    told = [*events, *added]
    blocks = [StoredBlock(e.block_number, e.block_hash, e.block_time) for e in told]
    assert copy.store(copy.position(), blocks, told)
    with read(engine) as connection:
        return queries.terms_of_licences(connection)[0].valid_until, added


@pytest.mark.parametrize(("name", "args"), CLOSING)
def test_terms__dataset_closed__valid_until_then(
    tmp_path: Path, name: str, args: dict[str, Any]
) -> None:
    until, added = terms(tmp_path, [(name, args)])
    assert until == added[0].block_time


@pytest.mark.parametrize(("name", "args"), CLOSING)
def test_terms__dataset_opened_again__as_agreed(
    tmp_path: Path, name: str, args: dict[str, Any]
) -> None:
    (tmp_path / "open").mkdir()
    agreed, _ = terms(tmp_path / "open", [])
    until, _ = terms(tmp_path, [(name, args), (name, OPENING[name])])
    assert until == agreed


def test_terms__closed_twice__since_the_first(tmp_path: Path) -> None:
    until, added = terms(
        tmp_path,
        [CLOSING[0], CLOSING[2], ("DatasetSuspensionSet", OPENING["DatasetSuspensionSet"])],
    )
    assert until == added[0].block_time
