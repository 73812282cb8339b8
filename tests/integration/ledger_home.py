"""A home with a local chain, a deployment, a sender and an indexer, for tests on real parts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from ledger.chain.client import Chain
from ledger.chain.contracts import Contracts
from ledger.chain.deploy import Deployment, deploy
from ledger.chain.errors import RpcUnavailableError
from ledger.chain.keys import account_of, address_of
from ledger.chain.node import LocalNode, NodeOptions
from ledger.chain.relay import Relay
from ledger.chain.sender import Outcome, Sender
from ledger.indexer.indexer import Indexer
from ledger.projection.database import migrate, open_engine
from ledger.projection.outbox import SqlOutbox

CHAIN_ID = 31337
RELAYER, GOVERNANCE, STRANGER = (account_of(bytes([i]) * 32) for i in (0x21, 0x22, 0x23))
CITY = 320100


@dataclass
class Home:
    """Everything of one home; `forks` collects where the chain went back to."""

    folder: Path
    node: LocalNode
    engine: Any
    chain: Chain
    sender: Sender
    deployment: Deployment
    contracts: Contracts
    relay: Relay

    @property
    def record(self) -> Path:
        return self.folder / "chain" / "deployment.json"

    def indexer(self, engine: Any = None) -> Indexer:
        followed = {address: c.name for address, c in self.contracts.indexed.items()}
        return Indexer(
            self.chain,
            followed,
            self.engine if engine is None else engine,
            first_block=self.deployment.first_block,
            on_fork=self.sender.reopen_above,
        )

    def govern(self, function: str, *args: Any, account: LocalAccount = GOVERNANCE) -> Outcome:
        return self.relay.execute(account, self.contracts.directory, function, args)

    def open_cities(self, first: int, count: int) -> None:
        for city in range(first, first + count):
            self.govern("openCity", city)

    def relayer_nonce(self) -> int:
        return self.chain.transaction_count(self.sender.account, block="latest")

    def wait_until_up(self) -> None:
        while True:
            try:
                self.chain.head()
                return
            except RpcUnavailableError:
                time.sleep(0.02)


@contextmanager
def open_home(folder: Path, *, checkpoints: float | None = None) -> Iterator[Home]:
    """Start a chain in `folder`, deploy, and stop it at the end."""
    options = NodeOptions(checkpoint_interval_s=checkpoints)
    with LocalNode.attach_or_start(folder, options) as node:
        engine = open_engine(f"sqlite:///{folder}/ledger.db")
        migrate(engine)
        chain = Chain([node.url], CHAIN_ID)
        sender = Sender(chain, SqlOutbox(engine), RELAYER, timeout_seconds=20, resend_seconds=0.05)
        node.fund(sender.account)
        made = deploy(chain, sender, address_of(GOVERNANCE), folder / "chain" / "deployment.json")
        contracts = Contracts(chain, made.addresses)
        relay = Relay(chain, contracts, sender)
        yield Home(folder, node, engine, chain, sender, made, contracts, relay)
        engine.dispose()
