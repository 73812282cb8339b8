"""All replays together: the market as its events tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ledger.chain.events import Event
from ledger.verification.anchors import LogsReplay
from ledger.verification.callers import Call, CallerCheck
from ledger.verification.datasets import DatasetsReplay
from ledger.verification.dealings import ApplicationsReplay, NegotiationsReplay, Sales
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.holds import Holds
from ledger.verification.invoices import ReadReceipt
from ledger.verification.licences import LicencesReplay
from ledger.verification.money import MoneyReplay
from ledger.verification.objections import ObjectionsReplay
from ledger.verification.replay import Replay


class MarketReplay:
    """Replays the events of all contracts in the order of the chain.

    Args:
        findings: where faults go.
        read_receipt: gives the receipt on which a bill rests.
        agreement_domain: EIP-712 domain of agreements, for their digests.
        calls: signed calls by transaction; without them nobody's caller is checked.
    """

    def __init__(
        self,
        findings: Findings,
        read_receipt: ReadReceipt,
        agreement_domain: Mapping[str, Any] | None = None,
        calls: Mapping[str, Sequence[Call]] | None = None,
    ) -> None:
        self.findings = findings
        self.event_count = 0
        self.seen: Counter[str] = Counter()
        self.directory = DirectoryReplay(findings)
        self._callers = None if calls is None else CallerCheck(findings, self.directory, calls)
        self.datasets = DatasetsReplay(findings, self.directory)
        self.applications = ApplicationsReplay(findings, self.directory, self.datasets)
        self.licences = LicencesReplay(
            findings, self.directory, self.datasets, self.applications, agreement_domain
        )
        sales = Sales(self.licences.products, self.licences.licences)
        self.negotiations = NegotiationsReplay(findings, self.directory, sales)
        self.logs = LogsReplay(findings, self.directory)
        self.money = MoneyReplay(
            findings, self.directory, self.datasets, self.licences, self.logs, read_receipt
        )
        holds = Holds(findings, self.datasets, self.licences, self.money.books)
        self.objections = ObjectionsReplay(findings, self.directory, self.money.books, holds)
        self._replays: dict[str, Replay] = {
            "Directory": self.directory,
            "DatasetRegistry": self.datasets,
            "Applications": self.applications,
            "LicenceRegistry": self.licences,
            "Negotiations": self.negotiations,
            "UsageLog": self.logs,
            "RevenueLedger": self.money,
            "ObjectionDesk": self.objections,
        }

    def apply(self, events: Iterable[Event]) -> None:
        """Check and take events."""
        for event in events:
            self.event_count += 1
            self.seen[event.name] += 1
            if self._callers is not None:
                self._callers.check(event)
            self.objections.before(event)
            replay = self._replays.get(event.contract)
            if replay is None:
                self.findings.add("contract_unknown", event.contract, event.name)
            else:
                replay.apply(event)
