"""SQL that counts one column's values: one list of aggregates, whatever the column holds."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.quality.kinds import Kind, day_sql, instant_sql, is_kind_sql

PLACEHOLDERS = (
    "n/a", "na", "null", "none", "nan", "-", "--", "—", "/", "\\n", "#n/a", "无", "空", "不详",
    "未知", "待定", "unknown", "tbd", "?", "test", "测试",
)  # fmt: skip
GUESSED = (Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.INSTANT)
COUNTS = 7 + len(GUESSED)
"""How many aggregates a column has."""
_NATIVE = {
    "TINYINT": Kind.INTEGER,
    "SMALLINT": Kind.INTEGER,
    "INTEGER": Kind.INTEGER,
    "BIGINT": Kind.INTEGER,
    "HUGEINT": Kind.INTEGER,
    "UTINYINT": Kind.INTEGER,
    "USMALLINT": Kind.INTEGER,
    "UINTEGER": Kind.INTEGER,
    "UBIGINT": Kind.INTEGER,
    "FLOAT": Kind.DECIMAL,
    "DOUBLE": Kind.DECIMAL,
    "DECIMAL": Kind.DECIMAL,
    "BOOLEAN": Kind.BOOLEAN,
    "DATE": Kind.DATE,
    "TIMESTAMP": Kind.INSTANT,
}
_ALSO = {Kind.INTEGER: Kind.DECIMAL, Kind.DATE: Kind.INSTANT}
"""What else a value is that is of a kind."""
_LIKE_A_DAY = "^[12][0-9]{3}[-/.年]?[01]?[0-9]"
_INSTANT_LENGTH_MAX = 32
_NO_INSTANT = "NULL::TIMESTAMP"


@dataclass(frozen=True, slots=True)
class Declared:
    """What a record says of one field."""

    kind: Kind
    length_max: int | None
    is_key: bool


def native_kind(sql_type: str) -> Kind | None:
    """Return what a file's own type says of a column; None for text and for what is nested."""
    return None if sql_type.endswith("]") else _NATIVE.get(sql_type.partition("(")[0])


def counts_sql(column: str, native: Kind | None, declared: Declared | None) -> list[str]:
    """Return the aggregates of one column.

    In their order: filled, valid, suspect, distinct, longest, newest instant, instants, and how
    many values are of each guessed kind. `$placeholders` and `$now` are parameters.
    """
    if native is not None:
        return _native_counts(column, native, declared)
    value = f"nullif(trim({column}), '')"
    instant = _instant(value, declared)
    mangled = f"regexp_matches({value}, '[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x{{FFFD}}]')"
    suspect = (
        f"list_contains($placeholders, lower({value})) OR {mangled} "
        f"OR coalesce({instant} > $now, false)"
    )
    kind = declared.kind if declared else Kind.TEXT
    fits = "true" if kind is Kind.TEXT else is_kind_sql(kind, value)
    length_max = declared.length_max if declared else None
    if length_max is not None:
        fits += f" AND length({value}) <= {length_max}"
    guesses = [
        f"count(*) FILTER (WHERE {_guess(guess, value, instant)})" if declared is None else "0"
        for guess in GUESSED
    ]
    return [
        f"count({value})",
        f"count(*) FILTER (WHERE {value} IS NOT NULL AND {fits})",
        f"count(*) FILTER (WHERE {value} IS NOT NULL AND ({suspect}))",
        f"approx_count_distinct({value})",
        f"coalesce(max(length({value})), 0)",
        f"max({instant}) FILTER (WHERE {instant} <= $now)",
        f"count({instant})",
        *guesses,
    ]


def _guess(kind: Kind, value: str, instant: str) -> str:
    # Dates are parsed only where a value looks like one.
    looks = f"{instant} IS NOT NULL AND " if kind in (Kind.DATE, Kind.INSTANT) else ""
    return looks + is_kind_sql(kind, value)


def _instant(value: str, declared: Declared | None) -> str:
    if declared is not None and declared.kind not in (Kind.DATE, Kind.INSTANT):
        return _NO_INSTANT
    return (
        f"CASE WHEN length({value}) <= {_INSTANT_LENGTH_MAX} "
        f"AND regexp_matches({value}, '{_LIKE_A_DAY}') "
        f"THEN coalesce({instant_sql(value)}, {day_sql(value)}) END"
    )


def _native_counts(column: str, native: Kind, declared: Declared | None) -> list[str]:
    is_time = native in (Kind.DATE, Kind.INSTANT)
    instant = f"{column}::TIMESTAMP" if is_time else _NO_INSTANT
    kind = declared.kind if declared else native
    fits = "true" if kind in (native, _ALSO.get(native), Kind.TEXT) else "false"
    length = f"length({column}::VARCHAR)" if declared and declared.length_max else "0"
    if declared is not None and declared.length_max is not None:
        fits += f" AND {length} <= {declared.length_max}"
    return [
        f"count({column})",
        f"count(*) FILTER (WHERE {column} IS NOT NULL AND {fits})",
        f"count(*) FILTER (WHERE coalesce({instant} > $now, false))",
        f"approx_count_distinct({column})",
        f"coalesce(max({length}), 0)",
        f"max({instant}) FILTER (WHERE {instant} <= $now)",
        f"count({instant})",
        *(f"count({column})" if guess in (native, _ALSO.get(native)) else "0" for guess in GUESSED),
    ]
