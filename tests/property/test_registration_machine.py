"""Registration as a state machine, graded opening as a function, grades and due dates."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.codes import (
    DeliveryMode,
    OpenClass,
    OpeningTier,
    Purpose,
    QualityGrade,
    Sensitivity,
    UpdateFrequency,
)
from ledger.domain.codes import RegistrationState as State
from ledger.domain.codes import RegistrationType as Type
from ledger.domain.duties import grade_of, inspection_due, months_after, update_due
from ledger.domain.errors import ValidationError
from ledger.domain.opening import REGION_RULES, Cell, Policy, cells, parse_policy
from ledger.domain.registration import ENDS, STEPS, Standing, next_task, urgency, validity_end
from ledger.domain.working_days import WorkingDays, day_of
from ledger.verification.datasets import _grade
from ledger.verification.policies import _tiers, _tiers_of_rules
from ledger.verification.registration import _is_step, _years_later

pytestmark = pytest.mark.property

Place = tuple[Type, State, State]
"""What is applied for, state of the procedure, state of the dataset."""
INSTANTS = st.integers(1_700_000_000, 2_500_000_000)


def moved(place: Place, kind: Type, to: State) -> Place:
    """Return where a step leads, as the contract keeps it."""
    _, _, dataset = place
    if kind == Type.FIRST or to in ENDS:
        dataset = to
    is_closed = to in (State.EVIDENCED, State.CODED, *ENDS)
    return (Type.NONE, dataset, dataset) if is_closed else (kind, to, dataset)


def following(place: Place) -> list[tuple[Type, State]]:
    """Return the steps of the table from a place."""
    kind, stage, dataset = place
    if kind == Type.NONE:
        return [(k, new) for k, old, new in STEPS if old == dataset and _is_opening(k, new)]
    return [
        (k, new) for k, old, new in STEPS if k == kind and old == stage and new != State.APPLIED
    ]


def _is_opening(kind: Type, new: State) -> bool:
    return new == State.APPLIED or kind == Type.NONE


@given(st.lists(st.integers(0, 10**6), max_size=40))
@settings(max_examples=300)
def test_steps__any_walk__stays_inside_the_states(choices: list[int]) -> None:
    place: Place = (Type.NONE, State.EVIDENCED, State.EVIDENCED)
    for choice in choices:
        steps = sorted(following(place))
        if not steps:
            assert place[2] in (State.CANCELLED, State.REVOKED)
            return
        place = moved(place, *steps[choice % len(steps)])
        kind, stage, dataset = place
        assert dataset in State
        is_running = kind != Type.NONE
        assert not is_running or stage in (*range(State.APPLIED, State.CODED),)
        assert kind in (Type.NONE, Type.FIRST) or dataset == State.CODED


def test_steps__every_state_and_type__is_reachable() -> None:
    start: Place = (Type.NONE, State.EVIDENCED, State.EVIDENCED)
    seen, pending = {start}, [start]
    while pending:
        place = pending.pop()
        for step in following(place):
            after = moved(place, *step)
            if after not in seen:
                seen.add(after)
                pending.append(after)
    assert {place[2] for place in seen} == set(State)
    assert {place[0] for place in seen} == set(Type)


def test_steps__of_the_verifier__are_the_same() -> None:
    running = range(State.APPLIED, State.CODED)
    places = {(kind, old) for kind, old, _ in STEPS if kind == Type.NONE or old in running}
    for (kind, old), new in product(sorted(places), State):
        if new != State.APPLIED:
            assert _is_step(kind, old, new) == ((kind, old, new) in STEPS), (kind, old, new)


@given(INSTANTS)
def test_validity_end__of_the_verifier__is_the_same(start: int) -> None:
    assert validity_end(start) == _years_later(start)


STANDINGS = st.builds(
    Standing,
    state=st.sampled_from(State),
    kind=st.sampled_from(Type),
    procedure_state=st.sampled_from(
        [State.APPLIED, State.ACCEPTED, State.REVIEWED, State.PUBLIC_NOTICE]
    ),
    since=INSTANTS,
    evidenced_at=INSTANTS,
    valid_until=INSTANTS,
    open_objections=st.integers(0, 2),
)


@given(STANDINGS, st.integers(0, 12), INSTANTS)
def test_next_task__any_standing__urgency_grows_with_time(
    at: Standing, notice_days: int, now: int
) -> None:
    days = WorkingDays()
    task = next_task(at, days, notice_days, now)
    if task is None:
        assert at.kind == Type.NONE
        return
    levels = ["waiting", "due", "overdue", "escalated"]
    told = [urgency(task, days, task.due_at + ahead) for ahead in (-1, 0, 1, 9 * 86_400)]
    assert told == sorted(told, key=levels.index)
    assert told[1:] == ["due", "overdue", "escalated"]


RULES = st.fixed_dictionaries(
    {
        "tier": st.sampled_from(["open", "masked", "conditional", "forbidden"]),
        "source": st.just("示例"),
    },
    optional={
        "open_class": st.lists(st.sampled_from(["unconditional", "conditional"]), min_size=1),
        "contains_pi": st.booleans(),
        "modes": st.lists(st.sampled_from([m.name.lower() for m in DeliveryMode]), min_size=1),
        "purposes": st.lists(st.sampled_from([p.name.lower() for p in Purpose]), min_size=1),
    },
)
CASES = st.builds(
    Cell,
    st.sampled_from(OpenClass),
    st.sampled_from(Sensitivity),
    st.booleans(),
    st.sampled_from(DeliveryMode),
    st.sampled_from(Purpose),
)


@given(st.lists(RULES, max_size=6), CASES)
@settings(max_examples=200, deadline=None)
def test_policy__same_input__same_tier_here_on_chain_and_for_the_verifier(
    rules: list[dict[str, object]], cell: Cell
) -> None:
    given_rules = [*REGION_RULES[:2], *rules, *REGION_RULES[2:]]
    policy = parse_policy({"rules": given_rules})
    assert policy.decide(cell) == parse_policy({"rules": given_rules}).decide(cell)
    if cell.is_closed:
        assert policy.decide(cell).tier == OpeningTier.FORBIDDEN
        return
    words = dict(zip((OpenClass.UNCONDITIONAL, OpenClass.CONDITIONAL), policy.words(), strict=True))
    place = ((7 if cell.contains_pi else 0) + cell.mode - 1) * 5 + cell.purpose - 1
    assert words[cell.open_class] >> 3 * place & 7 == policy.decide(cell).tier
    assert {kind: _tiers(word) for kind, word in words.items()} == _tiers_of_rules(given_rules)


def test_policy__of_the_region__decides_every_cell() -> None:
    policy: Policy = parse_policy({"rules": REGION_RULES})
    found = {policy.decide(cell).tier for cell in cells()}
    assert found == set(OpeningTier)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([{"tier": "open", "source": "x"}], "forbidden, whatever the table says"),
        (REGION_RULES[:2], "a rule for every cell"),
        (
            [*REGION_RULES[:2], {"tier": "privacy_only", "source": "x"}],
            "no privacy tier where data leaves",
        ),
        ([{"tier": "wide", "source": "x"}], None),
        ([{"tier": "open", "source": ""}], "the rule's source"),
        ([{"tier": "open", "source": "x", "weather": "fine"}], "no such condition"),
    ],
)
def test_policy__malformed_or_too_wide__every_fault_is_told(
    rules: list[dict[str, object]], expected: str | None
) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_policy({"rules": rules})
    assert expected is None or expected in {f.expected for f in caught.value.findings}


@given(st.lists(st.integers(0, 100), min_size=6, max_size=6))
def test_grade_of__any_scores__as_the_verifier_grades(scores: list[int]) -> None:
    grade = grade_of(scores)
    assert grade == _grade(bytes(scores))
    better = [min(100, score + 1) for score in scores]
    assert grade_of(better) <= grade


@given(INSTANTS, st.sampled_from(UpdateFrequency), st.sampled_from(QualityGrade))
def test_due_dates__any_instant__end_a_later_working_day(
    instant: int, frequency: UpdateFrequency, grade: QualityGrade
) -> None:
    days = WorkingDays()
    due = update_due(frequency, instant, days)
    is_dated = frequency not in (UpdateFrequency.IRREGULAR, UpdateFrequency.STATIC)
    assert (due is not None) == is_dated
    for end in (due, inspection_due(grade, instant, days)):
        if end is not None:
            assert end > instant
            assert days.is_working(day_of(end))
            assert day_of(end) != day_of(end + 1)


@given(st.dates(max_value=date(9990, 1, 1)), st.integers(0, 12))
def test_months_after__any_day__is_in_that_month(day: date, months: int) -> None:
    found = months_after(day, months)
    assert (found.year * 12 + found.month) == day.year * 12 + day.month + months
    assert found.day <= day.day
