"""The root of every error the ledger raises on purpose.

Rules kept here:
1. Every error has a stable `code` ("layer.what_is_wrong"); texts may change, codes never do.
2. Every error says what it got and what it expected, and names the field where there is one.
3. `retryable` says whether the same request may succeed later without being changed.

HTTP statuses live in one table of `api/errors.py`; this layer knows nothing of them.
"""

from __future__ import annotations

from typing import Any, ClassVar


class LedgerError(Exception):
    """Base of all errors: a stable code, the offending field, what was got and expected."""

    code: ClassVar[str] = "ledger.error"
    retryable: ClassVar[bool] = False

    def __init__(
        self, detail: str, *, field: str | None = None, got: Any = None, expected: Any = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.got = got
        self.expected = expected

    def as_dict(self) -> dict[str, Any]:
        """Return the error as plain data, ready for JSON; integers stay integers."""
        return {
            "code": self.code,
            "detail": self.detail,
            "field": self.field,
            "got": _plain(self.got),
            "expected": _plain(self.expected),
            "retryable": self.retryable,
        }


class DomainError(LedgerError):
    """A rule of the market is broken by the values themselves, before any state is read."""

    code = "domain.error"


class ValueOutOfRangeError(DomainError):
    """A quantity lies outside the limits of its unit."""

    code = "domain.value_out_of_range"


class MalformedValueError(DomainError):
    """A text or byte string does not have the form its type demands."""

    code = "domain.malformed_value"


class UnknownCodeError(DomainError):
    """A value is not in its code list (city, role, purpose, frequency …)."""

    code = "domain.unknown_code"


class ValidationError(DomainError):
    """Several findings on one document: all of them, not the first."""

    code = "domain.invalid"

    def __init__(self, detail: str, findings: list[LedgerError]) -> None:
        first = findings[0] if findings else None
        super().__init__(
            detail,
            field=first.field if first else None,
            got=first.got if first else None,
            expected=first.expected if first else None,
        )
        self.findings = findings

    def as_dict(self) -> dict[str, Any]:
        return super().as_dict() | {"findings": [finding.as_dict() for finding in self.findings]}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return "0x" + bytes(value).hex()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)
