"""Steps 1 to 4: organisations join, register data, list products, grant licences."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ledger.app.agreements import (
    AgreementDraft,
    QuoteRequest,
    draft_agreement,
    licence_no_of,
    quote,
    sign_agreement,
)
from ledger.app.files import describe_file
from ledger.app.organisations import open_region
from ledger.app.requests import parse_part
from ledger.cli.demo.stage import Stage
from ledger.cli.demo.story import (
    BANDS,
    CAPS,
    CAST,
    CHUZHOU,
    COSTS_FEN,
    FIRST_ROWS,
    HOLDINGS,
    LINEAGE_PPM,
    NANJING,
    RATES,
    Holding,
    data_file,
    record_of,
    uscc_of,
)
from ledger.domain.calendar import year_of
from ledger.domain.errors import LedgerError
from ledger.domain.ids import digest_text, new_id
from ledger.domain.standard_terms import DISCLAIMERS
from ledger.domain.units import yuan_text

YEAR_SECONDS = 365 * 24 * 3600
QUOTA_ROWS = 25_000
SHORT_SECONDS = 6
_REGISTRAR = {NANJING: "nanjing-authority", CHUZHOU: "chuzhou-authority"}
_DATASETS = {"weather", "airports", "employment", "prices", "electricity"}


def organisations_join(stage: Stage) -> None:
    """Step 1: every organisation gets a key of its own and joins."""
    stage.step(1, "Organisations join 机构入驻")
    open_region(stage.market)
    stage.make_keys()
    addresses = stage.market.wallet.names()
    for number, cast in enumerate(CAST, start=1):
        organisation_id = new_id()
        stage.organisations[cast.key] = organisation_id
        body = {
            "organisation_id": str(organisation_id),
            "kind": cast.kind,
            "city_code": cast.city_code,
            "name_zh": cast.name_zh,
            "name_en": cast.name_en,
            "uscc": uscc_of(number),
            "signer": addresses[cast.key],
            "is_invented": True,
        }
        stage.run(cast.admitted_by, "admit-organisation", body)
        for role in cast.roles:
            grant = {
                "organisation_id": str(organisation_id),
                "role": role,
                "city_code": cast.city_code,
            }
            stage.run(cast.admitted_by, "grant-role", grant)
    stage.say(f"{len(CAST)} invented organisations in 2 cities, each signs with its own key")


def data_registered(stage: Stage) -> None:
    """Step 2: real files are hashed where they are; evidence goes on chain; registrars approve."""
    stage.step(2, "Providers register data 数据存证与登记")
    for number, holding in enumerate(HOLDINGS):
        _register(stage, number, holding)
    _second_version(stage)
    body = _product(
        stage, new_id(), {"electricity": 1_000_000}, "不可上架", "Not listable", NANJING
    )
    stage.say(f"不予开放 cannot be listed: {_refusal(stage, 'operator', 'list-product', body)}")


def products_listed(stage: Stage) -> None:
    """Step 3: two products, ceilings, tariffs and the year's scheme."""
    stage.step(3, "The operator lists products 产品上架, the authority approves 定价方案")
    stage.run(
        "operator",
        "list-product",
        _product(stage, stage.product_id, LINEAGE_PPM, "城市运行数据", "City operations", NANJING),
    )
    free = {"prices": 800_000, "operator": 200_000}
    body = _product(
        stage, stage.free_product_id, free, "公益价格数据", "Prices for welfare", NANJING
    )
    stage.run("operator", "list-product", body | {"is_public_interest": True})
    product = {"product_id": str(stage.product_id)}
    stage.run("nanjing-authority", "approve-caps", product | {"caps": CAPS, "reason": "成本监审"})
    tariff = product | {"basis": "data_records", "bands": BANDS}
    dear = product | {
        "basis": "data_records",
        "bands": [{"up_to_units": None, "price_micro_yuan": 8_000_001}],
    }
    stage.say(f"a price above its cap: {_refusal(stage, 'operator', 'publish-tariff', dear)}")
    stage.run("operator", "publish-tariff", tariff)
    stage.run("nanjing-authority", "approve-scheme", _scheme(stage))
    total = yuan_text(sum(COSTS_FEN.values()))
    stage.say(f"scheme: approved cost {total} yuan, invented; surcharge 7,200 ppm, VAT 6 %")
    stage.run("platform", "open-log", {})


def licence_granted(stage: Stage) -> None:
    """Step 4: a quote, an agreement that both sides sign, a licence."""
    stage.step(4, "Quote 报价, agreement 协议, licence 使用许可")
    request = {"product_id": str(stage.product_id), "purpose": "industry", "units": FIRST_ROWS}
    offer = quote(stage.market, parse_part(QuoteRequest, request))
    stage.say(f"{FIRST_ROWS:,} rows would cost {yuan_text(offer['charge_fen'])} yuan")
    stage.licence_no = _agree(stage, "buyer", stage.product_id, "industry")
    stage.short_licence_no = _agree(
        stage, "buyer", stage.product_id, "industry", valid_seconds=SHORT_SECONDS, quota_units=100
    )
    stage.free_licence_no = _agree(stage, "institute", stage.free_product_id, "public_welfare")
    stage.say(
        f"licences {stage.licence_no} (industry), {stage.free_licence_no} (public welfare, free), "
        f"{stage.short_licence_no} (quota 100, expires in {SHORT_SECONDS} seconds)"
    )


def _register(stage: Stage, number: int, holding: Holding) -> None:
    cast = next(cast for cast in CAST if cast.key == holding.provider)
    path = data_file(holding.file)
    facts = describe_file(path)
    dataset_id = new_id()
    stage.datasets[holding.key] = dataset_id
    stage.digests[holding.key] = facts.sha256
    uscc = uscc_of(1 + CAST.index(cast))
    body = {
        "dataset_id": str(dataset_id),
        "metadata": record_of(holding, cast, uscc, facts),
        "version": facts.as_version(),
    }
    stage.run(holding.provider, "register-dataset", body)
    stage.market.holdings.put(dataset_id, 1, path, facts.sha256)
    decision = {"dataset_id": str(dataset_id), "reason": "材料齐全"}
    if holding.open_class != "not_open":
        stage.run(holding.provider, "advance-registration", decision | {"to": "applied"})
        for state in ("accepted", "reviewed", "public_notice", "coded"):
            registrar = _REGISTRAR[cast.city_code]
            stage.run(registrar, "advance-registration", decision | {"to": state})
    stage.say(
        f"{holding.file:<22} {facts.row_count:>6,} rows  SHA-256 {facts.sha256.hex()[:16]}…  "
        f"{cast.name_zh} {'存证' if holding.open_class == 'not_open' else '赋码 CODED'}"
    )


def _second_version(stage: Stage) -> None:
    """Register a second version of the price data: the last rows fewer, with its parent."""
    source = data_file("stocks.csv").read_text("utf-8")
    path = stage.market.home / "provider-files" / "stocks-v2.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(source.splitlines()[:-60]) + "\n", "utf-8")
    facts = describe_file(path)
    body = {
        "dataset_id": str(stage.datasets["prices"]),
        "version": facts.as_version(),
        "parents": [digest_text(stage.digests["prices"])],
    }
    stage.run("prices", "add-version", body)
    stage.market.holdings.put(stage.datasets["prices"], 2, path, facts.sha256)
    stage.say(f"stocks.csv             version 2 with its parent, {facts.row_count:,} rows")
    again = {"dataset_id": str(stage.datasets["prices"]), "version": facts.as_version()}
    stage.say(f"the same content again: {_refusal(stage, 'prices', 'add-version', again)}")


def _product(
    stage: Stage, product_id: UUID, weights: dict[str, int], zh: str, en: str, city_code: int
) -> dict[str, Any]:
    return {
        "product_id": str(product_id),
        "city_code": city_code,
        "modes": ["interface"],
        "title_zh": f"{zh}(虚构示例)",
        "title_en": f"{en} (invented example)",
        "summary_zh": "示例产品",
        "summary_en": "Example product",
        "is_invented": True,
        "lineage": [
            {
                "claimant_id": str(stage.claimant(key)),
                "kind": "dataset" if key in _DATASETS else "organisation",
                "weight_ppm": weight,
            }
            for key, weight in weights.items()
        ],
    }


def _scheme(stage: Stage) -> dict[str, Any]:
    return RATES | {
        "scheme_id": str(stage.scheme_id),
        "operator_id": str(stage.organisations["operator"]),
        "city_code": NANJING,
        "year": year_of(stage.market.now_seconds()),
        "reason": "虚构成本监审结论",
        "costs": [
            {"claimant_id": str(stage.claimant(key)), "cost_fen": cost}
            for key, cost in COSTS_FEN.items()
        ],
    }


def _agree(
    stage: Stage,
    buyer: str,
    product_id: UUID,
    purpose: str,
    *,
    valid_seconds: int = YEAR_SECONDS,
    quota_units: int = QUOTA_ROWS,
) -> int:
    now = stage.market.now_seconds()
    stage.facts["short_until"] = min(now + valid_seconds, stage.facts.get("short_until", 2**40))
    draft = draft_agreement(
        stage.market,
        parse_part(
            AgreementDraft,
            {
                "product_id": str(product_id),
                "buyer_id": str(stage.organisations[buyer]),
                "purpose": purpose,
                "modes": ["interface"],
                "valid_from": now - 60,
                "valid_until": now + valid_seconds,
                "quota_units": quota_units,
                "disclaimers_ticked": [item.key for item in DISCLAIMERS],
            },
        ),
    )
    body = {
        "agreement": draft["agreement"],
        "operator": sign_agreement(stage.market, stage.account("operator"), draft),
        "buyer": sign_agreement(stage.market, stage.account(buyer), draft),
    }
    stage.run(buyer, "grant-licence", body)
    return licence_no_of(stage.market, UUID(draft["agreement"]["agreement_id"]))


def _refusal(stage: Stage, name: str, command: str, body: dict[str, Any]) -> str:
    try:
        stage.run(name, command, body)
    except LedgerError as error:
        stage.facts.setdefault("refusals", []).append(error.code)
        return f"refused, [yellow]{error.code}[/]"
    return "[red]accepted, which is wrong[/]"
