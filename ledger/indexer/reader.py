"""Reads closed ranges of blocks and shows that nothing in them is missing.

Rules kept here:
1. [first, last] is asked for at once; on ANY error half of it, down to one block; a node's hint in
   an error text is never trusted. After a success the span grows slowly.
2. Every log must stand in the block that the chain has at that number.
3. Per contract the event numbers continue without a gap, and the last one equals the contract's own
   counter at the last block. Otherwise every block of the range is asked for by its hash, a few
   times, as a busy node counts a block's events before it gives them out; what is still missing
   then is an error.

    stored … │ first ────────── span ────────── last │ … head - confirmations … head
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.chain.errors import RpcRefusedError, RpcUnavailableError
from ledger.chain.events import Event, decode_log
from ledger.chain.rpc_types import BlockStamp, RawLog
from ledger.indexer.errors import IndexGapError, RangeChangedError

_LOG = logging.getLogger(__name__)
_PAUSES_SECONDS = (0.05, 0.2, 0.5)


class ChainReader(Protocol):
    """What the indexer needs of a chain; `ledger.chain.client.Chain` gives it."""

    def head(self) -> BlockStamp: ...
    def block(self, block: int | str) -> BlockStamp | None: ...
    def blocks(self, numbers: Sequence[int]) -> list[BlockStamp | None]: ...
    def logs(self, addresses: Sequence[str], first: int, last: int) -> list[RawLog]: ...
    def logs_of_block(self, addresses: Sequence[str], block_hash: str) -> list[RawLog]: ...
    def event_counts(self, addresses: Sequence[str], block: BlockStamp) -> list[int | None]: ...


@dataclass(frozen=True, slots=True)
class Range:
    """What a closed range of blocks holds, proven complete.

    Attributes:
        blocks: blocks with events, and the last block of the range; ascending.
        events: in the order of the chain.
    """

    blocks: list[BlockStamp]
    events: list[Event]


class RangeReader:
    """Reads ranges of one deployment.

    Args:
        chain: the chain.
        contracts: contract name by address (lower case).
        span_max: most blocks that are asked for at once.
    """

    def __init__(
        self, chain: ChainReader, contracts: Mapping[str, str], *, span_max: int = 2_000
    ) -> None:
        self._chain = chain
        self._contracts = dict(contracts)
        self._span_max = span_max
        self._span = span_max

    @property
    def contract_names(self) -> list[str]:
        """The names of the contracts that are followed."""
        return list(self._contracts.values())

    def read(self, first: int, target: int, last_nos: Mapping[str, int]) -> Range:
        """Return the range that begins at `first` and ends at `target` or before it.

        Args:
            first: first block.
            target: last block that may be read.
            last_nos: number of the last known event by contract name.

        Raises:
            RangeChangedError: the chain changed meanwhile; read again.
            IndexGapError: events are missing.
            RpcUnavailableError, RpcRefusedError: not even one block can be read.
        """
        while True:
            last = min(target, first + self._span - 1)
            try:
                found = self._read_closed(first, last, last_nos)
            except (RpcRefusedError, RpcUnavailableError) as error:
                if self._span == 1 or first == last:
                    raise
                self._span = max(1, (last - first + 1) // 2)
                _LOG.warning("range refused, now %d blocks: %s", self._span, error)
                continue
            self._span = min(self._span_max, self._span + max(1, self._span // 4))
            return found

    def _read_closed(self, first: int, last: int, last_nos: Mapping[str, int]) -> Range:
        logs = self._chain.logs(list(self._contracts), first, last)
        blocks = self._blocks({log.block_number for log in logs} | {last})
        found = self._decoded(logs, blocks, first, last)
        flaw = self._flaw(found, last_nos)
        if flaw is None:
            return found
        _LOG.warning("%s: every block from %d to %d is read again", flaw, first, last)
        for pause_seconds in _PAUSES_SECONDS:
            try:
                return self._read_one_by_one(first, last, last_nos)
            except IndexGapError:
                time.sleep(pause_seconds)
        return self._read_one_by_one(first, last, last_nos)

    def _read_one_by_one(self, first: int, last: int, last_nos: Mapping[str, int]) -> Range:
        blocks = self._blocks(set(range(first, last + 1)))
        logs: list[RawLog] = []
        for block in blocks.values():
            logs += self._chain.logs_of_block(list(self._contracts), block.hash)
        found = self._decoded(logs, blocks, first, last)
        flaw = self._flaw(found, last_nos)
        if flaw is not None:
            raise flaw
        with_events = {event.block_number for event in found.events} | {last}
        return Range([b for b in found.blocks if b.number in with_events], found.events)

    def _blocks(self, numbers: set[int]) -> dict[int, BlockStamp]:
        ordered = sorted(numbers)
        found: dict[int, BlockStamp] = {}
        for number, block in zip(ordered, self._chain.blocks(ordered), strict=True):
            if block is None:
                raise RangeChangedError("a block is gone", field="block_number", got=number)
            found[number] = block
        return found

    def _decoded(
        self, logs: list[RawLog], blocks: dict[int, BlockStamp], first: int, last: int
    ) -> Range:
        unique: dict[tuple[int, int], Event] = {}
        for log in logs:
            block = blocks.get(log.block_number)
            if block is None or block.hash != log.block_hash:
                raise RangeChangedError(
                    "a log stands in a block that the chain does not have",
                    field="block_hash",
                    got=log.block_hash,
                    expected=block.hash if block else f"a block from {first} to {last}",
                )
            contract = self._contracts.get(log.address)
            if contract is not None:
                event = decode_log(log, contract, block.time)
                if event is not None:
                    unique[log.block_number, log.log_index] = event
        events = [unique[key] for key in sorted(unique)]
        return Range(list(blocks.values()), events)

    def _flaw(self, found: Range, last_nos: Mapping[str, int]) -> IndexGapError | None:
        """Return what shows that the range is not complete, None when it is."""
        reached = dict(last_nos)
        for event in found.events:
            expected = reached[event.contract] + 1
            if event.event_no != expected:
                return _gap(event.contract, event.event_no, expected)
            reached[event.contract] = expected
        counts = self._chain.event_counts(list(self._contracts), found.blocks[-1])
        for contract, count in zip(self._contracts.values(), counts, strict=True):
            if count is not None and count != reached[contract]:
                return _gap(contract, reached[contract], count)
        return None


def _gap(contract: str, got: int, expected: int) -> IndexGapError:
    return IndexGapError(
        f"events of {contract} are missing: at number {got} instead of {expected}",
        field=contract,
        got=got,
        expected=expected,
    )
