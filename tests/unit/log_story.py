"""Uses to append, for the tests of the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledger.log.values import Use
from ledger.log.writer import LogWriter

ORIGIN = "example.org/log/7"
LOG_NO = 7


def use(licence_no: int = 1, used_at_ms: int = 1_000, **changes: Any) -> Use:
    """One delivered page of ten rows, unless changed."""
    values: dict[str, Any] = {
        "mode": 2,
        "purpose": 3,
        "meter_no": 4,
        "licence_no": licence_no,
        "used_at_ms": used_at_ms,
        "version_no": 1,
        "status": 0,
        "units": 1,
        "records": 10,
        "request": {"page": used_at_ms, "who": "王"},
        "response_digest": b"\x05" * 32,
    }
    return Use(**(values | changes))


def open_log(folder: Path) -> LogWriter:
    """The log of the tests."""
    return LogWriter.open(folder, origin=ORIGIN, log_no=LOG_NO)


def fill(folder: Path, count: int, *, sign: bool = True) -> None:
    """A log of `count` receipts over three licences, with a checkpoint."""
    with open_log(folder) as writer:
        writer.append([use(1 + number % 3, 1_000 + number) for number in range(count)])
        if sign:
            writer.checkpoint(5_000)
