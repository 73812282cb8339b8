"""Registration with the law's clocks on a real chain: steps, refusals, opening, duties, quality."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from ledger.app.agreements import AgreementDraft, draft_agreement
from ledger.app.calendars import calendar_found, working_days
from ledger.app.commands import run
from ledger.app.duties import duties_found, duty_lists_found
from ledger.app.files import describe_file
from ledger.app.lookup import dataset_found
from ledger.app.opening import policies_found, policy_found, proposal, tier_found
from ledger.app.registration import registration_due
from ledger.app.verifying import verify_market
from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS
from ledger.domain.errors import LedgerError
from ledger.domain.ids import digest_text, new_id
from ledger.domain.opening import REGION_RULES
from ledger.domain.registration import validity_end
from ledger.projection.projector import projection_digest, rebuild
from tests.integration.market_fixture import (
    CHUZHOU,
    NANJING,
    TICKS,
    SmallMarket,
    opened_market,
    record_of,
    register,
    table_file,
    uscc_of,
)

pytestmark = pytest.mark.integration
DAY = 24 * 3600


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("statutory"), statutory=True) as small:
        yield small


def refused(act: Callable[[], Any]) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        act()
    return caught.value


def wait_until(small: SmallMarket, unix_seconds: int) -> None:
    """Move the chain's clock to just after an instant."""
    node = small.market.node
    assert node is not None
    ahead = unix_seconds + 1 - small.market.chain.head().time
    node.call("evm_increaseTime", ahead)
    node.call("evm_mine")
    small.market.indexer.catch_up()


def step(small: SmallMarket, who: str, name: str, to: str) -> Any:
    body = {"dataset_id": str(small.datasets[name]), "to": to, "reason": "材料齐全"}
    return small.run(who, "advance-registration", body)


def task_of(small: SmallMarket, name: str) -> dict[str, Any]:
    tasks = registration_due(small.market)["tasks"]
    return next(task for task in tasks if task["dataset_id"] == str(small.datasets[name]))


def state_of(small: SmallMarket, name: str) -> str:
    return str(dataset_found(small.market, small.datasets[name])["state"])


def test_registration__with_the_laws_clocks__from_evidence_to_renewal(small: SmallMarket) -> None:
    market = small.market
    assert calendar_found(market)["is_trial"] is False
    register(small, "weather", "administrative")
    assert task_of(small, "weather")["task"] == "apply"
    step(small, "weather", "weather", "applied")
    applied = market.chain.head().time
    task = task_of(small, "weather")
    assert (task["task"], task["urgency"], task["responsible"]) == ("accept", "due", "registrar")
    assert task["due_at"] == working_days(market).end_after(applied, 3)
    assert task["due_at"] == market.contracts.directory.working_days_after(
        applied, 3, block="latest"
    )
    wait_until(small, task["due_at"])
    assert task_of(small, "weather")["urgency"] == "overdue"
    wait_until(small, task["due_at"] + 7 * DAY)
    late = task_of(small, "weather")
    assert (late["urgency"], late["escalated_to"]) == ("escalated", "governance")
    error = refused(lambda: step(small, "chuzhou", "weather", "accepted"))
    assert (error.code, error.got, error.expected) == (
        "dataset_registry.other_city",
        CHUZHOU,
        NANJING,
    )
    for to in ("accepted", "reviewed", "public_notice"):
        step(small, "nanjing", "weather", to)
    error = refused(lambda: step(small, "nanjing", "weather", "coded"))
    assert error.code == "dataset_registry.notice_running"
    objection = small.run(
        "buyer",
        "object-to-notice",
        {
            "dataset_id": str(small.datasets["weather"]),
            "real_name": "虚构张三",
            "statement": "来源不明",
            "evidence": "截图",
        },
    ).result["objection_id"]
    wait_until(small, task_of(small, "weather")["due_at"])
    error = refused(lambda: step(small, "nanjing", "weather", "coded"))
    assert error.code == "dataset_registry.objection_open"
    decision = {"objection_id": objection, "is_upheld": False, "reason": "经核实不成立"}
    assert (
        refused(lambda: small.run("chuzhou", "decide-notice-objection", decision)).code
        == "dataset_registry.other_city"
    )
    small.run("nanjing", "decide-notice-objection", decision)
    coded = step(small, "nanjing", "weather", "coded").result
    found = dataset_found(market, small.datasets["weather"])
    assert (found["state"], found["registration_code"]) == ("coded", coded["registration_code"])
    assert found["valid_until"] == validity_end(market.chain.head().time)
    assert [row["state"] for row in found["objections"]] == [3]


def test_renewal__inside_its_window_only__and_expiry_by_date(small: SmallMarket) -> None:
    body = {"dataset_id": str(small.datasets["weather"]), "kind": "renewal", "reason": "续展"}
    error = refused(lambda: small.run("weather", "apply-registration", body))
    assert error.code == "dataset_registry.outside_renewal_window"
    until = dataset_found(small.market, small.datasets["weather"])["valid_until"]
    wait_until(small, until - 60 * DAY)
    assert task_of(small, "weather")["task"] == "renew"
    small.run("weather", "apply-registration", body)
    for to in ("accepted", "reviewed", "coded"):
        step(small, "nanjing", "weather", to)
    again = dataset_found(small.market, small.datasets["weather"])["valid_until"]
    assert again == validity_end(until)


def test_change__record_anew__after_notice_only(small: SmallMarket) -> None:
    dataset_id = small.datasets["weather"]
    record = record_of("变更后", "administrative", uscc_of(50), NANJING)
    body = {"dataset_id": str(dataset_id), "kind": "change", "reason": "变更", "metadata": record}
    other = body | {"metadata": record | {"update_frequency": "yearly"}}
    error = refused(lambda: small.run("weather", "apply-registration", other))
    assert (error.code, error.field) == ("registration.fixed_field", "update_frequency")
    small.run("weather", "apply-registration", body)
    for to in ("accepted", "reviewed", "public_notice"):
        step(small, "nanjing", "weather", to)
    assert state_of(small, "weather") == "coded"
    assert dataset_found(small.market, dataset_id)["title_zh"] != record["title_zh"]
    wait_until(small, task_of(small, "weather")["not_before"])
    step(small, "nanjing", "weather", "coded")
    assert dataset_found(small.market, dataset_id)["title_zh"] == record["title_zh"]


def test_return__with_reasons__evidenced_again_and_upheld_objection_ends(
    small: SmallMarket,
) -> None:
    register(small, "transport", "public_utility")
    step(small, "transport", "transport", "applied")
    step(small, "nanjing", "transport", "evidenced")
    assert state_of(small, "transport") == "evidenced"
    step(small, "transport", "transport", "applied")
    for to in ("accepted", "reviewed", "public_notice"):
        step(small, "nanjing", "transport", to)
    about = {"dataset_id": str(small.datasets["transport"])}
    said = {"real_name": "虚构李四", "statement": "权属争议", "evidence": "合同"}
    error = refused(lambda: small.run("transport", "object-to-notice", about | said))
    assert error.code == "dataset_registry.party_to_objection"
    objection = small.run("buyer", "object-to-notice", about | said).result["objection_id"]
    upheld = {"objection_id": objection, "is_upheld": True, "reason": "成立"}
    small.run("nanjing", "decide-notice-objection", upheld)
    assert state_of(small, "transport") == "evidenced"
    error = refused(lambda: small.run("nanjing", "decide-notice-objection", upheld))
    assert error.code == "dataset_registry.no_open_objection"


def test_masking__personal_information__needs_a_report_for_its_latest_version(
    small: SmallMarket,
) -> None:
    path = table_file(small.folder, "people", 20)
    pi = {"contains_pi": True, "masking_report": "见报告", "pi_assessment": "已评估"}
    register(small, "labour", "administrative", **pi)
    source = describe_file(small.folder / "labour.csv").sha256
    body = {
        "dataset_id": str(small.datasets["labour"]),
        "version_no": 2,
        "source_sha256_digest": digest_text(source),
        "method": "泛化",
        "tool": "虚构工具",
        "reviewer_role": "数据安全岗",
        "residual_risk": "低",
    }
    itself = body | {"version_no": 1}
    error = refused(lambda: small.run("labour", "record-masking", itself))
    assert error.code == "dataset_registry.masking_malformed"
    version = {
        "dataset_id": str(small.datasets["labour"]),
        "version": describe_file(path).as_version(),
        "parents": [digest_text(source)],
    }
    small.run("labour", "add-version", version)
    assert (
        refused(lambda: small.run("buyer", "record-masking", body)).code
        == "dataset_registry.not_provider"
    )
    small.run("labour", "record-masking", body)
    masked = dataset_found(small.market, small.datasets["labour"])["maskings"]
    assert [row["version_no"] for row in masked] == [2]


def test_policy__shown_proposed_published__tier_and_refusal(small: SmallMarket) -> None:
    market = small.market
    assert [row["is_in_force"] for row in policies_found(market)] == [True]
    case = {
        "open_class": "conditional",
        "sensitivity": "general",
        "contains_pi": False,
        "mode": "interface",
        "purpose": "industry",
    }
    before = tier_found(market, NANJING, **case)
    assert (before["tier"], before["policy_no"]) == ("conditional", 1)
    stricter = {
        "purposes": ["industry"],
        "modes": ["interface"],
        "tier": "forbidden",
        "source": "南京市决定(虚构)",
    }
    table = {
        "city_code": NANJING,
        "title": "南京",
        "effective_at": 0,
        "rules": [stricter, *REGION_RULES],
    }
    changes = proposal(market, table)["changes"]
    assert {change["to"] for change in changes} == {"forbidden"}
    opened = table | {"rules": [{"tier": "open", "source": "x"}]}
    assert refused(lambda: proposal(market, opened)).code == "domain.invalid"
    assert (
        refused(lambda: small.run("chuzhou", "publish-policy", table)).code
        == "directory.role_missing"
    )
    assert (
        refused(lambda: small.run("nanjing", "publish-policy", table | {"city_code": 0})).code
        == "dataset_registry.not_governance"
    )
    product = {
        "product_id": str(small.product_id),
        "city_code": NANJING,
        "modes": ["interface"],
        "title_zh": "示例",
        "title_en": "Sample",
        "summary_zh": "示例",
        "summary_en": "Sample",
        "lineage": [
            {
                "claimant_id": str(small.datasets["weather"]),
                "kind": "dataset",
                "weight_ppm": 1_000_000,
            }
        ],
    }
    small.run("operator", "list-product", product)
    small.run("nanjing", "publish-policy", table)
    assert tier_found(market, NANJING, **case)["tier"] == "forbidden"
    assert tier_found(market, CHUZHOU, **case)["tier"] == "conditional"
    assert policy_found(market, 2)["rules"][0]["source"] == stricter["source"]
    now = market.now_seconds()
    draft = AgreementDraft.model_validate(
        {
            "product_id": str(small.product_id),
            "buyer_id": small.id_of("buyer"),
            "purpose": "industry",
            "modes": ["interface"],
            "valid_from": now,
            "valid_until": now + DAY,
            "quota_units": 10,
            "disclaimers_ticked": TICKS,
        }
    )
    error = refused(lambda: draft_agreement(market, draft))
    assert (error.code, error.expected) == ("opening.forbidden", stricter["source"])


def test_duties__late__stale_and_anchored_once(small: SmallMarket) -> None:
    market = small.market
    duty = next(
        duty
        for duty in duties_found(market, city_code=NANJING)
        if duty["dataset_id"] == str(small.datasets["transport"])
    )
    wait_until(small, duty["due_at"])
    late = dataset_found(market, small.datasets["transport"])
    assert late["is_stale"] is True
    done = small.run("nanjing", "anchor-duties", {"city_code": NANJING}).result
    assert done["overdue"] == done["duties"] == 2
    anchored = duty_lists_found(market)
    assert [row["list_digest"] for row in anchored] == [done["list_digest"]]
    error = refused(lambda: small.run("nanjing", "anchor-duties", {"city_code": NANJING}))
    assert error.code == "dataset_registry.quarter_refused"
    error = refused(lambda: small.run("nanjing", "anchor-duties", {"city_code": CHUZHOU}))
    assert error.code == "directory.role_missing"


def test_inspection__grade_e__rectification_until_better(small: SmallMarket) -> None:
    body = {"dataset_id": str(small.datasets["weather"]), "report": "抽检"}
    scores = dict.fromkeys(QUALITY_DIMENSIONS, 90)
    done = small.run("nanjing", "inspect-dataset", body | {"scores": scores | {"accuracy": 39}})
    assert done.result["grade"] == "E"
    found = dataset_found(small.market, small.datasets["weather"])
    assert (found["grade"], found["rectifications"][0]["closed_by"]) == ("E", None)
    product = {"product_id": str(new_id()), "city_code": NANJING, "modes": ["interface"]}
    product |= dict.fromkeys(("title_zh", "title_en", "summary_zh", "summary_en"), "x")
    entry = {"claimant_id": str(small.datasets["weather"]), "kind": "dataset"}
    product |= {"lineage": [entry | {"weight_ppm": 1_000_000}]}
    error = refused(lambda: small.run("operator", "list-product", product))
    assert error.code == "dataset_registry.grade_too_low"
    small.run("nanjing", "inspect-dataset", body | {"scores": scores})
    found = dataset_found(small.market, small.datasets["weather"])
    assert (found["grade"], found["rectifications"][0]["closed_by"]) == ("A", 2)
    small.run("operator", "list-product", product)


def test_http__any_city__is_read_by_anyone(small: SmallMarket) -> None:
    with TestClient(create_app(small.market)) as client:
        assert client.get("/v1/calendar").json()["notice_working_days"] == 10
        tasks = client.get("/v1/registration/due").json()["tasks"]
        assert {task["city_code"] for task in tasks} == {NANJING, CHUZHOU}
        assert client.get("/v1/duties?limit=1").status_code == 200
        assert len(client.get("/v1/duties/lists").json()["items"]) == 1
        assert client.get("/v1/policies").json()["items"][1]["city_code"] == NANJING
        assert client.get("/v1/policies/2").json()["rules"]
        assert client.get("/v1/policies/9").status_code == 404
        case = "city_code=320100&open_class=not_open&mode=sandbox&purpose=industry"
        assert client.get(f"/v1/tier?{case}").json()["tier"] == "forbidden"
        assert client.get(f"/v1/tier?{case}x").status_code == 422
        assert client.post("/v1/policies/proposal", json={"rules": []}).status_code == 422


def test_statutory__shorter_notice__refused_by_the_chain(small: SmallMarket) -> None:
    market = small.market
    error = refused(
        lambda: market.relay.execute(
            market.governance, market.contracts.directory, "setNoticeDays", (9,)
        )
    )
    assert error.code == "directory.notice_too_short"
    far = {"year": 2031, "holidays": ["2031-01-01"], "make_up_days": []}
    run(market, market.governance, "set-working-days", far)
    error = refused(lambda: small.run("nanjing", "set-working-days", far | {"year": 2032}))
    assert error.code in ("domain.malformed_value", "chain.access_managed_unauthorized")


def test_journey__verified_and_rebuilt__the_same(small: SmallMarket, tmp_path: Path) -> None:
    assert verify_market(small.market).findings == []
    with small.market.read() as connection:
        before = projection_digest(connection)
    rebuild(small.market.engine)
    with small.market.read() as connection:
        assert projection_digest(connection) == before
