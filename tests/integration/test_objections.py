"""Objections on a real chain: each way a case can go, what it does to its subject, and refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from ledger.app import billing, gateway, log_keeping, payments, settlement
from ledger.app.keys import issue_api_key
from ledger.app.objection_cases import (
    objection_found,
    objection_papers,
    objection_statistics,
    work_list,
)
from ledger.app.verifying import verify_market
from ledger.domain.errors import LedgerError
from ledger.projection import queries
from ledger.projection.projector import projection_digest, rebuild
from tests.integration.market_fixture import NANJING, SmallMarket, opened_market

pytestmark = pytest.mark.integration

DAY = 24 * 3600
ROWS = 1_600
GROSS_FEN = 600 * 691


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("objections")) as market:
        yield market


def refused(code: str, small: SmallMarket, member: str, name: str, body: dict[str, Any]) -> None:
    with small.market.read() as connection:
        before = projection_digest(connection)
    with pytest.raises(LedgerError) as caught:
        small.run(member, name, body)
    assert caught.value.code == code
    with small.market.read() as connection:
        assert projection_digest(connection) == before


def claim(
    ground: str, kind: str, subject: object, fact: str, evidence: str, **more: Any
) -> dict[str, Any]:
    return {
        "subject_kind": kind,
        "subject": str(subject),
        "ground": ground,
        "fact": fact,
        "statement": "说明",
        "evidence": [{"kind": evidence, "text": "证据"}],
    } | more


def opened(small: SmallMarket, member: str, *what: Any, **more: Any) -> str:
    done = small.run(member, "open-objection", claim(*what, **more))
    return str(done.result["objection_id"])


def step(small: SmallMarket, member: str, objection_id: str, to: str) -> None:
    body = {"objection_id": objection_id, "to": to, "text": "依据"}
    small.run(member, "advance-objection", body)


def until_verified(small: SmallMarket, objection_id: str, handler: str, respondent: str) -> None:
    step(small, handler, objection_id, "accepted")
    step(small, respondent, objection_id, "responded")
    step(small, handler, objection_id, "verified")


def decide(
    small: SmallMarket, handler: str, objection_id: str, outcome: str, *liable: Any, **more: Any
) -> None:
    shares = [{"organisation_id": small.id_of(who), "share_ppm": ppm} for who, ppm in liable]
    body = {"objection_id": objection_id, "outcome": outcome, "reason": "查明", "shares": shares}
    small.run(handler, "decide-objection", body | more)


def notice(small: SmallMarket, handler: str, objection_id: str, route: str, days: int) -> None:
    limit = small.market.now_seconds() + days * DAY + 3600
    body = {"objection_id": objection_id, "route": route, "limit_at": limit, "text": "救济告知"}
    small.run(handler, "notice-relief", body)


def later(small: SmallMarket, days: int) -> None:
    node = small.market.node
    assert node is not None
    node.increase_time(days * DAY)
    node.mine()


def use_rows(small: SmallMarket, rows: int, cursor: int = 0) -> None:
    key = issue_api_key(small.market, small.members["buyer"].account, small.licence_no)
    while rows:
        page = gateway.use(
            small.market,
            api_key=key,
            product_id=small.product_id,
            dataset_id=small.datasets["weather"],
            cursor=cursor % 1_200,
            limit=min(200, rows),
        )
        rows -= page.receipt.records
        cursor += page.receipt.records


def billed(small: SmallMarket) -> str:
    market, operator = small.market, small.members["operator"].account
    use_rows(small, ROWS)
    log_keeping.anchor(market, small.members["platform"].account, 1)
    invoice = billing.bill(market, operator, small.licence_no, small.scheme_id)
    assert invoice is not None
    gross = invoice.result["gross_fen"]
    yuan = f"{gross // 100}.{gross % 100:02d}"
    line = f"2026-11-23,{invoice.result['reference']},{yuan},buyer,B-1"
    payments.import_statement(market, operator, ",".join(payments.COLUMNS) + f"\n{line}\n")
    return str(invoice.result["invoice_id"])


def verified(small: SmallMarket) -> None:
    assert verify_market(small.market).findings == []


def test_masking__accepted__suspends_until_treated(small: SmallMarket) -> None:
    weather = small.datasets["weather"]
    fact = "样本中可识别个人"
    case = opened(small, "buyer", "masking", "dataset", weather, fact, "sample")
    found = objection_found(small.market, UUID(case))
    assert (found["state"], found["respondent_id"]) == ("opened", small.id_of("weather"))
    assert found["suspend_due_at"] < found["due_at"]
    again = claim("masking", "dataset", weather, "  样本中可识别个人 ", "sample")
    refused("objection_desk.fact_exists", small, "buyer", "open-objection", again)
    other = claim("masking", "dataset", weather, "另一事实", "sample")
    refused("objection_desk.case_open", small, "buyer", "open-objection", other)
    until_verified(small, case, "nanjing", "weather")
    with small.market.read() as connection:
        assert queries.dataset(connection, weather).dataset.is_suspended
    body = {"dataset_id": str(weather), "is_suspended": False, "reason": "自行恢复"}
    refused("objection_desk.subject_held", small, "nanjing", "suspend-dataset", body)
    decide(small, "nanjing", case, "reopen", ("weather", 700_000), ("operator", 300_000))
    notice(small, "nanjing", case, "review", 60)
    treatment = {"objection_id": case, "reference": "0x" + "11" * 32}
    small.run("nanjing", "execute-objection", treatment)
    with small.market.read() as connection:
        assert not queries.dataset(connection, weather).dataset.is_suspended
    step(small, "nanjing", case, "closed")
    found = objection_found(small.market, UUID(case))
    assert [item["kind"] for item in found["steps"]][:3] == ["opened", "advanced", "held"]
    assert [share["share_ppm"] for share in found["shares"]] in (
        [700_000, 300_000],
        [300_000, 700_000],
    )
    assert found["next_due_at"] == 0
    refused("objection_desk.fact_exists", small, "buyer", "open-objection", again)
    verified(small)


def test_over_scope__licence_suspended__stops_use_at_once(small: SmallMarket) -> None:
    case = opened(
        small, "operator", "over_scope", "licence", small.licence_no, "转售", "receipt_proof"
    )
    refused(
        "objection_desk.illegal_step",
        small,
        "nanjing",
        "decide-objection",
        {"objection_id": case, "outcome": "dismiss", "reason": "早"},
    )
    step(small, "nanjing", case, "accepted")
    small.run("nanjing", "suspend-objected", {"objection_id": case, "reason": "防止扩大"})
    with pytest.raises(LedgerError) as caught:
        use_rows(small, 10)
    assert caught.value.code == "use.licence_suspended"
    step(small, "buyer", case, "responded")
    step(small, "nanjing", case, "verified")
    decide(small, "nanjing", case, "dismiss")
    use_rows(small, 10)
    notice(small, "nanjing", case, "contract", 30)
    step(small, "nanjing", case, "closed")
    verified(small)


def test_billing__against_the_platform__decided_by_the_authority_and_refunded(
    small: SmallMarket,
) -> None:
    invoice_id = billed(small)
    case = opened(small, "buyer", "billing", "invoice", invoice_id, "多计", "invoice_document")
    assert objection_found(small.market, UUID(case))["is_of_platform"]
    accept = {"objection_id": case, "to": "accepted", "text": "受理"}
    refused("directory.role_missing", small, "platform", "advance-objection", accept)
    until_verified(small, case, "nanjing", "platform")
    small.run("nanjing", "suspend-objected", {"objection_id": case, "reason": "冻结"})
    refused("revenue_ledger.frozen", small, "buyer", "accept-invoice", {"invoice_id": invoice_id})
    share = {"organisation_id": small.id_of("platform"), "share_ppm": 499_999}
    rest = {"organisation_id": small.id_of("operator"), "share_ppm": 500_001}
    body = {"objection_id": case, "outcome": "refund", "refund_fen": 691, "reason": "查明"}
    decision = body | {"shares": [share, rest]}
    refused("objection_desk.liability_below_floor", small, "nanjing", "decide-objection", decision)
    decide(small, "nanjing", case, "refund", ("platform", 1_000_000), refund_fen=691)
    notice(small, "nanjing", case, "litigation", 181)
    early = {"objection_id": case}
    refused("objection.not_executed", small, "nanjing", "execute-objection", early)
    early["reference"] = "0x" + "22" * 32
    refused("objection_desk.not_executed", small, "nanjing", "execute-objection", early)
    reduction = {"invoice_id": invoice_id, "reduction_fen": 691, "reason": "退款", "receipt": "R-1"}
    small.run("operator", "reduce-invoice", reduction)
    done = small.run("nanjing", "execute-objection", {"objection_id": case})
    with small.market.read() as connection:
        made = queries.reductions_of(connection, UUID(invoice_id))[-1]
        assert done.result["document_digest"] == "0x" + made.document_digest.hex()
        assert not queries.invoice(connection, UUID(invoice_id)).is_frozen
    step(small, "nanjing", case, "closed")
    small.run("buyer", "accept-invoice", {"invoice_id": invoice_id})
    settlement.split_all(small.market, small.members["operator"].account, small.scheme_id)
    verified(small)


def test_clock__run_out__escalates_to_the_authority(small: SmallMarket) -> None:
    transport = small.datasets["transport"]
    case = opened(small, "buyer", "quality", "dataset", transport, "缺值", "quality_report")
    one = {"objection_id": case}
    refused("objection_desk.not_late", small, "buyer", "escalate-objection", one)
    later(small, 8)
    accept = {"objection_id": case, "to": "accepted", "text": "受理"}
    refused("objection_desk.clock_expired", small, "nanjing", "advance-objection", accept)
    overdue = work_list(small.market, city_code=NANJING)
    assert [row["is_overdue"] for row in overdue if row["objection_id"] == case] == [True]
    small.run("buyer", "escalate-objection", one)
    found = objection_found(small.market, UUID(case))
    assert (found["escalation_count"], found["steps"][-1]["escalation_no"]) == (1, 1)
    step(small, "nanjing", case, "accepted")
    small.run("nanjing", "extend-objection", one | {"reason": "复杂"})
    again = one | {"reason": "再次"}
    refused("objection_desk.extended_already", small, "nanjing", "extend-objection", again)
    early = {"objection_id": case, "to": "verified", "text": "未答复"}
    refused("objection_desk.not_late", small, "nanjing", "advance-objection", early)
    later(small, 8)
    respond = {"objection_id": case, "to": "responded", "text": "迟"}
    refused("objection_desk.clock_expired", small, "transport", "advance-objection", respond)
    step(small, "nanjing", case, "verified")
    step(small, "buyer", case, "withdrawn")
    verified(small)


def test_parties__as_handlers_or_wrong_ones__are_refused(small: SmallMarket) -> None:
    weather = small.datasets["weather"]
    case = opened(small, "nanjing", "format", "dataset", weather, "列名", "schema_comparison")
    accept = {"objection_id": case, "to": "accepted", "text": "受理"}
    refused("objection_desk.handler_is_party", small, "nanjing", "advance-objection", accept)
    refused("directory.role_missing", small, "chuzhou", "advance-objection", accept)
    respond = {"objection_id": case, "to": "withdrawn", "text": "撤回"}
    refused("objection_desk.not_objector", small, "buyer", "advance-objection", respond)
    step(small, "nanjing", case, "withdrawn")
    self_made = claim("format", "dataset", weather, "列名二", "schema_comparison")
    refused("objection_desk.self_objection", small, "weather", "open-objection", self_made)
    stranger = {"respondent_id": small.id_of("transport")}
    wrong = claim("format", "dataset", weather, "列名三", "schema_comparison", **stranger)
    refused("objection_desk.respondent_not_party", small, "buyer", "open-objection", wrong)
    unfit = claim("billing", "dataset", weather, "计费", "invoice_document")
    refused("objection_desk.ground_not_for_subject", small, "buyer", "open-objection", unfit)
    kind = claim("format", "dataset", weather, "列名四", "rights_proof")
    refused("objection.evidence_kind", small, "buyer", "open-objection", kind)
    nobody = claim("quality", "dataset", UUID(int=7), "无", "sample")
    refused("projection.not_found", small, "buyer", "open-objection", nobody)


def test_cases__rebuilt__come_back_byte_for_byte(small: SmallMarket) -> None:
    with small.market.read() as connection:
        before = projection_digest(connection)
    rebuild(small.market.engine)
    with small.market.read() as connection:
        assert projection_digest(connection) == before
    figures = objection_statistics(small.market)
    assert figures["total"] == sum(row["count"] for row in figures["by_ground"])
    assert figures["total"] == 5
    assert {row["outcome"] for row in figures["by_outcome"]} >= {"reopen", "dismiss", "refund"}
    json.dumps(figures)


def test_http__cases__are_public_and_their_papers_the_parties(small: SmallMarket) -> None:
    ended = work_list(small.market, is_live=False)
    case = next(row for row in ended if row["ground"] == "masking")
    key = issue_api_key(small.market, small.members["buyer"].account)
    other = issue_api_key(small.market, small.members["transport"].account)
    with TestClient(create_app(small.market), raise_server_exceptions=False) as client:
        path = f"/v1/objections/{case['objection_id']}"
        answer = client.get(path)
        assert (answer.status_code, answer.json()["state"]) == (200, "closed")
        assert answer.headers["cache-control"] == "no-store"
        assert client.get("/v1/objections", params={"overdue": True}).json()["items"] == []
        assert client.get("/v1/objections", params={"ended": True}).json()["total"] == 5
        assert client.get("/v1/objections/statistics").json()["total"] == 5
        assert client.get(f"{path}/papers").status_code == 401
        assert client.get(f"{path}/papers", headers={"X-Api-Key": other}).status_code == 403
        papers = client.get(f"{path}/papers", headers={"X-Api-Key": key}).json()["items"]
        assert papers[0]["type"] == "objection_statement"
        chinese = client.get(f"/objections/{case['objection_id']}")
        english = client.get(f"/objections/{case['objection_id']}?lang=en")
        assert "脱敏不足" in chinese.text
        assert "时间线" in chinese.text
        assert "Timeline" in english.text
        assert '<svg class="clock' in english.text
        assert client.get(f"/v1/objections/{UUID(int=5)}").status_code == 404


def test_papers__of_a_case__are_the_texts_that_stay_off_chain(small: SmallMarket) -> None:
    rows = work_list(small.market, is_live=False)
    case = next(row for row in rows if row["ground"] == "masking")
    papers = objection_papers(small.market, UUID(case["objection_id"]))
    assert [paper["type"] for paper in papers][:2] == ["objection_statement", "objection_fact"]
    assert "样本中可识别个人" in json.dumps(papers, ensure_ascii=False)
