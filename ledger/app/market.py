"""The composition root: everything that a use case needs, put together once.

Rules kept here:
1. A home is initialised once (`bootstrap`); opening it again continues where it stopped.
2. What was acknowledged is sent again when the chain went back: the sender resumes at start and
   is told by the indexer about every fork.
3. Organisations' keys are never loaded here; only the relayer's and governance's secrets are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from ledger.app.documents import DocumentStore
from ledger.app.errors import MarketMissingError, SignerUnknownError
from ledger.app.files import Holdings
from ledger.app.licence_documents import DraftStore
from ledger.app.other_logs import OtherLogs
from ledger.app.secrets import Secrets
from ledger.app.settings import Settings
from ledger.app.wallet import Wallet
from ledger.app.work import WorkStore
from ledger.chain.client import Chain
from ledger.chain.contracts import Contracts
from ledger.chain.demo_clock import DemoClock, hold_clock, is_held
from ledger.chain.deploy import Deployment, deploy, load_deployment
from ledger.chain.keys import KeyAccount, account_of, address_of
from ledger.chain.node import LocalNode, NodeOptions
from ledger.chain.relay import Relay
from ledger.chain.sender import Sender
from ledger.codec.hashing import use_engine
from ledger.indexer.indexer import Indexer
from ledger.log.writer import LogWriter
from ledger.projection import queries
from ledger.projection.chain_copy import position_of
from ledger.projection.database import is_migrated, migrate, open_engine, read
from ledger.projection.outbox import SqlOutbox

__all__ = ["Market", "hold_clock"]


class Market:
    """One opened market. Use as a context manager."""

    def __init__(self, settings: Settings, node: LocalNode | None) -> None:
        self.settings = settings
        self.home = settings.home
        self.node = node
        self.secrets = Secrets(self.home / "secrets")
        self.documents = DocumentStore(self.home / "documents")
        self.drafts = DraftStore(self.home / "drafts")
        self.works = WorkStore(self.home / "works")
        self.holdings = Holdings(self.home / "holdings.json")
        self.wallet = Wallet(self.home / "keys", scrypt_n=settings.keystore_scrypt_n)
        urls = [node.url] if node is not None else settings.rpc_urls
        self.chain = Chain(urls, settings.chain_id)
        self.engine = open_engine(settings.resolved_database_url)
        self.governance = account_of(self.secrets.get("governance"))
        self._relayer = account_of(self.secrets.get("relayer"))
        self._meters: dict[int, LogWriter] = {}
        self._other_logs: dict[int, OtherLogs] = {}
        self._lock = threading.Lock()
        self._is_trial = False

    @classmethod
    def open(
        cls, settings: Settings, *, bootstrap: bool = False, statutory: bool = False
    ) -> Market:
        """Open the market of a home; with `bootstrap`, make what is missing first.

        A market that is made on its own local chain is a trial (试运行), whose public notice may be
        shorter than the law's, unless `statutory` is set; on another chain it never is.

        Raises:
            MarketMissingError: the home holds no market and `bootstrap` is not set.
            ChainError: the chain cannot be reached, or is another one.
        """
        record = settings.home / "chain" / "deployment.json"
        if not bootstrap and not record.exists():
            raise MarketMissingError(
                f"{settings.home} holds no market; run `mdl init` first",
                field="home",
                got=str(settings.home),
            )
        settings.home.mkdir(parents=True, exist_ok=True)
        use_engine(settings.hashing)
        node = None if settings.rpc_urls else _local_node(settings)
        market = cls(settings, node)
        market._is_trial = node is not None and not statutory
        try:
            market._connect(record)
        except BaseException:
            market.close()
            raise
        return market

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the logs, the database and, where it is our own, the node."""
        for meter in self._meters.values():
            meter.close()
        self._meters.clear()
        self.engine.dispose()
        if self.node is not None and self.node.owned:
            self.node.stop()

    @contextmanager
    def read(self) -> Iterator[Any]:
        """Yield a connection on which the projections are read."""
        with read(self.engine) as connection:
            yield connection

    def now_seconds(self) -> int:
        """Return the market's time: the chain's, where it runs ahead or is a demonstration's."""
        head_seconds = self.chain.head().time
        return head_seconds if self._is_clock_held else max(int(time.time()), head_seconds)

    def now_ms(self) -> int:
        """Return this machine's time in Unix milliseconds; the chain's in a demonstration."""
        if self._is_clock_held:
            return self.chain.head().time * 1_000
        return time.time_ns() // 1_000_000

    def demo_clock(self) -> DemoClock:
        """Return what moves the clock of a demonstration.

        Raises:
            ClockFixedError: the clock is a network's or this machine's.
        """
        return DemoClock(self.home, self.node)

    @property
    def _is_clock_held(self) -> bool:
        return self.node is not None and is_held(self.home / "chain")

    def log_folder(self, log_no: int) -> Path:
        """Return the folder of a log's files."""
        return self.home / "logs" / str(log_no)

    def origin(self, log_no: int) -> str:
        """Return the origin line of a log: its name in every checkpoint."""
        address = self.contracts.usage_log.address
        return f"metro-data-ledger/{self.settings.chain_id}/{address}/{log_no}"

    def meter(self, log_no: int) -> LogWriter:
        """Return the writer of a log, opened once per process.

        Raises:
            LogBusyError: another process writes to it.
        """
        with self._lock:
            if log_no not in self._meters:
                self._meters[log_no] = LogWriter.open(
                    self.log_folder(log_no),
                    origin=self.origin(log_no),
                    log_no=log_no,
                    now_ms=self.now_ms,
                )
            return self._meters[log_no]

    def other_logs(self, log_no: int) -> OtherLogs:
        """Return what the other logs on this machine say, read on from call to call."""
        with self._lock:
            if log_no not in self._other_logs:
                self._other_logs[log_no] = OtherLogs(self.log_folder(log_no))
            return self._other_logs[log_no]

    def organisation_of(self, address: str) -> UUID:
        """Return the organisation for which an account signs, as projected.

        Raises:
            SignerUnknownError: it signs for none.
        """
        with self.read() as connection:
            found = queries.organisation_of(connection, address.lower())
        if found is None:
            raise SignerUnknownError(
                f"account {address} signs for no organisation", field="signer", got=address
            )
        return found

    @cached_property
    def agreement_domain(self) -> dict[str, Any]:
        """The EIP-712 domain of agreements as the contract states it, asked for once."""
        return self.contracts.licences.eip712_domain(block="latest")

    def is_governance(self, account: KeyAccount) -> bool:
        """Whether an account is the key that governs the directory."""
        return address_of(account) == self.deployment.governance.lower()

    def is_trial(self) -> bool:
        """Whether the chain was deployed as a trial (试运行)."""
        return self.contracts.directory.is_trial(block="latest")

    def projected_block(self) -> int:
        """Return the last block in the projections, -1 before the first."""
        with self.read() as connection:
            position = position_of(connection)
        return -1 if position is None else position.number

    def is_ready(self) -> dict[str, Any]:
        """Return how far the projection is behind the chain, for a readiness check."""
        head = self.chain.head()
        with self.read() as connection:
            totals = queries.market_totals(connection)
        problem = self.indexer.last_error
        return {
            "head_block": head.number,
            "projected_block": totals.block_number,
            "problem": str(problem) if problem else None,
            "ready": problem is None
            and totals.block_number + self.settings.confirmations >= head.number,
        }

    def _connect(self, record: Path) -> None:
        if not is_migrated(self.engine):
            migrate(self.engine)
        self._fund_relayer()
        self.sender = Sender(self.chain, SqlOutbox(self.engine), self._relayer)
        self.sender.resume()
        self.deployment = self._deployment(record)
        self.contracts = Contracts(self.chain, self.deployment.addresses)
        self.relay = Relay(self.chain, self.contracts, self.sender)
        self.indexer = Indexer(
            self.chain,
            {address: contract.name for address, contract in self.contracts.indexed.items()},
            self.engine,
            first_block=self.deployment.first_block,
            confirmations=self.settings.confirmations,
            on_fork=self.sender.reopen_above,
        )
        self.indexer.catch_up()

    def _fund_relayer(self) -> None:
        """Give the relayer gas on the market's own node, once."""
        relayer = address_of(self._relayer)
        if self.node is not None and self.node.call("eth_getBalance", relayer, "latest") == "0x0":
            self.node.fund(relayer)

    def _deployment(self, record: Path) -> Deployment:
        recorded = load_deployment(record)
        if recorded is not None and self.node is None:
            return recorded
        return deploy(
            self.chain,
            self.sender,
            address_of(self.governance),
            record,
            is_trial=self._is_trial,
        )


def _local_node(settings: Settings) -> LocalNode:
    return LocalNode.attach_or_start(settings.home, NodeOptions(chain_id=settings.chain_id))
