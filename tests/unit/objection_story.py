"""Two objections told as events: one refunded and closed; one late, escalated, withdrawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from tests.unit import verified_market as m

REFUNDED, ESCALATED = m.uid(81), m.uid(82)
NEW_YEAR_2027 = 20_819
"""Day number, counted from 1970."""
EIGHT_DAYS = 8 * 24 * 3600
REDUCTION = m.digest(31)


def due_after(now: int, count: int) -> int:
    """The end of the count-th working day after an instant; here all of 2026 is worked."""
    day = (now + 8 * 3600) // 86_400
    while count:
        day += 1
        if day < NEW_YEAR_2027 or (day + 3) % 7 < 5:
            count -= 1
    return (day + 1) * 86_400 - 8 * 3600 - 1


class Objector:
    """Tells cases into a market."""

    def __init__(self, market: m.VerifiedMarket) -> None:
        self.market = market
        self.decide_due_at = 0

    @property
    def now(self) -> int:
        """The time of the next event."""
        return m.START + len(self.market.events) + 1 + self.market.later_seconds

    def refunded(self) -> None:
        """The platform billed too much: frozen, decided by the authority, refunded, closed."""
        self.open(REFUNDED, 4, m.LATER, 6, m.PLATFORM, is_of_platform=True)
        self.step(REFUNDED, 1, 2, m.REGISTRAR, due_after(self.now, 5), due_after(self.now, 15))
        self.hold(REFUNDED, True, m.REGISTRAR)
        self.freeze(True)
        self.step(REFUNDED, 2, 3, m.PLATFORM, self.decide_due_at, self.decide_due_at)
        self.step(REFUNDED, 3, 4, m.REGISTRAR, self.decide_due_at, self.decide_due_at)
        self.say(
            "ObjectionDecided",
            objection_id=REFUNDED,
            outcome=4,
            refund_fen=m.LATER_FEN,
            shares=[
                {"organisation_id": m.OPERATOR, "share_ppm": 400_000},
                {"organisation_id": m.PLATFORM, "share_ppm": 600_000},
            ],
            actor_id=m.REGISTRAR,
            due_at=due_after(self.now, 3),
            document_digest=m.digest(83),
        )
        self.say(
            "ReliefNoticed",
            objection_id=REFUNDED,
            route=1,
            limit_at=self.now + 60 * 24 * 3600,
            actor_id=m.REGISTRAR,
            due_at=due_after(self.now, 10),
            document_digest=m.digest(84),
        )
        self.market.say(
            "RevenueLedger",
            "InvoiceReduced",
            invoice_id=m.LATER,
            reduction_fen=m.LATER_FEN,
            gross_fen=0,
            held_until=0,
            receipt_digest=bytes(32),
            document_digest=REDUCTION,
        )
        due = due_after(self.now, 3)
        self.step(REFUNDED, 6, 7, m.REGISTRAR, due, self.decide_due_at, REDUCTION)
        self.hold(REFUNDED, False, m.REGISTRAR)
        self.freeze(False)
        self.step(REFUNDED, 7, 8, m.REGISTRAR, 0, self.decide_due_at)

    def escalated(self) -> None:
        """Masking: nobody accepts in time; the authority does, has longer, and it is withdrawn."""
        self.open(ESCALATED, 1, m.WEATHER, 1, m.PROVIDER, suspend_days=1)
        self.market.later_seconds += EIGHT_DAYS
        self.say(
            "ObjectionEscalated",
            objection_id=ESCALATED,
            escalation_no=1,
            actor_id=m.BUYER,
            suspend_due_at=due_after(self.now, 1),
            due_at=due_after(self.now, 3),
            decide_due_at=0,
        )
        self.step(ESCALATED, 1, 2, m.REGISTRAR, due_after(self.now, 5), due_after(self.now, 15))
        self.hold(ESCALATED, True, m.REGISTRAR)
        self.suspend(True)
        self.decide_due_at = due_after(self.decide_due_at, 10)
        self.say(
            "ObjectionExtended",
            objection_id=ESCALATED,
            actor_id=m.REGISTRAR,
            decide_due_at=self.decide_due_at,
            document_digest=m.digest(85),
        )
        self.step(ESCALATED, 2, 10, m.BUYER, 0, self.decide_due_at)
        self.hold(ESCALATED, False, m.BUYER)
        self.suspend(False)

    def open(
        self,
        objection_id: UUID,
        kind: int,
        subject_id: UUID,
        ground: int,
        respondent_id: UUID,
        *,
        is_of_platform: bool = False,
        suspend_days: int = 0,
    ) -> None:
        claim = {
            "objection_id": objection_id,
            "subject_id": subject_id,
            "respondent_id": respondent_id,
            "subject_kind": kind,
            "ground": ground,
            "fact_digest": m.digest(86),
            "statement_digest": m.digest(87),
        }
        self.say(
            "ObjectionOpened",
            objection_id=objection_id,
            objector_id=m.BUYER,
            claim=claim,
            city_code=m.CITY,
            is_of_platform=is_of_platform,
            suspend_due_at=due_after(self.now, suspend_days) if suspend_days else 0,
            due_at=due_after(self.now, 3),
            evidence_digests=[m.digest(88)],
        )

    def step(
        self,
        objection_id: UUID,
        old: int,
        new: int,
        actor_id: UUID,
        due_at: int,
        decide_due_at: int,
        document_digest: bytes = m.digest(82),
    ) -> None:
        self.decide_due_at = decide_due_at
        self.say(
            "ObjectionAdvanced",
            objection_id=objection_id,
            **{"from": old, "to": new},
            actor_id=actor_id,
            due_at=due_at,
            decide_due_at=decide_due_at,
            document_digest=document_digest,
        )

    def hold(self, objection_id: UUID, is_holding: bool, actor_id: UUID) -> None:
        self.say(
            "ObjectionHoldSet",
            objection_id=objection_id,
            is_holding=is_holding,
            actor_id=actor_id,
            document_digest=m.digest(82),
        )

    def freeze(self, is_frozen: bool) -> None:
        args = {"invoice_id": m.LATER, "is_frozen": is_frozen, "decision_digest": m.digest(82)}
        self.effect("RevenueLedger", "InvoiceFrozen", args)

    def suspend(self, is_suspended: bool) -> None:
        decided = {"decision_digest": m.digest(82)}
        args = {"dataset_id": m.WEATHER, "is_suspended": is_suspended} | decided
        self.effect("DatasetRegistry", "DatasetSuspensionSet", args)

    def effect(self, contract: str, name: str, args: dict[str, Any]) -> None:
        """Tell what a case does to its subject, in the transaction of the event before."""
        self.market.say(contract, name, **args)
        tx_hash = self.market.events[-2].tx_hash
        self.market.events[-1] = replace(self.market.events[-1], tx_hash=tx_hash)

    def say(self, name: str, **args: Any) -> None:
        self.market.say("ObjectionDesk", name, **args)
