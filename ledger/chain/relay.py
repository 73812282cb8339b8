"""Commands of organisations: tried out, signed by them, relayed by the service.

Rules kept here:
1. A command is tried out at the newest block before it is stored, with the signer behind the
   calldata as the forwarder will put it, so a refusal is typed and costs no nonce.
2. A signature is checked before it is stored; see `forwarder` for the errors.
3. The same idempotency key gives the same outcome, whatever happened since.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from eth_account.signers.local import LocalAccount

from ledger.chain.client import Chain
from ledger.chain.contracts import Contract, Contracts
from ledger.chain.contracts.base import decode_calldata
from ledger.chain.forwarder import (
    VALID_SECONDS,
    ForwardRequest,
    RequestExpiredError,
    RequestReplayedError,
    SignatureMismatchError,
    recover_signer,
    relayed,
    request_data,
    sign_typed_data,
    typed_data,
)
from ledger.chain.keys import address_of
from ledger.chain.reverts import ChainRefusedError
from ledger.chain.sender import Explain, Intent, Outcome, Sender
from ledger.domain.errors import LedgerError
from ledger.domain.ids import new_id

_INTRINSIC_GAS = 21_000
_FORWARDER_GAS = 60_000
_CALLDATA_BYTE_GAS = 40


class Relay:
    """Tries, builds, checks and submits the requests of organisations.

    Args:
        chain: the chain.
        contracts: the deployment.
        sender: the relayer's sender; its `explain` is set to see behind the forwarder.
    """

    def __init__(self, chain: Chain, contracts: Contracts, sender: Sender) -> None:
        self._chain = chain
        self._contracts = contracts
        self._sender = sender
        self._domain: dict[str, Any] | None = None
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        sender.explain = explain(chain, contracts.forwarder.address)

    def prepare(
        self,
        signer: str,
        contract: Contract,
        function: str,
        args: Sequence[Any],
        *,
        valid_seconds: int = VALID_SECONDS,
    ) -> ForwardRequest:
        """Return the request that `signer` has to sign for a command.

        Raises:
            ChainRefusedError: the contract would refuse it now.
            MalformedValueError: the arguments do not fit the function.
        """
        data = contract.encode(function, *args)
        self._try(signer, contract.address, data)
        forwarder = self._contracts.forwarder
        estimate = self._chain.estimate_gas(
            contract.address, relayed(data, signer), sender=forwarder.address
        )
        return ForwardRequest(
            sender=signer.lower(),
            to=contract.address,
            gas=estimate + estimate // 4 + 30_000,
            nonce=self._next_nonce(signer),
            deadline=self._now() + valid_seconds,
            data=data,
        )

    def typed_data(self, request: ForwardRequest) -> dict[str, Any]:
        """Return the EIP-712 message of a request for this forwarder."""
        if self._domain is None:
            self._domain = self._contracts.forwarder.eip712_domain(block="latest")
        return typed_data(request, self._domain)

    def submit(
        self,
        request: ForwardRequest,
        signature: bytes,
        *,
        idempotency_key: str,
        body_digest: bytes,
        intent_id: UUID | None = None,
        scope: str | None = None,
        answer: bytes = b"",
    ) -> Outcome:
        """Check, store, send and wait for a signed request.

        Args:
            request: as it was signed.
            signature: 65 bytes.
            idempotency_key: made once per intent by the client; same key, same outcome.
            body_digest: digest of the client's body; another body under the same key is refused.
            intent_id: UUIDv7 of the intent; made here when left out.
            scope: whose keys these are; the signer's address when left out.
            answer: what the client is told when it repeats its key.

        Raises:
            SignatureMismatchError, RequestReplayedError, RequestExpiredError: see the classes.
            ChainRefusedError: the contract refuses the command; nothing was stored, or it was
                mined and had no effect.
            IdempotencyConflictError, ReceiptTimeoutError, ChainUnreachableError: see `Sender`.
        """
        scope = scope or request.sender
        entry = self._sender.find(scope, idempotency_key, body_digest)
        if entry is not None:
            return self._sender.wait(entry.intent_id)
        self._check(request, signature)
        self._try(request.sender, request.to, request.data)
        forwarder = self._contracts.forwarder
        data = forwarder.encode("execute", request_data(request, signature))
        return self._sender.submit(
            Intent(
                intent_id=intent_id or new_id(),
                scope=scope,
                idempotency_key=idempotency_key,
                body_digest=body_digest,
                to=forwarder.address,
                data=data,
                gas=_outer_gas(request.gas, len(data)),
                answer=answer,
            )
        )

    def execute(
        self,
        account: LocalAccount,
        contract: Contract,
        function: str,
        args: Sequence[Any],
        *,
        idempotency_key: str | None = None,
        body_digest: bytes = bytes(32),
        intent_id: UUID | None = None,
        scope: str | None = None,
        answer: bytes = b"",
    ) -> Outcome:
        """Prepare, sign with a local key and submit a command; one at a time per key.

        Raises:
            LedgerError: as `prepare` and `submit`.
        """
        signer = address_of(account)
        intent_id = intent_id or new_id()
        key = idempotency_key or str(intent_id)
        with self._turns[signer]:
            entry = self._sender.find(scope or signer, key, body_digest)
            if entry is not None:
                return self._sender.wait(entry.intent_id)
            request = self.prepare(signer, contract, function, args)
            signature = sign_typed_data(account, self.typed_data(request))
            return self.submit(
                request,
                signature,
                idempotency_key=key,
                body_digest=body_digest,
                intent_id=intent_id,
                scope=scope,
                answer=answer,
            )

    def _try(self, signer: str, to: str, data: bytes) -> None:
        forwarder = self._contracts.forwarder.address
        self._chain.call(to, relayed(data, signer), block="pending", sender=forwarder)

    def _next_nonce(self, signer: str) -> int:
        return self._contracts.forwarder.nonce_of(signer, block="latest")

    def _now(self) -> int:
        # The chain's clock decides about deadlines; it may run ahead of this machine's.
        return max(self._chain.head().time, int(time.time()))

    def require_signed(self, request: ForwardRequest, signature: bytes) -> None:
        """Check that a request was signed by its sender, whatever the chain says of it.

        Raises:
            SignatureMismatchError: another key signed, or the request was changed.
        """
        recovered = recover_signer(self.typed_data(request), signature)
        if recovered != request.sender.lower():
            raise SignatureMismatchError(
                "the request was not signed by its sender",
                field="signature",
                got=recovered,
                expected=request.sender,
            )

    def _check(self, request: ForwardRequest, signature: bytes) -> None:
        self.require_signed(request, signature)
        head = self._chain.head()
        if request.deadline < head.time:
            raise RequestExpiredError(
                "the request's deadline has passed",
                field="deadline",
                got=request.deadline,
                expected=f">= {head.time}",
            )
        expected = self._next_nonce(request.sender)
        if request.nonce != expected:
            raise RequestReplayedError(
                "the request's number is not the signer's next one",
                field="nonce",
                got=request.nonce,
                expected=expected,
            )
        signed = request_data(request, signature)
        if not self._contracts.forwarder.verify(signed, block="latest"):
            raise SignatureMismatchError(
                "the forwarder does not accept the request", field="signature", got=asdict(request)
            )


def explain(chain: Chain, forwarder: str) -> Explain:
    """Return a function that finds the inner reason of a failed relayed transaction.

    The forwarder reverts with one error for all; the reason is asked for again by the inner call
    at the same block, which is the best that a chain still tells afterwards.
    """

    def reason(data: bytes, block_number: int) -> bytes:
        try:
            _, args = decode_calldata("ERC2771Forwarder", data)
        except LedgerError:
            return b""
        inner = args["request"]
        call = relayed(inner["data"], inner["from"])
        try:
            chain.call(inner["to"], call, block=block_number, sender=forwarder)
            chain.call(forwarder, data, block=block_number)
        except ChainRefusedError as refused:
            return refused.data
        return b""

    return reason


def _outer_gas(inner_gas: int, calldata_bytes: int) -> int:
    # EIP-150 keeps one part in 64; calldata at the dearest price that any fork charges a byte.
    return (
        inner_gas
        + inner_gas // 32
        + _INTRINSIC_GAS
        + _FORWARDER_GAS
        + _CALLDATA_BYTE_GAS * calldata_bytes
    )
