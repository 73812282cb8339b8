"""Rows as CSV that a spreadsheet opens without running anything.

Rules kept here:
1. RFC 4180 with CRLF; the header is the first row's keys, in their order.
2. A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers do not.
3. Integers are written in full; nothing is formatted for a locale.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from ledger.codec.canonical import canonical_json

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as CSV text; nested values as canonical JSON, None as an empty cell.

    Rows may lack keys of the first one and have no others.

    Raises:
        ValueError: when a row has a key that the first row has not.
    """
    out = io.StringIO(newline="")
    if rows:
        header = list(rows[0])
        writer = csv.DictWriter(out, [_cell(name) for name in header], lineterminator="\r\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({_cell(name): _cell(value) for name, value in row.items()})
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = canonical_json(value).decode() if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
