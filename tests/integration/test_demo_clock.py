"""The clock of a demonstration on a real node, and that nobody moves any other."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ledger.chain.demo_clock import ClockBackError, ClockFixedError, DemoClock, hold_clock
from ledger.chain.node import LocalNode

pytestmark = pytest.mark.integration

LONG_AGO = 1_700_000_000
DAY_SECONDS = 24 * 3600


def test_clock__held__begins_in_the_past_moves_and_survives_a_restart(tmp_path: Path) -> None:
    hold_clock(tmp_path, LONG_AGO)
    with LocalNode.attach_or_start(tmp_path) as node:
        assert LONG_AGO <= node.head_seconds() < LONG_AGO + 60
        DemoClock(tmp_path, node).move_to(LONG_AGO + 40 * DAY_SECONDS)
        with pytest.raises(ClockBackError):
            DemoClock(tmp_path, node).move_to(LONG_AGO)
    with LocalNode.attach_or_start(tmp_path) as node:
        node.mine()
        passed = node.head_seconds() - LONG_AGO - 40 * DAY_SECONDS
        assert 0 <= passed < 60
        DemoClock(tmp_path, node).let_go()
        assert abs(node.head_seconds() - time.time()) < 60
        with pytest.raises(ClockFixedError):
            DemoClock(tmp_path, node)


def test_clock__of_an_ordinary_home_or_a_network__cannot_be_moved(tmp_path: Path) -> None:
    with LocalNode.attach_or_start(tmp_path) as node, pytest.raises(ClockFixedError):
        DemoClock(tmp_path, node)
    hold_clock(tmp_path / "other", LONG_AGO)
    with pytest.raises(ClockFixedError) as caught:
        DemoClock(tmp_path / "other", None)
    assert caught.value.code == "chain.clock_fixed"


def test_hold_clock__chain_that_began__is_refused(tmp_path: Path) -> None:
    LocalNode.attach_or_start(tmp_path).stop()
    with pytest.raises(ClockFixedError):
        hold_clock(tmp_path, LONG_AGO)
