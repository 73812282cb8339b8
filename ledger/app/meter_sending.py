"""A meter's file as bodies for its log's intake, each with the numbers of its rows."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ledger.app.errors import FileUnreadableError
from ledger.log.meter_bodies import body_of_json, body_of_receipts
from ledger.log.meter_files import Piece, open_meter_file


class Form(StrEnum):
    """How rows are sent."""

    JSON = "json"
    BINARY = "binary"

    @property
    def media_type(self) -> str:
        """The type of the body."""
        return "application/json" if self == Form.JSON else "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Body:
    """Rows of one meter that follow each other in its numbers."""

    meter_no: int
    first_seq: int
    count: int
    content: bytes


def bodies_of(path: Path, batch_rows: int, form: Form) -> Generator[Body, None, None]:
    """Yield a file's rows as bodies.

    Args:
        path: Parquet, Arrow IPC, or JSON lines.
        batch_rows: rows of a body at most.
        form: how they are written.

    Raises:
        LogRowsError: the file cannot be read.
        FileUnreadableError: a row of it is no use in form; what came before was yielded.
    """
    with open_meter_file(path) as (_, pieces):
        for piece in pieces:
            if piece.malformed:
                first: dict[str, Any] = piece.malformed[0].as_dict()
                raise FileUnreadableError(
                    f"line {first['row'] + 1} of {path.name} is no use",
                    field=first["field"],
                    got=first["got"],
                    expected=first["expected"],
                )
            yield from _bodies(piece, batch_rows, form)


def _bodies(piece: Piece, batch_rows: int, form: Form) -> Iterator[Body]:
    for first, end in piece.runs(batch_rows):
        rows, first_seq = piece.rows.part(first, end), int(piece.seqs[first])
        content = body_of_receipts(rows) if form == Form.BINARY else body_of_json(first_seq, rows)
        yield Body(int(rows.meter_no[0]), first_seq, end - first, content)
