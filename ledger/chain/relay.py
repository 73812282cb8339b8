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
from functools import cached_property
from typing import Any
from uuid import UUID

from eth_account.signers.local import LocalAccount

from ledger.chain.client import Chain
from ledger.chain.contracts import Contract, Contracts
from ledger.chain.forwarded import explain
from ledger.chain.forwarder import (
    VALID_SECONDS,
    ForwardRequest,
    RequestExpiredError,
    RequestReplayedError,
    SignatureMismatchError,
    domain_separator,
    recover_signer,
    relayed,
    request_data,
    sign_request,
    typed_data,
)
from ledger.chain.keys import address_of
from ledger.chain.sender import Intent, Outcome, Sender
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
        self.chain = chain
        self.contracts = contracts
        self.sender = sender
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
        forwarder = self.contracts.forwarder
        estimate = self.chain.estimate_gas(
            contract.address, relayed(data, signer), sender=forwarder.address
        )
        return ForwardRequest(
            sender=signer.lower(),
            to=contract.address,
            gas=inner_gas(estimate),
            nonce=self._next_nonce(signer),
            deadline=self.now() + valid_seconds,
            data=data,
        )

    def typed_data(self, request: ForwardRequest) -> dict[str, Any]:
        """Return the EIP-712 message of a request for this forwarder."""
        return typed_data(request, self._domain)

    @cached_property
    def separator(self) -> bytes:
        """The hash of the EIP-712 domain."""
        return domain_separator(self._domain)

    @cached_property
    def _domain(self) -> dict[str, Any]:
        return self.contracts.forwarder.eip712_domain(block="latest")

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
        entry = self.sender.find(scope, idempotency_key, body_digest)
        if entry is not None:
            return self.sender.wait(entry.intent_id)
        self._check(request, signature)
        self._try(request.sender, request.to, request.data)
        forwarder = self.contracts.forwarder
        data = forwarder.encode("execute", request_data(request, signature))
        return self.sender.submit(
            Intent(
                intent_id=intent_id or new_id(),
                scope=scope,
                idempotency_key=idempotency_key,
                body_digest=body_digest,
                to=forwarder.address,
                data=data,
                gas=outer_gas(request.gas, len(data)),
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
        with self.turn(signer):
            entry = self.sender.find(scope or signer, key, body_digest)
            if entry is not None:
                return self.sender.wait(entry.intent_id)
            request = self.prepare(signer, contract, function, args)
            signature = sign_request(account, request, self.separator)
            return self.submit(
                request,
                signature,
                idempotency_key=key,
                body_digest=body_digest,
                intent_id=intent_id,
                scope=scope,
                answer=answer,
            )

    def turn(self, signer: str) -> threading.Lock:
        """Return the lock that lets one signer's commands go one after another."""
        return self._turns[signer]

    def _try(self, signer: str, to: str, data: bytes) -> None:
        forwarder = self.contracts.forwarder.address
        self.chain.call(to, relayed(data, signer), block="pending", sender=forwarder)

    def _next_nonce(self, signer: str) -> int:
        return self.contracts.forwarder.nonce_of(signer, block="latest")

    def now(self) -> int:
        """Return the Unix seconds from which a request's validity counts."""
        # The chain's clock decides about deadlines; it may run ahead of this machine's.
        return max(self.chain.head().time, int(time.time()))

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
        head = self.chain.head()
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
        if not self.contracts.forwarder.verify(signed, block="latest"):
            raise SignatureMismatchError(
                "the forwarder does not accept the request", field="signature", got=asdict(request)
            )


def inner_gas(estimate: int) -> int:
    """Return the gas limit of a request from the estimate of its call."""
    return estimate + estimate // 4 + 30_000


def outer_gas(inner_gas_sum: int, calldata_bytes: int, requests: int = 1) -> int:
    """Return the gas limit of the transaction that carries requests."""
    # EIP-150 keeps one part in 64; calldata at the dearest price that any fork charges a byte.
    return (
        inner_gas_sum
        + inner_gas_sum // 32
        + _INTRINSIC_GAS
        + _FORWARDER_GAS * requests
        + _CALLDATA_BYTE_GAS * calldata_bytes
    )
