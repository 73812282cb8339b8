"""Sealed lines: canonical JSON that carries a sum of itself, so that no flipped bit goes unseen.

`sum` is the first 16 hex digits of SHA-256(sum of the line before ‖ canonical JSON of the rest).
Lines of one file are chained by it; a line that stands alone has the empty text before it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ledger.codec.canonical import canonical_json
from ledger.codec.errors import NotCanonicalError

_DIGITS = 16


def seal(members: dict[str, Any], before: str = "") -> bytes:
    """Return the line of some members, newline included.

    Args:
        members: any JSON without floats and without a member `sum`.
        before: the sum of the line before it in the file.
    """
    return canonical_json(members | {"sum": _sum(members, before)}) + b"\n"


def unseal(line: bytes, before: str = "") -> dict[str, Any] | None:
    """Return the members of a line, `sum` included; None when it is torn or was altered."""
    try:
        members = json.loads(line)
        rest = {name: value for name, value in members.items() if name != "sum"}
        return members if seal(rest, before) == line else None
    except (ValueError, AttributeError, RecursionError, NotCanonicalError):
        return None


def _sum(members: dict[str, Any], before: str) -> str:
    return hashlib.sha256(before.encode() + canonical_json(members)).hexdigest()[:_DIGITS]
