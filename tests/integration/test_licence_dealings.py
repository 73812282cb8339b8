"""What comes before a licence, on a real chain: negotiations, applications, competitions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.main import create_app
from ledger.app import gateway
from ledger.app.agreements import AgreementDraft, draft_agreement
from ledger.app.applying import application_found
from ledger.app.certificates import issue_certificate
from ledger.app.keys import issue_api_key
from ledger.app.lookup import dataset_found, product_found
from ledger.app.negotiation_views import negotiation_found, negotiations_found
from ledger.app.signing import sign_message
from ledger.app.verifying import verify_market
from ledger.chain.keys import address_of
from ledger.cli.main import app
from ledger.projection import queries
from tests.integration.licence_story import (
    apply_for_use,
    codes_of,
    decide_application,
    grant_draft,
    offer_terms,
    on_chain,
    refused,
    sandbox_product,
)
from tests.integration.market_fixture import TICKS, YEAR_SECONDS, SmallMarket, grant, opened_market

pytestmark = pytest.mark.integration
DAY = 86_400


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("dealings")) as market:
        yield market


@pytest.fixture(scope="module")
def client(small: SmallMarket) -> Iterator[TestClient]:
    with TestClient(create_app(small.market), raise_server_exceptions=False) as opened:
        yield opened


def _request(small: SmallMarket, **changes: Any) -> str:
    """Let the buyer open a thread; return its id."""
    body = {
        "product_id": str(small.product_id),
        "terms": offer_terms(small),
        "disclaimers_ticked": TICKS,
    }
    return str(small.run("buyer", "make-offer", body | changes).result["thread_id"])


def _offer(small: SmallMarket, side: str, thread_id: str, **terms: Any) -> Any:
    body = {"thread_id": thread_id, "terms": offer_terms(small, **terms)}
    return small.run(side, "make-offer", body | {"disclaimers_ticked": TICKS})


def _state(small: SmallMarket, thread_id: str) -> tuple[str, str | None]:
    found = negotiation_found(small.market, UUID(thread_id))
    return found["state"], found["turn"]


def test_negotiation__offer_counter_accept_agree_grant__finalized(small: SmallMarket) -> None:
    thread_id = _request(small)
    assert _state(small, thread_id) == ("requested", "operator")
    _offer(small, "operator", thread_id, quota_units=4_000, negotiated=[_term("月结")])
    assert _state(small, thread_id) == ("offered", "buyer")
    small.run("buyer", "accept-offer", {"thread_id": thread_id, "disclaimers_ticked": TICKS})
    small.run("operator", "propose-agreement", {"thread_id": thread_id})
    found = negotiation_found(small.market, UUID(thread_id))
    assert (found["state"], found["turn"]) == ("agreed", "both")
    licence_no = grant_draft(small, found["draft"])
    final = {"thread_id": thread_id, "licence_no": licence_no}
    small.run("buyer", "finalize-negotiation", final)
    with small.market.read() as connection:
        licence = queries.licence(connection, licence_no)
    assert licence.quota_units == 4_000
    assert _state(small, thread_id) == ("finalized", None)
    first, second = found["offers"]
    assert second["previous_digest"] == first["offer_digest"]
    assert second["document"]["terms"]["negotiated"] == [_term("月结")]


def test_negotiation__agreed_on_the_buyers_own_request__no_acceptance_needed(
    small: SmallMarket,
) -> None:
    thread_id = _request(small)
    small.run("operator", "propose-agreement", {"thread_id": thread_id})
    draft = negotiation_found(small.market, UUID(thread_id))["draft"]
    assert draft["agreement"]["quota_units"] == 5_000


def test_negotiation__out_of_turn__refused_before_and_on_chain(small: SmallMarket) -> None:
    thread_id = _request(small)
    error = refused(lambda: _offer(small, "buyer", thread_id))
    assert (error.code, error.got) == ("dealing.out_of_turn", "buyer offer when requested")
    body = {"thread_id": thread_id, "disclaimers_ticked": TICKS}
    assert refused(lambda: small.run("buyer", "accept-offer", body)).code == "dealing.out_of_turn"
    row = _thread(small, thread_id)
    call = (UUID(thread_id), _parties(row), row.last_digest, b"\x01" * 32, row.deadline)
    error = refused(lambda: on_chain(small, "buyer", "negotiations", "offer", *call))
    assert error.code == "negotiations.out_of_turn"


def test_negotiation__by_a_stranger__refused(small: SmallMarket) -> None:
    thread_id = _request(small)
    body = {"thread_id": thread_id, "terms": offer_terms(small)}
    error = refused(lambda: small.run("weather", "make-offer", body))
    assert error.code == "dealing.not_a_party"


def test_negotiation__expired__only_an_end_is_left(small: SmallMarket) -> None:
    thread_id = _request(small, deadline=small.market.now_seconds() + 8)
    small.market.node.increase_time(12)  # type: ignore[union-attr]
    _request(small)  # a block of that time
    error = refused(lambda: _offer(small, "operator", thread_id))
    assert error.code == "dealing.offer_expired"
    row = _thread(small, thread_id)
    call = (UUID(thread_id), _parties(row), row.last_digest, b"\x01" * 32, row.deadline + DAY)
    error = refused(lambda: on_chain(small, "operator", "negotiations", "offer", *call))
    assert error.code == "negotiations.offer_expired"
    small.run("operator", "terminate-negotiation", {"thread_id": thread_id, "reason": "逾期"})
    assert _state(small, thread_id) == ("terminated", None)


def test_negotiation__without_ticks_or_below_the_floor__refused(small: SmallMarket) -> None:
    error = refused(lambda: _request(small, disclaimers_ticked=TICKS[1:]))
    assert codes_of(error) == {"terms.disclaimer_not_ticked"}
    terms = offer_terms(small, platform_liability_ppm=1)
    assert refused(lambda: _request(small, terms=terms)).code == "terms.liability_below_floor"


def test_negotiation__finalized_with_another_licence__refused(small: SmallMarket) -> None:
    thread_id = _request(small)
    small.run("operator", "propose-agreement", {"thread_id": thread_id})
    body = {"thread_id": thread_id, "licence_no": small.licence_no}
    error = refused(lambda: small.run("buyer", "finalize-negotiation", body))
    assert error.code == "negotiations.agreement_differs"


def test_application__required_refused_approved_expired__gates_the_grant(
    small: SmallMarket,
) -> None:
    rule = {"dataset_id": str(small.datasets["weather"]), "reason": "敏感场景"}
    small.run("weather", "require-application", rule | {"is_required": True})
    try:
        weather = small.datasets["weather"]
        assert dataset_found(small.market, weather)["is_application_required"] is True
        page = product_found(small.market, small.product_id)
        assert page["datasets_needing_application"] == [str(weather)]
        assert refused(lambda: grant(small)).code == "applications.not_approved"
        first = apply_for_use(small)
        decide_application(small, first, 0, "场景不明确")
        assert refused(lambda: grant(small)).code == "applications.not_approved"
        assert application_found(small.market, UUID(first))["reason"] == "场景不明确"
        decide_application(
            small, apply_for_use(small), small.market.now_seconds() + DAY, "同意一日"
        )
        assert refused(lambda: grant(small)).code == "applications.expired"
        until = small.market.now_seconds() + 2 * YEAR_SECONDS
        decide_application(small, apply_for_use(small), until, "同意")
        assert grant(small) > 0
    finally:
        small.run("weather", "require-application", rule | {"is_required": False})


def test_application__decided_twice_or_by_another__refused(small: SmallMarket) -> None:
    application_id = apply_for_use(small)
    until = small.market.now_seconds() + DAY
    body = {"application_id": application_id, "is_approved": True, "valid_until": until}
    error = refused(lambda: small.run("transport", "decide-application", body | {"reason": "x"}))
    assert error.code == "applications.not_provider"
    small.run("buyer", "withdraw-application", {"application_id": application_id})
    error = refused(lambda: decide_application(small, application_id, until, "x"))
    assert error.code == "dealing.out_of_turn"


def test_competition__sandbox_team_end__granted_and_bounded(small: SmallMarket) -> None:
    product_id = sandbox_product(small)
    draft = _competition(small, product_id)
    licence_no = grant_draft(small, draft)
    with small.market.read() as connection:
        row = queries.licence(connection, licence_no)
    assert (row.tariff_no, row.team_max) == (0, 2)
    buyer = small.members["buyer"].account
    keys = [issue_api_key(small.market, buyer, licence_no) for _ in range(2)]
    error = refused(lambda: issue_api_key(small.market, buyer, licence_no))
    assert (error.code, error.expected) == ("licence.team_full", 2)
    page = gateway.use(
        small.market,
        api_key=keys[0],
        product_id=UUID(product_id),
        dataset_id=small.datasets["transport"],
        mode="sandbox",
        limit=1,
    )
    assert page.receipt.purpose == 5


@pytest.mark.parametrize(
    "changes",
    [{"team_max": 0}, {"team_max": 51}, {"valid_days": 367}],
    ids=["no team", "too many", "too long"],
)
def test_competition__beyond_its_bounds__refused_on_chain(
    small: SmallMarket, changes: dict[str, int]
) -> None:
    draft = _competition(small, sandbox_product_of(small), **changes)
    error = refused(lambda: grant_draft(small, draft))
    assert error.code == "licence_registry.competition_terms"


def test_http__negotiation_application_certificate__parties_only(
    client: TestClient, small: SmallMarket
) -> None:
    thread_id, application_id = _request(small), apply_for_use(small)
    issue_certificate(small.market, small.members["operator"].account, small.licence_no)
    licence = f"/v1/licences/{small.licence_no}"
    paths = [
        f"/v1/negotiations/{thread_id}",
        f"/v1/applications/{application_id}",
        f"{licence}/terms",
        f"{licence}/certificate",
        f"{licence}/certificate?format=html",
    ]
    buyer = {"X-Api-Key": issue_api_key(small.market, small.members["buyer"].account)}
    other = {"X-Api-Key": issue_api_key(small.market, small.members["labour"].account)}
    assert [client.get(path, headers=buyer).status_code for path in paths] == [200] * 5
    assert [client.get(path, headers=other).status_code for path in paths] == [403] * 5
    assert [client.get(path).status_code for path in paths] == [401] * 5
    certificate = client.get(f"{licence}/certificate", headers=buyer).json()
    assert client.post("/v1/certificates/check", json=certificate).json()["ok"] is True
    assert client.get(f"{licence}/status").json()["state"] == "active"
    assert client.get(f"/v1/products/{small.product_id}/policy").json()["@type"] == "Offer"
    assert len(client.get("/v1/standard-terms").json()["disclaimers"]) == len(TICKS)
    missing = client.get(f"/v1/licences/{grant(small)}/certificate", headers=buyer)
    assert (missing.status_code, missing.json()["code"]) == (404, "licence.certificate_missing")


def test_http__supplement_drafted_over_http__its_parties_only(
    client: TestClient, small: SmallMarket
) -> None:
    body = {"licence_no": small.licence_no, "quota_units": 40_000}
    buyer = {"X-Api-Key": issue_api_key(small.market, small.members["buyer"].account)}
    other = {"X-Api-Key": issue_api_key(small.market, small.members["labour"].account)}
    assert client.post("/v1/supplements", json=body, headers=buyer).status_code == 200
    assert client.post("/v1/supplements", json=body, headers=other).status_code == 403
    low = body | {"platform_liability_ppm": 1}
    answer = client.post("/v1/supplements", json=low, headers=buyer)
    assert (answer.status_code, answer.json()["code"]) == (422, "terms.liability_below_floor")


def test_http__from_dataset_page_to_licence__within_six_requests(
    client: TestClient, small: SmallMarket
) -> None:
    buyer = small.members["buyer"].account
    headers = {"X-Api-Key": issue_api_key(small.market, buyer)}
    answers = [client.get(f"/v1/datasets/{small.datasets['weather']}")]
    quoted = {"product_id": str(small.product_id), "purpose": "industry", "units": 100}
    answers.append(client.post("/v1/quotes", json=quoted))
    particulars = offer_terms(small) | {
        "product_id": str(small.product_id),
        "buyer_id": small.id_of("buyer"),
        "disclaimers_ticked": TICKS,
    }
    answers.append(client.post("/v1/agreements", json=particulars, headers=headers))
    draft = answers[-1].json()
    seen = client.get(f"/v1/drafts/{draft['digest']}", headers=headers)
    assert seen.json()["typed_data"] == draft["typed_data"]
    body = {"agreement": draft["agreement"]}
    for side in ("operator", "buyer"):
        account = small.members[side].account
        signature = sign_message(account, draft["typed_data"])
        body[side] = {"signer": address_of(account), "signature": signature}
    path = f"/v1/prepare/grant-licence?signer={address_of(buyer)}"
    answers.append(client.post(path, json=body))
    prepared = answers[-1].json()
    signed = {"prepared": prepared, "signature": sign_message(buyer, prepared["typed_data"])}
    key = {"Idempotency-Key": "six-steps"}
    answers.append(client.post("/v1/commands", json=signed, headers=key))
    assert [answer.status_code for answer in answers] == [200] * 5
    with small.market.read() as connection:
        agreement_id = UUID(draft["agreement"]["agreement_id"])
        assert queries.licence_of_agreement(connection, agreement_id) is not None


def test_cli__standard_terms__lists_what_is_to_be_ticked() -> None:
    result = CliRunner().invoke(app, ["licence", "standard-terms", "--json"])
    found = json.loads(result.output)
    assert [item["key"] for item in found["disclaimers"]] == TICKS
    assert found["is_invented"] is True


def test_verify__the_whole_story__finds_nothing(small: SmallMarket) -> None:
    assert negotiations_found(small.market)
    assert verify_market(small.market).findings == []


def _term(text: str) -> dict[str, str]:
    return {"part": "fee", "text": text}


def _thread(small: SmallMarket, thread_id: str) -> queries.ThreadRow:
    with small.market.read() as connection:
        return queries.thread(connection, UUID(thread_id))


def _parties(row: queries.ThreadRow) -> dict[str, UUID]:
    return {name: getattr(row, name) for name in ("product_id", "operator_id", "buyer_id")}


def _competition(
    small: SmallMarket, product_id: str, team_max: int = 2, valid_days: int = 30
) -> dict[str, Any]:
    now = small.market.now_seconds()
    body = {
        "product_id": product_id,
        "buyer_id": small.id_of("buyer"),
        "purpose": "competition",
        "modes": ["sandbox"],
        "valid_from": now - 60,
        "valid_until": now + valid_days * DAY,
        "quota_units": 1_000,
        "team_max": team_max,
        "disclaimers_ticked": TICKS,
    }
    return draft_agreement(small.market, AgreementDraft.model_validate(body))


def sandbox_product_of(small: SmallMarket) -> str:
    """The product that `sandbox_product` listed before."""
    with small.market.read() as connection:
        found = queries.search_products(connection).items
    return next(str(row.product_id) for row in found if row.product_id != small.product_id)
