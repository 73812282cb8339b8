"""The full-text index: FTS5 on SQLite, tsvector under GIN on PostgreSQL, alike in what they find.

Both get the tokens of `domain.search_words`, not texts, so neither's own idea of a word, an ending
or a stop word counts. Tokens are letters and digits, so no query language can be typed into them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    cast,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from ledger.domain.search_words import Part, Phrase
from ledger.projection.entry_sets import selected

INDEX = table("catalogue_index", Column("entry_no", Integer), Column("rowid", Integer))
_POSITIONS_MAX = 16_383
_LITE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS catalogue_index USING "
    "fts5(title, body, tokenize='ascii', prefix='1 3')",
)
_POSTGRES = (
    "CREATE TABLE IF NOT EXISTS catalogue_index "
    "(entry_no integer PRIMARY KEY, title tsvector NOT NULL, tokens tsvector NOT NULL)",
    "CREATE INDEX IF NOT EXISTS ix_catalogue_index_title ON catalogue_index USING gin (title)",
    "CREATE INDEX IF NOT EXISTS ix_catalogue_index_tokens ON catalogue_index USING gin (tokens)",
)


def create_index(connection: Connection) -> None:
    """Make the index where there is none."""
    for statement in _POSTGRES if _is_postgres(connection) else _LITE:
        connection.execute(text(statement))


def drop_index(connection: Connection) -> None:
    """Drop the index and everything in it."""
    connection.execute(text("DROP TABLE IF EXISTS catalogue_index"))


def empty_index(connection: Connection) -> None:
    """Forget every entry."""
    connection.execute(text("DELETE FROM catalogue_index"))


def remove_from_index(connection: Connection, entry_nos: Sequence[int]) -> None:
    """Forget some entries."""
    key = "entry_no" if _is_postgres(connection) else "rowid"
    if entry_nos:
        statement = text(f"DELETE FROM catalogue_index WHERE {key} = :entry_no")
        connection.execute(statement, [{"entry_no": number} for number in entry_nos])


def add_to_index(
    connection: Connection, rows: Sequence[tuple[int, Sequence[str], Sequence[str]]]
) -> None:
    """Add entries: number, tokens of the titles, tokens of everything else."""
    if not rows:
        return
    if _is_postgres(connection):
        statement = text(
            "INSERT INTO catalogue_index (entry_no, title, tokens) "
            "VALUES (:no, CAST(:title AS tsvector), CAST(:tokens AS tsvector))"
        )
        connection.execute(
            statement,
            [
                {"no": no, "title": _vector(title, ()), "tokens": _vector(title, body)}
                for no, title, body in rows
            ],
        )
        return
    statement = text("INSERT INTO catalogue_index (rowid, title, body) VALUES (:no, :title, :body)")
    connection.execute(
        statement,
        [{"no": no, "title": " ".join(title), "body": " ".join(body)} for no, title, body in rows],
    )


def matching(
    connection: Connection,
    parts: Sequence[Part],
    *,
    in_title: bool = False,
    whole: bool = False,
) -> int:
    """Return the set of the entries that have every part.

    Args:
        in_title: look in the titles only.
        whole: take each part as it was typed, in no other cut.
    """
    if _is_postgres(connection):
        query = " & ".join(_postgres_part(part, whole) for part in parts)
        words: ColumnElement[Any] = literal_column("title" if in_title else "tokens")
        condition = words.op("@@")(cast(literal(query), TSQUERY))
        return selected(connection, select(INDEX.c.entry_no).where(condition))
    query = " AND ".join(_lite_part(part, whole) for part in parts)
    query = f"title : ({query})" if in_title else query
    condition = literal_column("catalogue_index").op("MATCH")(query)
    return selected(connection, select(INDEX.c.rowid).where(condition))


def _is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _vector(title: Sequence[str], body: Sequence[str]) -> str:
    """Return a tsvector: tokens with their places."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for place, token in enumerate(title, start=1):
        places[token].append(str(place))
    # A gap keeps the last of a title and the first of the rest from being neighbours.
    for place, token in enumerate(body, start=len(title) + 2):
        places[token].append(str(min(place, _POSITIONS_MAX)))
    return " ".join(f"'{token}':{','.join(found)}" for token, found in places.items())


def _cuts(part: Part, whole: bool) -> Sequence[tuple[Phrase, ...]]:
    return ((part.whole,),) if whole else part.cuts


def _postgres_part(part: Part, whole: bool) -> str:
    suffix = ":*" if part.is_prefix else ""

    def phrase(tokens: Phrase) -> str:
        return "(" + " <-> ".join(f"'{token}'{suffix}" for token in tokens) + ")"

    cuts = (" & ".join(phrase(tokens) for tokens in cut) for cut in _cuts(part, whole))
    return "(" + " | ".join(f"({cut})" for cut in cuts) + ")"


def _lite_part(part: Part, whole: bool) -> str:
    suffix = " *" if part.is_prefix else ""

    def phrase(tokens: Phrase) -> str:
        return '"' + " ".join(tokens) + f'"{suffix}'

    cuts = (" AND ".join(phrase(tokens) for tokens in cut) for cut in _cuts(part, whole))
    return "(" + " OR ".join(f"({cut})" for cut in cuts) + ")"
