"""The opened market of the demonstration, its members' keys, and what was made so far."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ledger.app.commands import Done, run
from ledger.app.market import Market
from ledger.cli.demo.story import CAST, GOVERNANCE
from ledger.cli.shell import out
from ledger.domain.ids import new_id


@dataclass
class Stage:
    """What the steps of the demonstration share."""

    market: Market
    organisations: dict[str, UUID] = field(default_factory=dict)
    datasets: dict[str, UUID] = field(default_factory=dict)
    digests: dict[str, bytes] = field(default_factory=dict)
    product_id: UUID = field(default_factory=new_id)
    free_product_id: UUID = field(default_factory=new_id)
    scheme_id: UUID = field(default_factory=new_id)
    licence_no: int = 0
    free_licence_no: int = 0
    short_licence_no: int = 0
    proofs: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    _password: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)

    def make_keys(self) -> None:
        """Make one keystore per organisation; the work of scrypt runs side by side."""
        names = [cast.key for cast in CAST]
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(lambda name: self.market.wallet.create(name, self._password), names))

    def account(self, name: str) -> Any:
        """Return the opened key of a member, or governance's."""
        if name == GOVERNANCE:
            return self.market.governance
        return self.market.wallet.open(name, self._password)

    def run(self, name: str, command: str, body: dict[str, Any]) -> Done:
        """Run a command as a member."""
        return run(self.market, self.account(name), command, body)

    def claimant(self, key: str) -> UUID:
        """Return a dataset's or an organisation's id by its key in the story."""
        return self.datasets.get(key) or self.organisations[key]

    def step(self, number: int, title: str) -> None:
        """Print the heading of a step with the time since the start."""
        seconds = time.monotonic() - self.started
        out.print(
            f"\n[bold cyan]{number}[/] [bold]{title}[/]  [dim]{seconds:.1f} s[/]", highlight=False
        )

    def say(self, text: str) -> None:
        """Print one line about what happened."""
        out.print(f"  {text}", highlight=False)
