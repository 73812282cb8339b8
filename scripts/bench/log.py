"""The log of use over a whole history: imported, audited, summed, proven, and metered over HTTP.

`make bench-log N=210000000` measures the article's 210 million calls; the default is small. Each
stage is a process of its own: seconds are the whole process's, memory is its largest.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.codec import hashing
from ledger.log.values import Use
from scripts.bench.figures import Figure, Peer, less, more, say

RECEIPTS = 2_000_000
FALLBACK_RECEIPTS_MAX = 2_000_000
"""Without the kernel so many are imported at most by default."""


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


@dataclass(frozen=True, slots=True)
class Done:
    """One stage: what it said, the process's seconds, its memory in MiB."""

    said: dict[str, Any]
    seconds: float
    peak_mib: float


class Stages:
    """Runs stages on a folder, one process each."""

    def __init__(self, folder: Path, receipts: int) -> None:
        self._folder = folder
        self._receipts = receipts

    def run(
        self, stage: str, *, receipts: int = 0, engine: str = "auto", cold: bool = False
    ) -> Done:
        """Return what a stage took; `cold` drops the system's file cache before, where it may."""
        if cold:
            drop_file_cache()
        arguments = [stage, str(self._folder), str(self._receipts), engine]
        command = [sys.executable, "-m", "scripts.bench.log_stages", *arguments]
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            text = child.stdout.read()
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        if child.returncode:
            raise SystemExit(f"stage {stage} failed")
        done = Done(json.loads(text), seconds, used.ru_maxrss / 1024)
        say(f"  {stage} {engine}: {seconds:.2f} s, {done.peak_mib:.0f} MiB, {done.said}")
        return done


def drop_file_cache() -> None:
    """Make the next reads come from the disk, where the system lets us."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        say("  the file cache could not be dropped: what follows may be warm")


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured, and where."""

    receipts: int = RECEIPTS
    folder: Path | None = None
    """Where the history is written; the system's temporary folder by default."""
    is_fallback_whole: bool = False
    """Whether all receipts are imported without the kernel, too."""


def measure(options: Options) -> list[Figure]:
    """Return the figures of the chapter."""
    receipts = options.receipts
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        say(f"  an invented history of {receipts:,} receipts; hashing by {hashing.engine()}")
        stages = Stages(folder, receipts)
        stages.run("make")
        count = receipts if options.is_fallback_whole else min(receipts, FALLBACK_RECEIPTS_MAX)
        return _history(stages, receipts) + _fallback(folder, receipts, count)


def _history(stages: Stages, receipts: int) -> list[Figure]:
    bounds = stages.run("limit").said
    brought = stages.run("bring", cold=True)
    opened = stages.run("again")
    sealed = stages.run("columns")
    audited = stages.run("audit", cold=True)
    warm = stages.run("audit")
    by_licence = stages.run("usage_by_licence", cold=True)
    by_product = stages.run("usage_by_product", cold=True)
    proven = stages.run("prove")
    peer = stages.run("peer").said
    bound = max(bounds["hash_seconds"], bounds["write_seconds"])
    ratio = peer["ours_per_s"] / peer["theirs_per_s"]
    pymerkle = Peer("pymerkle, leaves/s", round(peer["theirs_per_s"]), published=False)
    note = f"{receipts:,} receipts"
    peak = max(item.peak_mib for item in (brought, sealed, audited, by_licence, by_product))

    def one(name: str, value: float, unit: str, **rest: Any) -> Figure:
        better = more if unit.endswith("/s") or unit == "×" else less
        return better(f"log.{name}", [value], unit, receipts=receipts, **({"note": note} | rest))

    return [
        one(
            "import_seconds", brought.seconds, "s", note=f"{note}: read, checked, numbered, hashed"
        ),
        one("import_per_s", receipts / brought.seconds, "receipts/s", peer=pymerkle),
        one("pymerkle_ratio", ratio, "×", peer=pymerkle, note="leaves/s of the tree, same leaves"),
        one("limit_ratio", brought.seconds / bound, "of the limit", note=_told(bounds)),
        one("open_seconds", opened.seconds, "s", note="a writer opens the log again"),
        one("columns_seconds", sealed.seconds, "s", note=f"{sealed.said['bytes']:,} bytes sealed"),
        one("audit_seconds", audited.seconds, "s", note=f"{note}, cold"),
        one("audit_warm_seconds", warm.seconds, "s"),
        one("aggregate_seconds", by_licence.seconds, "s", note="by licence and month, cold"),
        one(
            "aggregate_product_seconds", by_product.seconds, "s", note="by product and month, cold"
        ),
        one("proof_p50_ms", proven.said["p50_ms"], "ms"),
        one("proof_p99_ms", proven.said["p99_ms"], "ms"),
        one("proof_bytes", proven.said["bytes"], "bytes", note="compact form, receipt included"),
        one("peak_mib", peak, "MiB", note="largest process of import, sealing, audit, sums"),
    ]


def _told(bounds: dict[str, float]) -> str:
    hash_seconds, write_seconds = bounds["hash_seconds"], bounds["write_seconds"]
    return f"hashing alone {hash_seconds:.1f} s, writing alone {write_seconds:.1f} s"


def _fallback(folder: Path, receipts: int, count: int) -> list[Figure]:
    """Import a history of `count` receipts by hashlib alone."""
    shutil.rmtree(folder / "log")
    if count != receipts:
        shutil.rmtree(folder / "meters")
        Stages(folder, count).run("make")
    done = Stages(folder, count).run("bring", engine="hashlib", cold=True)
    note = f"{count:,} receipts, without the native kernel"
    return [
        less("log.import_hashlib_seconds", [done.seconds], "s", receipts=count, note=note),
        more("log.import_hashlib_per_s", [count / done.seconds], "receipts/s", receipts=count),
    ]
