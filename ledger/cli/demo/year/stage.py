"""What the steps of the year share: the market, keys and ids, batches of commands, the clock."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from ledger.app.batches import Ask, all_done, run_many
from ledger.app.commands import Done
from ledger.app.market import Market
from ledger.app.signing import KeyAccount, new_account
from ledger.cli.demo.year.world import GOVERNANCE, Deal, SchemePlan, World
from ledger.cli.shell import err
from ledger.domain.calendar import CHINA
from ledger.domain.ids import new_id

COMMANDS_AT_ONCE = 1_000
Request = tuple[str, str, dict[str, Any]]
"""Who, which command, with what body."""


@dataclass
class YearStage:
    """The opened market and what was made so far."""

    market: Market
    world: World
    year: int
    keys: dict[str, KeyAccount] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)
    """Ids of members, datasets, products and schemes by their keys."""
    licences: dict[int, Deal] = field(default_factory=dict)
    log_no: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def key(self, name: str) -> KeyAccount:
        """Return a member's key, made when it is first asked for."""
        if name == GOVERNANCE:
            return self.market.governance
        if name not in self.keys:
            self.keys[name] = new_account()
        return self.keys[name]

    def id(self, name: str) -> UUID:
        """Return the id that belongs to a key of the world, made when it is first asked for."""
        return self.ids.setdefault(name, new_id())

    def scheme_id(self, plan: SchemePlan, year: int | None = None) -> UUID:
        """Return the id of a plan's scheme of a year; the story's year when left out."""
        return self.id(f"scheme-{plan.key}-{year or self.year}")

    def run(self, requests: Iterable[Request]) -> list[Done]:
        """Carry out commands that need nothing of each other; none may be refused."""
        asks = [Ask(self.key(name), command, body) for name, command, body in requests]
        done: list[Done] = []
        for first in range(0, len(asks), COMMANDS_AT_ONCE):
            part = asks[first : first + COMMANDS_AT_ONCE]
            done += all_done(run_many(self.market, part))
        self.count(len(done))
        return done

    def count(self, commands: int) -> None:
        """Count commands that were carried out."""
        self.facts["commands"] = self.facts.get("commands", 0) + commands

    def moment(self, month: int, day: int, hour: int = 9) -> int:
        """Return the Unix seconds of a local time; months beyond 12 lie in the next year."""
        year, month0 = divmod(month - 1, 12)
        return int(datetime(self.year + year, month0 + 1, day, hour, tzinfo=CHINA).timestamp())

    def at(self, month: int, day: int, hour: int = 9) -> None:
        """Move the market's clock to a local time."""
        self.market.demo_clock().move_to(self.moment(month, day, hour))

    def say(self, text: str) -> None:
        """Tell people what has been done, and when in the story; never on standard output."""
        seconds = time.monotonic() - self.started
        day = datetime.fromtimestamp(self.market.now_seconds(), CHINA).date().isoformat()
        err.print(f"[dim]{seconds:6.1f} s  {day}[/]  {text}", highlight=False)
