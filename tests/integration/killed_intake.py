"""An intake that is killed at any moment under load, and what must hold after each kill.

`python -m tests.integration.killed_intake FOLDER KILLS SEED` lets meters send over sockets without
pause, forks a service again and again, sends it SIGKILL after some milliseconds, opens the log and
compares it with what was acknowledged. Meters send what was not answered again, under the same
numbers. It prints what was seen as JSON. Forks share the imports, so a kill takes no start-up.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

import ledger.log.writer as writer_module
from api.metering import BINARY, JSON, MeterService
from ledger.app.meter_keys import KeyRing
from ledger.app.metering import MeterIntake
from ledger.log.reader import LogReader
from tests.unit.intake_story import as_json, holder, receipts
from tests.unit.log_story import LOG_NO, open_log
from tests.unit.meter_story import line, terms

METERS = (2, 3, 4, 5)
"""Each sends uses of the licence of its own number; rows of a batch are as many, too."""
LIFE_SECONDS_MAX = 0.35
CALM_SECONDS_MAX = 30.0
writer_module.SNAPSHOT_RECEIPTS = 300


def rows(meter_no: int, first: int) -> list[dict[str, Any]]:
    """A batch whose commitments tell its numbers."""
    return [
        line(seq, meter_no=meter_no, licence_no=meter_no, commitment=f"0x{seq:064x}")
        for seq in range(first, first + meter_no)
    ]


def serve(folder: Path, listening: socket.socket) -> None:
    """Be the service until killed."""
    granted = terms(quota_units=2**60)
    intake = MeterIntake(LOG_NO, lambda: open_log(folder), lambda: granted, 0.02)
    keys = KeyRing(lambda key: holder(meter_no=int(key)), LOG_NO)
    config = uvicorn.Config(MeterService(intake, keys), log_level="error", ws="none")
    uvicorn.Server(config).run(sockets=[listening])


class Meter:
    """One meter: sends batch after batch, each until it is answered."""

    def __init__(self, meter_no: int, port: int, said: int) -> None:
        self.meter_no = meter_no
        self.port = port
        self.said = said
        self.next_seq = 1
        self.tries = 0

    def run(self) -> None:
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                while True:
                    self.send(connection)
            except (OSError, http.client.HTTPException):
                time.sleep(0.002)

    def send(self, connection: http.client.HTTPConnection) -> None:
        batch = rows(self.meter_no, self.next_seq)
        is_json = self.meter_no % 2
        body = as_json(batch) if is_json else receipts(batch)
        headers = {"X-Api-Key": str(self.meter_no), "Content-Type": JSON if is_json else BINARY}
        path = f"/v1/meters/{self.meter_no}/uses?first_seq={self.next_seq}"
        self.tries += 1
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        found = json.loads(response.read())
        if response.status == 503:
            raise ConnectionError(found["code"])
        assert response.status == 200, found
        told = {"meter": self.meter_no, "seq": self.next_seq, "tries": self.tries} | found
        os.write(self.said, json.dumps(told).encode() + b"\n")
        self.next_seq += self.meter_no


def send_all(port: int, said: int) -> None:
    """Be the meters until killed."""
    for meter_no in METERS:
        threading.Thread(target=Meter(meter_no, port, said).run, daemon=True).start()
    threading.Event().wait()


def forked(work: Callable[[], None]) -> int:
    """Return the process that does the work."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    return child


def kill(child: int) -> None:
    """End a process at once; it must not have ended by itself."""
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "a process ended by itself"


class Acknowledged:
    """What meters were told so far."""

    def __init__(self, heard: int) -> None:
        os.set_blocking(heard, False)
        self.heard = heard
        self.rest = b""
        self.answers: list[dict[str, int]] = []

    def read(self) -> int:
        """Read on; return how many answers there are."""
        while True:
            try:
                data = os.read(self.heard, 1 << 16)
            except BlockingIOError:
                return len(self.answers)
            *lines, self.rest = (self.rest + data).split(b"\n")
            self.answers += [json.loads(said) for said in lines]

    def compare(self, folder: Path, since: int) -> None:
        """Check that the log, opened again, holds all of it, gap-free and once."""
        with open_log(folder) as writer:
            tallies = {meter_no: writer.tally(meter_no) for meter_no in METERS}
            size = writer.size
        assert size == sum(tally.licence_seq for tally in tallies.values())
        assert all(tally.licence_seq % meter_no == 0 for meter_no, tally in tallies.items())
        reader = LogReader(folder)
        for answer in self.answers[since:]:
            assert tallies[answer["meter"]].licence_seq >= answer["seq"] + answer["meter"] - 1
            if answer["count"]:
                receipt = reader.receipt(answer["first_index"])
                assert receipt.meter_no == answer["meter"]
                assert int.from_bytes(receipt.commitment) == answer["seq"] == receipt.licence_seq


def assert_each_once(folder: Path) -> None:
    """Check that every number of every meter is in the log once, in its order."""
    seqs: dict[int, list[int]] = {meter_no: [] for meter_no in METERS}
    for _, receipt in LogReader(folder).receipts():
        assert int.from_bytes(receipt.commitment) == receipt.licence_seq
        seqs[receipt.meter_no].append(receipt.licence_seq)
    assert all(found == list(range(1, len(found) + 1)) for found in seqs.values())


def main(folder: Path, kills: int, seed: int) -> None:
    """Kill services, compare after each, and print what was seen."""
    chance = random.Random(seed)
    heard, said = os.pipe()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        port = listening.getsockname()[1]
        meters = forked(lambda: send_all(port, said))
        acknowledged, before = Acknowledged(heard), 0
        for life in range(kills + 1):
            service = forked(lambda: serve(folder, listening))
            if life == kills:
                until = time.monotonic() + CALM_SECONDS_MAX
                while acknowledged.read() < before + 2 * len(METERS):
                    assert time.monotonic() < until, "the last service answers nobody"
            time.sleep(chance.uniform(0, LIFE_SECONDS_MAX))
            kill(service)
            time.sleep(0.01)
            acknowledged.read()
            acknowledged.compare(folder, before)
            before = len(acknowledged.answers)
        kill(meters)
    assert_each_once(folder)
    answers = acknowledged.answers
    repeated = sum(answer["repeated"] > 0 for answer in answers)
    tries = sum(max(a["tries"] for a in answers if a["meter"] == m) for m in METERS)
    seen = {"kills": kills, "size": LogReader(folder).size, "answers": len(answers)}
    print(json.dumps(seen | {"tries": tries, "repeated": repeated}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
