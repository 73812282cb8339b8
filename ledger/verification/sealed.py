"""Sealed lines, read with code of the verifier's own.

A sealed line is canonical JSON whose `sum` is the first 16 hex digits of SHA-256(sum of the line
before ‖ canonical JSON of the rest), then a newline.

Rules kept here:
1. Only the one spelling of a line is accepted: any flipped bit makes it another line.
2. Numbers beyond 2^53 - 1 are texts of digits, smaller ones are numbers.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ledger.domain.units import AMOUNT_FEN_MAX, UINT64_MAX
from ledger.verification.texts import parse_json

_SUM_DIGITS = 16


def unseal(line: bytes, before: str = "") -> dict[str, Any] | None:
    """Return the members of a sealed line without `sum`; None when it is not as it was sealed.

    Args:
        line: the line, newline included.
        before: sum of the line before it in the same file.
    """
    try:
        members = parse_json(line)
        told = members.pop("sum")
        expected = hashlib.sha256(before.encode() + _compact(members)).hexdigest()[:_SUM_DIGITS]
        whole = _compact(members | {"sum": told})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    is_sealed = told == expected and whole + b"\n" == line
    return dict(members) if is_sealed else None


def number(value: object) -> int:
    """Return a number of a sealed line.

    Raises:
        ValueError: when it is neither an integer up to 2^53 - 1 nor a longer one as digits.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= AMOUNT_FEN_MAX:
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        found = int(value)
        if str(found) == value and AMOUNT_FEN_MAX < found <= UINT64_MAX:
            return found
    raise ValueError(f"not a number of a sealed line: {value!r}")


def _compact(value: object) -> bytes:
    """Return the canonical form; these lines hold ASCII names, integers and short texts only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
