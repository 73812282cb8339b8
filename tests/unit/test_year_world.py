"""The world of the demonstrated year holds the figures that the article counts."""

from __future__ import annotations

from collections import Counter

import pytest

from ledger.cli.demo.year.world import SCALES, SCHEMES, World, build_world, shared_out
from ledger.domain.catalogue_lists import THEMES
from ledger.domain.cities import CITIES
from ledger.domain.duties import grade_of

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(SCALES["article"])


def test_world__of_the_article__its_counts_exactly(world: World) -> None:
    providers = [member for member in world.members if "provider" in member.roles]
    levels = Counter(member.level for member in providers)
    assert levels == {"national": 7, "provincial": 5, "city": 47, "": 1}
    assert len(world.holdings) == 573
    assert {holding.theme for holding in world.holdings} == set(THEMES)
    assert {holding.provider.city_code for holding in world.holdings} == set(CITIES)
    assert len(THEMES) == 23
    assert len(world.goods) == 293
    assert {good.scheme for good in world.goods} == set(SCHEMES)
    assert sum(holding.rows for holding in world.holdings) == 26_800_000_000
    assert sum(sum(deal.monthly_calls) for deal in world.deals) == 210_000_000


def test_names__all__are_of_one_thing_each_and_say_that_they_are_invented(world: World) -> None:
    names = [member.name for member in world.members]
    names += [item.title for item in (*world.holdings, *world.goods)]
    assert len(set(names)) == len(names)
    assert all("虚构" in zh and "invented" in en.lower() for zh, en in names)


def test_inspections__of_the_world__none_would_stop_a_licence(world: World) -> None:
    grades = {grade_of(list(holding.scores)).name for holding in world.holdings}
    assert grades == {"A", "B", "C"}


def test_shared_out__any_total__sums_exactly() -> None:
    assert shared_out(10, [1, 1, 1]) == [3, 3, 4]
    assert sum(shared_out(26_800_000_000, [7, 11, 13, 1])) == 26_800_000_000
