"""Canonical JSON: one byte string per value, so that a digest of a record means something.

Rules kept here:
1. RFC 8785 (JCS), UTF-8, keys ordered by UTF-16 code units.
2. No floats, and no integer beyond 2^53 - 1 either way: any JSON reader must see the same value.
3. Nesting deeper than `DEPTH_MAX` is refused, not followed until the stack ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785

from ledger.codec.errors import NotCanonicalError
from ledger.domain.units import AMOUNT_FEN_MAX

DEPTH_MAX = 64


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 form of a JSON value as UTF-8 bytes.

    Raises:
        NotCanonicalError: for a float, an integer beyond ±(2^53 - 1), a key that is no string, a
            lone surrogate, a type JSON does not have, or nesting beyond `DEPTH_MAX`; `field` is
            the path to it.
    """
    _check(value, "$", 0)
    try:
        return bytes(rfc8785.dumps(value))
    except rfc8785.CanonicalizationError as error:
        raise NotCanonicalError(
            f"no canonical form: {error}", field="$", expected="JSON of valid Unicode"
        ) from error


def canonical_digest(value: Any) -> bytes:
    """Return SHA-256 of the canonical JSON of a value: 32 bytes, unsalted."""
    return hashlib.sha256(canonical_json(value)).digest()


def _check(value: Any, path: str, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise _refusal(path, f"nesting beyond {DEPTH_MAX}", f"at most {DEPTH_MAX} levels")
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > AMOUNT_FEN_MAX:
            raise _refusal(path, value, "an integer within ±(2^53 - 1)")
    elif isinstance(value, Mapping):
        _check_members(value, path, depth)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            _check(item, f"{path}[{position}]", depth + 1)
    else:
        raise _refusal(path, type(value).__name__, "object, array, string, integer, bool or null")


def _check_members(value: Mapping[Any, Any], path: str, depth: int) -> None:
    for key, item in value.items():
        if not isinstance(key, str):
            raise _refusal(path, repr(key), "string keys")
        _check(item, f"{path}.{key}", depth + 1)


def _refusal(path: str, got: Any, expected: str) -> NotCanonicalError:
    return NotCanonicalError(
        f"{path}: expected {expected}, got {got}", field=path, got=got, expected=expected
    )
