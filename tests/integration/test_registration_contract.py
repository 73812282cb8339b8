"""The contract's states of registration against the table, in both directions, on a real chain."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.app.commands import run
from ledger.domain.codes import RegistrationState as State
from ledger.domain.codes import RegistrationType as Type
from ledger.domain.errors import LedgerError
from ledger.domain.ids import new_id
from ledger.domain.registration import ENDS, STEPS
from tests.integration.market_fixture import (
    NANJING,
    SmallMarket,
    opened_market,
    record_of,
    uscc_of,
)

pytestmark = pytest.mark.integration

STEP_WORDS = [State.ACCEPTED, State.REVIEWED, State.PUBLIC_NOTICE, State.CODED, State.EVIDENCED]
ACTIONS = st.one_of(
    st.sampled_from(Type),
    st.sampled_from([*STEP_WORDS, *STEP_WORDS, State.CANCELLED, State.REVOKED, State.EXPIRED]),
)
STARTS = [
    [],
    [Type.FIRST, *STEP_WORDS[:3]],
    [Type.FIRST, *STEP_WORDS[:4]],
    [Type.FIRST, *STEP_WORDS[:4], Type.CHANGE],
    [Type.FIRST, *STEP_WORDS[:4], Type.CORRECTION],
    [Type.FIRST, *STEP_WORDS[:4], Type.CANCELLATION],
]

REFUSALS = {
    f"dataset_registry.{what}"
    for what in ("illegal_step", "not_applicable", "procedure_open", "outside_renewal_window")
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("trial")) as small:
        yield small


class Model:
    """What the table says of one dataset; no time passes, so nothing expires or is renewed."""

    def __init__(self) -> None:
        self.kind, self.stage, self.state = Type.NONE, State.EVIDENCED, State.EVIDENCED

    def takes(self, action: Type | State) -> bool:
        """Return whether the action is a step, and go on if it is."""
        is_application = isinstance(action, Type)
        kind = action if is_application else self.kind
        to = State.APPLIED if is_application else action
        old = self.state if self.kind == Type.NONE else self.stage
        is_timed = kind == Type.RENEWAL or to == State.EXPIRED
        is_again = kind == Type.FIRST and old == State.CODED
        is_free = not is_application or self.kind == Type.NONE
        if is_timed or is_again or not is_free or (kind, old, to) not in STEPS:
            return False
        if kind == Type.FIRST or to in ENDS:
            self.state = State(to)
        is_end = to in (State.EVIDENCED, State.CODED, *ENDS)
        self.kind, self.stage = (Type.NONE if is_end else Type(kind)), State(to)
        return True


def evidenced(small: SmallMarket) -> tuple[UUID, dict[str, object]]:
    dataset_id = new_id()
    record = record_of("示例", "administrative", uscc_of(50), NANJING)
    digests = ("sha256_digest", "sm3_digest", "schema_digest")
    version = {name: "0x" + secrets.token_hex(32) for name in digests}
    version |= {"row_count": 1, "byte_size": 1}  # type: ignore[dict-item]
    body = {"dataset_id": str(dataset_id), "metadata": record, "version": version}
    small.run("weather", "register-dataset", body)
    return dataset_id, record


def act(small: SmallMarket, dataset_id: UUID, record: object, action: Type | State) -> bool:
    """Return whether the chain took the action."""
    body: dict[str, object] = {"dataset_id": str(dataset_id), "reason": "示例"}
    is_application = isinstance(action, Type)
    member = small.members["weather" if is_application else "nanjing"].account
    if is_application:
        name = "apply-registration"
        body |= {"kind": action.name.lower(), "metadata": record}
    else:
        name = "advance-registration"
        body |= {"to": action.name.lower()}
    try:
        run(small.market, member, name, body)
    except LedgerError as error:
        if error.code not in REFUSALS:
            raise
        return False
    return True


@given(st.sampled_from(STARTS), st.lists(ACTIONS, max_size=8))
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_registration__any_actions__the_chain_takes_what_the_table_has(
    small: SmallMarket, start: list[Type | State], actions: list[Type | State]
) -> None:
    dataset_id, record = evidenced(small)
    model = Model()
    for action in [*start, *actions]:
        assert act(small, dataset_id, record, action) == model.takes(action), action
        found = small.market.contracts.datasets.dataset(dataset_id, block="latest")
        assert found.state == model.state
