"""The months before the year: organisations join, data are registered, products are listed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
from ledger.app.organisations import open_region
from ledger.app.payees import set_payee
from ledger.app.requests import parse_part
from ledger.app.signing import address_of
from ledger.cli.demo.year.naming import SUBJECTS
from ledger.cli.demo.year.stage import Request, YearStage
from ledger.cli.demo.year.world import BANDS, CAPS, SCHEMES, Deal, Good, Holding, Member, SchemePlan
from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS, THEMES
from ledger.domain.standard_terms import DISCLAIMERS
from ledger.domain.units import yuan_text

RATES: dict[str, int] = {
    "bond_ppm": 17_500,
    "spread_ppm": 60_000,
    "surcharge_ppm": 7_200,
    "vat_ppm": 60_000,
    "hold_days": 5,
}
TAX_PPM = 7_200
METERS_LOG = 2
BYTES_A_ROW = 184
_AT_ONCE = 16
"""Files that are made durable at the same time."""
_STEPS = (("accepted", 2), ("reviewed", 12), ("public_notice", 14), ("coded", 30))
"""Registration steps and the days of October and November on which they are taken."""


def organisations_join(stage: YearStage) -> None:
    """Institutions first, then those whom their authorities admit; a role each, an account each."""
    open_region(stage.market)
    members = stage.world.members
    institutions = [member for member in members if member.admitted_by == "governance"]
    for group in (institutions, [member for member in members if member not in institutions]):
        stage.run(_admission(stage, member) for member in group)
        stage.run(grant for member in group for grant in _grants(stage, member))
    paid = [member for member in members if member.roles != ("buyer",)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda member: set_payee(stage.market, _payee(stage, member)), paid))
    stage.say(f"{len(members)} invented organisations joined 机构入驻")


def data_registered(stage: YearStage) -> None:
    """Evidence on chain, then the registrars' steps, each on its day."""
    holdings = stage.world.holdings
    stage.run(
        (holding.provider.key, "register-dataset", _registration(stage, holding))
        for holding in holdings
    )
    _advance(stage, "applied", lambda holding: holding.provider.key)
    for number, (step, day) in enumerate(_STEPS):
        stage.at(-2 + number // 2, day)
        _advance(stage, step, lambda holding: holding.provider.admitted_by)
        stage.say(f"{len(holdings)} datasets 数据资源 {step}")
    stage.run(
        (
            holding.provider.admitted_by,
            "inspect-dataset",
            {
                "dataset_id": str(stage.id(holding.key)),
                "scores": _scores(holding),
                "report": "虚构检查报告",
            },
        )
        for holding in holdings
    )
    stage.say(f"{len(holdings)} datasets inspected 质量检查")


def products_listed(stage: YearStage) -> None:
    """Products, ceilings and tariffs."""
    stage.at(0, 5)
    goods = stage.world.goods
    stage.run((good.scheme.operator, "list-product", _product(stage, good)) for good in goods)
    caps = {"caps": list(CAPS), "reason": "虚构成本监审结论"}
    stage.run(
        (_authority(good.scheme), "approve-caps", {"product_id": str(stage.id(good.key))} | caps)
        for good in goods
    )
    tariff = {"basis": "service_calls", "bands": list(BANDS)}
    stage.run(
        (good.scheme.operator, "publish-tariff", {"product_id": str(stage.id(good.key))} | tariff)
        for good in goods
    )
    stage.say(f"{len(goods)} products 数据产品 listed, ceilings approved, tariffs published")


def licences_granted(stage: YearStage) -> None:
    """Agreements that both sides sign, a licence each; two logs of use."""
    for _ in range(METERS_LOG):
        stage.run([("platform", "open-log", {})])
    stage.log_no = METERS_LOG
    deals = stage.world.deals
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        bodies = list(pool.map(lambda deal: _agreement(stage, deal), deals))
    stage.run(
        (deal.buyer.key, "grant-licence", body) for deal, body in zip(deals, bodies, strict=True)
    )
    for deal, body in zip(deals, bodies, strict=True):
        number = licence_no_of(stage.market, UUID(body["agreement"]["agreement_id"]))
        stage.licences[number] = deal
    stage.say(f"{len(deals)} licences 使用许可 on agreements that both sides signed")


def schemes_approved(
    stage: YearStage, year: int, plans: tuple[SchemePlan, ...] = SCHEMES, **more: str
) -> None:
    """Approve the schemes of a year; costs follow from the income that quotes let expect."""
    bodies = {plan: _scheme(stage, plan, year) | more for plan in plans}
    stage.run((_authority(plan), "approve-scheme", body) for plan, body in bodies.items())
    for plan, body in bodies.items():
        total = sum(cost["cost_fen"] for cost in body["costs"])
        kind = "trial 试行" if plan.is_trial else "regular 正式"
        claimants = len(body["costs"])
        stage.say(
            f"scheme 定价方案 {plan.key} {year}, {kind}: approved cost {yuan_text(total)} yuan "
            f"of {claimants} claimants"
        )


def _authority(plan: SchemePlan) -> str:
    return f"authority-{plan.city_code}"


def _admission(stage: YearStage, member: Member) -> Request:
    body = {
        "organisation_id": str(stage.id(member.key)),
        "kind": member.kind,
        "city_code": member.city_code,
        "name_zh": member.name[0],
        "name_en": member.name[1],
        "uscc": member.uscc,
        "signer": address_of(stage.key(member.key)),
        "is_invented": True,
    }
    return member.admitted_by, "admit-organisation", body | _level(member)


def _level(member: Member) -> dict[str, str]:
    return {"level": member.level} if member.level else {}


def _grants(stage: YearStage, member: Member) -> list[Request]:
    own = {"organisation_id": str(stage.id(member.key)), "city_code": member.city_code}
    return [(member.admitted_by, "grant-role", own | {"role": role}) for role in member.roles]


def _payee(stage: YearStage, member: Member) -> dict[str, Any]:
    return {
        "organisation_id": str(stage.id(member.key)),
        "account_name": member.name[0],
        "account_no": f"62000000{member.number:08d}",
        "bank_name": "虚构银行",
        "cnaps_code": f"{member.number:012d}",
    } | ({"item_code": "103070699"} if member.kind == "treasury" else {})


def _registration(stage: YearStage, holding: Holding) -> dict[str, Any]:
    digests = {
        name: "0x" + hashlib.sha256(f"{holding.key} {name} {stage.year}".encode()).hexdigest()
        for name in ("sha256_digest", "sm3_digest", "schema_digest")
    }
    size = {"row_count": holding.rows, "byte_size": holding.rows * BYTES_A_ROW}
    return {
        "dataset_id": str(stage.id(holding.key)),
        "metadata": _record(holding),
        "version": digests | size,
    }


def _record(holding: Holding) -> dict[str, Any]:
    provider, theme = holding.provider, holding.theme
    title_zh, title_en = holding.title
    *_, frequency, open_class = SUBJECTS[holding.subject]
    open_class = open_class if holding.is_sellable else "not_open"
    return {
        "resource_code": f"{provider.city_code}-{theme}-{holding.key.rpartition('-')[2]}",
        "title_zh": title_zh,
        "title_en": title_en,
        "summary_zh": "虚构的示例数据,没有对应的文件",
        "summary_en": "Invented example; there is no such file",
        "keywords": [*THEMES[theme], "虚构"],
        "domain": theme,
        "provider_name": provider.name[0],
        "provider_uscc": provider.uscc,
        "provider_kind": provider.kind,
        "city_code": provider.city_code,
        "rights_basis": {"holding": True, "processing": True, "operation": False}
        | {"authorisation": "虚构授权书"},
        "source_statement": "虚构来源,用于演示",
        "shared_in": False,
        "open_class": open_class,
        "sensitivity": "general",
        "contains_pi": False,
        "delivery_modes": ["interface"],
        "format": "CSV",
        "media_type": "text/csv",
        "fields": [{"name": "day", "type": "integer"}],
        "update_frequency": frequency,
        "quality_scores": _scores(holding),
        "contact_role": "数据管理岗",
        "contact_phone": "025-00000000",
        "is_invented": True,
    } | ({"open_conditions": "签订使用协议后按用途使用"} if open_class == "conditional" else {})


def _scores(holding: Holding) -> dict[str, int]:
    return dict(zip(QUALITY_DIMENSIONS, holding.scores, strict=True))


def _advance(stage: YearStage, to: str, who: Callable[[Holding], str]) -> None:
    stage.run(
        (
            who(holding),
            "advance-registration",
            {"dataset_id": str(stage.id(holding.key)), "to": to, "reason": "虚构材料齐全"},
        )
        for holding in stage.world.holdings
    )


def _product(stage: YearStage, good: Good) -> dict[str, Any]:
    return {
        "product_id": str(stage.id(good.key)),
        "city_code": good.scheme.city_code,
        "modes": ["interface"],
        "title_zh": good.title[0],
        "title_en": good.title[1],
        "summary_zh": "由" + "、".join(source.title[0] for source in good.sources) + "形成",
        "summary_en": "Made of " + "; ".join(source.title[1] for source in good.sources),
        "is_invented": True,
        "lineage": [
            {
                "claimant_id": str(stage.id(key)),
                "kind": "dataset" if key.startswith("dataset-") else "organisation",
                "weight_ppm": weight,
            }
            for key, weight in good.weights_ppm.items()
        ],
    }


def _agreement(stage: YearStage, deal: Deal) -> dict[str, Any]:
    draft = draft_agreement(
        stage.market,
        parse_part(
            AgreementDraft,
            {
                "product_id": str(stage.id(deal.good.key)),
                "buyer_id": str(stage.id(deal.buyer.key)),
                "purpose": deal.purpose,
                "modes": ["interface"],
                "valid_from": stage.moment(1, 1, 0),
                "valid_until": stage.moment(13, 1, 0),
                "quota_units": 10**12,
                "disclaimers_ticked": [item.key for item in DISCLAIMERS],
            },
        ),
    )
    sides = {"operator": deal.good.scheme.operator, "buyer": deal.buyer.key}
    return {"agreement": draft["agreement"]} | {
        side: sign_agreement(stage.market, stage.key(name), draft) for side, name in sides.items()
    }


def _scheme(stage: YearStage, plan: SchemePlan, year: int) -> dict[str, Any]:
    """Return a scheme whose cost is the plan's part of the expected income, shared by weights."""
    costs: dict[str, int] = {}
    for deal in stage.world.deals:
        if deal.good.scheme == plan and deal.purpose == "industry":
            expected = _expected_fen(stage, deal) * plan.cost_ppm // 1_000_000
            for key, weight in deal.good.weights_ppm.items():
                costs[key] = costs.get(key, 0) + expected * weight // 1_000_000
    body: dict[str, Any] = RATES | {
        "scheme_id": str(stage.scheme_id(plan, year)),
        "operator_id": str(stage.id(plan.operator)),
        "platform_id": str(stage.id("platform")),
        "city_code": plan.city_code,
        "year": year,
        "tax_fen": sum(costs.values()) * TAX_PPM // plan.cost_ppm,
        "is_trial": plan.is_trial,
        "reason": "虚构成本监审结论",
        "costs": [
            {"claimant_id": str(stage.id(key)), "cost_fen": cost} for key, cost in costs.items()
        ],
    }
    return body


def _expected_fen(stage: YearStage, deal: Deal) -> int:
    """Return what a licence will pay in the year without VAT, as its quote says."""
    request = {
        "product_id": str(stage.id(deal.good.key)),
        "purpose": deal.purpose,
        "units": sum(deal.monthly_calls),
    }
    offer = quote(stage.market, parse_part(QuoteRequest, request))
    return int(offer["charge_fen"]) * 1_000_000 // (1_000_000 + RATES["vat_ppm"])
