"""The verifier finds each seeded fault in the events of derived products."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import pytest

from ledger.app import settlement
from ledger.chain.events import Event
from ledger.verification.reading import read_events
from ledger.verification.verifier import verify
from tests.integration.derived_faults import FAULTS, Change, Told
from tests.integration.derived_story import (
    derive,
    earn,
    join_developer,
    license_to,
    open_scheme,
    source,
)
from tests.integration.market_fixture import SmallMarket, opened_market

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with opened_market(tmp_path_factory.mktemp("faults")) as small:
        _walk(small)
        market = small.market
        head = market.chain.head().number
        first = market.deployment.first_block
        events = list(read_events(market.chain, market.contracts, first, head))
        ids = {name: member.organisation_id for name, member in small.members.items()}
        yield Told(events, market.home / "logs", ids)


def _walk(small: SmallMarket) -> None:
    for number, name in enumerate(("first", "second")):
        join_developer(small, name, 900 + number)
    pair = {"one_id": small.id_of("first"), "other_id": small.id_of("buyer")}
    small.run("first", "declare-affiliates", pair)
    small.run("nanjing", "end-affiliation", pair | {"reason": "股权转让"})
    weather = small.datasets["weather"]
    first = license_to(small, small.product_id, "operator", "first", 100_000)
    lower = derive(small, "first", [source(first, weather, 100_000)])
    through = license_to(small, lower, "first", "second", 100_001)
    upper = derive(small, "second", [source(through, lower, 100_001)])
    scheme_id = open_scheme(small, "second")
    invoice_id = earn(small, "second", upper, scheme_id, 106)
    account = small.members["second"].account
    settlement.split_all(small.market, account, scheme_id)
    settlement.remit(small.market, account, scheme_id)
    body = {"invoice_id": str(invoice_id), "reduction_fen": 5_300, "reason": "质量", "receipt": "R"}
    small.run("second", "correct-split", body)


def _codes(told: Told, events: list[Event]) -> set[str]:
    return {item.code for item in verify(events, logs=told.logs).findings}


def test_verify__sound_market__has_no_finding(told: Told) -> None:
    assert _codes(told, told.events) == set()


@pytest.mark.parametrize(
    ("name", "nth", "change", "code"), FAULTS, ids=[f"{item[0]}-{item[3]}" for item in FAULTS]
)
def test_verify__one_figure_of_an_outcome_altered__is_found(
    told: Told, name: str, nth: int, change: Change, code: str
) -> None:
    places = [i for i, event in enumerate(told.events) if event.name == name]
    events = list(told.events)
    event = events[places[nth]]
    args = deepcopy(event.args)
    change(args, told)
    events[places[nth]] = replace(event, args=args)
    assert f"verify.{code}" in _codes(told, events)


def test_verify__affiliates_never_parted__the_later_listing_is_found(told: Told) -> None:
    """The pair is of developer and operator, and its end is left out."""
    events = list(told.events)
    place = next(i for i, event in enumerate(events) if event.name == "AffiliatesDeclared")
    low, high = sorted((told.ids["first"], told.ids["operator"]))
    pair = events[place].args | {"one_id": low, "other_id": high, "actor_id": told.ids["first"]}
    events[place] = replace(events[place], args=pair)
    ended = [event for event in events if event.name != "AffiliationEnded"]
    assert "verify.operator_resells" in _codes(told, ended)
