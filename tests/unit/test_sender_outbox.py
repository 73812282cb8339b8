"""The sender on an in-memory chain with the faults of real nodes: exactly one effect, always."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from eth_abi.abi import encode

from ledger.chain.abi import contract_abi
from ledger.chain.client import ChainUnreachableError
from ledger.chain.keys import account_of, address_of
from ledger.chain.reverts import ChainRefusedError
from ledger.chain.sender import (
    IdempotencyConflictError,
    Intent,
    ReceiptTimeoutError,
    Sender,
    parts_of,
)
from ledger.domain.ids import new_id
from ledger.projection.database import migrate, open_engine
from ledger.projection.outbox import SqlOutbox
from tests.unit.fake_chain import FakeTxChain, sender_of

pytestmark = pytest.mark.unit

RELAYER = account_of(b"\x11" * 32)
ACCOUNT = address_of(RELAYER)
TARGET = "0x" + "aa" * 20


@pytest.fixture
def chain() -> FakeTxChain:
    return FakeTxChain()


@pytest.fixture
def outbox(tmp_path: Path) -> SqlOutbox:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    migrate(engine)
    return SqlOutbox(engine)


@pytest.fixture
def sender(chain: FakeTxChain, outbox: SqlOutbox) -> Sender:
    return make_sender(chain, outbox)


def make_sender(chain: FakeTxChain, outbox: SqlOutbox) -> Sender:
    return Sender(
        chain,  # type: ignore[arg-type]
        outbox,
        RELAYER,
        poll_seconds=0.001,
        resend_seconds=0.003,
        timeout_seconds=0.5,
    )


def intent(key: str = "k1", data: bytes = b"\x01", digest: bytes = bytes(32)) -> Intent:
    return Intent(new_id(), "0xsigner", key, digest, TARGET, data, 100_000)


def test_submit__first_command__is_stored_before_it_is_sent(
    chain: FakeTxChain, outbox: SqlOutbox, sender: Sender
) -> None:
    stored = []
    chain.on_send = lambda raw: stored.append([e.raw for e in outbox.open_entries(ACCOUNT)])
    outcome = sender.submit(intent())
    assert stored == [[chain.sent[0]]]
    assert outcome.tx_hash == chain.mined[0].tx_hash
    assert parts_of(chain.sent[0]) == (TARGET, b"\x01", 100_000)


def test_submit__timeout_after_accept__counts_once(chain: FakeTxChain, sender: Sender) -> None:
    chain.timeouts_after_accept = 1
    outcome = sender.submit(intent())
    assert [item.tx_hash for item in chain.mined] == [outcome.tx_hash]


def test_submit__dropped_by_the_node__sends_the_same_bytes(
    chain: FakeTxChain, sender: Sender
) -> None:
    chain.lost_sends = 2
    sender.submit(intent())
    assert len(chain.sent) == 3
    assert len(set(chain.sent)) == 1
    assert len(chain.mined) == 1


def test_send_open__node_says_already_known__is_no_failure(
    chain: FakeTxChain, outbox: SqlOutbox, sender: Sender
) -> None:
    chain.counts[ACCOUNT] = 0
    first = sender.enqueue(intent("k1"))
    chain.go_back(1)
    chain.pool[ACCOUNT, 0] = first.raw
    sender.send_open()
    assert outbox.find("0xsigner", "k1").state == "broadcast"


def test_submit__node_is_down_after_storing__is_sent_by_the_next_process(
    chain: FakeTxChain, outbox: SqlOutbox, sender: Sender
) -> None:
    def go_down(_raw: bytes) -> None:
        chain.is_down = True
        raise ChainUnreachableError("killed between signing and sending")

    chain.on_send = go_down
    with pytest.raises(ReceiptTimeoutError):
        sender.submit(intent())
    chain.is_down, chain.on_send = False, lambda raw: None
    assert make_sender(chain, outbox).resume() == 1
    assert len(chain.mined) == 1
    assert sender.submit(intent()).tx_hash == chain.mined[0].tx_hash


def test_submit__chain_is_down_from_the_start__stores_nothing(
    chain: FakeTxChain, outbox: SqlOutbox, sender: Sender
) -> None:
    chain.is_down = True
    with pytest.raises(ChainUnreachableError):
        sender.submit(intent())
    assert outbox.open_entries(ACCOUNT) == []


def test_submit__same_key_and_body__same_outcome_and_one_effect(
    chain: FakeTxChain, sender: Sender
) -> None:
    assert sender.submit(intent()) == sender.submit(intent(data=b"\x02"))
    assert len(chain.mined) == 1


def test_submit__same_key_other_body__is_a_conflict(chain: FakeTxChain, sender: Sender) -> None:
    sender.submit(intent())
    with pytest.raises(IdempotencyConflictError) as caught:
        sender.submit(intent(digest=b"\x09" * 32))
    assert caught.value.code == "chain.idempotency_conflict"
    assert len(chain.mined) == 1


def test_submit__identical_calls_in_parallel__one_effect(
    chain: FakeTxChain, sender: Sender
) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: sender.submit(intent()), range(16)))
    assert len({outcome.tx_hash for outcome in outcomes}) == 1
    assert len(chain.mined) == 1


def test_submit__many_commands_in_parallel__every_nonce_once(
    chain: FakeTxChain, sender: Sender
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: sender.submit(intent(f"k{i}")), range(24)))
    assert sorted({sender_of(raw)[1] for raw in chain.sent}) == list(range(24))
    assert len(chain.mined) == 24


def test_submit__key_was_used_elsewhere__takes_the_chains_nonce(
    chain: FakeTxChain, sender: Sender
) -> None:
    chain.use_nonce(ACCOUNT)
    sender.submit(intent())
    assert sender_of(chain.sent[0])[1] == 1


def test_wait__nonce_taken_by_a_foreign_transaction__signs_the_next(
    chain: FakeTxChain, outbox: SqlOutbox, sender: Sender
) -> None:
    chain.lost_sends = 1
    chain.on_send = lambda raw: chain.use_nonce(ACCOUNT) if not chain.sent else None
    outcome = sender.submit(intent())
    assert outcome.tx_hash == chain.mined[0].tx_hash
    assert sender_of(chain.sent[-1])[1] == 1
    assert len(chain.mined) == 1


def test_submit__mined_but_refused__typed_error_each_time(
    chain: FakeTxChain, sender: Sender
) -> None:
    error = contract_abi("Directory").errors["Directory_UnknownCity"]
    chain.revert_data = error.selector + encode(["uint32"], [320199])
    chain.reverting.add(b"\x01")
    for _ in range(2):
        with pytest.raises(ChainRefusedError) as caught:
            sender.submit(intent())
        assert caught.value.code == "directory.unknown_city"
        assert caught.value.params == {"city_code": 320199}
    assert len(chain.mined) == 1


def test_reopen_above__chain_went_back__sends_the_same_bytes_in_order(
    chain: FakeTxChain, sender: Sender
) -> None:
    for i in range(6):
        sender.submit(intent(f"k{i}"))
    before = [item.tx_hash for item in chain.mined]
    chain.go_back(4)
    first_sent = list(chain.sent)
    assert sender.reopen_above(2) == 4
    assert chain.sent[6:] == first_sent[2:]
    assert [item.tx_hash for item in chain.mined] == before


def test_resume__chain_lost_its_last_blocks_while_we_were_away__sends_them_again(
    chain: FakeTxChain, outbox: SqlOutbox, sender: Sender
) -> None:
    for i in range(5):
        sender.submit(intent(f"k{i}"))
    before = [item.tx_hash for item in chain.mined]
    chain.go_back(3)
    assert make_sender(chain, outbox).resume() == 3
    assert [item.tx_hash for item in chain.mined] == before


def test_resume__chain_is_back_at_its_genesis__rebuilds_everything(
    chain: FakeTxChain, outbox: SqlOutbox, sender: Sender
) -> None:
    for i in range(70):
        sender.submit(intent(f"k{i}"))
    before = [item.tx_hash for item in chain.mined]
    chain.go_back(70)
    make_sender(chain, outbox).resume()
    assert [item.tx_hash for item in chain.mined] == before


def test_submit__key_was_used_elsewhere_meanwhile__skips_its_nonce(
    chain: FakeTxChain, sender: Sender
) -> None:
    sender.submit(intent("k1"))
    chain.use_nonce(ACCOUNT)
    sender.submit(intent("k2"))
    assert [sender_of(raw)[1] for raw in chain.sent] == [0, 2]


def test_resume__mined_again_in_another_block__notes_the_new_block(
    chain: FakeTxChain, outbox: SqlOutbox, sender: Sender
) -> None:
    sender.submit(intent("k1"))
    chain.mined[0] = replace(chain.mined[0], block_number=9, block_hash=f"0x{9:064x}")
    make_sender(chain, outbox).resume()
    entry = outbox.find("0xsigner", "k1")
    assert (entry.state, entry.block_number) == ("mined", 9)
    assert len(chain.sent) == 1
