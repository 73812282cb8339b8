"""The service over HTTP: what is public, what is a party's, what is refused, and how."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from api.main import create_app
from ledger.app.commands import COMMANDS
from ledger.app.keys import issue_api_key
from ledger.app.log_keeping import anchor, log_key
from ledger.app.proving import check_proof_file, check_proof_on_chain
from ledger.app.signing import sign_message
from ledger.chain.keys import address_of
from ledger.codec.receipts import Receipt
from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS
from tests.integration.market_fixture import SmallMarket, opened_market

pytestmark = pytest.mark.integration
NOBODY = "0199c0de-0000-7000-8000-000000000000"
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("http")) as market:
        yield market


@pytest.fixture(scope="module")
def client(small: SmallMarket) -> Iterator[TestClient]:
    with TestClient(create_app(small.market), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def key(small: SmallMarket) -> str:
    return issue_api_key(small.market, small.members["buyer"].account, small.licence_no)


@pytest.fixture(scope="module")
def anchored(client: TestClient, small: SmallMarket, key: str) -> str:
    """The public key of the log, which holds three receipts at least and is anchored."""
    for _ in range(3):
        client.get(_path(small), params={"limit": 1}, headers={"X-Api-Key": key})
    anchor(small.market, small.members["platform"].account, 1)
    return log_key(small.market, 1)


def _path(small: SmallMarket) -> str:
    return f"/v1/use/{small.product_id}/{small.datasets['weather']}"


def test_use__with_a_key__rows_receipt_and_next_page(
    client: TestClient, small: SmallMarket, key: str
) -> None:
    answer = client.get(_path(small), params={"limit": 7}, headers={"X-Api-Key": key})
    assert answer.status_code == 200
    assert len(answer.json()["rows"]) == 7
    receipt = Receipt.decode(bytes.fromhex(answer.headers["Mdl-Receipt"]))
    assert (receipt.units, receipt.licence_no) == (7, small.licence_no)
    assert 'rel="next"' in answer.headers["Link"]
    index = int(answer.headers["Mdl-Receipt-Index"])
    assert small.market.meter(1).size == index + 1


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"mode": "download"}, 403, "use.mode_not_granted"),
        ({"purpose": "public_welfare"}, 403, "use.purpose_not_granted"),
        ({"mode": "teleport"}, 422, "domain.unknown_code"),
        ({"limit": 0}, 422, "use.page_range"),
        ({"limit": "NaN"}, 422, "api.invalid_request"),
        ({"cursor": -1}, 422, "use.page_range"),
        ({"cursor": "9" * 30}, 422, "api.invalid_request"),
    ],
)
def test_use__refused__problem_says_why(
    client: TestClient,
    small: SmallMarket,
    key: str,
    params: dict[str, Any],
    status: int,
    code: str,
) -> None:
    answer = client.get(_path(small), params=params, headers={"X-Api-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == PROBLEM
    assert ("Mdl-Receipt" in answer.headers) == (status == 403)


def test_use__without_a_key__401(client: TestClient, small: SmallMarket) -> None:
    answer = client.get(_path(small))
    assert (answer.status_code, answer.json()["code"]) == (401, "use.key_unknown")


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/v1/datasets", "/v1/products", "/v1/statement", "/v1/logs"]
)
def test_public__get__200(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_private__licence__only_its_parties_and_the_regulator(
    client: TestClient, small: SmallMarket
) -> None:
    path = f"/v1/licences/{small.licence_no}"
    assert client.get(path).status_code == 401
    statuses = {}
    for member in ("buyer", "operator", "regulator", "weather"):
        own = issue_api_key(small.market, small.members[member].account)
        statuses[member] = client.get(path, headers={"X-Api-Key": own}).status_code
    assert statuses == {"buyer": 200, "operator": 200, "regulator": 200, "weather": 403}


def test_private__key_for_use__does_not_read(
    client: TestClient, small: SmallMarket, key: str
) -> None:
    answer = client.get(f"/v1/licences/{small.licence_no}", headers={"X-Api-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (403, "api.not_a_party")


def test_command__prepared_signed_submitted__done_once(
    client: TestClient, small: SmallMarket
) -> None:
    account = small.members["nanjing"].account
    body = {
        "dataset_id": str(small.datasets["weather"]),
        "scores": dict.fromkeys(QUALITY_DIMENSIONS, 85),
        "report": "抽检",
    }
    signer = address_of(account)
    prepared = client.post(f"/v1/prepare/inspect-dataset?signer={signer}", json=body).json()
    signed = {
        "prepared": prepared,
        "signature": sign_message(account, prepared["typed_data"]),
    }
    headers = {"Idempotency-Key": "inspect-1"}
    first = client.post("/v1/commands", json=signed, headers=headers)
    again = client.post("/v1/commands", json=signed, headers=headers)
    assert (first.status_code, first.json()) == (200, again.json())
    without = client.post("/v1/commands", json=signed)
    assert (without.status_code, without.json()["code"]) == (400, "api.idempotency_key")


def test_prepare__every_command__has_a_route(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {f"/v1/prepare/{name}" for name in COMMANDS} <= set(paths)


def test_proof__of_a_receipt__matches_the_checkpoint(
    client: TestClient, small: SmallMarket, key: str
) -> None:
    client.get(_path(small), params={"limit": 1}, headers={"X-Api-Key": key})
    anchor(small.market, small.members["platform"].account, 1)
    document = client.get("/v1/logs/1/receipts/0/proof").json()
    assert document["checkpoint"] == client.get("/v1/logs/1/checkpoint").text
    missing = client.get("/v1/logs/1/receipts/999999/proof")
    assert missing.status_code in (404, 422)
    assert missing.headers["content-type"] == PROBLEM


def _proof_in(client: TestClient, accept: str, query: str = "") -> Response:
    return client.get(f"/v1/logs/1/receipts/0/proof{query}", headers={"Accept": accept})


def test_proof__by_accept__three_forms_of_one_proof(client: TestClient, anchored: str) -> None:
    compact = _proof_in(client, "application/octet-stream")
    text = _proof_in(client, "application/json;q=0.5, text/plain")
    usual = _proof_in(client, "image/png")
    assert compact.headers["content-type"] == "application/octet-stream"
    assert text.headers["content-type"].startswith("text/plain")
    assert usual.headers["content-type"] == "application/json"
    note = client.get("/v1/logs/1/checkpoint").text
    for answer in (compact, text, usual):
        assert answer.headers["Vary"] == "Accept"
        assert check_proof_file(answer.content, anchored, note) == []


def test_proof__anchored_as_bytes__taken_by_the_chain(
    client: TestClient, small: SmallMarket, anchored: str
) -> None:
    data = _proof_in(client, "application/octet-stream", "?anchored=true").content
    assert check_proof_on_chain(small.market, data) == []
    bent = data[:-1] + bytes([data[-1] ^ 1])
    codes = [
        finding.code
        for wrong in (bent, data[:-1], data[:115])
        for finding in check_proof_on_chain(small.market, wrong)
    ]
    assert codes == ["usage_log.not_included"] + ["usage_log.proof_length"] * 2


def test_consistency__of_two_sizes__holds(client: TestClient, anchored: str) -> None:
    answer = client.get("/v1/logs/1/consistency?old=1&new=2")
    assert check_proof_file(answer.content, anchored) == []


def test_licence_proof__its_parties_and_the_regulator__whole_range(
    client: TestClient, small: SmallMarket, anchored: str
) -> None:
    path = f"/v1/logs/1/licences/{small.licence_no}/proof"
    assert client.get(path).status_code == 401
    statuses = {}
    for member in ("buyer", "operator", "regulator", "weather"):
        own = {"X-Api-Key": issue_api_key(small.market, small.members[member].account)}
        answer = client.get(path, headers=own)
        statuses[member] = answer.status_code
        if answer.status_code == 200:
            assert check_proof_file(answer.content, anchored) == []
    assert statuses == {"buyer": 200, "operator": 200, "regulator": 200, "weather": 403}


@pytest.mark.parametrize(
    "query", ["?from_seq=0", "?from_seq=9&to_seq=8", "?to_seq=999999", "?to_seq=x"]
)
def test_licence_proof__bad_range__problem_and_no_5xx(
    client: TestClient, small: SmallMarket, anchored: str, query: str
) -> None:
    own = {"X-Api-Key": issue_api_key(small.market, small.members["buyer"].account)}
    answer = client.get(f"/v1/logs/1/licences/{small.licence_no}/proof{query}", headers=own)
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == PROBLEM


HOSTILE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"a":NaN}',
    b'{"a":1e400}',
    b'{"a":' + b"9" * 400 + b"}",
    b"[" * 2_000 + b"]" * 2_000,
    b"[" * 1_000_000,
    b'{"a":"\\u0000"}',
    b'{"a":"\\ud800"}',
    b'{"product_id":1,"purpose":[],"units":"1"}',
    b'{"product_id":"x","purpose":"industry","units":-1}',
    b'{"units":true,"purpose":"industry","product_id":"0"}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("body", HOSTILE)
@pytest.mark.parametrize(
    "path",
    ["/v1/quotes", "/v1/agreements", "/v1/commands", "/v1/api-keys"]
    + [f"/v1/prepare/{name}?signer=0x{'1' * 40}" for name in ("register-dataset", "grant-licence")],
)
def test_post__hostile_body__problem_and_no_5xx(client: TestClient, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "x"}
    answer = client.post(path, content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == PROBLEM
    assert json.loads(answer.content)["code"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/datasets/x",
        f"/v1/datasets/{NOBODY}",
        f"/v1/products/{NOBODY}",
        f"/v1/schemes/{NOBODY}",
        "/v1/logs/0/checkpoint",
        "/v1/logs/99/checkpoint",
        "/v1/logs/99/anchors",
        "/v1/logs/99/receipts/0/proof",
        "/v1/logs/1/tile/../../../../etc/passwd",
        "/v1/logs/1/tile/0/x999/999",
        "/v1/logs/99/consistency?old=0&new=0",
        "/v1/logs/1/consistency?old=2&new=1",
        "/v1/logs/1/consistency?old=-1&new=1",
        "/v1/logs/1/consistency?old=0&new=999999999",
        "/v1/logs/1/consistency?new=1",
        "/v1/logs/1/licences/1/proof",
        "/v1/logs/1/receipts/0/proof?anchored=perhaps",
        "/v1/datasets?limit=0",
        "/v1/datasets?offset=-1",
        "/nowhere",
    ],
)
def test_get__what_is_not_there__problem_and_no_5xx(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == PROBLEM


def test_body__too_large__413(client: TestClient) -> None:
    answer = client.post("/v1/quotes", content=b" " * 2_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "api.body_too_large")


def test_console__both_languages__same_figures(client: TestClient) -> None:
    chinese, english = client.get("/").text, client.get("/?lang=en").text
    assert '<html lang="zh-CN">' in chinese
    assert '<html lang="en">' in english
    assert "都市圈数据账本" in chinese
    assert "Metro Data Ledger" in english
    assert "虚构" in chinese
    assert "invented" in english
    by_header = client.get("/", headers={"Accept-Language": "en-GB,en;q=0.9"}).text
    assert by_header == english


def test_reference__served_here__loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "/v1/use/{product_id}/{dataset_id}" in page
    assert "<script" not in page
    assert "https://" not in page


def _figures(html: str) -> list[str]:
    text = re.sub(r"<[^>]+>", " ", html.partition("<main")[2])
    return sorted(re.findall(r"\d[\d,]*\.\d{2,8}|0x[0-9a-f]{24,}", text))


def test_console__both_languages__the_same_figures_without_scripts(client: TestClient) -> None:
    chinese, english = client.get("/"), client.get("/?lang=en")
    assert 'lang="zh-CN"' in chinese.text
    assert '<html lang="en">' in english.text
    assert "示例数据" in chinese.text
    assert "invented" in english.text
    assert _figures(chinese.text) == _figures(english.text) != []
    for page in (chinese, english, client.get("/docs")):
        assert "<script" not in page.text
        assert not re.search(r"(?:src|href)=.https?://", page.text)
        assert "script" not in page.headers["Content-Security-Policy"]


def test_console__unchanged_market__304(client: TestClient) -> None:
    tag = client.get("/v1/datasets").headers["ETag"]
    again = client.get("/v1/datasets", headers={"If-None-Match": tag})
    other = client.get("/v1/datasets?limit=1", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)


def test_organisation__known_and_unknown__200_and_404(
    client: TestClient, small: SmallMarket
) -> None:
    found = client.get(f"/v1/organisations/{small.id_of('buyer')}")
    assert found.json()["roles"] == ["buyer"]
    assert client.get(f"/v1/organisations/{small.product_id}").status_code == 404
    assert client.get(f"/v1/splits/{small.product_id}").json()["code"] == "projection.not_found"
