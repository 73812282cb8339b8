"""A derived product to measure on: its outcome goes to three datasets, platform and developer."""

from __future__ import annotations

import time
from uuid import UUID

from ledger.app.agreements import AgreementDraft, draft_agreement, licence_no_of, sign_agreement
from ledger.app.commands import run
from ledger.domain.ids import new_id
from ledger.domain.standard_terms import DISCLAIMERS
from scripts.bench.market import CITY, DAY_SECONDS, Bench, Sale, admit, code, registration

ANCESTORS = 3


def develop(bench: Bench) -> Sale:
    """Return the sale of a product derived from three datasets, with the scheme of its income."""
    for number, name in enumerate(("developer", "user"), start=80):
        admit(bench, name, "enterprise", number)
        for role in ("buyer", "developer"):
            grant = {"organisation_id": str(bench.ids[name]), "role": role, "city_code": CITY}
            run(bench.market, bench.keys["authority"], "grant-role", grant)
    datasets = [new_id() for _ in range(ANCESTORS)]
    for dataset_id in datasets:
        bench.run("provider", "register-dataset", registration(dataset_id))
        code(bench, dataset_id)
    parent = _list(bench, datasets)
    upstream = _license(bench, parent, "operator", "developer", 30_000)
    about = _about()
    sources = [
        {"licence_no": upstream, "ancestor_id": str(dataset_id), "share_ppm": 10_000}
        for dataset_id in datasets
    ]
    ends = {"platform_id": str(bench.ids["platform"]), "fee_ppm": 50_000}
    bench.run("developer", "derive-product", about | ends | {"sources": sources})
    product_id = UUID(about["product_id"])
    _price(bench, "developer", product_id)
    scheme_id = new_id()
    year = time.gmtime(time.time() + 8 * 3600).tm_year
    rates = {"city_code": CITY, "year": year, "vat_ppm": 60_000, "hold_days": 1}
    bench.run("developer", "open-market", {"scheme_id": str(scheme_id)} | rates)
    return Sale(product_id, scheme_id, _license(bench, product_id, "developer", "user", 0))


def _about() -> dict[str, object]:
    titles = dict.fromkeys(("title_zh", "title_en", "summary_zh", "summary_en"), "虚构 (invented)")
    return {"product_id": str(new_id()), "city_code": CITY, "modes": ["interface"]} | titles


def _list(bench: Bench, datasets: list[UUID]) -> UUID:
    about = _about()
    weights = [333_334, 333_333, 333_333]
    lineage = [
        {"claimant_id": str(key), "kind": "dataset", "weight_ppm": weight}
        for key, weight in zip(datasets, weights, strict=True)
    ]
    bench.run("operator", "list-product", about | {"lineage": lineage})
    product = {"product_id": about["product_id"]}
    bands = [{"up_to_units": None, "price_micro_yuan": 1_000_000}]
    bench.run("authority", "approve-caps", product | {"caps": bands, "reason": "示例"})
    product_id = UUID(str(about["product_id"]))
    _price(bench, "operator", product_id)
    return product_id


def _price(bench: Bench, seller: str, product_id: UUID) -> None:
    bands = [{"up_to_units": None, "price_micro_yuan": 1_000_000}]
    tariff = {"product_id": str(product_id), "basis": "data_records", "bands": bands}
    bench.run(seller, "publish-tariff", tariff)


def _license(bench: Bench, product_id: UUID, seller: str, buyer: str, outcome_ppm: int) -> int:
    now = bench.market.now_seconds()
    fields = {
        "product_id": str(product_id),
        "buyer_id": str(bench.ids[buyer]),
        "purpose": "industry",
        "modes": ["interface"],
        "valid_from": now - 60,
        "valid_until": now + 300 * DAY_SECONDS,
        "quota_units": 10**9,
        "outcome_ppm": outcome_ppm,
        "disclaimers_ticked": [item.key for item in DISCLAIMERS],
    }
    draft = draft_agreement(bench.market, AgreementDraft.model_validate(fields))
    signatures = {
        side: sign_agreement(bench.market, bench.keys[name], draft)
        for side, name in (("operator", seller), ("buyer", buyer))
    }
    bench.run(buyer, "grant-licence", {"agreement": draft["agreement"], **signatures})
    return licence_no_of(bench.market, UUID(draft["agreement"]["agreement_id"]))
