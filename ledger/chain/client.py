"""The chain through JSON-RPC: plain reads and raw sends over web3, with failover and typed errors.

Rules kept here:
1. An endpoint is used only after it has shown the expected chain id; another id stops everything.
2. An endpoint that does not answer, or not in JSON, is left for the next one; an error *answer* is
   final and is never taken as "did not arrive".
3. Nothing is retried behind the caller's back: re-sending is the sender's decision.
4. Every read of state names its block.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from eth_utils.crypto import keccak
from web3 import HTTPProvider
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

from ledger.chain.errors import RpcRefusedError, RpcUnavailableError, WrongChainError
from ledger.chain.reverts import ChainRefusedError, decode_revert
from ledger.chain.rpc_types import (
    BlockId,
    BlockStamp,
    RawLog,
    Receipt,
    block_param,
    block_stamp,
    quantity,
    raw_log,
    receipt_of,
    revert_data,
)

_LOG = logging.getLogger(__name__)
_BATCH_MAX = 200
_EVENT_COUNT = "0x" + keccak(text="eventCount()")[:4].hex()
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
Answer = TypeVar("Answer")


class ChainUnreachableError(RpcUnavailableError):
    """None of the configured JSON-RPC endpoints answers; the same call may succeed later."""

    code = "chain.unreachable"


class Chain:
    """One chain behind one or more JSON-RPC endpoints; safe to share between threads.

    Args:
        rpc_urls: endpoints in order of preference.
        expected_chain_id: EIP-155 chain id that each of them must show.
        timeout_seconds: how long one request may take.
    """

    def __init__(
        self,
        rpc_urls: Sequence[str],
        expected_chain_id: int,
        *,
        timeout_seconds: float = 10.0,
    ) -> None:
        self.expected_chain_id = expected_chain_id
        self.rpc_urls = tuple(rpc_urls)
        self._providers = [_provider(url, timeout_seconds) for url in rpc_urls]
        self._checked: set[int] = set()
        self._current = 0
        self._lock = threading.Lock()

    def request(self, method: str, *params: Any) -> Any:
        """Return the result of one JSON-RPC method from the first endpoint that answers.

        Raises:
            ChainUnreachableError: no endpoint answers.
            RpcRefusedError: the endpoint answered with an error; `got` holds it.
            WrongChainError: an endpoint serves another chain.
        """
        return _result(method, self._try_each(lambda i: self._ask(i, method, list(params))))

    def batch(self, method: str, params: Iterable[Sequence[Any]]) -> list[Any]:
        """Return the results of one method for many parameter lists, in their order."""
        return [_result(method, answer) for answer in self._batch_answers(method, params)]

    def head(self) -> BlockStamp:
        """Return the newest block."""
        found = self.block("latest")
        if found is None:
            raise RpcRefusedError("the node has no newest block", field="block", got=None)
        return found

    def block(self, block: BlockId) -> BlockStamp | None:
        """Return number, hash and time of a block, None when the node does not have it."""
        by_hash = isinstance(block, str) and block.startswith("0x") and len(block) == 66
        method = "eth_getBlockByHash" if by_hash else "eth_getBlockByNumber"
        key = hex(block) if isinstance(block, int) else block
        return block_stamp(self.request(method, key, False))

    def blocks(self, numbers: Sequence[int]) -> list[BlockStamp | None]:
        """Return the blocks of these numbers, None where the node has none."""
        answers = self.batch("eth_getBlockByNumber", [(hex(number), False) for number in numbers])
        return [block_stamp(answer) for answer in answers]

    def logs(self, addresses: Sequence[str], first: int, last: int) -> list[RawLog]:
        """Return the logs of these contracts in the closed range of blocks [first, last]."""
        query = {"address": list(addresses), "fromBlock": hex(first), "toBlock": hex(last)}
        return [raw_log(item) for item in self.request("eth_getLogs", query)]

    def logs_of_block(self, addresses: Sequence[str], block_hash: str) -> list[RawLog]:
        """Return the logs of these contracts in one block, asked for by its hash."""
        query = {"address": list(addresses), "blockHash": block_hash}
        return [raw_log(item) for item in self.request("eth_getLogs", query)]

    def call(self, to: str, data: bytes, *, block: BlockId, sender: str | None = None) -> bytes:
        """Return what a contract answers to a call that changes nothing.

        Raises:
            ChainRefusedError: the contract refuses; the class says why.
        """
        query = {"to": to, "data": "0x" + data.hex()} | ({"from": sender} if sender else {})
        answer = self._refusable("eth_call", query, block_param(block))
        return bytes.fromhex(answer[2:])

    def event_counts(self, addresses: Sequence[str], block: BlockStamp) -> list[int | None]:
        """Return the event counters of contracts at a block, None where the node cannot tell.

        Nodes forget the state of old blocks, and a contract has none before its creation.
        """
        query = [
            ({"to": address, "data": _EVENT_COUNT}, block_param(block.hash))
            for address in addresses
        ]
        try:
            answers = self.batch("eth_call", query)
        except RpcRefusedError:
            return [None for _ in addresses]
        return [quantity(answer) if answer not in (None, "0x") else None for answer in answers]

    def estimate_gas(self, to: str | None, data: bytes, *, sender: str) -> int:
        """Return the gas that a transaction would need at the newest block.

        Raises:
            ChainRefusedError: the contract refuses it.
        """
        query = {"from": sender, "data": "0x" + data.hex()} | ({"to": to} if to else {})
        return quantity(self._refusable("eth_estimateGas", query))

    def estimates(
        self, calls: Sequence[tuple[str, bytes]], *, sender: str
    ) -> list[int | ChainRefusedError]:
        """Return the gas that each of many calls would need alone, or why it is refused."""
        queries = [({"from": sender, "to": to, "data": "0x" + data.hex()},) for to, data in calls]
        answers = self._batch_answers("eth_estimateGas", queries)
        return [_estimate(answer) for answer in answers]

    def block_gas(self) -> int:
        """Return how much gas a block has room for."""
        return quantity(self.request("eth_getBlockByNumber", "latest", False)["gasLimit"])

    def send_raw(self, raw: bytes) -> None:
        """Hand signed bytes to the node. An error answer says nothing about their fate."""
        self.request("eth_sendRawTransaction", "0x" + raw.hex())

    def receipt(self, tx_hash: str) -> Receipt | None:
        """Return the receipt of a mined transaction, None while it is not mined."""
        return receipt_of(self.request("eth_getTransactionReceipt", tx_hash))

    def receipts(self, tx_hashes: Sequence[str]) -> list[Receipt | None]:
        """Return the receipts of many transactions, None where one is not mined."""
        answers = self.batch("eth_getTransactionReceipt", [(item,) for item in tx_hashes])
        return [receipt_of(answer) for answer in answers]

    def transaction_count(self, address: str, *, block: BlockId) -> int:
        """Return how many transactions of an account are mined: its next nonce."""
        return quantity(self.request("eth_getTransactionCount", address, block_param(block)))

    def code(self, address: str, *, block: BlockId) -> bytes:
        """Return the code at an address; empty where there is no contract."""
        return bytes.fromhex(self.request("eth_getCode", address, block_param(block))[2:])

    def gas_price_wei(self) -> int:
        """Return a price per gas that the next blocks will take: twice the base fee, >= 1 gwei."""
        block = self.request("eth_getBlockByNumber", "latest", False)
        return max(2 * quantity(block.get("baseFeePerGas") or "0x0"), 10**9)

    def genesis_hash(self) -> str:
        """Return the hash of block 0, or the zero hash where the node has lost it."""
        genesis = self.block(0)
        return genesis.hash if genesis else "0x" + "00" * 32

    def _refusable(self, method: str, *params: Any) -> str:
        try:
            return str(self.request(method, *params))
        except RpcRefusedError as error:
            refused = _refusal(error)
            if refused is None:
                raise
            raise refused from error

    def _batch_answers(self, method: str, params: Iterable[Sequence[Any]]) -> list[Any]:
        todo = [list(item) for item in params]
        answers: list[Any] = []
        for start in range(0, len(todo), _BATCH_MAX):
            answers += self._batch_part(method, todo[start : start + _BATCH_MAX])
        return answers

    def _batch_part(self, method: str, todo: list[list[Any]]) -> list[Any]:
        calls = [(RPCEndpoint(method), params) for params in todo]
        answers = self._try_each(lambda i: self._ask_batch(i, calls))
        if isinstance(answers, list) and len(answers) == len(todo):
            return answers
        return [self._try_each(partial(self._ask, method=method, params=one)) for one in todo]

    def _try_each(self, ask: Callable[[int], Answer]) -> Answer:
        failure: Exception | None = None
        for _ in self._providers:
            index = self._current
            try:
                return ask(index)
            except (OSError, ValueError, Web3Exception) as error:
                failure = error
                self._leave(index, error)
        raise ChainUnreachableError(
            "no JSON-RPC endpoint answers",
            field="rpc_url",
            got=repr(failure),
            expected=list(self.rpc_urls),
        ) from failure

    def _leave(self, index: int, error: Exception) -> None:
        with self._lock:
            self._checked.discard(index)
            if self._current == index:
                self._current = (index + 1) % len(self._providers)
        _LOG.debug("rpc endpoint %s failed: %r", self.rpc_urls[index], error)

    def _ask(self, index: int, method: str, params: list[Any]) -> Any:
        self._check(index)
        return self._providers[index].make_request(RPCEndpoint(method), params)

    def _ask_batch(self, index: int, calls: list[tuple[RPCEndpoint, Any]]) -> Any:
        self._check(index)
        return self._providers[index].make_batch_request(calls)

    def _check(self, index: int) -> None:
        if index in self._checked:
            return
        answer = self._providers[index].make_request(RPCEndpoint("eth_chainId"), [])
        got = quantity(_result("eth_chainId", answer))
        if got != self.expected_chain_id:
            raise WrongChainError(
                f"{self.rpc_urls[index]} serves chain {got}, not {self.expected_chain_id}",
                field="chain_id",
                got=got,
                expected=self.expected_chain_id,
            )
        with self._lock:
            self._checked.add(index)


def _provider(url: str, timeout_seconds: float) -> HTTPProvider:
    session = requests.Session()
    # A node on this machine is never behind the environment's proxy.
    session.trust_env = urlsplit(url).hostname not in _LOOPBACK
    adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=32)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return HTTPProvider(
        url,
        request_kwargs={"timeout": timeout_seconds},
        session=session,
        exception_retry_configuration=None,
    )


def _estimate(answer: Any) -> int | ChainRefusedError:
    try:
        return quantity(_result("eth_estimateGas", answer))
    except RpcRefusedError as error:
        refused = _refusal(error)
        if refused is None:
            raise
        return refused


def _refusal(error: RpcRefusedError) -> ChainRefusedError | None:
    """Return what a contract refused, None when the node's error means something else."""
    data = revert_data(error.got)
    return None if data is None else decode_revert(data, str(error.got.get("message", "")))


def _result(method: str, answer: Any) -> Any:
    if not isinstance(answer, dict):
        raise RpcRefusedError(f"{method} was answered with no object", field=method, got=answer)
    if answer.get("error"):
        raise RpcRefusedError(f"{method} was refused", field=method, got=answer["error"])
    return answer.get("result")
