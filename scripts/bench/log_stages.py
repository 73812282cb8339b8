"""The stages of a log's history, each a process of its own, so that time and memory are its own.

`python -m scripts.bench.log_stages STAGE FOLDER RECEIPTS [ENGINE]` does one stage and prints one
JSON object. The history is invented (`scripts.bench.history`) and lies in the folder: meters'
files, then the log that they were imported into.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from ledger.codec import hashing
from ledger.codec.merkle import HASH_BYTES
from ledger.codec.receipts import RECEIPT_BYTES
from ledger.codec.tiles import TILE_WIDTH
from ledger.log.admission import LicenceTerms, RowRefusal
from ledger.log.columns import ReceiptColumns
from ledger.log.layout import LogLayout
from ledger.log.meter_files import Piece, open_meter_file
from ledger.log.proofs import make_proof
from ledger.log.reader import LogReader
from ledger.log.usage import Dimension, LicenceFacts, UsageFilter, sum_usage
from ledger.log.writer import LogWriter
from ledger.verification.anchors import Anchor, Log
from ledger.verification.findings import Findings
from ledger.verification.log_check import check_log
from ledger.verification.sold import Licence
from scripts.bench.history import Licences, Shape, licences_of, write_meter_files

ORIGIN = "bench.invalid/log/1"
PEER_LEAVES = 200_000
PROOFS = 2_000
RUNS = 9
DISK_BYTES = 2 << 30
_HASHED_BYTES = 48 << 20


def make(folder: Path, shape: Shape) -> dict[str, Any]:
    """Write the meters' files."""
    write_meter_files(folder / "meters", shape)
    size = sum(path.stat().st_size for path in (folder / "meters").iterdir())
    return {"meter_files_bytes": size}


def bring(folder: Path, shape: Shape) -> dict[str, Any]:
    """Import, validate, number, integrate, write and sign the whole history as one commit."""
    began = time.perf_counter()
    with LogWriter.open(folder / "log", origin=ORIGIN, log_no=1) as writer:
        found = writer.append_pieces(
            _pieces(folder / "meters"), _terms(licences_of(shape)), _refused, lambda rows: None
        )
    assert (found.taken, found.size) == (shape.receipts, shape.receipts), found
    return {"seconds": time.perf_counter() - began}


def again(folder: Path, shape: Shape) -> dict[str, Any]:
    """Open the log, as a service does that starts."""
    began = time.perf_counter()
    with LogWriter.open(folder / "log", origin=ORIGIN, log_no=1) as writer:
        assert writer.size == shape.receipts
    return {"seconds": time.perf_counter() - began}


def columns(folder: Path, shape: Shape) -> dict[str, Any]:
    """Seal the columnar copy."""
    began = time.perf_counter()
    layout = LogLayout(folder / "log")
    ReceiptColumns(layout).seal(shape.receipts)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "bytes": sum(p.stat().st_size for p in layout.columns.glob("*"))}


def usage_by_licence(folder: Path, shape: Shape) -> dict[str, Any]:
    """Sum use by licence and month."""
    return _usage(folder, shape, (Dimension.LICENCE, Dimension.MONTH))


def usage_by_product(folder: Path, shape: Shape) -> dict[str, Any]:
    """Sum use by product and month."""
    return _usage(folder, shape, (Dimension.PRODUCT, Dimension.MONTH))


def audit(folder: Path, shape: Shape) -> dict[str, Any]:
    """Read every byte again: leaves, nodes, running totals, sums, the anchored root."""
    began = time.perf_counter()
    signed = LogReader(folder / "log").checkpoint()
    assert signed is not None
    anchor = Anchor(signed.size, signed.root, signed.time_ms, "bench")
    findings = Findings()
    figures = check_log(
        Log(1, None, None, [anchor]), folder / "log", _verified(licences_of(shape)), findings, None
    )
    report = findings.report()
    assert report.ok, report.findings
    units = sum(item.units for item in figures.licences)
    return {"seconds": time.perf_counter() - began, "units": str(units)}


def prove(folder: Path, shape: Shape) -> dict[str, Any]:
    """Make proofs of receipts anywhere in the log."""
    reader = LogReader(folder / "log")
    indices = np.random.default_rng(5).integers(0, shape.receipts, PROOFS).tolist()
    make_proof(reader, 0)
    times = [
        _seconds(lambda index=index: reader.inclusion_proof(index, shape.receipts))
        for index in indices
    ]
    hashes = len(reader.inclusion_proof(indices[0], shape.receipts))
    times.sort()
    return {
        "p50_ms": times[PROOFS // 2] * 1_000,
        "p99_ms": times[PROOFS * 99 // 100] * 1_000,
        "bytes": 4 + 8 + 8 + RECEIPT_BYTES + hashes * HASH_BYTES,
    }


def peer(folder: Path, shape: Shape) -> dict[str, Any]:
    """Build the tree over the same leaves: pymerkle, and our kernel on two threads."""
    import pymerkle

    count = min(PEER_LEAVES, shape.receipts) // TILE_WIDTH * TILE_WIDTH
    with (folder / "log/receipts.bin").open("rb") as stream:
        data = stream.read(count * RECEIPT_BYTES)
    leaves = [data[at : at + RECEIPT_BYTES] for at in range(0, len(data), RECEIPT_BYTES)]
    tree = pymerkle.InmemoryTree(algorithm="sha256")

    def theirs() -> None:
        tree.append_entries(leaves)
        tree.get_root()

    seconds = _seconds(theirs)
    ours = statistics.median(_tree_seconds(data) for _ in range(RUNS))
    return {"theirs_per_s": count / seconds, "ours_per_s": count / ours}


def limit(folder: Path, shape: Shape) -> dict[str, Any]:
    """Measure what the machine can do: hashing on all cores, and writing to the disk."""
    data = os.urandom(_HASHED_BYTES // (TILE_WIDTH * RECEIPT_BYTES) * TILE_WIDTH * RECEIPT_BYTES)
    per_second = max(len(data) / RECEIPT_BYTES / _tree_seconds(data) for _ in range(RUNS))
    block = os.urandom(16 << 20)
    path = folder / "disk"

    def written() -> None:
        with path.open("wb") as stream:
            for _ in range(DISK_BYTES // len(block)):
                stream.write(block)
            stream.flush()
            os.fdatasync(stream.fileno())

    disk = DISK_BYTES / _seconds(written)
    path.unlink()
    hash_seconds = shape.receipts / per_second
    write_seconds = shape.receipts * RECEIPT_BYTES / disk
    return {"hash_seconds": hash_seconds, "write_seconds": write_seconds}


def _tree_seconds(data: bytes) -> float:
    """Return how long the roots of all tiles take, the tiles shared among the cores."""
    workers = os.cpu_count() or 1
    tiles = len(data) // (TILE_WIDTH * RECEIPT_BYTES)
    step = -(-tiles // workers) * TILE_WIDTH * RECEIPT_BYTES
    view = memoryview(data)
    parts = [view[at : at + step] for at in range(0, len(data), step)]
    roots: dict[int, bytes] = {}

    def work(number: int) -> None:
        roots[number] = hashing.tile_roots(parts[number], RECEIPT_BYTES)

    def all_parts() -> None:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(parts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return _seconds(all_parts)


def _pieces(folder: Path) -> Iterator[Piece]:
    for path in sorted(folder.iterdir()):
        with open_meter_file(path) as (_, pieces):
            yield from pieces


def _refused(refusals: list[RowRefusal]) -> None:
    raise AssertionError(refusals[:3])


def _terms(licences: Licences) -> LicenceTerms:
    return LicenceTerms(
        licences.licence_no,
        licences.modes,
        licences.purpose,
        licences.valid_from_ms,
        licences.valid_until_ms,
        licences.quota_units,
    )


def _usage(folder: Path, shape: Shape, by: tuple[Dimension, ...]) -> dict[str, Any]:
    licences = licences_of(shape)
    facts = [
        LicenceFacts(int(number), f"product {product}", f"buyer {buyer}", 320100)
        for number, product, buyer in zip(
            licences.licence_no, licences.product, licences.buyer, strict=True
        )
    ]
    began = time.perf_counter()
    parts = ReceiptColumns(LogLayout(folder / "log")).parts(shape.receipts)
    rows = sum_usage([parts], by=by, wanted=UsageFilter(), licences=facts, lineage=[])
    assert sum(row.receipts for row in rows) == shape.receipts
    return {"seconds": time.perf_counter() - began, "rows": len(rows)}


def _verified(licences: Licences) -> dict[int, Licence]:
    nobody = UUID(int=0)
    columns = (licences.purpose, licences.modes, licences.valid_from_ms, licences.valid_until_ms)
    return {
        int(number): Licence(
            product_id=nobody,
            buyer_id=nobody,
            tariff_no=0,
            purpose=int(purpose),
            modes=int(modes),
            valid_from=int(valid_from) // 1_000,
            valid_until=int(valid_until) // 1_000,
            valid_until_max=int(valid_until) // 1_000,
            quota_units_max=2**62,
            agreement_digest=b"",
        )
        for number, purpose, modes, valid_from, valid_until in zip(
            licences.licence_no, *columns, strict=True
        )
    }


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


STAGES = {
    stage.__name__: stage
    for stage in (
        make,
        bring,
        again,
        columns,
        usage_by_licence,
        usage_by_product,
        audit,
        prove,
        peer,
        limit,
    )
}


def main() -> None:
    """Do one stage."""
    name, folder, receipts, *engine = sys.argv[1:]
    hashing.use_engine(engine[0] if engine else hashing.AUTO)
    print(json.dumps(STAGES[name](Path(folder), Shape(int(receipts)))))


if __name__ == "__main__":
    main()
