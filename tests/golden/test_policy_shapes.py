"""Offers and agreements against their shapes, whole and with any one part missing or doubled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from rdflib import Graph, URIRef

from ledger.domain.codes import DeliveryMode, Purpose
from ledger.domain.policies import Grant, Term, agreement_policy, offer_policy
from ledger.report.linked_data import write
from ledger.report.offers import offer_node
from tests.golden.policies_read import faults, triples_of

pytestmark = pytest.mark.unit

IDS = [UUID(int=(0x0199C0DE << 96) | (0x7000 << 64) | (8 << 60) | number) for number in range(6)]
MODES = [DeliveryMode.INTERFACE, DeliveryMode.DOWNLOAD]
TERM = Term(1_790_000_000, 1_800_000_000, 2**64 - 1, 3)
TERMS = {"platform_liability_ppm": 500_000, "negotiated": []}
SHAPES = "agreement_shapes.ttl"


def grant(tariff_no: int = 1, purposes: tuple[Purpose, ...] = (Purpose.INDUSTRY,)) -> Grant:
    return Grant(IDS[0], IDS[1], list(purposes), MODES, tariff_no, [IDS[2], IDS[5]])


def agreement(tariff_no: int = 1, term: Term = TERM) -> dict[str, Any]:
    return agreement_policy(IDS[3], grant(tariff_no), term, IDS[4], TERMS, "0x" + "ab" * 32)


def offer(tariff_no: int = 1) -> dict[str, Any]:
    return offer_policy(grant(tariff_no, tuple(Purpose)))


def exported(policy: dict[str, Any]) -> Graph:
    """Return an offer as the catalogue's export writes it."""
    return Graph().parse(data="".join(write([offer_node(policy)], "turtle")), format="turtle")


def changed(policy: dict[str, Any], name: str, place: int, count: int) -> dict[str, Any]:
    """Return a policy with one item of its permission missing (0) or doubled (2)."""
    rule = policy["permission"][0]
    items = rule[name]
    again = [*items[:place], *[items[place]] * count, *items[place + 1 :]]
    return {**policy, "permission": [rule | {name: again}]}


@pytest.mark.parametrize("tariff_no", [0, 1])
def test_agreement__paid_or_free_with_team_or_none__conforms(tariff_no: int) -> None:
    alone = Term(TERM.valid_from, TERM.valid_until, 1, 0)
    for term in (TERM, alone):
        graph = triples_of(agreement(tariff_no, term))
        assert (URIRef(f"urn:uuid:{IDS[3]}"), None, None) in graph
        assert faults(graph, SHAPES) == ""


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("place", range(6))
def test_agreement__a_constraint_missing_or_doubled__refused(place: int, count: int) -> None:
    policy = agreement()
    is_team = policy["permission"][0]["constraint"][place]["leftOperand"] == "mdl:teamSize"
    found = faults(triples_of(changed(policy, "constraint", place, count)), SHAPES)
    assert (found == "") == (is_team and count == 0)


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("place", range(3))
def test_agreement__a_duty_missing_or_doubled__refused(place: int, count: int) -> None:
    policy = agreement()
    is_paid = policy["permission"][0]["duty"][place]["action"] == "compensate"
    found = faults(triples_of(changed(policy, "duty", place, count)), SHAPES)
    assert (found == "") == (is_paid and count == 0)


@pytest.mark.parametrize("name", ["target", "assigner", "assignee", "action"])
def test_agreement__a_party_or_the_action_missing__refused(name: str) -> None:
    policy = agreement()
    rule = {key: value for key, value in policy["permission"][0].items() if key != name}
    assert faults(triples_of({**policy, "permission": [rule]}), SHAPES)


@pytest.mark.parametrize("name", ["uid", "profile", "permission", "mdl:terms", "mdl:nonce"])
def test_agreement__a_part_missing__refused(name: str) -> None:
    policy = {key: value for key, value in agreement().items() if key != name}
    assert faults(triples_of(policy), SHAPES)


@pytest.mark.parametrize("tariff_no", [0, 1])
def test_offer__as_exported__conforms(tariff_no: int) -> None:
    assert faults(exported(offer(tariff_no)), "dcat_shapes.ttl") == ""


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize(
    ("name", "place"),
    [("constraint", 0), ("constraint", 1), ("duty", 0), ("duty", 1), ("duty", 2)],
)
def test_offer__a_constraint_or_duty_missing_or_doubled__refused(
    name: str, place: int, count: int
) -> None:
    policy = offer()
    is_paid = policy["permission"][0][name][place].get("action") == "compensate"
    found = faults(exported(changed(policy, name, place, count)), "dcat_shapes.ttl")
    assert (found == "") == (is_paid and count == 0)


@pytest.mark.parametrize("name", ["target", "assigner"])
def test_offer__target_or_assigner_missing__refused(name: str) -> None:
    policy = offer()
    rule = {key: value for key, value in policy["permission"][0].items() if key != name}
    assert faults(exported({**policy, "permission": [rule]}), "dcat_shapes.ttl")


def test_offer__as_json__has_the_constraints_of_its_export() -> None:
    left = URIRef("http://www.w3.org/ns/odrl/2/leftOperand")
    written = set(exported(offer()).objects(None, left))
    assert set(triples_of(offer()).objects(None, left)) == written
