"""Unified social credit codes (统一社会信用代码).

Source: GB 32100-2015. Eighteen characters of 0-9 and A-Z without I, O, S, V, Z; the last is a
check character: (31 - Σ value(i) · 3^(i-1) mod 31) mod 31 over the first seventeen.
"""

from __future__ import annotations

from ledger.domain.errors import MalformedValueError

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH = 18


def check_character(first_seventeen: str) -> str:
    """Return the check character of the first seventeen characters."""
    total = sum(
        ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(first_seventeen)
    )
    return ALPHABET[(31 - total % 31) % 31]


def require_uscc(value: object, field: str = "provider_uscc") -> str:
    """Return the code when its form and check character are right.

    Raises:
        MalformedValueError: with the check character that was expected.
    """
    if not isinstance(value, str) or len(value) != LENGTH or any(c not in ALPHABET for c in value):
        raise MalformedValueError(
            f"{field} must be {LENGTH} characters of {ALPHABET}, got {value!r}",
            field=field,
            got=value,
            expected=f"{LENGTH} characters of {ALPHABET}",
        )
    expected = check_character(value[:-1])
    if value[-1] != expected:
        raise MalformedValueError(
            f"{field} {value!r} has check character {value[-1]!r}, expected {expected!r}",
            field=field,
            got=value[-1],
            expected=expected,
        )
    return value
