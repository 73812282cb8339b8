"""A file's profile: counts per column, found in two passes with bounded memory.

Rules kept here:
1. DuckDB reads and counts; it gets a memory limit, spills beside the file's copy and reaches no
   network. Columns have numbers in SQL, so no name of a file is ever part of a statement.
2. Every figure is a count. What the counts are worth is decided elsewhere (`domain.quality`).
3. A line that cannot be read is counted with its reason and left out; it never stops the reading.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from ledger.domain.catalogue import FIELDS_COUNT_MAX
from ledger.quality.counting import (
    COUNTS,
    GUESSED,
    PLACEHOLDERS,
    Declared,
    counts_sql,
    native_kind,
)
from ledger.quality.errors import HeaderError, ProfileFileError
from ledger.quality.kinds import Kind
from ledger.quality.text_files import text_table

MEMORY_LIMIT = "768MB"
LINE_BYTES_MAX = 16 << 20
_THREADS = 2


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """Counts of one column's values; `fits` by kind is how many are of it."""

    name: str
    kind: Kind
    """As declared, or what nearly all values are."""
    filled: int
    valid: int
    """Filled values that are of the kind, and not longer than declared."""
    suspect: int
    """Filled values that stand for nothing, are mangled, or lie in the future."""
    distinct_about: int
    length_max: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Profile:
    """What was counted on a file."""

    format: str
    encoding: str
    rows: int
    refused: Mapping[str, int]
    """Lines that could not be read, by reason."""
    columns: tuple[ColumnProfile, ...]
    distinct_rows: int
    distinct_keys: int | None
    """Different values of the declared key, None without one."""
    byte_size: int


@dataclass(frozen=True, slots=True)
class _Table:
    source: str
    """SQL of the table with columns c0, c1, … as text."""
    format: str
    encoding: str
    names: tuple[str, ...]
    path: str
    natives: tuple[Kind | None, ...]
    """What the file itself says that a column's values are; None for text."""


def profile_file(path: Path, declared: Mapping[str, Declared], now: datetime) -> Profile:
    """Count a CSV or Parquet file's values.

    Args:
        path: the file; `.parquet` is read as Parquet, everything else as CSV with a header.
        declared: what a record says, by field name; empty without a record.
        now: what lies after it is in the future; local time of the data, without offset.

    Raises:
        ProfileFileError: it is missing, damaged, or of another format.
        EncodingUnknownError, HeaderError: see the classes.
    """
    if not path.is_file():
        raise ProfileFileError("no such file", field="file", got=str(path))
    with tempfile.TemporaryDirectory(prefix="mdl-quality-") as name:
        folder = Path(name)
        connection = _connect(folder)
        try:
            table = _open(connection, path, folder)
            return _profile(connection, table, path, declared, now)
        except duckdb.Error as error:
            raise ProfileFileError(
                f"{path.name} cannot be read: {str(error).splitlines()[0]}",
                field="file",
                got=str(path),
                expected="CSV or Parquet",
            ) from error
        finally:
            connection.close()


def _connect(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": _THREADS,
            "temp_directory": str(folder / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
        }
    )
    # It would stand in the middle of a JSON document.
    connection.execute("SET enable_progress_bar = false")
    return connection


def _open(connection: duckdb.DuckDBPyConnection, path: Path, folder: Path) -> _Table:
    if path.suffix.lower() in (".parquet", ".pq"):
        return _open_parquet(connection, path)
    text = text_table(path, folder)
    if not text.names:
        return _Table("", "csv", text.encoding, (), "", ())
    columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(text.names)))
    delimiter = "\\t" if text.delimiter == "\t" else text.delimiter
    source = (
        f"read_csv($path, delim='{delimiter}', quote='\"', escape='\"', header=true, "
        f"auto_detect=false, columns={{{columns}}}, store_rejects=true, rejects_limit=0, "
        f"max_line_size={LINE_BYTES_MAX}, buffer_size={2 * LINE_BYTES_MAX}, strict_mode=true, "
        "parallel=false)"
    )
    natives = (None,) * len(text.names)
    return _Table(source, "csv", text.encoding, text.names, str(text.path), natives)


def _open_parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> _Table:
    described = connection.execute(
        "DESCRIBE SELECT * FROM read_parquet($path)", {"path": str(path)}
    ).fetchall()
    names = tuple(str(row[0]) for row in described)
    if len(names) > FIELDS_COUNT_MAX:
        raise HeaderError(
            "the file has too many columns",
            field="header",
            got=len(names),
            expected=f"at most {FIELDS_COUNT_MAX}",
        )
    natives = tuple(native_kind(str(row[1])) for row in described)
    listed = ", ".join(f"c{number}" for number in range(len(names)))
    shown = ", ".join(
        f"c{number}" if native is not None else f"c{number}::VARCHAR AS c{number}"
        for number, native in enumerate(natives)
    )
    source = f"(SELECT {shown} FROM read_parquet($path) AS t({listed}))"
    return _Table(source, "parquet", "utf-8", names, str(path), natives)


def _profile(
    connection: duckdb.DuckDBPyConnection,
    table: _Table,
    path: Path,
    declared: Mapping[str, Declared],
    now: datetime,
) -> Profile:
    size = path.stat().st_size
    if not table.names:
        return Profile(table.format, table.encoding, 0, {}, (), 0, None, size)
    per_column = [
        counts_sql(f"c{number}", native, declared.get(name))
        for number, (name, native) in enumerate(zip(table.names, table.natives, strict=True))
    ]
    selected = ", ".join(part for parts in per_column for part in parts)
    values = {"path": table.path, "now": now, "placeholders": list(PLACEHOLDERS)}
    # All rows are fetched: only then does the reading end, and tell what it refused.
    statement = f"SELECT count(*), {selected} FROM {table.source}"
    row = connection.execute(statement, values).fetchall()[0]
    refused = _refused(connection) if table.format == "csv" else {}
    columns = tuple(
        _column(name, declared.get(name), row[1 + number * COUNTS :][:COUNTS])
        for number, name in enumerate(table.names)
    )
    keys = [
        number
        for number, name in enumerate(table.names)
        if name in declared and declared[name].is_key
    ]
    everything = range(len(table.names))
    return Profile(
        format=table.format,
        encoding=table.encoding,
        rows=row[0],
        refused=refused,
        columns=columns,
        distinct_rows=_distinct(connection, table, everything),
        distinct_keys=_distinct(connection, table, keys) if keys else None,
        byte_size=size,
    )


def _column(name: str, declared: Declared | None, counts: Sequence[Any]) -> ColumnProfile:
    filled, valid, suspect, distinct, length, newest, instants, *fits = counts
    kind = declared.kind if declared else _guess(filled, fits)
    if declared is None:
        valid = filled if kind is Kind.TEXT else fits[GUESSED.index(kind)]
    is_time = kind in (Kind.DATE, Kind.INSTANT) and instants > 0
    return ColumnProfile(
        name=name,
        kind=kind,
        filled=filled,
        valid=valid,
        suspect=suspect,
        distinct_about=min(distinct, filled),
        length_max=length,
        newest=newest if is_time else None,
    )


def _guess(filled: int, fits: Sequence[int]) -> Kind:
    """Return the kind that nineteen of twenty filled values are; text where they are none."""
    for kind, count in zip(GUESSED, fits, strict=True):
        if filled and count * 20 >= filled * 19:
            return kind
    return Kind.TEXT


def _refused(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return lines that the first pass refused, by reason; without any there is no such table."""
    present = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'"
    if connection.execute(present).fetchall()[0][0] == 0:
        return {}
    rows = connection.execute(
        "SELECT lower(error_type::VARCHAR), count(DISTINCT line) FROM reject_errors "
        "WHERE scan_id = (SELECT min(scan_id) FROM reject_errors) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return {str(reason): int(count) for reason, count in rows}


def _distinct(connection: duckdb.DuckDBPyConnection, table: _Table, numbers: Sequence[int]) -> int:
    """Return how many different rows there are in some columns, by a hash of 64 bits."""
    listed = ", ".join(f"c{number}" for number in numbers)
    row = connection.execute(
        f"SELECT count(*) FROM (SELECT hash({listed}) AS h FROM {table.source} GROUP BY h)",
        {"path": table.path},
    ).fetchall()
    return int(row[0][0])
