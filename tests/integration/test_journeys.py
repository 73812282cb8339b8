"""Each journey of the market's parties, from the shell and over HTTP, refusals included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.main import create_app
from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS
from ledger.domain.ids import new_id
from tests.integration import journey_money as money
from tests.integration.journeys import (
    Http,
    Shell,
    admission,
    coded,
    licensed,
    listing,
    particulars,
    registration,
)
from tests.integration.market_fixture import (
    NANJING,
    SmallMarket,
    open_shell,
    opened_market,
)

pytestmark = pytest.mark.integration
Walk = Shell | Http
ROWS = 1_200
YEARS_BACK = {"shell": 1, "http": 2}
CAP_MICRO_YUAN = 2_000_000
DAY = 24 * 3600


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("journeys")) as market:
        market.run("platform", "open-log", {})
        yield market


@pytest.fixture(scope="module")
def client(small: SmallMarket) -> Iterator[TestClient]:
    with TestClient(create_app(small.market), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(params=["shell", "http"])
def way(
    request: pytest.FixtureRequest,
    small: SmallMarket,
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
) -> Walk:
    if request.param == "http":
        return Http(small, client)
    open_shell(small, monkeypatch)
    return Shell(small)


def test_provider__registers__from_admission_to_a_new_version(
    way: Walk, small: SmallMarket
) -> None:
    name = f"provider-{way.name}"
    body = admission(small, name, 200 + len(way.name), "administrative")
    assert "domain.malformed_value" in way.refused(
        "nanjing", "admit-organisation", body | {"uscc": "1"}
    )
    nowhere = body | {"level": "galactic"}
    assert "domain.unknown_code" in way.refused("nanjing", "admit-organisation", nowhere)
    way.act("nanjing", "admit-organisation", body)
    own = {"organisation_id": small.id_of(name), "role": "provider", "city_code": NANJING}
    way.act("nanjing", "grant-role", own)
    evidence = registration(small, name)
    dataset_id = way.act(name, "register-dataset", evidence)["dataset_id"]
    again = evidence | {"dataset_id": str(new_id())}
    assert way.refused(name, "register-dataset", again) == {"dataset_registry.content_exists"}
    key = {"dataset_id": dataset_id, "reason": "材料齐全"}
    classes = {"open_class": "conditional", "sensitivity": "general"}
    assert way.refused(name, "classify-dataset", key | classes) == {"directory.role_missing"}
    way.act("nanjing", "classify-dataset", key | classes)
    way.act(name, "advance-registration", key | {"to": "applied"})
    other_city = way.refused("chuzhou", "advance-registration", key | {"to": "accepted"})
    assert other_city == {"dataset_registry.other_city"}
    for step in ("accepted", "reviewed", "public_notice", "coded"):
        way.act("nanjing", "advance-registration", key | {"to": step})
    version = registration(small, f"{name}-2")["version"]
    way.act(name, "add-version", {"dataset_id": dataset_id, "version": version})
    scores = {"scores": dict.fromkeys(QUALITY_DIMENSIONS, 85), "report": "抽检"}
    way.act("nanjing", "inspect-dataset", {"dataset_id": dataset_id} | scores)
    found = way.read(name, "entry", dataset_id)
    assert (found["state"], found["latest_version_no"], found["grade"]) == ("coded", 2, "B")
    extent = way.read(name, "extent")
    assert {"city"} == {row["level"] for row in extent["levels"]}
    assert (
        extent["level_not_stated_count"] == extent["provider_count"] - extent["level_stated_count"]
    )


def test_provider__is_paid__from_use_to_the_treasurys_receipt(
    way: Walk, small: SmallMarket
) -> None:
    weather = str(small.datasets["weather"])
    licence_no = licensed(way, small, str(small.product_id))
    money.used(way, small, licence_no, ROWS)
    money.anchored(way)
    bill = money.billed(way, small, licence_no)
    invoice = {"invoice_id": bill["invoice_id"]}
    assert way.refused("operator", "split-income", invoice) == {"revenue_ledger.wrong_state"}
    money.paid(way, small, bill)
    way.act("buyer", "accept-invoice", invoice)
    money.split(way, small, bill["invoice_id"])
    owed = way.read("weather", "account", small.id_of("weather"))
    too_much = {
        "payee_id": small.id_of("nanjing-treasury"),
        "lines": [
            {
                "scheme_id": str(small.scheme_id),
                "claimant_id": weather,
                "amount_fen": owed["payable_fen"] + 1,
            }
        ],
    }
    refused = way.refused("operator", "open-remittance", too_much)
    assert refused == {"revenue_ledger.remittance_too_large"}
    batch = money.remitted(way, small, "nanjing-treasury", weather)
    receipt = {"batch_id": batch["batch_id"], "receipt": f"回单 {batch['batch_id']}"}
    way.act("operator", "close-remittance", receipt)
    settled = way.read("weather", "account", small.id_of("weather"))
    assert settled["remitted_fen"] == owed["remitted_fen"] + owed["payable_fen"] > 0
    line = settled["entries"][-1]["line"]
    assert way.read("weather", "explanation", line)["steps"]


def test_buyer__from_catalogue__to_an_accepted_bill_in_six_steps(
    way: Walk, small: SmallMarket
) -> None:
    product_id = str(small.product_id)
    assert way.read("buyer", "catalogue", "weather")["total"] > 0
    unticked = way.draft(particulars(small, product_id, disclaimers_ticked=[]))
    findings = {item["code"] for item in unticked["error"]["findings"]}
    assert findings == {"terms.disclaimer_not_ticked"}
    way.read("buyer", "entry", small.datasets["weather"])
    way.steps = 0
    assert way.quote(product_id, ROWS)["charge_fen"] > 0
    draft = way.draft(particulars(small, product_id))
    operator, buyer = way.sign("operator", draft), way.sign("buyer", draft)
    licence_no = way.grant(draft, operator, buyer)
    assert way.steps <= 6
    assert way.read("buyer", "licence", licence_no)["quota_units"] == 2_000
    money.used(way, small, licence_no, ROWS)
    _refused_use(way, small, licence_no)
    money.anchored(way)
    bill = money.billed(way, small, licence_no)
    money.paid(way, small, bill)
    invoice = {"invoice_id": bill["invoice_id"]}
    assert way.refused("operator", "accept-invoice", invoice) == {"revenue_ledger.not_buyer"}
    way.act("buyer", "accept-invoice", invoice)
    assert way.read("buyer", "invoice", bill["invoice_id"])
    rows = way.read("buyer", "usage")
    own = [row for row in rows.get("rows", rows.get("items")) if row["licence_no"] == licence_no]
    assert sum(int(row["units"]) for row in own) == ROWS
    money.split(way, small, bill["invoice_id"])


def _refused_use(way: Walk, small: SmallMarket, licence_no: int) -> None:
    """Use outside mode and quota: the gateway refuses, the import leaves the row out."""
    if isinstance(way, Http):
        mode = money.gateway(way, small, licence_no, "limit=1&mode=download")
        assert (mode.status_code, mode.json()["code"]) == (403, "use.mode_not_granted")
        return
    rows = [money.meter_row(small, licence_no, 1, mode=1)]
    rows.append(money.meter_row(small, licence_no, 5_000))
    report = money.imported(way, small, rows)
    assert (report["taken"], report["refused"]) == (0, 2)


def test_buyer__on_conditions_and_in_a_sandbox__by_decision_only(
    way: Walk, small: SmallMarket
) -> None:
    name = f"conditional-{way.name}"
    dataset_id = coded(way, "weather", name, small, delivery_modes=["sandbox", "interface"])
    product = listing(dataset_id, "sandbox")
    product_id = way.act("operator", "list-product", product)["product_id"]
    condition = {"dataset_id": dataset_id, "is_required": True, "reason": "敏感"}
    way.act("weather", "require-application", condition)
    assert way.read("buyer", "tier", NANJING, "sandbox")["tier"]
    wanted = {"modes": ["sandbox"], "purpose": "public_welfare"}
    draft = way.draft(particulars(small, product_id, **wanted))
    signed = {"operator": way.sign("operator", draft), "buyer": way.sign("buyer", draft)}
    grant = {"agreement": draft["agreement"]} | signed
    assert way.refused("buyer", "grant-licence", grant) == {"applications.not_approved"}
    form = {
        "dataset_id": dataset_id,
        "purpose_statement": "公益研究",
        "scenario": "模型验证",
        "security_commitment": "不留存、不转让",
    }
    application = way.act("buyer", "apply-for-use", form | wanted)
    decision = application | {"is_approved": True, "reason": "用途明确"}
    decision["valid_until"] = draft["agreement"]["valid_until"]
    assert way.refused("transport", "decide-application", decision) <= {
        "applications.not_provider",
        "dealing.not_a_party",
    }
    way.act("weather", "decide-application", decision)
    licence_no = way.grant(draft, signed["operator"], signed["buyer"])
    granted = way.read("buyer", "licence", licence_no)
    assert granted["state"] in ("active", 1)
    outside = particulars(small, product_id, modes=["download"], purpose="public_welfare")
    refused = way.draft(outside)
    assert "error" in refused or way.refused(
        "buyer",
        "grant-licence",
        {"agreement": refused["agreement"]}
        | {side: way.sign(side, refused) for side in ("operator", "buyer")},
    )


def test_operator__from_listing__to_annual_accounts(way: Walk, small: SmallMarket) -> None:
    dataset_id = coded(way, "weather", f"sold-{way.name}", small)
    product = {
        "product_id": way.act("operator", "list-product", listing(dataset_id, "interface"))[
            "product_id"
        ]
    }
    caps = {
        "caps": [{"up_to_units": None, "price_micro_yuan": CAP_MICRO_YUAN}],
        "reason": "成本监审",
    }
    missing = way.refused("operator", "approve-caps", product | caps)
    assert missing == {"directory.role_missing"}
    way.act("nanjing", "approve-caps", product | caps)
    dear = [{"up_to_units": None, "price_micro_yuan": CAP_MICRO_YUAN + 1}]
    tariff = {"basis": "data_records", "bands": dear}
    above = way.refused("operator", "publish-tariff", product | tariff)
    assert above == {"revenue.price_above_cap"}
    tariff["bands"] = [dear[0] | {"price_micro_yuan": CAP_MICRO_YUAN}]
    way.act("operator", "publish-tariff", product | tariff)
    assert way.quote(product["product_id"], 3)["charge_fen"] == 600
    scheme = _past_scheme(way, small, dataset_id)
    way.act("nanjing", "approve-scheme", scheme)
    key = {"scheme_id": scheme["scheme_id"]}
    early = {"scheme_id": str(small.scheme_id), "accounts": "账目"}
    assert way.refused("operator", "close-year", early) == {"revenue_ledger.year_not_over"}
    way.act("operator", "close-year", key | {"accounts": "年度账目"})
    waiting = way.read("operator", "deviations", NANJING)
    assert scheme["scheme_id"] in {row["scheme_id"] for row in waiting}
    way.act("nanjing", "answer-deviation", key | {"response": "调整收费"})
    answered = way.read("operator", "deviations", NANJING)
    assert scheme["scheme_id"] not in {row["scheme_id"] for row in answered}


def _past_scheme(way: Walk, small: SmallMarket, dataset_id: str) -> dict[str, Any]:
    this_year = small.market.now_seconds() // (365 * DAY + DAY // 4) + 1970
    return {
        "scheme_id": str(new_id()),
        "operator_id": small.id_of("operator"),
        "city_code": NANJING,
        "year": this_year - YEARS_BACK[way.name],
        "bond_ppm": 17_500,
        "spread_ppm": 60_000,
        "surcharge_ppm": 7_200,
        "vat_ppm": 60_000,
        "tax_fen": 0,
        "hold_days": 5,
        "reason": "成本监审",
        "costs": [{"claimant_id": dataset_id, "cost_fen": 1_000_000}],
    }


def test_objection__from_filing__to_its_end(way: Walk, small: SmallMarket) -> None:
    dataset_id = coded(way, "weather", f"disputed-{way.name}", small)
    product_id = way.act("operator", "list-product", listing(dataset_id, "interface"))["product_id"]
    claim = {
        "subject_kind": "dataset",
        "subject": dataset_id,
        "ground": "format",
        "fact": f"列名与目录不符 {way.name}",
        "statement": "说明",
        "evidence": [{"kind": "sample", "text": "样本"}],
    }
    assert way.read("buyer", "entry", product_id)["kind"] == "product"
    case = {"objection_id": way.act("buyer", "open-objection", claim)["objection_id"]}
    again = claim | {"statement": "再次"}
    assert way.refused("buyer", "open-objection", again) == {"objection_desk.fact_exists"}
    accept = case | {"to": "accepted", "text": "予以受理"}
    assert way.refused("weather", "advance-objection", accept)
    way.act("nanjing", "advance-objection", accept)
    way.act("nanjing", "suspend-objected", case | {"reason": "核实期间"})
    way.act("weather", "advance-objection", case | {"to": "responded", "text": "答复"})
    way.act("nanjing", "advance-objection", case | {"to": "verified", "text": "查明"})
    share = [{"organisation_id": small.id_of("weather"), "share_ppm": 1_000_000}]
    decision = {"outcome": "reopen", "shares": share, "reason": "更正后恢复"}
    by_party = way.refused("weather", "decide-objection", case | decision)
    assert by_party == {"directory.role_missing"}
    way.act("nanjing", "decide-objection", case | decision)
    limit = small.market.now_seconds() + 90 * DAY
    notice = {"route": "review", "limit_at": limit, "text": "可申请复议"}
    way.act("nanjing", "notice-relief", case | notice)
    treatment = {"reference": "0x" + "22" * 32}
    way.act("nanjing", "execute-objection", case | treatment)
    way.act("nanjing", "advance-objection", case | {"to": "closed", "text": "结案"})
    found = way.read("buyer", "objection", case["objection_id"])
    assert (found["state"], found["outcome"]) == ("closed", "reopen")


def test_regulator__history_and_export__verified(way: Walk, small: SmallMarket) -> None:
    acted = way.read("regulator", "actions", small.id_of("nanjing"))
    assert acted if isinstance(acted, list) else acted["total"] > 0
    assert way.verified()["ok"]
    statement = way.read("regulator", "statement")
    assert way.verified(statement)["ok"]
    statement["totals"]["gross_fen"] += 1
    altered = way.verified(statement)
    assert not altered["ok"]
    assert "gross_fen" in str(altered["findings"])
    assert way.read("regulator", "duties")
    way.read("regulator", "overdue")
    if isinstance(way, Http):
        other = way.get("labour", f"/v1/licences/{small.licence_no}")
        assert (other.status_code, other.json()["code"]) == (403, "api.not_a_party")


def test_platform__accredits_and_anchors__reconciles(way: Walk, small: SmallMarket) -> None:
    body = admission(small, f"company-{way.name}", 300 + len(way.name), "enterprise")
    assert way.refused("platform", "admit-organisation", body) == {"directory.may_not_admit"}
    way.act("nanjing", "admit-organisation", body)
    licence_no = licensed(way, small, str(small.product_id))
    money.used(way, small, licence_no, 10)
    money.anchored(way)
    false_anchor = {
        "log_no": money.log_of(way),
        "size": 2**40,
        "root": "0x" + "11" * 32,
        "time_ms": (small.market.now_seconds() + 2) * 1000,
        "consistency_proof": [],
    }
    assert way.refused("platform", "anchor-log", false_anchor) == {"usage_log.inconsistent"}
    assert way.refused("operator", "anchor-log", false_anchor) == {"usage_log.not_keeper"}
    found = way.read("platform", "reconciliation")
    assert found["ok"]
