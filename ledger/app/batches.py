"""Many commands at once: planned against one state, carried by few transactions.

Each has its own request, its own signature, its own answer; one that is refused keeps no other
from its effect. None may need what another of the same call does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from ledger.app.commands import (
    Command,
    CommandRequest,
    Done,
    actor_of,
    body_digest_of,
    contract_of,
    done_of,
    parse_request,
    repeated,
    spec_of,
    store_papers,
)
from ledger.app.market import Market
from ledger.chain.batches import Order, execute_many
from ledger.chain.keys import KeyAccount, address_of
from ledger.chain.sender import Outcome
from ledger.codec.canonical import canonical_json
from ledger.domain.errors import LedgerError


@dataclass(frozen=True, slots=True)
class Ask:
    """One command of many: who, which, what; `idempotency_key` as in `commands.run`.

    `planned` is its plan, where it was made together with others; `size` as in `Order`.
    """

    account: KeyAccount
    name: str
    body: CommandRequest | dict[str, Any]
    idempotency_key: str | None = None
    planned: Command | None = None
    size: int = 1


@dataclass(frozen=True, slots=True)
class _Planned:
    command: Command
    order: Order


def run_many(
    market: Market, asks: Sequence[Ask], *, tried_out: int | None = None
) -> list[Done | LedgerError]:
    """Carry out commands; return, in their order, what each did or why it was refused.

    Args:
        market: the market.
        asks: the commands.
        tried_out: as in `execute_many`.

    Raises:
        LedgerError: the chain is unreachable, or something is not mined in time; asking again with
            the same idempotency keys goes on.
    """
    actors = _actors(market, asks)
    planned = [_plan(market, ask, actors[ask.account.address]) for ask in asks]
    open_ones = [item for item in planned if isinstance(item, _Planned)]
    documents = [document for item in open_ones for document in item.command.documents]
    store_papers(market, documents, [item.command.work for item in open_ones])
    found = execute_many(market.relay, [item.order for item in open_ones], tried_out=tried_out)
    mined = [outcome.block_number for outcome in found if isinstance(outcome, Outcome)]
    if mined:
        market.indexer.wait_for(max(mined))
    outcomes = iter(found)
    results: list[Done | LedgerError] = []
    for ask, item in zip(asks, planned, strict=True):
        if not isinstance(item, _Planned):
            results.append(item)
            continue
        outcome = next(outcomes)
        if isinstance(outcome, Outcome):
            results.append(done_of(ask.name, outcome, item.command.result))
        else:
            results.append(outcome)
    return results


def all_done(results: Sequence[Done | LedgerError]) -> list[Done]:
    """Return what was done where nothing may be refused.

    Raises:
        LedgerError: the first refusal.
    """
    done: list[Done] = []
    for result in results:
        if isinstance(result, LedgerError):
            raise result
        done.append(result)
    return done


def _actors(market: Market, asks: Sequence[Ask]) -> dict[str, UUID | LedgerError | None]:
    """Return for whom each key signs, or why for nobody."""
    found: dict[str, UUID | LedgerError | None] = {}
    for account in {ask.account.address: ask.account for ask in asks}.values():
        try:
            found[account.address] = actor_of(market, account)
        except LedgerError as error:
            found[account.address] = error
    return found


def _plan(
    market: Market, ask: Ask, actor_id: UUID | LedgerError | None
) -> _Planned | Done | LedgerError:
    """Return a command that is ready to be sent, or the answer that is known already."""
    try:
        spec = spec_of(ask.name)
        request = parse_request(spec, ask.body)
        body_digest = body_digest_of(ask.name, request.model_dump(mode="json", exclude_unset=True))
        if ask.idempotency_key is not None:
            signer = address_of(ask.account)
            known = repeated(market, ask.name, signer, ask.idempotency_key, body_digest)
            if known is not None:
                return known
        if isinstance(actor_id, LedgerError):
            return actor_id
        command = ask.planned or spec.plan(market, actor_id, request)
    except LedgerError as error:
        if error.retryable:
            raise
        return error
    order = Order(
        account=ask.account,
        contract=contract_of(market, command.contract),
        function=command.function,
        args=command.args,
        idempotency_key=ask.idempotency_key or str(uuid4()),
        body_digest=body_digest,
        answer=canonical_json(command.result),
        is_new=ask.idempotency_key is None,
        size=ask.size,
    )
    return _Planned(command, order)
