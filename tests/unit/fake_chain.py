"""An in-memory chain for sender and indexer, with the faults of real nodes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import rlp
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.crypto import keccak

from ledger.chain.abi import contract_abi
from ledger.chain.client import ChainUnreachableError
from ledger.chain.errors import RpcRefusedError
from ledger.chain.reverts import decode_revert
from ledger.chain.rpc_types import BlockStamp, RawLog, Receipt

DIRECTORY = "0x" + "d1" * 20
CONTRACTS = {DIRECTORY: "Directory"}


@dataclass
class FakeBlock:
    """A block with the cities that its events open."""

    stamp: BlockStamp
    cities: list[int] = field(default_factory=list)


class FakeLogChain:
    """Blocks whose events open cities; block 0 is empty."""

    def __init__(self) -> None:
        self.salt = 0
        self.chain: list[FakeBlock] = []
        self.mine([])
        self.span_limit: int | None = None
        self.is_down = False
        self.hidden_in_ranges: set[int] = set()
        self.hidden: set[int] = set()
        self.is_doubled = False
        self.knows_counts = True
        self.log_calls: list[tuple[int, int]] = []
        self.before_logs: Callable[[], None] = lambda: None

    def mine(self, cities: list[int]) -> None:
        number = len(self.chain)
        parent = self.chain[-1].stamp.hash if self.chain else ""
        digest = hashlib.sha256(f"{parent}{number}{self.salt}{cities}".encode()).hexdigest()
        self.chain.append(
            FakeBlock(BlockStamp(number, "0x" + digest, 1_700_000_000 + number), cities)
        )

    def reorg(self, depth: int, replacement: list[list[int]]) -> None:
        self.salt += 1
        del self.chain[len(self.chain) - depth :]
        for cities in replacement:
            self.mine(cities)

    def head(self) -> BlockStamp:
        self._answer()
        return self.chain[-1].stamp

    def block(self, block: int | str) -> BlockStamp | None:
        return self.blocks([int(block)])[0]

    def blocks(self, numbers: Sequence[int]) -> list[BlockStamp | None]:
        self._answer()
        known = {item.stamp.number: item.stamp for item in self.chain}
        return [known.get(number) for number in numbers]

    def logs(self, addresses: Sequence[str], first: int, last: int) -> list[RawLog]:
        self._answer()
        self.before_logs()
        self.log_calls.append((first, last))
        if self.span_limit is not None and last - first + 1 > self.span_limit:
            raise RpcRefusedError("query returned more than 10000 results", got={"code": -32005})
        found = [log for item in self.chain[first : last + 1] for log in self._logs_of(item)]
        seen = [log for log in found if self._no_of(log) not in self.hidden_in_ranges]
        return seen * 2 if self.is_doubled else seen

    def logs_of_block(self, addresses: Sequence[str], block_hash: str) -> list[RawLog]:
        self._answer()
        item = next(item for item in self.chain if item.stamp.hash == block_hash)
        return self._logs_of(item)

    def event_counts(self, addresses: Sequence[str], block: BlockStamp) -> list[int | None]:
        count = sum(len(item.cities) for item in self.chain[: block.number + 1])
        return [count if self.knows_counts else None]

    def _answer(self) -> None:
        if self.is_down:
            raise ChainUnreachableError("down")

    def _no_of(self, log: RawLog) -> int:
        return int.from_bytes(log.data, "big")

    def _logs_of(self, item: FakeBlock) -> list[RawLog]:
        before = sum(len(other.cities) for other in self.chain[: item.stamp.number])
        made = [city_log(item.stamp, before + i + 1, city, i) for i, city in enumerate(item.cities)]
        return [log for log in made if self._no_of(log) not in self.hidden]


def city_log(stamp: BlockStamp, event_no: int, city_code: int, log_index: int) -> RawLog:
    """Return the log of CityOpened; the transaction's hash does not depend on the block."""
    return RawLog(
        address=DIRECTORY,
        topics=(
            contract_abi("Directory").events["CityOpened"].topic,
            city_code.to_bytes(32, "big"),
        ),
        data=encode(["uint64"], [event_no]),
        block_number=stamp.number,
        block_hash=stamp.hash,
        tx_hash="0x" + hashlib.sha256(f"city {city_code}".encode()).hexdigest(),
        log_index=log_index,
    )


class FakeTxChain:
    """Accounts, nonces and receipts; every accepted transaction is a block of its own."""

    expected_chain_id = 31337

    def __init__(self) -> None:
        self.pool: dict[tuple[str, int], bytes] = {}
        self.mined: list[Receipt] = []
        self.counts: dict[str, int] = {}
        self.sent: list[bytes] = []
        self.lost_sends = 0
        self.timeouts_after_accept = 0
        self.is_down = False
        self.reverting: set[bytes] = set()
        self.on_send: Callable[[bytes], None] = lambda raw: None
        self.revert_data = b""

    def gas_price_wei(self) -> int:
        self._answer()
        return 10**9

    def transaction_count(self, address: str, *, block: object) -> int:
        self._answer()
        return self.counts.get(address, 0)

    def send_raw(self, raw: bytes) -> None:
        self._answer()
        self.on_send(raw)
        self.sent.append(raw)
        if self.lost_sends:
            self.lost_sends -= 1
            return
        account, nonce = sender_of(raw)
        if nonce < self.counts.get(account, 0):
            raise RpcRefusedError("nonce too low", got={"code": -32000})
        if (account, nonce) in self.pool:
            raise RpcRefusedError("already known", got={"code": -32000})
        self.pool[account, nonce] = raw
        self._mine_ready(account)
        if self.timeouts_after_accept:
            self.timeouts_after_accept -= 1
            raise ChainUnreachableError("timed out")

    def receipt(self, tx_hash: str) -> Receipt | None:
        self._answer()
        return next((item for item in self.mined if item.tx_hash == tx_hash), None)

    def receipts(self, hashes: Sequence[str]) -> list[Receipt | None]:
        return [self.receipt(item) for item in hashes]

    def call(self, to: str, data: bytes, *, block: object, sender: str | None = None) -> bytes:
        raise_refusal(self.revert_data)
        return b""

    def go_back(self, blocks: int) -> None:
        """Lose the newest blocks; each held one transaction."""
        lost = self.mined[len(self.mined) - blocks :]
        del self.mined[len(self.mined) - blocks :]
        for account in self.counts:
            self.counts[account] -= len(lost)

    def use_nonce(self, account: str) -> None:
        """Somebody else sends a transaction with the account's key."""
        self.counts[account] = self.counts.get(account, 0) + 1

    def _mine_ready(self, account: str) -> None:
        while (raw := self.pool.pop((account, self.counts.get(account, 0)), None)) is not None:
            self.counts[account] = self.counts.get(account, 0) + 1
            number = len(self.mined) + 1
            self.mined.append(
                Receipt(
                    tx_hash="0x" + keccak(raw).hex(),
                    succeeded=rlp.decode(raw)[5] not in self.reverting,
                    block_number=number,
                    block_hash=f"0x{number:064x}",
                    gas_used=21_000,
                    contract_address=None,
                )
            )

    def _answer(self) -> None:
        if self.is_down:
            raise ChainUnreachableError("down")


def sender_of(raw: bytes) -> tuple[str, int]:
    """Return the account and the nonce of a signed legacy transaction."""
    return Account.recover_transaction(raw).lower(), int.from_bytes(rlp.decode(raw)[0], "big")


def raise_refusal(data: bytes) -> None:
    """Refuse as a contract does, when there is something to refuse with."""
    if data:
        raise decode_revert(data)
