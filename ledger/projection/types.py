"""Column types whose values come back from every database exactly as they went in.

SQLite turns large numerics into floats without a word, and its integers end at 2^63 - 1. So
quantities that may reach 2^64 - 1 are 20 digits of text there (sortable), NUMERIC on PostgreSQL.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, LargeBinary, Numeric, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from ledger.domain.units import UINT64_MAX

_DIGITS = 20


class Uint64(TypeDecorator[int]):
    """An integer from 0 to 2^64 - 1, exact and sortable on every database."""

    impl = String(_DIGITS)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use NUMERIC(20, 0) on PostgreSQL, fixed-width text elsewhere."""
        wide: TypeEngine[Any] = Numeric(_DIGITS, 0)
        text: TypeEngine[Any] = String(_DIGITS)
        return dialect.type_descriptor(wide if dialect.name == "postgresql" else text)

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Refuse what is no uint64; a bool is none either."""
        if value is None:
            return None
        if isinstance(value, bool) or not 0 <= value <= UINT64_MAX:
            raise ValueError(f"not a uint64: {value!r}")
        return value if dialect.name == "postgresql" else f"{value:0{_DIGITS}d}"

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Return the integer."""
        return None if value is None else int(value)


class Json(TypeDecorator[Any]):
    """Canonical JSON text (sorted keys, no spaces): equal values are equal bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the text of a value."""
        return None if value is None else json_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value of the text; integers of any size stay exact."""
        return None if value is None else json.loads(value)


class Id(TypeDecorator[UUID]):
    """A UUID as its canonical text of 36 characters."""

    impl = String(36)
    cache_ok = True

    def process_bind_param(self, value: UUID | str | None, dialect: Dialect) -> str | None:
        """Return the text; a text is taken as it is."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> UUID | None:
        """Return the UUID."""
        return None if value is None else UUID(value)


class Digest(TypeDecorator[bytes]):
    """32 bytes as 0x and 64 lower-case hex digits."""

    impl = String(66)
    cache_ok = True

    def process_bind_param(self, value: bytes | str | None, dialect: Dialect) -> str | None:
        """Return the text; a text is taken as it is."""
        return "0x" + value.hex() if isinstance(value, bytes) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Return the bytes."""
        return None if value is None else bytes.fromhex(value[2:])


Blob = LargeBinary


def json_text(value: Any) -> str:
    """Return canonical JSON text: sorted keys, no spaces, no floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
