"""Many commands in few transactions on a real node: each with its own outcome, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import pytest

from ledger.chain import batches
from ledger.chain.batches import Order, execute_many
from ledger.chain.client import ChainUnreachableError
from ledger.chain.forwarder import request_hash, sign_request, sign_typed_data
from ledger.chain.keys import address_of, new_account
from ledger.chain.outbox import IntentState
from ledger.chain.reverts import ChainRefusedError
from ledger.chain.sender import IdempotencyConflictError, Outcome, ReceiptTimeoutError, Sender
from ledger.domain.errors import LedgerError, MalformedValueError
from ledger.projection.outbox import SqlOutbox
from tests.integration.ledger_home import GOVERNANCE, RELAYER, Home, open_home

pytestmark = pytest.mark.integration

CITIES = count(500_000)
KEYS = count(1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with open_home(tmp_path_factory.mktemp("home")) as opened:
        yield opened


def order(home: Home, city: int | None = None, key: str = "", **other: Any) -> Order:
    """Return the opening of a city that nobody opened yet, or of the one named."""
    values = {
        "account": GOVERNANCE,
        "contract": home.contracts.directory,
        "function": "openCity",
        "args": (next(CITIES) if city is None else city,),
        "idempotency_key": key or f"key-{next(KEYS)}",
        "body_digest": bytes(32),
    }
    return Order(**values | other)


def done(results: Sequence[Outcome | LedgerError]) -> list[Outcome]:
    assert all(isinstance(result, Outcome) for result in results), results
    return [result for result in results if isinstance(result, Outcome)]


def opened_cities(home: Home) -> int:
    return home.contracts.directory.event_count(block="latest")


def test_execute_many__independent_commands__one_transaction_each_its_effect(home: Home) -> None:
    before, nonce = opened_cities(home), home.relayer_nonce()
    outcomes = done(execute_many(home.relay, [order(home) for _ in range(40)]))
    assert opened_cities(home) == before + 40
    assert home.relayer_nonce() == nonce + 1
    assert len({outcome.tx_hash for outcome in outcomes}) == 1
    assert len({outcome.intent_id for outcome in outcomes}) == 40


def test_execute_many__one_refused_when_tried__the_others_act(home: Home) -> None:
    before = opened_cities(home)
    stranger = order(home, account=new_account())
    good, bad, also_good = execute_many(home.relay, [order(home), stranger, order(home)])
    done([good, also_good])
    assert isinstance(bad, ChainRefusedError)
    assert bad.name == "AccessManagedUnauthorized"
    assert opened_cities(home) == before + 2


def test_execute_many__one_refused_when_mined__says_why_and_keeps_nobody(home: Home) -> None:
    before = opened_cities(home)
    orders = [order(home), order(home, account=new_account()), order(home)]
    good, bad, also_good = execute_many(home.relay, orders, tried_out=1)
    done([good, also_good])
    assert isinstance(bad, ChainRefusedError)
    assert bad.name == "AccessManagedUnauthorized"
    assert opened_cities(home) == before + 2
    assert home.sender.outbox.find(orders[1].signer, orders[1].idempotency_key).state == "failed"


def test_execute_many__same_keys_again__same_outcomes_and_nothing_sent(home: Home) -> None:
    orders = [order(home) for _ in range(3)]
    first, nonce = execute_many(home.relay, orders), home.relayer_nonce()
    assert execute_many(home.relay, orders) == first
    assert home.relayer_nonce() == nonce


def test_execute_many__key_of_a_single_command__is_known_to_a_batch(home: Home) -> None:
    city = next(CITIES)
    single = home.relay.execute(
        GOVERNANCE, home.contracts.directory, "openCity", (city,), idempotency_key="alone"
    )
    assert execute_many(home.relay, [order(home, city, "alone")]) == [single]
    member = done(execute_many(home.relay, [order(home, key="together")]))[0]
    again = home.relay.execute(
        GOVERNANCE, home.contracts.directory, "openCity", (1,), idempotency_key="together"
    )
    assert again == member


def test_execute_many__same_key_other_body__conflicts_alone(home: Home) -> None:
    done(execute_many(home.relay, [order(home, key="taken")]))
    good, bad = execute_many(
        home.relay, [order(home), order(home, key="taken", body_digest=b"\x01" * 32)]
    )
    done([good])
    assert isinstance(bad, IdempotencyConflictError)


def test_execute_many__key_twice_in_one_call__is_refused_whole(home: Home) -> None:
    before = opened_cities(home)
    with pytest.raises(MalformedValueError):
        execute_many(home.relay, [order(home, key="double"), order(home, key="double")])
    assert opened_cities(home) == before


def test_execute_many__turn_used_by_another__is_passed_over_and_the_rest_act(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = home.contracts.forwarder.nonces_of

    def late(signers: Sequence[str], *, block: str) -> list[int]:
        return [number - 1 for number in real(signers, block=block)]

    monkeypatch.setattr(home.contracts.forwarder, "nonces_of", late)
    before = opened_cities(home)
    # The first is signed over a used number; the second over the one that is next on chain.
    stale, good = execute_many(home.relay, [order(home), order(home)])
    assert isinstance(stale, ChainRefusedError)
    assert stale.name == "ERC2771ForwarderInvalidSigner"
    done([good])
    assert opened_cities(home) == before + 1


def test_execute_many__more_than_a_transaction_takes__goes_in_parts(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_BYTES_MAX", 3_000)
    before, nonce = opened_cities(home), home.relayer_nonce()
    outcomes = done(execute_many(home.relay, [order(home) for _ in range(60)]))
    assert opened_cities(home) == before + 60
    assert home.relayer_nonce() - nonce == len({item.tx_hash for item in outcomes}) == 12


def test_execute_many__killed_before_it_was_sent__the_next_process_sends_and_answers(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [order(home) for _ in range(3)]
    before = opened_cities(home)

    def die(raw: bytes) -> None:
        raise ChainUnreachableError("killed between storing and sending")

    with monkeypatch.context() as patched:
        patched.setattr(home.chain, "send_raw", die)
        patched.setattr(home.sender, "_timeout_seconds", 0.2)
        with pytest.raises(ReceiptTimeoutError):
            execute_many(home.relay, orders)
    assert opened_cities(home) == before
    found = home.sender.outbox.find(orders[2].signer, orders[2].idempotency_key)
    assert found.state in (IntentState.SIGNED, IntentState.BROADCAST)
    other = Sender(home.chain, SqlOutbox(home.engine), RELAYER, timeout_seconds=20)
    assert other.resume() == 1
    assert other.wait(found.intent_id).intent_id == found.intent_id
    done(execute_many(home.relay, orders))
    assert opened_cities(home) == before + 3


def test_execute_many__chain_went_back__the_same_bytes_act_again(home: Home) -> None:
    orders = [order(home) for _ in range(3)]
    first = done(execute_many(home.relay, orders))
    after = opened_cities(home)
    home.node.rollback(1)
    assert opened_cities(home) == after - 3
    assert home.sender.reopen_lost() == 1
    assert [item.tx_hash for item in done(execute_many(home.relay, orders))] == [
        item.tx_hash for item in first
    ]
    assert opened_cities(home) == after


def test_request_hash__signed__equals_what_wallets_sign(home: Home) -> None:
    account = new_account()
    request = home.relay.prepare(
        address_of(GOVERNANCE), home.contracts.directory, "openCity", (next(CITIES),)
    )
    assert sign_request(account, request, home.relay.separator) == sign_typed_data(
        account, home.relay.typed_data(request)
    )
    assert len(request_hash(request, home.relay.separator)) == 32
