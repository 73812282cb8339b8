"""Uses that meters hand in as files: checked against licences, one file one commit.

Nothing but the gateway speaks for its own meter: rows under that number are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ledger.app.gateway import METER_NO
from ledger.app.licence_terms import licence_terms
from ledger.app.market import Market
from ledger.log.admission import RowRefusal
from ledger.log.layout import sync_folder, write_file
from ledger.log.meter_files import open_meter_file
from ledger.projection import queries

Tell = Callable[[str, int, int | None], None]
"""Told a file's name, how many rows were read, and how many it has where that is known."""


@dataclass(frozen=True, slots=True)
class FileImported:
    """What became of one file."""

    file: str
    rows: int
    taken: int
    repeated: int
    """Passed over: their numbers are in the log already."""
    refused: int
    rejects: str | None
    """Where the refused rows are told, one JSON object a line."""
    size: int
    """Receipts in the log after it."""

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def import_file(
    market: Market, path: Path, log_no: int, *, rejects: Path | None = None, tell: Tell
) -> FileImported:
    """Bring a meter's file into a log, signed on return; all that may enter does, or nothing.

    Args:
        market: the market whose projections say what licences grant.
        path: Parquet, Arrow IPC, or JSON lines.
        log_no: the log, which no other process may be writing to.
        rejects: where refused rows are told; beside the file by default.
        tell: told of progress.

    Raises:
        LogRowsError: the file cannot be read; nothing entered.
        LogMeterGapsError: its numbers leave more gaps than are kept; nothing entered.
        NotFoundError: there is no such log.
        LogBusyError: another process writes to the log.
    """
    with market.read() as connection:
        queries.log(connection, log_no)
    told = _Rejects(rejects or path.with_name(path.name + ".rejects.ndjson"))
    with open_meter_file(path) as (total, pieces):
        found = market.meter(log_no).append_pieces(
            (piece.of_meters_from(METER_NO + 1) for piece in pieces),
            licence_terms(market, log_no),
            told.take,
            lambda rows: tell(path.name, rows, total),
        )
    return FileImported(
        path.name,
        found.rows,
        found.taken,
        found.repeated,
        found.refused,
        told.finish(),
        found.size,
    )


class _Rejects:
    """Refused rows on their way to a file, which appears whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[str] = []

    def take(self, refusals: Sequence[RowRefusal]) -> None:
        """Note refused rows; lines count from 1, as editors do."""
        for item in refusals:
            told = item.as_dict()
            line = {"line": told.pop("row") + 1} | told
            self._lines.append(json.dumps(line, ensure_ascii=False))

    def finish(self) -> str | None:
        """Write the file, if there is anything to tell; return its path."""
        if not self._lines:
            self._path.unlink(missing_ok=True)
            return None
        write_file(self._path, ("\n".join(self._lines) + "\n").encode())
        sync_folder(self._path.parent)
        return str(self._path)
