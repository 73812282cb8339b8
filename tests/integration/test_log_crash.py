"""Many writers at once, and a writer that is killed at any moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.log import writer as writer_module
from ledger.log.reader import LogReader
from ledger.log.values import Appended, LicenceTally, Use
from tests.unit.log_story import open_log, use

pytestmark = pytest.mark.integration

KILLS = 210


def test_kill__at_random_moments_of_append_sign_and_import__nothing_acknowledged_is_lost(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "tests.integration.killed_writer", str(tmp_path)]
    done = subprocess.run(
        [*command, str(KILLS), "7"], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["kills"] == KILLS
    assert min(seen["receipts"], seen["batched"], seen["files"]) > 0, "too slow to show anything"


def in_threads(count: int, work: Callable[[int], None]) -> None:
    failures: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_append_decided__quota_and_parallel_callers__never_exceeded(tmp_path: Path) -> None:
    quota, callers, calls = 100, 16, 20
    results: list[Appended] = []

    def decide(tally: LicenceTally) -> Use:
        if tally.cumulative_units + 3 > quota:
            return use(status=1, units=0)
        return use(units=3)

    with open_log(tmp_path) as writer:

        def call(number: int) -> None:
            for _ in range(calls):
                results.append(writer.append_decided(1, decide))

        in_threads(callers, call)
        assert writer.tally(1) == LicenceTally(callers * calls, 99, 1_000)
    delivered = [item for item in results if item.receipt.status == 0]
    assert len(delivered) == quota // 3
    assert sorted(item.index for item in results) == list(range(callers * calls))
    reader = LogReader(tmp_path)
    assert all(reader.receipt(item.index) == item.receipt for item in results)


def test_append__parallel_callers__share_writes_and_are_durable_on_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = [0]
    sync = os.fdatasync

    with open_log(tmp_path) as writer:
        descriptor = writer._receipts

        def counting(target: int) -> None:
            time.sleep(0.002)
            sync(target)
            if target == descriptor:
                synced[0] += 1

        monkeypatch.setattr(writer_module.os, "fdatasync", counting)
        reader = LogReader(tmp_path)

        def call(number: int) -> None:
            for moment in range(5):
                before = synced[0]
                [done] = writer.append([use(number, moment)])
                assert synced[0] > before
                assert writer.size > done.index
                assert reader.receipt(done.index) == done.receipt

        in_threads(32, call)
        assert writer.size == 160
    assert synced[0] < 160


def test_checkpoint__beside_appends__covers_a_prefix_each_time(tmp_path: Path) -> None:
    roots: dict[int, bytes] = {}
    with open_log(tmp_path) as writer:

        def call(number: int) -> None:
            for moment in range(20):
                if number == 0:
                    made = writer.checkpoint()
                    roots[made.size] = made.root
                else:
                    writer.append([use(number, moment) for _ in range(5)])

        in_threads(5, call)
        roots[400] = writer.checkpoint().root
    reader = LogReader(tmp_path)
    assert all(reader.root(size) == root for size, root in roots.items())
