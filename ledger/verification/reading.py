"""Reads the market's events from a chain, with a reader of its own.

Rules kept here:
1. Closed ranges of blocks; a range that a node refuses is asked for in halves.
2. Every log must stand in the block that the chain has at that number.
3. The contracts' own counters, and the lineages as they are written, are read at the block at which
   reading ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.chain.client import Chain
from ledger.chain.contracts import Contracts
from ledger.chain.errors import RpcRefusedError
from ledger.chain.events import Event, decode_log
from ledger.chain.rpc_types import BlockId, RawLog
from ledger.verification.findings import Findings

SPAN_BLOCKS = 5_000


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """Everything that a verification needs of a chain, read at one block."""

    block_number: int
    events: list[Event]
    counts: dict[str, int]
    """Number of the last event by contract, as the contract itself says."""
    agreement_domain: dict[str, Any]
    """EIP-712 domain in which agreements are signed."""
    lineages: dict[UUID, list[dict[str, Any]]]
    """Lineage by product, as the contracts read it when they check a split."""


def read_chain(chain: Chain, contracts: Contracts, first_block: int) -> ChainRecord:
    """Return events, counters, lineages and the agreements' domain up to the newest block.

    Raises:
        ChainError: the node does not answer, or answers what is no event of these contracts.
    """
    head = chain.head()
    events = read_events(chain, contracts, first_block, head.number)
    return ChainRecord(
        block_number=head.number,
        events=events,
        counts={c.name: c.event_count(block=head.hash) for c in contracts.indexed.values()},
        agreement_domain=contracts.licences.eip712_domain(block=head.hash),
        lineages=read_lineages(contracts, events, head.hash),
    )


def read_events(
    chain: Chain, contracts: Contracts, first_block: int, last_block: int | None = None
) -> list[Event]:
    """Return the events of the market's contracts in the order of the chain.

    Args:
        chain: where to read.
        contracts: the deployment.
        first_block: block of the first contract.
        last_block: last block to read; the newest one when not given.

    Raises:
        ChainError: as `read_chain`.
    """
    last = chain.head().number if last_block is None else last_block
    names = {address: contract.name for address, contract in contracts.indexed.items()}
    events: list[Event] = []
    for first in range(first_block, last + 1, SPAN_BLOCKS):
        logs = _logs(chain, list(names), first, min(last, first + SPAN_BLOCKS - 1))
        events += _decoded(chain, names, logs)
    return sorted(events, key=lambda event: (event.block_number, event.log_index))


def read_lineages(
    contracts: Contracts, events: Iterable[Event], block: BlockId
) -> dict[UUID, list[dict[str, Any]]]:
    """Return the lineage of every product that events list, as it is written on chain."""
    return {
        event.args["product_id"]: contracts.licences.lineage_of(
            event.args["product_id"], block=block
        )
        for event in events
        if event.name in ("ProductListed", "ProductDerived")
    }


def _logs(chain: Chain, addresses: list[str], first: int, last: int) -> list[RawLog]:
    try:
        return chain.logs(addresses, first, last)
    except RpcRefusedError:
        if first == last:
            raise
        middle = (first + last) // 2
        return [
            *_logs(chain, addresses, first, middle),
            *_logs(chain, addresses, middle + 1, last),
        ]


def _decoded(chain: Chain, names: Mapping[str, str], logs: list[RawLog]) -> Iterator[Event]:
    numbers = sorted({log.block_number for log in logs})
    blocks = dict(zip(numbers, chain.blocks(numbers), strict=True))
    for log in logs:
        block = blocks[log.block_number]
        if block is None or block.hash != log.block_hash:
            raise RpcRefusedError(
                "a log stands in a block that the chain does not have",
                field="block_hash",
                got=log.block_hash,
                expected=block.hash if block else None,
            )
        event = decode_log(log, names[log.address], block.time)
        if event is not None:
            yield event


def check_numbers(
    events: Iterable[Event], counts: Mapping[str, int] | None, findings: Findings
) -> None:
    """Check that no event is missing: numbers without a gap, up to each contract's counter."""
    reached: dict[str, int] = {}
    for event in events:
        last = reached.get(event.contract, 0)
        where = f"{event.contract} event {event.event_no}"
        findings.same("event_gap", where, event.event_no, last + 1)
        reached[event.contract] = max(last, event.event_no)
        findings.count("events")
    for contract, count in (counts or {}).items():
        findings.same("event_count", contract, reached.get(contract, 0), count)
