"""Many writers at once, and a writer that is killed at any moment."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.log import writer as writer_module
from ledger.log.proofs import check_proof, make_proof
from ledger.log.reader import LogReader
from ledger.log.values import Appended, LicenceTally, Use
from tests.unit.log_story import LOG_NO, ORIGIN, open_log, use

pytestmark = pytest.mark.integration

KILLS = 15
BATCH = 3

CHILD = f"""
import sys, threading
from pathlib import Path
from ledger.log.values import Use
from ledger.log.writer import LogWriter

writer = LogWriter.open(Path(sys.argv[1]), origin={ORIGIN!r}, log_no={LOG_NO})
say = threading.Lock()

def use(licence_no):
    return Use(2, 3, 4, licence_no, 1, 1, 0, 2, 10, {{"text": "x" * 300}}, bytes(32))

def run(licence_no):
    while True:
        if licence_no == 1:
            done = writer.append([use(1) for _ in range({BATCH})])
        elif licence_no == 2:
            done = [writer.append_decided(2, lambda tally: use(2))]
        else:
            writer.checkpoint()
            continue
        with say:
            for item in done:
                sys.stdout.write(f"{{item.index}} {{item.receipt.encode().hex()}}\\n")
            sys.stdout.flush()

for number in (1, 2, 3):
    threading.Thread(target=run, args=(number,), daemon=True).start()
threading.Event().wait()
"""


def run_and_kill(folder: Path, seconds: float) -> dict[int, str]:
    """Return what a child acknowledged before SIGKILL: index → receipt."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(seconds)
        child.kill()
        lines = [first, *child.stdout.read().splitlines(keepends=True)]
    whole = [line.split() for line in lines if line.endswith("\n")]
    return {int(index): receipt for index, receipt in whole}


def test_kill__at_random_moments__nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged: dict[int, str] = {}
    for _ in range(KILLS):
        acknowledged |= run_and_kill(tmp_path, chance.uniform(0, 0.08))
        with open_log(tmp_path) as writer:
            tally = writer.tally(1)
            assert tally.licence_seq % BATCH == 0
            assert tally.cumulative_units == 2 * tally.licence_seq
        reader = LogReader(tmp_path)
        for index, receipt in acknowledged.items():
            assert reader.receipt_bytes(index).hex() == receipt
    assert len(acknowledged) > KILLS
    assert_whole(tmp_path)


def assert_whole(folder: Path) -> None:
    with open_log(folder) as writer:
        size = writer.checkpoint().size
    reader = LogReader(folder)
    assert sum(tally.licence_seq for tally in reader.tallies().values()) == size
    assert reader.root(size) == reader.checkpoint().root  # type: ignore[union-attr]
    for index in range(0, size, max(1, size // 20)):
        assert reader.opening(index)["request"] == {"text": "x" * 300}
        assert check_proof(make_proof(reader, index), reader.vkey()) == []


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
