"""Who signed a transaction and what it called, read from the transaction's own bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.chain.client import Chain
from ledger.chain.contracts import Contracts, decode_calldata
from ledger.domain.errors import MalformedValueError


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A call of one of the market's contracts, and the account that signed it."""

    signer: str
    contract: str
    function: str
    work_digest: bytes
    """SHA-256 of the contract's address and the calldata: what another may have prepared."""

    @property
    def name(self) -> str:
        """Contract and function, with a point between."""
        return f"{self.contract}.{self.function}"


def signed_calls(
    chain: Chain, contracts: Contracts, tx_hashes: Sequence[str]
) -> dict[str, SignedCall]:
    """Return the signed call of each transaction that the chain has."""
    answers = chain.batch("eth_getTransactionByHash", [(item,) for item in tx_hashes])
    return {
        tx_hash: _call(contracts, answer)
        for tx_hash, answer in zip(tx_hashes, answers, strict=True)
        if answer is not None
    }


def _call(contracts: Contracts, answer: dict[str, Any]) -> SignedCall:
    signer, target = str(answer["from"]).lower(), str(answer.get("to") or "").lower()
    data = bytes.fromhex(answer["input"][2:])
    if target == contracts.forwarder.address:
        # Relayed: the forwarder checked that the request's signature is its sender's.
        _, args = decode_calldata("ERC2771Forwarder", data)
        request = args["request"]
        signer, target, data = request["from"].lower(), request["to"].lower(), request["data"]
    contract = contracts.by_address(target)
    work_digest = hashlib.sha256(bytes.fromhex(target[2:]) + data).digest()
    if contract is None:
        return SignedCall(signer, "", "", work_digest)
    try:
        function = decode_calldata(contract.name, data)[0]
    except MalformedValueError:
        function = ""
    return SignedCall(signer, contract.name, function, work_digest)
