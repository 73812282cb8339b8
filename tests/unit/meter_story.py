"""Rows that meters hand in, for the tests of the log."""

from __future__ import annotations

from typing import Any

import numpy as np

from ledger.log.admission import LicenceTerms
from ledger.log.meter_files import NAMES, WIDTHS, Piece
from ledger.log.rows import UseRows
from ledger.log.values import MeterBatch

COMMITMENT = bytes(range(32))


def line(meter_seq: int = 1, **changes: Any) -> dict[str, Any]:
    """One delivered page as a JSON object, unless changed."""
    values: dict[str, Any] = {
        "meter_seq": meter_seq,
        "meter_no": 4,
        "licence_no": 1,
        "mode": 2,
        "purpose": 3,
        "used_at_ms": 1_000,
        "version_no": 1,
        "status": 0,
        "units": 1,
        "records": 10,
        "commitment": "0x" + COMMITMENT.hex(),
    }
    return values | changes


def rows_of(lines: list[dict[str, Any]]) -> UseRows:
    """The same as columns."""
    columns = {
        name: np.array([item[name] for item in lines], width)
        for name, width in WIDTHS.items()
        if name != "meter_seq"
    }
    words = b"".join(bytes.fromhex(item["commitment"][2:]) for item in lines)
    return UseRows(**columns, commitment=np.frombuffer(words, np.uint64).reshape(-1, 4))


def seqs_of(lines: list[dict[str, Any]]) -> Any:
    """Their numbers."""
    return np.array([item["meter_seq"] for item in lines], np.uint64)


def piece(lines: list[dict[str, Any]], first: int = 0) -> Piece:
    """The same as a piece of a file."""
    places = np.arange(first, first + len(lines))
    return Piece(len(lines), places, seqs_of(lines), rows_of(lines), [])


def batch(lines: list[dict[str, Any]]) -> MeterBatch:
    """The same as a meter's batch."""
    return MeterBatch(lines[0]["meter_no"], seqs_of(lines), rows_of(lines))


def terms(count: int = 5, **changes: Any) -> LicenceTerms:
    """Licences 1 … count: interface and sandbox, industry, valid [500, 100,000), quota 1,000."""
    values: dict[str, Any] = {
        "modes": 0b110,
        "purpose": 3,
        "valid_from_ms": 500,
        "valid_until_ms": 100_000,
        "quota_units": 1_000,
    }
    values |= changes
    pauses = values.pop("pauses", ())
    columns = {name: np.full(count, value, np.uint64) for name, value in values.items()}
    return LicenceTerms(licence_no=np.arange(1, count + 1), **columns, pauses=pauses)


assert set(line()) == set(NAMES)
