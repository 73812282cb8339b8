"""Many commands in few transactions: tried out, signed by their organisations, relayed together.

Rules kept here:
1. Commands of one call are tried out against the same state, so none may need what another does.
2. One that is refused, when it is tried or when it is mined, keeps no other from its effect.
3. A transaction and all that it carries are durable before it is sent; the same idempotency key
   gives the same outcome, alone or in a batch, whatever died in between.
4. A transaction fits half a block and what nodes take as one message.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from eth_account.signers.local import LocalAccount

from ledger.chain.contracts import Contract
from ledger.chain.errors import ChainError
from ledger.chain.forwarder import (
    VALID_SECONDS,
    ForwardRequest,
    relayed,
    request_data,
    sign_request,
)
from ledger.chain.keys import address_of
from ledger.chain.outbox import Member
from ledger.chain.relay import Relay, inner_gas, outer_gas
from ledger.chain.sender import Intent, Outcome
from ledger.domain.errors import LedgerError, MalformedValueError
from ledger.domain.ids import new_id

SCOPE = "batch"
BATCH_BYTES_MAX = 100_000
"""Calldata of a transaction; widespread nodes refuse transactions above 128 KiB."""
_REQUEST_BYTES = 512
_IN_FLIGHT_MAX = 6
_UNTRIED_GAS = 1_000_000
"""Where all that were tried out are refused, so that nothing is known of the others."""


@dataclass(frozen=True, slots=True)
class Order:
    """One command of many.

    Attributes:
        account: the key that signs it.
        contract: the contract that it calls.
        function: what it calls.
        args: with what.
        idempotency_key: made once per intent by the client; same key, same outcome.
        body_digest: digest of the client's body; another body under the same key is refused.
        answer: what the client is told when it repeats its key.
        is_new: the key was made just now, so that there is nothing to look up.
        size: how much it writes beside others of its function; the gas of one that is not tried
            out grows with it.
    """

    account: LocalAccount
    contract: Contract
    function: str
    args: Sequence[Any]
    idempotency_key: str
    body_digest: bytes
    answer: bytes = b""
    is_new: bool = False
    size: int = 1

    @property
    def signer(self) -> str:
        """The address of its account."""
        return address_of(self.account)


@dataclass(frozen=True, slots=True)
class _Signed:
    """A signed request with the place of its order."""

    place: int
    gas: int
    data: dict[str, Any]
    member: Member

    @property
    def byte_size(self) -> int:
        return len(self.data["data"]) + _REQUEST_BYTES


Results = list[Outcome | LedgerError | None]


def execute_many(
    relay: Relay, orders: Sequence[Order], *, tried_out: int | None = None
) -> list[Outcome | LedgerError]:
    """Carry out many commands; return what became of each, in their order.

    Args:
        relay: what relays them.
        orders: the commands.
        tried_out: how many commands of each function are tried out first, all when left out. The
            others get the gas of the dearest of these; one that is refused is mined as refused.

    Raises:
        ReceiptTimeoutError, ChainUnreachableError: see `Sender`; asking again goes on.
        CommandStoredError: another process stores one of them at the same time.
        MalformedValueError: two of them have the same idempotency key.
    """
    _require_own_keys(orders)
    results: Results = [None] * len(orders)
    with _turns(relay, orders):
        _repeated(relay, orders, results)
        flying: deque[tuple[UUID, Sequence[_Signed]]] = deque()
        for part in _parts(relay, _signed(relay, orders, results, tried_out)):
            if len(flying) >= _IN_FLIGHT_MAX:
                _land(relay, flying.popleft(), results)
            flying.append((_send(relay, part), part))
        for sent in flying:
            _land(relay, sent, results)
    return [_known(result) for result in results]


def _require_own_keys(orders: Sequence[Order]) -> None:
    count = Counter((order.signer, order.idempotency_key) for order in orders)
    for (_signer, key), times in count.most_common(1):
        if times > 1:
            raise MalformedValueError(
                "two commands of one batch have the same idempotency key",
                field="idempotency_key",
                got=key,
                expected="a key of its own for each",
            )


@contextmanager
def _turns(relay: Relay, orders: Sequence[Order]) -> Iterator[None]:
    """Hold the turn of every signer, taken in one order by all callers."""
    with ExitStack() as held:
        for signer in sorted({order.signer for order in orders}):
            held.enter_context(relay.turn(signer))
        yield


def _repeated(relay: Relay, orders: Sequence[Order], results: Results) -> None:
    """Put in what was stored under the orders' keys before."""
    for place, order in enumerate(orders):
        if order.is_new:
            continue
        try:
            entry = relay.sender.find(order.signer, order.idempotency_key, order.body_digest)
            if entry is not None:
                results[place] = relay.sender.wait(entry.intent_id)
        except ChainError as error:
            if error.retryable:
                raise
            results[place] = error


def _signed(
    relay: Relay, orders: Sequence[Order], results: Results, tried_out: int | None
) -> Iterator[_Signed]:
    """Yield the signed request of each order that is not refused when it is tried out."""
    calls = _calls(orders, results)
    gases = _gases(relay, orders, calls, results, tried_out)
    forwarder = relay.contracts.forwarder
    signers = sorted({orders[place].signer for place in gases})
    numbers = dict(zip(signers, forwarder.nonces_of(signers, block="latest"), strict=True))
    deadline = relay.now() + VALID_SECONDS
    for place, gas in gases.items():
        order = orders[place]
        number = numbers[order.signer]
        numbers[order.signer] += 1
        request = ForwardRequest(
            sender=order.signer,
            to=order.contract.address,
            gas=gas,
            nonce=number,
            deadline=deadline,
            data=calls[place],
        )
        signature = sign_request(order.account, request, relay.separator)
        yield _Signed(place, gas, request_data(request, signature), _member(order, number))


def _gases(
    relay: Relay,
    orders: Sequence[Order],
    calls: dict[int, bytes],
    results: Results,
    tried_out: int | None,
) -> dict[int, int]:
    """Return the gas limit of each request by its place; what is refused is put in as refused."""
    function_of = {place: (orders[place].contract.name, orders[place].function) for place in calls}
    turn: Counter[tuple[str, str]] = Counter()
    tried = []
    for place, function in function_of.items():
        turn[function] += 1
        if tried_out is None or turn[function] <= tried_out:
            tried.append(place)
    queries = [
        (orders[place].contract.address, relayed(calls[place], orders[place].signer))
        for place in tried
    ]
    forwarder = relay.contracts.forwarder.address
    gases: dict[int, int] = {}
    dearest: Counter[tuple[str, str]] = Counter()
    largest: Counter[tuple[str, str]] = Counter()
    estimates = relay.chain.estimates(queries, sender=forwarder)
    for place, estimate in zip(tried, estimates, strict=True):
        if isinstance(estimate, LedgerError):
            results[place] = estimate
        else:
            gases[place] = inner_gas(estimate)
            function = function_of[place]
            dearest[function] = max(dearest[function], gases[place])
            largest[function] = max(largest[function], orders[place].size)
    for place in calls.keys() - set(tried):
        function, size = function_of[place], orders[place].size
        gas = dearest[function] or _UNTRIED_GAS
        gases[place] = gas * max(size, largest[function]) // (largest[function] or size)
    return dict(sorted(gases.items()))


def _calls(orders: Sequence[Order], results: Results) -> dict[int, bytes]:
    """Return the calldata of the orders that are still open, by their place."""
    calls: dict[int, bytes] = {}
    for place, order in enumerate(orders):
        if results[place] is None:
            try:
                calls[place] = order.contract.encode(order.function, *order.args)
            except LedgerError as error:
                results[place] = error
    return calls


def _member(order: Order, turn: int) -> Member:
    return Member(
        intent_id=new_id(),
        scope=order.signer,
        idempotency_key=order.idempotency_key,
        body_digest=order.body_digest,
        answer=order.answer,
        turn=turn,
    )


def _parts(relay: Relay, signed: Iterable[_Signed]) -> Iterator[list[_Signed]]:
    """Yield requests in groups that fit one transaction each."""
    gas_max = relay.chain.block_gas() // 2
    part: list[_Signed] = []
    gas, size = 0, 0
    for one in signed:
        if part and (gas + one.gas > gas_max or size + one.byte_size > BATCH_BYTES_MAX):
            yield part
            part, gas, size = [], 0, 0
        part.append(one)
        gas += one.gas
        size += one.byte_size
    if part:
        yield part


def _send(relay: Relay, part: Sequence[_Signed]) -> UUID:
    """Store a transaction with all that it carries, hand it to the chain; do not wait."""
    forwarder = relay.contracts.forwarder
    intent_id = new_id()
    # Somebody to give back to makes the forwarder pass over what is invalid; no value is ever sent.
    data = forwarder.encode("executeBatch", [one.data for one in part], relay.sender.account)
    relay.sender.enqueue(
        Intent(
            intent_id=intent_id,
            scope=SCOPE,
            idempotency_key=str(intent_id),
            body_digest=bytes(32),
            to=forwarder.address,
            data=data,
            gas=outer_gas(sum(one.gas for one in part), len(data), len(part)),
            members=tuple(one.member for one in part),
        )
    )
    return intent_id


def _land(relay: Relay, sent: tuple[UUID, Sequence[_Signed]], results: Results) -> None:
    """Wait for a transaction and put in what became of its requests."""
    intent_id, part = sent
    for one, outcome in zip(part, relay.sender.outcomes(intent_id), strict=True):
        results[one.place] = outcome


def _known(result: Outcome | LedgerError | None) -> Outcome | LedgerError:
    assert result is not None
    return result
