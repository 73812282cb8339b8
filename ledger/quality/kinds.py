"""Kinds of values: how a record names them, and the SQL that says whether a text is one."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What the values of a column are."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "datetime"
    TEXT = "text"


_NAMES: dict[Kind, tuple[str, ...]] = {
    Kind.INTEGER: ("integer", "int", "bigint", "smallint", "long", "整型", "整数", "整数型"),
    Kind.DECIMAL: (
        "decimal", "number", "numeric", "float", "double", "数值", "数值型", "小数", "浮点型",
    ),
    Kind.BOOLEAN: ("boolean", "bool", "布尔", "布尔型"),
    Kind.DATE: ("date", "日期", "日期型"),
    Kind.INSTANT: ("datetime", "timestamp", "time", "时间", "日期时间", "时间型", "日期时间型"),
}  # fmt: skip
_KIND_OF = {name: kind for kind, names in _NAMES.items() for name in names}
_DAY_FORMATS = "['%Y-%m-%d', '%Y/%m/%d', '%Y%m%d', '%Y.%m.%d', '%Y年%m月%d日']"
_INSTANT_FORMATS = (
    "['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M', '%Y/%m/%d %H:%M:%S', '%Y/%m/%d %H:%M', "
    "'%Y-%m-%dT%H:%M:%S', '%Y%m%d%H%M%S']"
)
_TESTS = {
    Kind.INTEGER: "regexp_full_match({0}, '[+-]?[0-9]{{1,38}}')",
    Kind.DECIMAL: (
        "regexp_full_match({0}, '[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]{{1,3}})?')"
    ),
    Kind.BOOLEAN: "lower({0}) IN ('true', 'false', '0', '1', 'yes', 'no', '是', '否', 't', 'f')",
}


def kind_of(name: str) -> Kind:
    """Return the kind that a record's type names; what is none of the list counts as text."""
    base = name.strip().lower().partition("(")[0].strip()
    return _KIND_OF.get(base, Kind.TEXT)


def is_kind_sql(kind: Kind, value: str) -> str:
    """Return SQL that is true where a text is of a kind.

    Args:
        kind: any but text, which everything is.
        value: SQL of a text without blanks around it.
    """
    if kind is Kind.DATE:
        return f"{day_sql(value)} IS NOT NULL"
    if kind is Kind.INSTANT:
        return f"({instant_sql(value)} IS NOT NULL OR {day_sql(value)} IS NOT NULL)"
    return _TESTS[kind].format(value)


def day_sql(value: str) -> str:
    """Return SQL for the day that a text names, NULL where it names none."""
    return f"try_strptime({value}, {_DAY_FORMATS})"


def instant_sql(value: str) -> str:
    """Return SQL for the instant that a text names, NULL where it names none."""
    return f"coalesce(try_strptime({value}, {_INSTANT_FORMATS}), try_cast({value} AS TIMESTAMP))"
