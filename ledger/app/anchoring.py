"""When logs are anchored: by how much is new, and by how old the last anchor is.

Rules kept here:
1. A log is due when so many receipts are signed and not anchored, or when any are and the head on
   chain is older than so many seconds.
2. What decides is on chain and in the checkpoint; nothing is remembered between two looks.
3. One log's fault keeps no other log from its anchor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from ledger.app.commands import Done
from ledger.app.log_keeping import anchor, last_checkpoint
from ledger.app.market import Market
from ledger.chain.keys import KeyAccount, address_of
from ledger.domain.errors import LedgerError
from ledger.projection import queries

LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class AnchorPolicy:
    """When a log is due."""

    receipts: int
    seconds: int

    @classmethod
    def of(cls, market: Market) -> AnchorPolicy:
        """Return the policy of a market's settings."""
        return cls(market.settings.anchor_receipts, market.settings.anchor_seconds)

    def is_due(self, size: int, anchored_size: int, anchored_ms: int, now_ms: int) -> bool:
        """Return whether a log is due.

        Args:
            size: receipts that are signed.
            anchored_size: receipts of the head on chain.
            anchored_ms: time of that head, Unix milliseconds; 0 before the first.
            now_ms: now, Unix milliseconds.
        """
        new = size - anchored_size
        return new >= self.receipts or (new > 0 and now_ms - anchored_ms >= self.seconds * 1_000)


@dataclass(frozen=True, slots=True)
class AnchorOutcome:
    """What became of a log that was due."""

    log_no: int
    size: int
    done: Done | None
    error: LedgerError | None


def anchor_due(market: Market, account: KeyAccount, policy: AnchorPolicy) -> list[AnchorOutcome]:
    """Anchor every log that the account's organisation keeps, that lies here, and that is due."""
    keeper_id = market.organisation_of(address_of(account))
    with market.read() as connection:
        logs = [row.log_no for row in queries.logs_list(connection) if row.keeper_id == keeper_id]
    outcomes = (_anchor_if_due(market, account, policy, log_no) for log_no in logs)
    return [outcome for outcome in outcomes if outcome is not None]


def _anchor_if_due(
    market: Market, account: KeyAccount, policy: AnchorPolicy, log_no: int
) -> AnchorOutcome | None:
    size = 0
    try:
        signed = last_checkpoint(market, log_no)
        if signed is None:
            return None
        size = signed.size
        head = market.contracts.usage_log.head(log_no, block="latest")
        if not policy.is_due(size, head.size, head.time_ms, market.now_ms()):
            return None
        return AnchorOutcome(log_no, size, anchor(market, account, log_no), None)
    except LedgerError as error:
        return AnchorOutcome(log_no, size, None, error)


def keep_anchored(
    market: Market, account: KeyAccount, stop: Event, tell: Callable[[AnchorOutcome], None]
) -> None:
    """Anchor what is due until told to stop."""
    policy = AnchorPolicy.of(market)
    while not stop.is_set():
        for outcome in anchor_due(market, account, policy):
            tell(outcome)
        stop.wait(LOOK_SECONDS)
