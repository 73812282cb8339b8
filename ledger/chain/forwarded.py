"""What became of requests that the forwarder was given: alone, or many in one transaction.

The forwarder reverts with one error for all, or goes on and notes only success or failure. The
reason is asked for again by the inner call at the same block, which is the best that a chain still
tells afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from eth_abi.abi import decode

from ledger.chain.abi import contract_abi
from ledger.chain.client import Chain
from ledger.chain.contracts.base import decode_calldata, encode_call
from ledger.chain.errors import RpcRefusedError
from ledger.chain.forwarder import relayed
from ledger.chain.reverts import ChainRefusedError
from ledger.chain.rpc_types import Receipt
from ledger.domain.errors import LedgerError

FORWARDER = "ERC2771Forwarder"


def explain(chain: Chain, forwarder: str) -> Callable[[bytes, int], bytes]:
    """Return a function that finds the inner reason of a failed relayed transaction."""

    def reason(data: bytes, block_number: int) -> bytes:
        try:
            function, args = decode_calldata(FORWARDER, data)
        except LedgerError:
            return b""
        inner = [args["request"]] if function == "execute" else []
        return _reason(chain, forwarder, data, inner, block_number)

    return reason


def member_reverts(
    chain: Chain, forwarder: str, data: bytes, turns: Sequence[int], receipt: Receipt
) -> list[bytes | None]:
    """Return the revert data of each request of a mined batch, None for those that succeeded.

    Args:
        chain: the chain.
        forwarder: the contract that executed the batch.
        data: its calldata.
        turns: the number of each request among those of its signer.
        receipt: of the transaction.
    """
    told = {(signer, turn): succeeded for signer, turn, succeeded, _ in _told(receipt, forwarder)}
    found: list[bytes | None] = []
    for request, turn in zip(decode_calldata(FORWARDER, data)[1]["requests"], turns, strict=True):
        succeeded = told.get((request["from"], turn))
        if succeeded:
            found.append(None)
            continue
        # The forwarder passes over what is too late, or not its signer's turn.
        inner = [] if succeeded is None else [request]
        call = encode_call(FORWARDER, "execute", request)
        found.append(_reason(chain, forwarder, call, inner, receipt.block_number))
    return found


def is_batch(data: bytes) -> bool:
    """Return whether calldata gives the forwarder many requests at once."""
    return data[:4] == contract_abi(FORWARDER).functions["executeBatch"].selector


def executed(receipt: Receipt, forwarder: str) -> list[tuple[str, int, int]]:
    """Return what the forwarder says it executed, in order: signer, number, index of the log."""
    return [(signer, turn, index) for signer, turn, _, index in _told(receipt, forwarder)]


def _told(receipt: Receipt, forwarder: str) -> Iterator[tuple[str, int, bool, int]]:
    event = contract_abi(FORWARDER).events["ExecutedForwardRequest"]
    for log in receipt.logs:
        if log.address == forwarder and log.topics[0] == event.topic:
            turn, succeeded = decode(["uint256", "bool"], log.data)
            yield "0x" + log.topics[1][-20:].hex(), turn, succeeded, log.log_index


def _reason(
    chain: Chain, forwarder: str, data: bytes, inner: Sequence[dict[str, Any]], block_number: int
) -> bytes:
    try:
        for request in inner:
            call = relayed(request["data"], request["from"])
            chain.call(request["to"], call, block=block_number, sender=forwarder)
        chain.call(forwarder, data, block=block_number)
    except ChainRefusedError as refused:
        return refused.data
    except RpcRefusedError:
        return b""
    return b""
