"""What every replay has in common: one handler per event, faults recorded, never raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledger.chain.events import Event
from ledger.domain.errors import LedgerError
from ledger.verification.findings import Findings

Handler = Callable[[Event, str], None]


def place(event: Event, subject: Any = None) -> str:
    """Return how a finding names an event: contract, number, and what it is about."""
    about = "" if subject is None else f", {subject}"
    return f"{event.contract} event {event.event_no} ({event.name}){about}"


class Replay:
    """Replays the events of one contract in the order of the chain."""

    handlers: dict[str, Handler]

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.handlers = {}

    def apply(self, event: Event) -> None:
        """Check an event against the state so far, then take it into the state."""
        handler = self.handlers.get(event.name)
        where = place(event)
        if handler is None:
            self.findings.add("event_unknown", where, event.name, sorted(self.handlers))
            return
        try:
            handler(event, where)
        except (KeyError, TypeError, ValueError, AttributeError, LedgerError) as error:
            self.findings.add("event_malformed", where, repr(error), "an event of this contract")
