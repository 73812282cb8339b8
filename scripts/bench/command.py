"""Commands: from the request to the projected event, on the local node."""

from __future__ import annotations

from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS
from scripts.bench.figures import Figure, less, seconds_of
from scripts.bench.market import opened

COMMANDS = 200


def measure(commands: int = COMMANDS) -> list[Figure]:
    """Return the figures of the chapter: plan, sign, relay, mine, index, each command alone."""
    with opened() as bench:
        scores = dict.fromkeys(QUALITY_DIMENSIONS, 95)
        body = {"dataset_id": str(bench.dataset_id), "scores": scores, "report": "示例"}
        times = sorted(
            seconds_of(lambda: bench.run("authority", "inspect-dataset", body)) * 1_000
            for _ in range(commands)
        )
    note = f"{commands} commands one after another"
    p99 = times[commands * 99 // 100]
    return [
        less("command.round_trip_p50_ms", times, "ms", note=note),
        less("command.round_trip_p99_ms", [p99], "ms", note=note),
    ]
