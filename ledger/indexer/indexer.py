"""Follows the chain into the projections.

Order of a round: compare the cursor's block with the chain → rewind when it is gone → read a range
→ prove it complete → store blocks, events, meaning and cursor in one transaction → again.

Rules kept here:
1. Nothing is guessed: a gap that persists stops the indexer with an error.
2. After a rewind the tables are what a clean re-index up to the fork would give.
3. Several indexers may run on one database; whoever comes second stores nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.chain.events import Event
from ledger.chain.rpc_types import BlockStamp
from ledger.domain.errors import LedgerError
from ledger.indexer.errors import IndexerError, RangeChangedError, ReorgTooDeepError
from ledger.indexer.reader import ChainReader, Range, RangeReader
from ledger.projection.chain_copy import ChainCopy, Position, StoredBlock
from ledger.projection.stored import StoredEvent, plain

_LOG = logging.getLogger(__name__)
_WALK = 64
_ROUNDS_WITHOUT_PROGRESS_MAX = 20
_PAUSE_SECONDS = 0.02


class IndexTimeoutError(IndexerError):
    """The projections have not reached the wanted block in time."""

    code = "indexer.timeout"
    retryable = True


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one run of the indexer did.

    Attributes:
        from_block: first block that was read, 0 when none.
        to_block: block up to which the projections now go, -1 when none.
        events: how many events were stored.
        forks: block numbers of the forks to which it went back; -1 is before the first block.
        seconds: how long it took.
    """

    from_block: int
    to_block: int
    events: int
    forks: tuple[int, ...]
    seconds: float


class Indexer:
    """Follows one deployment into one database.

    Args:
        chain: the chain.
        contracts: contract name by address, of the five contracts that number their events.
        engine: the database.
        first_block: block of the first contract.
        confirmations: how many blocks behind the head to stay.
        span_max: most blocks that are asked for at once.
        depth_max: deepest rewind in blocks that is done without a person; None for any.
        on_fork: called after each rewind with the number of the last block that still stands;
            usually `Sender.reopen_above`.
    """

    def __init__(
        self,
        chain: ChainReader,
        contracts: Mapping[str, str],
        engine: Any,
        *,
        first_block: int = 0,
        confirmations: int = 0,
        span_max: int = 2_000,
        depth_max: int | None = None,
        on_fork: Callable[[int], object] | None = None,
    ) -> None:
        self._chain = chain
        self._copy = ChainCopy(engine)
        self._reader = RangeReader(chain, contracts, span_max=span_max)
        self._first_block = first_block
        self._confirmations = confirmations
        self._depth_max = depth_max
        self._on_fork = on_fork
        self._turn = threading.Lock()
        self.last_error: LedgerError | None = None

    def catch_up(self) -> IndexReport:
        """Index everything up to the head minus the confirmations.

        Raises:
            IndexGapError: events are missing and stay missing.
            ReorgTooDeepError: the chain went back further than allowed.
            LedgerError: the chain does not answer, or an event contradicts the others.
        """
        with self._turn:
            return self._catch_up()

    def wait_for(self, block_number: int, *, timeout_seconds: float = 30.0) -> IndexReport:
        """Index until the projections include a block: "read what you wrote".

        Raises:
            IndexTimeoutError: they do not in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            report = self.catch_up()
            if report.to_block >= block_number:
                return report
            if time.monotonic() > deadline:
                raise IndexTimeoutError(
                    "the projections are behind",
                    field="block_number",
                    got=report.to_block,
                    expected=block_number,
                )
            time.sleep(_PAUSE_SECONDS)

    def follow(self, stop: threading.Event, poll_seconds: float = 0.2) -> None:
        """Index until `stop` is set; an unreachable chain is waited for.

        Raises:
            LedgerError: what no waiting can heal.
        """
        while not stop.is_set():
            try:
                self.catch_up()
                self.last_error = None
            except LedgerError as error:
                self.last_error = error
                if not error.retryable:
                    raise
                _LOG.warning("indexer waits: %s", error)
            stop.wait(poll_seconds)

    def _catch_up(self) -> IndexReport:
        began = time.monotonic()
        forks: list[int] = []
        count, first, idle = 0, 0, 0
        while True:
            position = self._copy.position()
            head = self._chain.head()
            if position is not None and not self._stands(position, head):
                forks.append(self._rewind(position))
                continue
            target = head.number - self._confirmations
            start = self._first_block if position is None else position.number + 1
            if start > target:
                reached = -1 if position is None else position.number
                return IndexReport(first, reached, count, tuple(forks), time.monotonic() - began)
            stored = self._store_range(position, start, target)
            first = first or start
            count += stored or 0
            idle = idle + 1 if stored is None else 0
            if idle > _ROUNDS_WITHOUT_PROGRESS_MAX:
                raise RangeChangedError("the chain keeps changing", field="block", got=start)

    def _store_range(self, position: Position | None, start: int, target: int) -> int | None:
        """Read and store one range; return its number of events, None when it has to be redone."""
        last_nos = self._copy.last_event_nos(self._reader.contract_names)
        try:
            found = self._reader.read(start, target, last_nos)
        except RangeChangedError as error:
            _LOG.info("%s: read again", error)
            time.sleep(_PAUSE_SECONDS)
            return None
        if position is not None and self._is_gone(position):
            return None
        blocks = [StoredBlock(block.number, block.hash, block.time) for block in found.blocks]
        return len(found.events) if self._copy.store(position, blocks, _stored(found)) else None

    def _is_gone(self, position: Position) -> bool:
        """Return whether the block below a range went away while the range was read."""
        block = self._chain.block(position.number)
        return block is None or block.hash != position.hash

    def _stands(self, position: Position, head: BlockStamp) -> bool:
        if head.number < position.number:
            return False
        return head.hash == position.hash or not self._is_gone(position)

    def _rewind(self, position: Position) -> int:
        fork = self._find_fork(position.number)
        number = -1 if fork is None else fork.number
        if self._depth_max is not None and position.number - number > self._depth_max:
            raise ReorgTooDeepError(
                "the chain went back further than allowed",
                field="depth",
                got=position.number - number,
                expected=f"<= {self._depth_max}",
            )
        _LOG.warning("chain went back from block %d to %d", position.number, number)
        if self._copy.rewind(position, fork) and self._on_fork is not None:
            self._on_fork(number)
        return number

    def _find_fork(self, number: int) -> StoredBlock | None:
        """Return the highest stored block that the chain still has, None when there is none."""
        while True:
            stored = self._copy.blocks_before(number, _WALK)
            if not stored:
                return None
            on_chain = self._chain.blocks([block.number for block in stored])
            for ours, theirs in zip(stored, on_chain, strict=True):
                if theirs is not None and theirs.hash == ours.hash:
                    return ours
            number = stored[-1].number - 1


def _stored(found: Range) -> list[StoredEvent]:
    return [_stored_event(event) for event in found.events]


def _stored_event(event: Event) -> StoredEvent:
    return StoredEvent(
        block_hash=event.block_hash,
        log_index=event.log_index,
        block_number=event.block_number,
        block_time=event.block_time,
        tx_hash=event.tx_hash,
        contract=event.contract,
        event_no=event.event_no,
        name=event.name,
        args=plain(event.args),
    )
