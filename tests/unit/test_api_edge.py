"""The outermost layers of the service: what is read, how errors are answered, in which words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict

from api.edge import Edge
from api.errors import InvalidFieldError, MalformedRequestError, status_of
from api.intake import BODY_BYTES_MAX, Intake, check_json
from api.journal import mask_secrets
from api.languages import language_of
from api.problems import install, problem, safe
from ledger.chain.client import ChainUnreachableError
from ledger.chain.reverts import error_classes
from ledger.domain.errors import LedgerError, MalformedValueError, ValidationError
from ledger.projection.errors import NotFoundError

pytestmark = pytest.mark.unit
PROBLEM = "application/problem+json"
MEMBERS = {
    "type",
    "title",
    "status",
    "detail",
    "code",
    "field",
    "got",
    "expected",
    "retryable",
    "findings",
    "instance",
}


class Order(BaseModel):
    """A body with one field of each usual type."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    count: int
    parts: dict[str, Any] = {}


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    install(app)
    app.add_middleware(Intake)
    app.add_middleware(Edge)

    @app.post("/orders")
    def order(body: Order) -> dict[str, Any]:
        return body.model_dump()

    @app.get("/tagged")
    def tagged(response: Response) -> dict[str, str]:
        response.headers["ETag"] = 'W/"7-abc"'
        return {"a": "b"}

    @app.get("/fails/{kind}")
    def fails(kind: str, request: Request) -> None:
        raise ERRORS[kind]

    return TestClient(app, raise_server_exceptions=False)


ERRORS: dict[str, Exception] = {
    "unreachable": ChainUnreachableError("no node answers", field="rpc_url"),
    "missing": NotFoundError("there is no such thing", field="id", got="x"),
    "unforeseen": KeyError("a secret path /root/key"),
    "several": ValidationError(
        "two are wrong",
        [
            MalformedValueError("a", field="a", got=2**300, expected="small"),
            MalformedValueError("b", field="b", got="\ud800", expected="text"),
        ],
    ),
}
HOSTILE_VALUES = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1.5",
    b"1e9999",
    b"9" * 79,
    b"9" * 5_000,
    b'"\\u0000"',
    b'"\\ud800"',
    b'"\\udfff x"',
    b'{"a":1,"a":2}',
    b"[" * 70 + b"]" * 70,
    b"[" * 50_000 + b"]" * 50_000,
    b'{"a":' * 170_000,
    b'{"\\u0000":1}',
    b"'x'",
    b"\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"01",
    b"+1",
    b"[1,]",
    b'"\x01"',
    b"undefined",
]
WRONG_VALUES = [
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'"1"',
    b"-1",
    b"9999999999999999999999",
    b'"' + b"x" * 9_000 + b'"',
    b"[[[[[[]]]]]]",
]
PLACES = [
    b'{"name":%s,"count":1}',
    b'{"name":"a","count":%s}',
    b'{"name":"a","count":1,"parts":{"x":[%s]}}',
    b'{"name":"a","count":1,"unknown":%s}',
    b"%s",
    b"[%s]",
]


def post(client: TestClient, body: bytes) -> Any:
    return client.post("/orders", content=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", HOSTILE_VALUES)
def test_body__no_field_could_hold_it__400_problem(
    client: TestClient, place: bytes, value: bytes
) -> None:
    answer = post(client, place % value)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == PROBLEM
    assert set(answer.json()) == MEMBERS


@pytest.mark.parametrize("place", [PLACES[3], PLACES[4], PLACES[5]])
@pytest.mark.parametrize("value", WRONG_VALUES)
def test_body__of_another_shape__422_names_the_fields(
    client: TestClient, place: bytes, value: bytes
) -> None:
    answer = post(client, place % value)
    assert (answer.status_code, answer.json()["code"]) == (422, "api.invalid_request")
    assert [finding["field"] for finding in answer.json()["findings"]] != []


def test_body__larger_than_the_limit__413_without_reading_on(client: TestClient) -> None:
    stated = post(client, b" " * (BODY_BYTES_MAX + 1))
    in_parts = client.post("/orders", content=(b"x" * 65_536 for _ in range(17)))
    assert [stated.status_code, in_parts.status_code] == [413, 413]
    assert stated.json()["code"] == "api.body_too_large"


def test_body__at_the_limit__is_read(client: TestClient) -> None:
    filled = b'{"name":"%s","count":1}' % (b"x" * (BODY_BYTES_MAX - 21))
    assert len(filled) == BODY_BYTES_MAX
    assert post(client, filled).status_code == 200


def test_check_json__depth_at_its_limit__passes_and_one_more_does_not() -> None:
    check_json(b"[" * 64 + b"1" + b"]" * 64)
    with pytest.raises(MalformedRequestError):
        check_json(b"[" * 65 + b"1" + b"]" * 65)


@pytest.mark.parametrize("path", ["/a%00b", "/orders?x=%00"])
def test_address__with_nul__400(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 400


def test_path__unknown_and_method_unknown__problems(client: TestClient) -> None:
    missing, wrong = client.get("/nowhere"), client.delete("/orders")
    assert (missing.status_code, missing.json()["code"]) == (404, "api.no_such_path")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "api.method_not_allowed")
    assert wrong.headers["allow"] == "POST"


def test_error__retryable_chain__503_says_when_to_come_back(client: TestClient) -> None:
    answer = client.get("/fails/unreachable")
    assert (answer.status_code, answer.json()["retryable"]) == (503, True)
    assert answer.headers["retry-after"].isdigit()


def test_error__unforeseen__500_keeps_the_trace_to_itself(client: TestClient) -> None:
    answer = client.get("/fails/unforeseen")
    assert (answer.status_code, answer.json()["code"]) == (500, "api.internal")
    assert "secret" not in answer.text


def test_error__several_findings__all_are_answered_and_safe(client: TestClient) -> None:
    findings = client.get("/fails/several").json()["findings"]
    assert [finding["field"] for finding in findings] == ["a", "b"]
    assert findings[0]["got"] == str(2**300)


@pytest.mark.parametrize(
    ("headers", "query", "title"),
    [
        ({}, "", "未找到"),
        ({"Accept-Language": "en"}, "", "There is no such record"),
        ({"Accept-Language": "fr, en;q=0.5, zh;q=0.4"}, "", "There is no such record"),
        ({"Accept-Language": "en;q=0, zh"}, "", "未找到"),
        ({"Accept-Language": "en"}, "?lang=zh", "未找到"),
        ({"Accept-Language": "fr;q=x,,;;"}, "?lang=xx", "未找到"),
    ],
)
def test_problem__title__is_in_the_readers_language(
    client: TestClient, headers: dict[str, str], query: str, title: str
) -> None:
    answer = client.get("/fails/missing" + query, headers=headers)
    assert answer.json()["title"] == title
    assert answer.json()["type"] == "urn:mdl:error:projection.not_found"


def test_answer__every_one__has_security_headers_and_a_request_id(client: TestClient) -> None:
    for answer in (client.get("/tagged"), client.get("/nowhere"), post(client, b"{")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"]
    own = client.get("/tagged", headers={"X-Request-Id": "mine-1"})
    forged = client.get("/tagged", headers={"X-Request-Id": "a b{}"})
    assert own.headers["x-request-id"] == "mine-1"
    assert forged.headers["x-request-id"] != "a b{}"


def test_tag__known_to_the_client__304_without_a_body(client: TestClient) -> None:
    known = client.get("/tagged", headers={"If-None-Match": '"1", W/"7-abc"'})
    other = client.get("/tagged", headers={"If-None-Match": 'W/"8-abc"'})
    assert (known.status_code, known.content) == (304, b"")
    assert (other.status_code, other.json()) == (200, {"a": "b"})


def test_status__every_refusal_of_the_contracts__is_a_4xx() -> None:
    found = {kind.code: status_of(kind("")) for kind in error_classes().values()}
    assert {code: status for code, status in found.items() if not 400 <= status < 500} == {}
    assert found["directory.role_missing"] == 403
    assert found["licence_registry.price_above_cap"] == 422
    assert found["dataset_registry.content_exists"] == 409
    assert found["dataset_registry.unknown_dataset"] == 404


@pytest.mark.parametrize(
    "value",
    [2**64, -(2**64), 1 << 40_000, "\ud800", b"\x00\xff", {"a": {"b": {"c": {"d": {"e": 1}}}}}],
    ids=["large", "small", "huge", "surrogate", "bytes", "deep"],
)
def test_safe__any_value__is_json_that_every_reader_takes(value: Any) -> None:
    text = json.dumps(safe(value), allow_nan=False, ensure_ascii=False)
    assert len(text.encode("utf-8")) < 2_000


def test_safe__a_float__is_no_number() -> None:
    assert safe(float("nan")) == "nan"


def test_problem__error_without_a_field__has_every_member() -> None:
    body = json.loads(bytes(problem(InvalidFieldError("x"), "en").body))
    assert set(body) == MEMBERS


def test_status__unknown_code__is_the_fault_of_the_service() -> None:
    assert status_of(LedgerError("x")) == 500


def test_language__of_a_bare_request__is_chinese() -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    assert language_of(Request(scope)) == "zh-CN"


def test_log_line__secrets__are_masked() -> None:
    line = mask_secrets(None, "", {"api_key": "x", "detail": "key mdl_abcdefghijk failed"})
    assert line == {"api_key": "***", "detail": "key *** failed"}
