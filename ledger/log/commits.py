"""The file `commits`: one sealed line for each write that became durable.

Rules kept here:
1. A line is written after its receipts are durable: what the last line covers, and nothing else, is
   in the log.
2. A torn last line was never acknowledged and is cut; a broken line before it is corruption.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger.log.errors import LogCorruptError
from ledger.log.layout import write_all
from ledger.log.sealed import seal, unseal
from ledger.log.values import MeterRange

_TAIL_BYTES = 1 << 14


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the file of commits: bytes before it, and the sum of the line before it."""

    size_bytes: int = 0
    sum: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """One line."""

    size: int
    """Receipts in the log after it."""
    meters: tuple[MeterRange, ...]
    """Meters' numbers that it took in."""
    end: Position


class CommitFile:
    """Appends commits; the writer's, one at a time."""

    def __init__(self, path: Path, end: Position) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.end = end

    def append(self, size: int, meters: list[MeterRange]) -> None:
        """Commit receipts up to `size`; durable on return."""
        ranges = [[item.meter_no, item.first_seq, item.end_seq] for item in meters]
        line = seal({"meters": ranges, "size": size}, self.end.sum)
        write_all(self._descriptor, line)
        os.fdatasync(self._descriptor)
        found = unseal(line, self.end.sum)
        assert found is not None
        self.end = Position(self.end.size_bytes + len(line), found["sum"])

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)


def read_commits(path: Path, start: Position) -> Iterator[Commit]:
    """Yield the commits from a place on, a torn last line left out.

    Raises:
        LogCorruptError: when a line before the last one is not what was written, or sizes go back.
    """
    position, size = start, -1
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return
    with stream:
        stream.seek(start.size_bytes)
        lines = stream.readlines()
    for number, line in enumerate(lines):
        found = unseal(line, position.sum) if line.endswith(b"\n") else None
        if found is None or found["size"] < size:
            if number == len(lines) - 1:
                return
            raise LogCorruptError(
                f"commit at byte {position.size_bytes} is not what was written",
                field="commits",
                got=position.size_bytes,
                expected="a sealed line that follows the one before",
            )
        position, size = Position(position.size_bytes + len(line), found["sum"]), found["size"]
        yield Commit(size, tuple(MeterRange(*item) for item in found["meters"]), position)


def committed_size(path: Path) -> int:
    """Return how many receipts the last whole line covers; reads no more than the file's end."""
    span = _TAIL_BYTES
    while True:
        try:
            with path.open("rb") as stream:
                length = stream.seek(0, os.SEEK_END)
                start = max(length - span, 0)
                stream.seek(start)
                tail = stream.read(length - start)
        except FileNotFoundError:
            return 0
        end = tail.rfind(b"\n") + 1
        begin = tail.rfind(b"\n", 0, max(end - 1, 0)) + 1
        if end and (begin or start == 0):
            return _size_of(tail[begin:end])
        if start == 0:
            return 0
        span *= 8


def _size_of(line: bytes) -> int:
    """Return the size of a line without the chain before it; members are in the order of names."""
    _, _, rest = line.rpartition(b'"size":')
    return int(rest.partition(b",")[0])
