"""Use summed over logs: by licence, product, dataset, buyer, city, month, purpose and mode.

Rules kept here:
1. The text of a query is plain SQL over three tables, `receipts`, `licences` and `lineage`; any
   engine that has them answers it. Only `_Engine` knows DuckDB.
2. Sums are exact: units and records are added as DECIMAL(38, 0), never as 64-bit integers.
3. Each receipt counts once, whatever the licence. One exception: by dataset, a product's use counts
   for each dataset of its lineage, so those rows may add up to more than was used.
4. The engine reads the named files and nothing else: no network, no extensions, bounded memory.

Who a licence belongs to is the caller's knowledge; it hands the two small tables over as rows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]

from ledger.domain.errors import UnknownCodeError
from ledger.log.columns import COLUMNS, ColumnParts
from ledger.log.errors import LogUsageError

MEMORY_LIMIT = "1536MiB"
THREADS = 2
_ONE_AT_A_TIME = threading.Lock()
"""Memory is bounded for the process, not only for one sum."""

LICENCES = pa.schema(
    [
        ("licence_no", pa.uint64()),
        ("product_id", pa.string()),
        ("buyer_id", pa.string()),
        ("city_code", pa.uint32()),
    ]
)
LINEAGE = pa.schema([("product_id", pa.string()), ("dataset_id", pa.string())])


class Dimension(StrEnum):
    """What use may be summed by; the value is the column of the answer."""

    LICENCE = "licence_no"
    PRODUCT = "product_id"
    DATASET = "dataset_id"
    BUYER = "buyer_id"
    CITY = "city_code"
    MONTH = "period_id"
    PURPOSE = "purpose"
    MODE = "mode"


@dataclass(frozen=True, slots=True)
class LicenceFacts:
    """What is licensed to whom; `city_code` is the product's."""

    licence_no: int
    product_id: str
    buyer_id: str
    city_code: int


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which receipts count; what is None does not narrow.

    Attributes:
        period_from: first month, yyyymm.
        period_to: last month, yyyymm.
        licence_no: one licence.
        product_id: licences of one product.
        buyer_id: licences of one buyer.
        is_known_only: only licences that the caller handed over.
    """

    period_from: int | None = None
    period_to: int | None = None
    licence_no: int | None = None
    product_id: str | None = None
    buyer_id: str | None = None
    is_known_only: bool = False


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Use under one key; the key's parts are those that were asked for, None where unknown."""

    key: tuple[int | str | None, ...]
    receipts: int
    refusals: int
    units: int
    records: int
    first_used_at_ms: int | None
    last_used_at_ms: int | None


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """A query: its text, and the values of its question marks in their order."""

    text: str
    values: tuple[int | str, ...]


USES = """
SELECT {columns}
    COUNT(*) AS receipts,
    COUNT(CASE WHEN status <> 0 THEN 1 END) AS refusals,
    SUM(CAST(units AS DECIMAL(38, 0))) AS units,
    SUM(CAST(records AS DECIMAL(38, 0))) AS records,
    MIN(used_at_ms) AS first_used_at_ms,
    MAX(used_at_ms) AS last_used_at_ms
FROM receipts
{where}
GROUP BY {group}
"""
"""Receipts summed by what they hold themselves: at most licences x months x purposes x modes."""

USAGE = """
WITH uses AS ({uses})
SELECT {columns}
    SUM(uses.receipts) AS receipts,
    SUM(uses.refusals) AS refusals,
    SUM(uses.units) AS units,
    SUM(uses.records) AS records,
    MIN(uses.first_used_at_ms) AS first_used_at_ms,
    MAX(uses.last_used_at_ms) AS last_used_at_ms
FROM uses
{joins}
{group}
"""
"""Those sums, joined with the licences' facts and summed again."""

_JOINS = {
    "licences": "LEFT JOIN licences ON licences.licence_no = uses.licence_no",
    "lineage": "LEFT JOIN lineage ON lineage.product_id = licences.product_id",
}
_TABLE = {
    Dimension.LICENCE: "uses",
    Dimension.PRODUCT: "licences",
    Dimension.DATASET: "lineage",
    Dimension.BUYER: "licences",
    Dimension.CITY: "licences",
    Dimension.MONTH: "uses",
    Dimension.PURPOSE: "uses",
    Dimension.MODE: "uses",
}


def parse_dimensions(names: Iterable[str]) -> tuple[Dimension, ...]:
    """Return the dimensions of their names, each once, in the order given.

    Raises:
        UnknownCodeError: with the names that there are.
    """
    known = {member.name.lower(): member for member in Dimension}
    found = {}
    for name in names:
        key = name.strip().lower()
        if key not in known:
            raise UnknownCodeError(
                f"use is summed by {', '.join(known)}, not by {name!r}",
                field="by",
                got=name,
                expected=list(known),
            )
        found[known[key]] = True
    return tuple(found)


def usage_query(by: Sequence[Dimension], wanted: UsageFilter) -> UsageQuery:
    """Return the query of use by some dimensions; by none, it has one row."""
    own = [part for part in by if _TABLE[part] == "uses" and part != Dimension.LICENCE]
    inner = [Dimension.LICENCE, *own]
    conditions = list(_conditions(wanted))
    texts = [text for text, _ in conditions]
    uses = USES.format(
        columns=_listed(part.value for part in inner),
        where="WHERE " + " AND ".join(texts) if texts else "",
        group=", ".join(part.value for part in inner),
    )
    needed = {_TABLE[part] for part in by}
    needed |= {"licences"} if "lineage" in needed else set()
    keys = [f"{_TABLE[part]}.{part.value}" for part in by]
    text = USAGE.format(
        uses=uses,
        columns=_listed(keys),
        joins="\n".join(join for table, join in _JOINS.items() if table in needed),
        group="GROUP BY " + ", ".join(keys) if keys else "",
    )
    return UsageQuery(text, tuple(value for _, values in conditions for value in values))


def _conditions(wanted: UsageFilter) -> Iterator[tuple[str, tuple[int | str, ...]]]:
    for column, sign, value in (
        ("period_id", ">=", wanted.period_from),
        ("period_id", "<=", wanted.period_to),
        ("licence_no", "=", wanted.licence_no),
    ):
        if value is not None:
            yield f"{column} {sign} ?", (value,)
    of_licences = {"product_id": wanted.product_id, "buyer_id": wanted.buyer_id}
    given = {column: value for column, value in of_licences.items() if value is not None}
    if given or wanted.is_known_only:
        where = " AND ".join(f"{column} = ?" for column in given)
        among = "SELECT licence_no FROM licences" + (f" WHERE {where}" if where else "")
        yield f"licence_no IN ({among})", tuple(given.values())


def _listed(columns: Iterable[str]) -> str:
    return "".join(f"\n    {column}," for column in columns)


def sum_usage(
    logs: Sequence[ColumnParts],
    *,
    by: Sequence[Dimension],
    wanted: UsageFilter,
    licences: Sequence[LicenceFacts],
    lineage: Sequence[tuple[str, str]],
) -> list[UsageRow]:
    """Return use by some dimensions, ordered by key; by none, one row for all.

    Args:
        logs: the receipts of each log; taken in whole, once.
        by: the parts of the key.
        wanted: which receipts count.
        licences: whose licences they are.
        lineage: (product_id, dataset_id) of every dataset that a product rests on.

    Raises:
        LogUsageError: a file cannot be read, or the engine fails.
        LogRangeError: a log holds fewer receipts than was said.
    """
    query = usage_query(by, wanted)
    with _ONE_AT_A_TIME, _Engine(logs) as engine:
        engine.put("licences", LICENCES, licences)
        engine.put("lineage", LINEAGE, lineage)
        rows = [_row(values, len(by)) for values in engine.answer(query)]
    return sorted(rows, key=lambda row: [(part is None, part) for part in row.key])


def _row(values: Sequence[Any], parts: int) -> UsageRow:
    receipts, refusals, units, records, first, last = values[parts:]
    return UsageRow(
        key=tuple(values[:parts]),
        receipts=int(receipts or 0),
        refusals=int(refusals or 0),
        units=int(units or 0),
        records=int(records or 0),
        first_used_at_ms=first,
        last_used_at_ms=last,
    )


class _Engine:
    """One in-memory database that sees the receipts of some logs and nothing else."""

    def __init__(self, logs: Sequence[ColumnParts]) -> None:
        self._files = [str(path) for log in logs for path in log.files]
        self._batches = (batch for log in logs for batch in log.batches)
        self._database = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": MEMORY_LIMIT,
                "threads": THREADS,
                "temp_directory": "",
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
            },
        )

    def __enter__(self) -> Self:
        try:
            self._open()
        except duckdb.Error as error:
            self._database.close()
            raise _failed(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def put(self, name: str, schema: pa.Schema, rows: Sequence[Any]) -> None:
        """Add a small table of records or tuples."""
        parts = [row if isinstance(row, tuple) else _fields(row, schema) for row in rows]
        columns = list(zip(*parts, strict=True)) or [()] * len(schema)
        arrays = [
            pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)
        ]
        self._database.register(name, pa.table(arrays, schema=schema))

    def answer(self, query: UsageQuery) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        try:
            return self._database.execute(query.text, query.values).fetchall()
        except duckdb.Error as error:
            raise _failed(error) from error

    def _open(self) -> None:
        """Make the table `receipts`, then shut every door."""
        folders = sorted({str(Path(file).parent.resolve()) for file in self._files})
        self._database.execute("SET allowed_directories = ?", [folders])
        self._database.execute("SET enable_external_access = false")
        self._database.execute("SET lock_configuration = true")
        stream = pa.RecordBatchReader.from_batches(COLUMNS, self._batches)
        self._database.register("unsealed", stream)
        names = ", ".join(COLUMNS.names)
        text = f"SELECT {names} FROM unsealed"
        if self._files:
            self._database.read_parquet(self._files).create_view("sealed")
            text += f" UNION ALL SELECT {names} FROM sealed"
        self._database.execute(f"CREATE VIEW receipts AS {text}")


def _fields(row: Any, schema: pa.Schema) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in schema.names)


def _failed(error: duckdb.Error) -> LogUsageError:
    return LogUsageError(f"use cannot be summed: {error}", got=type(error).__name__)
