"""One writer per log, by an advisory lock that the system drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.log.errors import LogBusyError, LogMissingError


def take_lock(path: Path) -> int:
    """Return the descriptor that holds the lock until it is closed.

    Raises:
        LogBusyError: when another writer holds it, in this process or another.
        LogMissingError: when the folder is not there.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError as error:
        raise LogMissingError(
            f"no log in {path.parent}", field="folder", got=str(path.parent), expected="a log"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise LogBusyError(
            f"another writer has {path.parent}",
            field="folder",
            got=str(path.parent),
            expected="a log without a writer",
        ) from error
    return descriptor


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock for the length of a block."""
    descriptor = take_lock(path)
    try:
        yield
    finally:
        os.close(descriptor)
