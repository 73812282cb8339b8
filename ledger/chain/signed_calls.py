"""Who signed a transaction and what it called, read from the transaction's own bytes.

A relayed transaction may carry many calls. The forwarder tells after each which signer's turn it
executed, so what the logs before it say is that call's doing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature

from ledger.chain.client import Chain
from ledger.chain.contracts import Contracts, decode_calldata
from ledger.chain.forwarded import executed, is_batch
from ledger.chain.forwarder import ForwardRequest, domain_separator, request_hash
from ledger.domain.errors import MalformedValueError

LOGS_MAX = 2**62
"""Beyond every index of a log."""


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A call of one of the market's contracts, and the account that signed it."""

    signer: str
    contract: str
    function: str
    work_digest: bytes
    """SHA-256 of the contract's address and the calldata: what another may have prepared."""
    log_begin: int = 0
    log_end: int = LOGS_MAX
    """Its events are the transaction's logs from `log_begin` on, before `log_end`."""

    @property
    def name(self) -> str:
        """Contract and function, with a point between."""
        return f"{self.contract}.{self.function}"


def signed_calls(
    chain: Chain, contracts: Contracts, tx_hashes: Sequence[str]
) -> dict[str, list[SignedCall]]:
    """Return the signed calls of each transaction that the chain has, in their order."""
    answers = chain.batch("eth_getTransactionByHash", [(item,) for item in tx_hashes])
    found = {
        tx_hash: answer
        for tx_hash, answer in zip(tx_hashes, answers, strict=True)
        if answer is not None
    }
    batches = [tx_hash for tx_hash, answer in found.items() if _is_batch(contracts, answer)]
    calls = {
        tx_hash: [_call(contracts, answer)]
        for tx_hash, answer in found.items()
        if tx_hash not in set(batches)
    }
    if batches:
        separator = domain_separator(contracts.forwarder.eip712_domain(block="latest"))
        for tx_hash, receipt in zip(batches, chain.receipts(batches), strict=True):
            if receipt is not None:
                turns = executed(receipt, contracts.forwarder.address)
                requests = decode_calldata("ERC2771Forwarder", _data(found[tx_hash]))[1]["requests"]
                calls[tx_hash] = list(_calls(contracts, requests, turns, separator))
    return calls


def _is_batch(contracts: Contracts, answer: dict[str, Any]) -> bool:
    return _target(answer) == contracts.forwarder.address and is_batch(_data(answer))


def _target(answer: dict[str, Any]) -> str:
    return str(answer.get("to") or "").lower()


def _data(answer: dict[str, Any]) -> bytes:
    return bytes.fromhex(answer["input"][2:])


def _call(contracts: Contracts, answer: dict[str, Any]) -> SignedCall:
    signer, target, data = str(answer["from"]).lower(), _target(answer), _data(answer)
    if target == contracts.forwarder.address:
        # Relayed: the forwarder checked that the request's signature is its sender's.
        _, args = decode_calldata("ERC2771Forwarder", data)
        request = args["request"]
        signer, target, data = request["from"].lower(), request["to"].lower(), request["data"]
    return _signed(contracts, signer, target, data)


def _calls(
    contracts: Contracts,
    requests: Sequence[dict[str, Any]],
    turns: Sequence[tuple[str, int, int]],
    separator: bytes,
) -> Iterator[SignedCall]:
    """Yield the executed calls of a batch; the forwarder passes over what is not in turn."""
    left, begin = iter(requests), 0
    is_whole = len(requests) == len(turns)
    for signer, turn, log_index in turns:
        request = next(
            request
            for request in left
            if request["from"].lower() == signer
            and (is_whole or _signed_turn(request, turn, separator))
        )
        yield _signed(
            contracts, signer, request["to"].lower(), request["data"], (begin, log_index + 1)
        )
        begin = log_index + 1


def _signed_turn(request: dict[str, Any], turn: int, separator: bytes) -> bool:
    """Return whether a request was signed for a turn of its signer."""
    signer = request["from"].lower()
    asked = ForwardRequest(
        sender=signer,
        to=request["to"].lower(),
        gas=request["gas"],
        nonce=turn,
        deadline=request["deadline"],
        data=request["data"],
    )
    signature = request["signature"]
    try:
        found = Signature(signature[:64] + bytes([signature[64] - 27]))
        key = found.recover_public_key_from_msg_hash(request_hash(asked, separator))
    except (BadSignature, ValueError, IndexError):
        return False
    return bool(key.to_address() == signer)


def _signed(
    contracts: Contracts,
    signer: str,
    target: str,
    data: bytes,
    logs: tuple[int, int] = (0, LOGS_MAX),
) -> SignedCall:
    contract = contracts.by_address(target)
    work_digest = hashlib.sha256(bytes.fromhex(target[2:]) + data).digest()
    if contract is None:
        return SignedCall(signer, "", "", work_digest, *logs)
    try:
        function = decode_calldata(contract.name, data)[0]
    except MalformedValueError:
        function = ""
    return SignedCall(signer, contract.name, function, work_digest, *logs)
