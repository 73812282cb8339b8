"""Writers of a log that are killed at any moment, and what must hold after each kill.

`python -m tests.integration.killed_writer FOLDER KILLS SEED` forks a writer again and again, lets
it append, sign and import for some milliseconds, sends SIGKILL, opens the log and compares it with
what was acknowledged. It prints what was seen as JSON. Forks share the imports, so hundreds of
kills take seconds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import ledger.log.meter_files as meter_files
import ledger.log.snapshot as snapshot_module
from ledger.log.admission import LicenceTerms
from ledger.log.meter_files import open_meter_file
from ledger.log.reader import LogReader
from ledger.log.values import LicenceTally, Taken
from ledger.log.writer import LogWriter
from tests.unit.log_story import open_log, use
from tests.unit.meter_story import batch, line, terms

GATEWAY_LICENCE, BATCH_LICENCE, FILE_LICENCE = 1, 2, 3
BATCH_ROWS = 7
FILE_METER, FILE_ROWS, FILES = 90, 300, 400
LIFE_SECONDS_MAX = {True: 0.25, False: 0.09}
"""How long a writer may live, by whether it imports."""
# Small enough for every run to pass the places where pieces end and snapshots are written.
snapshot_module.SNAPSHOT_RECEIPTS = 400
meter_files.PIECE_ROWS = 100


def granted() -> LicenceTerms:
    return terms(quota_units=2**60, valid_from_ms=0, valid_until_ms=2**60)


def write_files(folder: Path) -> None:
    """Meters' files, one after the other by their numbers."""
    sample = json.dumps(line(0, meter_no=FILE_METER, licence_no=FILE_LICENCE))
    for number in range(FILES):
        seqs = range(number * FILE_ROWS + 1, (number + 1) * FILE_ROWS + 1)
        lines = [sample.replace('"meter_seq": 0', f'"meter_seq": {seq}') for seq in seqs]
        (folder / f"{number}").write_text("\n".join(lines))


class Writing:
    """One life of a writer: threads that append and sign, or one that imports."""

    def __init__(self, folder: Path, files: Path, said: int, life: int) -> None:
        self.writer = open_log(folder)
        self.files = files
        self.said = said
        self.saying = threading.Lock()
        works: list[Callable[[], None]]
        works = [self.bring] if imports(life) else [self.append, self.send, self.sign]
        for work in works:
            threading.Thread(target=self.again_and_again, args=(work,), daemon=True).start()

    def again_and_again(self, work: Callable[[], None]) -> None:
        while True:
            work()

    def say(self, text: str) -> None:
        with self.saying:
            os.write(self.said, text.encode())

    def append(self) -> None:
        for item in self.writer.append([use(GATEWAY_LICENCE, meter_no=1) for _ in range(3)]):
            self.say(f"R {item.index} {item.receipt.encode().hex()}\n")

    def send(self) -> None:
        done = self.writer.tally(BATCH_LICENCE).licence_seq
        rows = [
            line(done + n, meter_no=80, licence_no=BATCH_LICENCE) for n in range(1, BATCH_ROWS + 1)
        ]
        [taken] = self.writer.append_batches([batch(rows)], granted())
        assert isinstance(taken, Taken)
        self.say(f"B {done + BATCH_ROWS}\n")

    def sign(self) -> None:
        self.say(f"S {self.writer.checkpoint().size}\n")
        time.sleep(0.004)

    def bring(self) -> None:
        number = self.writer.tally(FILE_LICENCE).licence_seq // FILE_ROWS
        with open_meter_file(self.files / f"{number % FILES}") as (_, pieces):
            found = self.writer.append_pieces(
                pieces, granted(), lambda refusals: None, lambda rows: None
            )
        assert found.taken == FILE_ROWS
        self.say(f"F {number + 1}\n")


class Acknowledged:
    """Everything that killed writers acknowledged so far."""

    def __init__(self) -> None:
        self.receipts: dict[int, str] = {}
        self.batched = self.signed = self.files = 0

    def take(self, text: str) -> None:
        """Take what one writer said; a torn last line was not said."""
        for said in text.split("\n")[:-1]:
            kind, number, *rest = said.split()
            if kind == "R":
                self.receipts[int(number)] = rest[0]
            elif kind == "B":
                self.batched = max(self.batched, int(number))
            elif kind == "S":
                self.signed = max(self.signed, int(number))
            else:
                self.files = max(self.files, int(number))

    def compare(self, folder: Path, writer: LogWriter, fresh: set[int]) -> None:
        """Check that a log, opened again, holds all of it, whole."""
        gateway, batched, filed = (
            writer.tally(number) for number in (GATEWAY_LICENCE, BATCH_LICENCE, FILE_LICENCE)
        )
        assert gateway.licence_seq % 3 == 0
        assert batched.licence_seq % BATCH_ROWS == 0
        assert filed.licence_seq % FILE_ROWS == 0
        assert batched.licence_seq >= self.batched
        assert filed.licence_seq >= self.files * FILE_ROWS
        assert all(t.cumulative_units == t.licence_seq for t in (gateway, batched, filed))
        assert writer.size == sum(t.licence_seq for t in (gateway, batched, filed)) >= self.signed
        reader = LogReader(folder)
        for index in fresh:
            assert reader.receipt_bytes(index).hex() == self.receipts[index]


def imports(life: int) -> bool:
    """Every third writer imports; the others append and sign."""
    return life % 3 == 0


def live_once(folder: Path, files: Path, life: int, seconds: float) -> str:
    """Return what a writer said until it was killed."""
    hear, said = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(hear)
            Writing(folder, files, said, life)
            threading.Event().wait()
        finally:
            os._exit(1)
    os.close(said)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    with os.fdopen(hear) as stream:
        text = stream.read()
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "the writer ended by itself"
    return text


def main(folder: Path, kills: int, seed: int) -> None:
    """Kill writers, compare after each, and print what was seen."""
    files, log = folder / "files", folder / "log"
    files.mkdir(parents=True)
    write_files(files)
    chance, all_said = random.Random(seed), Acknowledged()
    for life in range(kills):
        before = set(all_said.receipts)
        seconds = chance.uniform(0, LIFE_SECONDS_MAX[imports(life)])
        all_said.take(live_once(log, files, life, seconds))
        with open_log(log) as writer:
            all_said.compare(log, writer, set(all_said.receipts) - before)
    with open_log(log) as writer:
        all_said.compare(log, writer, set(all_said.receipts))
        size = writer.checkpoint().size
    tallies = LogReader(log).tallies()
    assert sum(tally.licence_seq for tally in tallies.values()) == size
    assert all(isinstance(tally, LicenceTally) for tally in tallies.values())
    seen = {"kills": kills, "size": size, "receipts": len(all_said.receipts)}
    print(json.dumps(seen | {"batched": all_said.batched, "files": all_said.files}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
