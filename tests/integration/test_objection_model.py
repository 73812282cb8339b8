"""The objection desk against a model of its procedure: whatever anybody tries, in time or late.

The model is a table and three clocks. The desk takes exactly what the model allows, and after each
call its state is the model's, so no path leads outside the table; every state is reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger.chain.keys import address_of
from ledger.domain.ids import new_id
from ledger.domain.objections import Ground, ObjectionState, Outcome, SubjectKind
from tests.integration.market_fixture import SmallMarket, opened_market

pytestmark = pytest.mark.integration

S = ObjectionState
DIGEST = b"\x11" * 32
DAY = 24 * 3600
NEXT: dict[ObjectionState, set[ObjectionState]] = {
    S.OPENED: {S.ACCEPTED, S.REFUSED, S.WITHDRAWN},
    S.ACCEPTED: {S.RESPONDED, S.VERIFIED, S.WITHDRAWN},
    S.RESPONDED: {S.VERIFIED, S.WITHDRAWN},
    S.VERIFIED: {S.DECIDED, S.WITHDRAWN},
    S.DECIDED: {S.NOTIFIED},
    S.NOTIFIED: {S.EXECUTED, S.CLOSED},
    S.EXECUTED: {S.CLOSED},
}
DAYS = {S.OPENED: 3, S.ACCEPTED: 5, S.DECIDED: 3, S.NOTIFIED: 10, S.EXECUTED: 3}
UNDECIDED = (S.OPENED, S.ACCEPTED, S.RESPONDED, S.VERIFIED)
ACTORS = ("nanjing", "chuzhou", "buyer", "weather", "operator", "platform")
CASES = {
    Ground.MASKING: (SubjectKind.DATASET, "weather"),
    Ground.QUALITY: (SubjectKind.DATASET, "weather"),
    Ground.PLATFORM_FAULT: (SubjectKind.PRODUCT, "platform"),
    Ground.INFRINGEMENT: (SubjectKind.PRODUCT, "operator"),
}
REACHED: set[ObjectionState] = set()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("model")) as market:
        yield market


class Procedure(RuleBasedStateMachine):
    """One case in the hands of everybody."""

    small: ClassVar[SmallMarket]

    @initialize(ground=st.sampled_from(sorted(CASES)))
    def open(self, ground: Ground) -> None:
        assert self.small.market.node is not None
        self.node = self.small.market.node
        self.snapshot = self.node.snapshot()
        self.desk = self.small.market.contracts.objections
        self.now = self.small.market.chain.head().time
        self.case_id, self.ground = new_id(), ground
        kind, self.respondent = CASES[ground]
        subjects = {SubjectKind.DATASET: self.small.datasets["weather"]}
        subject = subjects.get(kind, self.small.product_id)
        claim = {
            "objection_id": self.case_id,
            "subject_id": subject,
            "respondent_id": UUID(self.small.id_of(self.respondent)),
            "subject_kind": int(kind),
            "ground": int(ground),
            "fact_digest": DIGEST,
            "statement_digest": DIGEST,
        }
        assert self.send("buyer", "open", claim, [DIGEST])
        self.is_urgent = ground in (Ground.MASKING, Ground.INFRINGEMENT)
        self.is_holding = self.is_extended = False
        self.outcome, self.decide_due = 0, 0
        self.move(S.OPENED)

    def due_after(self, now: int, count: int) -> int:
        """The end of a working day as the directory counts them."""
        directory = self.small.market.contracts.directory
        return directory.working_days_after(now, count, block="latest")

    @rule(days=st.sampled_from([0, 1, 4, 9, 30]))
    def wait(self, days: int) -> None:
        self.now += days * DAY

    @rule()
    def go_on(self) -> None:
        """Take the usual next step, so that all states are reached."""
        actor = self.respondent if self.state == S.ACCEPTED else "nanjing"
        if self.state == S.VERIFIED:
            self.decide("nanjing", Outcome.REOPEN if self.is_holding else Outcome.DISMISS)
        elif self.state == S.DECIDED:
            self.notify("nanjing", 61)
        elif self.state in NEXT:
            following = min(NEXT[self.state])
            if self.state == S.NOTIFIED and self.outcome == Outcome.DISMISS:
                following = S.CLOSED
            self.step(actor, following)

    @rule(to=st.sampled_from([S.WITHDRAWN, S.REFUSED]))
    def give_up(self, to: ObjectionState) -> None:
        """The objector withdraws, or the handler refuses to accept."""
        self.step("buyer" if to == S.WITHDRAWN else "nanjing", to)

    @rule(actor=st.sampled_from(ACTORS), to=st.sampled_from(sorted(S)))
    def step(self, actor: str, to: ObjectionState) -> None:
        owner = {S.RESPONDED: self.respondent, S.WITHDRAWN: "buyer"}.get(to, "nanjing")
        is_legal = to in NEXT.get(self.state, ()) and to not in (S.DECIDED, S.NOTIFIED)
        if self.state == S.NOTIFIED:
            is_legal = is_legal and (self.outcome == Outcome.DISMISS) == (to == S.CLOSED)
        at = self.now + 1
        if to in (S.ACCEPTED, S.REFUSED, S.RESPONDED):
            is_legal = is_legal and at <= self.due
        if to == S.VERIFIED:
            is_awaited = self.state == S.ACCEPTED and at <= self.due
            is_legal = is_legal and at <= self.decide_due and not is_awaited
        is_taken = self.send(actor, "advance", self.case_id, int(to), DIGEST)
        assert is_taken == (is_legal and actor == owner), (self.state, to, actor)
        if is_taken:
            self.move(to)
            if to == S.ACCEPTED and self.is_urgent:
                self.is_holding = True
            is_lifted = to == S.EXECUTED and self.outcome != Outcome.WITHDRAW
            if is_lifted or to in (S.REFUSED, S.WITHDRAWN):
                self.is_holding = False

    @rule(actor=st.sampled_from(ACTORS), outcome=st.sampled_from(sorted(Outcome)))
    def decide(self, actor: str, outcome: Outcome) -> None:
        share = {"organisation_id": UUID(self.small.id_of(self.respondent)), "share_ppm": 10**6}
        shares = [] if outcome == Outcome.DISMISS else [share]
        is_legal = self.state == S.VERIFIED and self.now + 1 <= self.decide_due
        needs_hold = outcome in (Outcome.RESUME, Outcome.REOPEN)
        is_legal = is_legal and outcome != Outcome.REFUND and (self.is_holding or not needs_hold)
        is_taken = self.send(actor, "decide", self.case_id, int(outcome), 0, shares, DIGEST)
        assert is_taken == (is_legal and actor == "nanjing"), (self.state, outcome, actor)
        if is_taken:
            self.outcome = outcome
            self.move(S.DECIDED)
            self.is_holding = outcome == Outcome.WITHDRAW or outcome == Outcome.REOPEN

    @rule(actor=st.sampled_from(ACTORS), days=st.sampled_from([10, 61]))
    def notify(self, actor: str, days: int) -> None:
        limit = self.now + days * DAY
        is_taken = self.send(actor, "notify", self.case_id, 1, limit, DIGEST)
        assert is_taken == (self.state == S.DECIDED and days > 60 and actor == "nanjing")
        if is_taken:
            self.move(S.NOTIFIED)

    @rule(actor=st.sampled_from(ACTORS))
    def suspend(self, actor: str) -> None:
        is_legal = self.state in UNDECIDED and not self.is_holding and actor == "nanjing"
        assert self.send(actor, "suspend", self.case_id, DIGEST) == is_legal
        self.is_holding |= is_legal
        if is_legal:
            self.suspend_due = 0

    @rule(actor=st.sampled_from(ACTORS))
    def extend(self, actor: str) -> None:
        is_running = self.state in UNDECIDED[1:] and self.now + 1 <= self.decide_due
        is_legal = is_running and not self.is_extended and actor == "nanjing"
        assert self.send(actor, "extend", self.case_id, DIGEST) == is_legal
        if is_legal:
            self.is_extended = True
            self.decide_due = self.due_after(self.decide_due, 10)
            if self.state != S.ACCEPTED:
                self.due = self.decide_due

    @rule(actor=st.sampled_from(ACTORS))
    def escalate(self, actor: str) -> None:
        late = self.decide_due if self.state == S.ACCEPTED else self.due
        late = min(late, self.suspend_due) if self.suspend_due else late
        is_legal = self.state in NEXT and self.now + 1 > late
        assert self.send(actor, "escalate", self.case_id) == is_legal
        if is_legal:
            if self.state in UNDECIDED[1:]:
                self.decide_due = self.due_after(self.now, 15)
            if self.state != S.ACCEPTED:
                self.start()

    @precondition(lambda self: hasattr(self, "state"))
    @invariant()
    def is_the_models(self) -> None:
        found = self.desk.objection(self.case_id, block="latest")
        clocks = (found.due_at, found.decide_due_at, found.suspend_due_at)
        assert (found.state, found.outcome) == (self.state, self.outcome)
        assert clocks == (self.due, self.decide_due, self.suspend_due)
        assert (found.is_holding, found.is_extended) == (self.is_holding, self.is_extended)

    def move(self, state: ObjectionState) -> None:
        self.state = state
        REACHED.add(state)
        if state == S.ACCEPTED:
            self.decide_due = self.due_after(self.now, 15)
        self.start()

    def start(self) -> None:
        """Start the clock of the state."""
        if self.state in DAYS:
            self.due = self.due_after(self.now, DAYS[self.state])
        else:
            self.due = self.decide_due if self.state in UNDECIDED else 0
        is_urgent = self.state == S.OPENED and self.is_urgent and not self.is_holding
        if self.state == S.OPENED:
            self.suspend_due = self.due_after(self.now, 1) if is_urgent else 0
        elif self.state == S.ACCEPTED and self.is_urgent:
            self.suspend_due = 0
        if self.state in (S.REFUSED, S.WITHDRAWN) and self.is_holding:
            self.suspend_due = 0

    def send(self, member: str, function: str, *args: Any) -> bool:
        """Send a call as a member one second later; return whether it was taken."""
        self.now += 1
        sender = address_of(self.small.members[member].account)
        self.node.call("anvil_setBalance", sender, hex(10**24))
        self.node.call("anvil_impersonateAccount", sender)
        self.node.call("evm_setNextBlockTimestamp", self.now)
        data = "0x" + self.desk.encode(function, *args).hex()
        call = {"from": sender, "to": self.desk.address, "data": data, "gas": hex(2_000_000)}
        tx_hash = self.node.call("eth_sendTransaction", call)
        receipt = self.node.call("eth_getTransactionReceipt", tx_hash)
        while receipt is None:
            receipt = self.node.call("eth_getTransactionReceipt", tx_hash)
        return bool(receipt["status"] == "0x1")

    def teardown(self) -> None:
        if hasattr(self, "snapshot"):
            self.node.revert(self.snapshot)


def test_procedure__whatever_is_tried__is_the_models(small: SmallMarket) -> None:
    Procedure.small = small
    REACHED.clear()
    run_state_machine_as_test(
        Procedure,
        settings=settings(
            max_examples=80,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert set(S) == REACHED
