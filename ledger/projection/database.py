"""Engines and transactions, alike on SQLite and PostgreSQL.

Rules kept here:
1. A writing transaction takes the write lock at its start (BEGIN IMMEDIATE): one that reads first
   and writes later would fail under load, whatever the timeout says.
2. SQLite writes ahead (WAL) and syncs every commit: what was acknowledged survives a power cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL

_BUSY_MILLISECONDS = 5_000
_MIGRATIONS = Path(__file__).with_name("migrations")
_SETTINGS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


def open_engine(url: str) -> Engine:
    """Return an engine for `sqlite:///…` or `postgresql://…`; nothing is connected yet."""
    parsed = _with_driver(make_url(url))
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(parsed, pool_pre_ping=True)
        event.listen(engine, "connect", _configure_server)
        return engine
    engine = create_engine(parsed, connect_args={"timeout": _BUSY_MILLISECONDS / 1000})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the database's tables to the newest revision; a second time does nothing."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with write(engine) as connection:
        if connection.dialect.name == "postgresql":
            # Two processes that start at once must not both create the tables.
            connection.execute(text("SELECT pg_advisory_xact_lock(4027431)"))
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """Run a transaction that writes: committed at the end, rolled back on an error."""
    with engine.connect().execution_options(ledger_write=True) as connection, connection.begin():
        yield connection


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """Run a transaction that only reads, all from one state of the database."""
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def is_migrated(engine: Engine) -> bool:
    """Return whether the tables are there, and of the newest revision."""
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
    return set(found) == set(ScriptDirectory(str(_MIGRATIONS)).get_heads())


def _with_driver(url: URL) -> URL:
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _configure(connection: Any, _record: Any) -> None:
    # SQLAlchemy, not the driver, begins transactions; see `_begin`.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    for setting in _SETTINGS:
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _configure_server(connection: Any, _record: Any) -> None:
    """Let the server plan and run at once: compiling costs our short queries more than it saves."""
    connection.execute("SET jit = off")
    connection.commit()


def _begin(connection: Connection) -> None:
    is_write = connection.get_execution_options().get("ledger_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
