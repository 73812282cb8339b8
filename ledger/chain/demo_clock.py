"""The clock of a demonstration: it begins in the past and is moved by hand until it is let go.

Rules kept here:
1. Only a local node whose home was given such a clock before its first block has one. A network's
   clock is nobody's to move: asking for it there is an error.
2. The clock never goes back. Once it is let go it is the machine's, for good.

File: `<home>/chain/clock.json`, there as long as the clock is held.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Protocol

from ledger.chain.errors import ChainError

_FILE = "clock.json"


class ClockFixedError(ChainError):
    """This chain's clock is not a demonstration's and cannot be moved."""

    code = "chain.clock_fixed"


class ClockBackError(ChainError):
    """A clock was to be set back."""

    code = "chain.clock_back"


class MovableNode(Protocol):
    """A node that lets its clock be moved."""

    def head_seconds(self) -> int:
        """Return the newest block's time, Unix seconds."""
        ...

    def move_clock(self, unix_seconds: int) -> None:
        """Mine a block at a later time; the clock runs on from there."""
        ...


class DemoClock:
    """Moves the held clock of a home's local node.

    Args:
        home: the market's folder.
        node: its own node, None where the chain is a network.

    Raises:
        ClockFixedError: the clock is not held.
    """

    def __init__(self, home: Path, node: MovableNode | None) -> None:
        if node is None or not is_held(home / "chain"):
            raise ClockFixedError(
                "the clock of this chain cannot be moved",
                field="clock",
                got="the machine's" if node is not None else "a network's",
                expected="a demonstration's on its local node",
            )
        self._file = home / "chain" / _FILE
        self._node = node

    def move_to(self, unix_seconds: int) -> None:
        """Move the clock forward.

        Raises:
            ClockBackError: the time has passed.
        """
        now = self._node.head_seconds()
        if unix_seconds <= now:
            raise ClockBackError(
                "the clock does not go back", field="clock", got=unix_seconds, expected=f"> {now}"
            )
        self._node.move_clock(unix_seconds)

    def let_go(self) -> None:
        """Move the clock to the machine's time, or stay ahead of it, and give it up."""
        now = int(time.time())
        if now > self._node.head_seconds():
            self._node.move_clock(now)
        self._file.unlink()


def hold_clock(home: Path, starts_at: int) -> None:
    """Give a home, before its first block, a clock that begins at a moment and is moved by hand.

    Raises:
        ClockFixedError: it has a chain already.
    """
    folder = home / "chain"
    if folder.exists() and any(folder.iterdir()):
        raise ClockFixedError(
            "the chain of this home has begun", field="home", got=str(home), expected="no chain yet"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FILE).write_text(json.dumps({"starts_at": starts_at}), "utf-8")


def is_held(folder: Path) -> bool:
    """Return whether the clock of a chain's folder is held."""
    return (folder / _FILE).exists()


def held_from(folder: Path) -> int | None:
    """Return when a held clock began, None when the clock is the machine's."""
    try:
        return int(json.loads((folder / _FILE).read_text("utf-8"))["starts_at"])
    except FileNotFoundError:
        return None
