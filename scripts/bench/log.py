"""The log of use: appended in bulk, one by one, and proven."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from ledger.log.reader import LogReader
from ledger.log.values import Use
from ledger.log.writer import LogWriter
from scripts.bench.figures import Figure, less, more, seconds_of

BATCH = 1_000
BATCHES = 30
SINGLES = 300
PROOFS = 500
RUNS = 3


def a_use(licence_no: int, units: int = 1) -> Use:
    """Return a delivered use of now."""
    return Use(
        mode=2,
        purpose=3,
        meter_no=1,
        licence_no=licence_no,
        used_at_ms=time.time_ns() // 1_000_000,
        version_no=1,
        status=0,
        units=units,
        records=units,
        request={"product": "bench", "cursor": 0, "limit": units},
        response_digest=bytes(32),
    )


def measure() -> list[Figure]:
    """Return the figures of the chapter; every append is on disk before it counts."""
    bulk, single, proof = [], [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            with LogWriter.open(home, origin="bench", log_no=1) as writer:
                bulk.append(BATCH * BATCHES / seconds_of(lambda w=writer: _bulk(w)))
                single.append(SINGLES / seconds_of(lambda w=writer: _singles(w)))
                size = writer.checkpoint().size
            proof += _proofs(LogReader(home), size)
    proof.sort()
    note = f"{BATCH * BATCHES:,} receipts, durable"
    return [
        more("log.append_per_s", bulk, "receipts/s", note=f"{note}, batches of {BATCH:,}"),
        more("log.append_single_per_s", single, "receipts/s", note="one caller, one sync each"),
        less("log.proof_p99_ms", [proof[len(proof) * 99 // 100]], "ms", note=note),
    ]


def _bulk(writer: LogWriter) -> None:
    for batch in range(BATCHES):
        writer.append([a_use(1 + (batch + number) % 50) for number in range(BATCH)])


def _singles(writer: LogWriter) -> None:
    for _ in range(SINGLES):
        writer.append([a_use(1)])


def _proofs(reader: LogReader, size: int) -> list[float]:
    indices = [number * 7919 % size for number in range(PROOFS)]
    return [
        seconds_of(lambda i=index: reader.inclusion_proof(i, size)) * 1_000 for index in indices
    ]
