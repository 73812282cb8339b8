"""Steps that tests of derived products share, over the small market."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from ledger.app import billing, gateway, log_keeping, payments
from ledger.app.agreements import AgreementDraft, draft_agreement, licence_no_of, sign_agreement
from ledger.app.commands import run
from ledger.app.keys import issue_api_key
from ledger.chain.keys import address_of, new_account
from ledger.domain.ids import new_id
from tests.integration.market_fixture import (
    NANJING,
    TICKS,
    YEAR_SECONDS,
    Member,
    SmallMarket,
    uscc_of,
)


def join_developer(small: SmallMarket, name: str, number: int) -> None:
    """Admit an enterprise that buys and develops."""
    registrar, account = small.members["nanjing"].account, new_account()
    member = Member(new_id(), account, NANJING)
    body = {
        "organisation_id": str(member.organisation_id),
        "kind": "enterprise",
        "city_code": NANJING,
        "name_zh": f"虚构{name}",
        "name_en": f"Invented {name}",
        "uscc": uscc_of(number),
        "signer": address_of(account),
        "is_invented": True,
    }
    run(small.market, registrar, "admit-organisation", body)
    small.members[name] = member
    for role in ("buyer", "developer"):
        give_role(small, name, role)


def give_role(small: SmallMarket, name: str, role: str) -> None:
    """Grant a role in Nanjing."""
    body = {"organisation_id": small.id_of(name), "role": role, "city_code": NANJING}
    small.run("nanjing", "grant-role", body)


def license_to(
    small: SmallMarket, product_id: UUID, seller: str, buyer: str, outcome_ppm: int = 0
) -> int:
    """Agree on a licence, both sides signing, and return its number."""
    now = small.market.now_seconds()
    draft = draft_agreement(
        small.market,
        AgreementDraft(
            product_id=product_id,
            buyer_id=small.members[buyer].organisation_id,
            purpose="industry",  # type: ignore[arg-type]
            modes=["interface"],  # type: ignore[list-item]
            valid_from=now - 60,
            valid_until=now + YEAR_SECONDS,
            quota_units=30_000,
            outcome_ppm=outcome_ppm,
            disclaimers_ticked=TICKS,
        ),
    )
    signatures = {
        side: sign_agreement(small.market, small.members[name].account, draft)
        for side, name in (("operator", seller), ("buyer", buyer))
    }
    small.run(buyer, "grant-licence", {"agreement": draft["agreement"], **signatures})
    return licence_no_of(small.market, UUID(draft["agreement"]["agreement_id"]))


def derivation(small: SmallMarket, sources: list[dict[str, Any]], fee_ppm: int) -> dict[str, Any]:
    """Return the body of a listing."""
    return {
        "product_id": str(new_id()),
        "city_code": NANJING,
        "modes": ["interface"],
        "title_zh": "二次开发产品",
        "title_en": "Derived product",
        "summary_zh": "虚构",
        "summary_en": "Invented",
        "platform_id": small.id_of("platform"),
        "fee_ppm": fee_ppm,
        "sources": sources,
    }


def source(licence_no: int, ancestor_id: UUID, share_ppm: int) -> dict[str, Any]:
    """Return one parent of a derived product."""
    return {"licence_no": licence_no, "ancestor_id": str(ancestor_id), "share_ppm": share_ppm}


def derive(
    small: SmallMarket, developer: str, sources: list[dict[str, Any]], fee_ppm: int = 50_000
) -> UUID:
    """List a derived product and price it: one yuan a row."""
    body = derivation(small, sources, fee_ppm)
    small.run(developer, "derive-product", body)
    bands = [{"up_to_units": None, "price_micro_yuan": 1_000_000}]
    tariff = {"product_id": body["product_id"], "basis": "data_records", "bands": bands}
    small.run(developer, "publish-tariff", tariff)
    return UUID(body["product_id"])


def open_scheme(small: SmallMarket, developer: str) -> UUID:
    """Open the developer's scheme of this year."""
    body = {
        "scheme_id": str(new_id()),
        "city_code": NANJING,
        "year": time.gmtime(time.time() + 8 * 3600).tm_year,
        "vat_ppm": 60_000,
        "hold_days": 5,
    }
    small.run(developer, "open-market", body)
    return UUID(body["scheme_id"])


def earn(small: SmallMarket, developer: str, product_id: UUID, scheme_id: UUID, rows: int) -> UUID:
    """Sell rows of a derived product to the buyer: used, billed, paid, accepted."""
    market, account = small.market, small.members[developer].account
    licence_no = license_to(small, product_id, developer, "buyer")
    key = issue_api_key(market, small.members["buyer"].account, licence_no)
    left = rows
    while left:
        page = gateway.use(
            market,
            api_key=key,
            product_id=product_id,
            dataset_id=small.datasets["weather"],
            limit=min(500, left),
        )
        left -= page.receipt.records
    log_keeping.anchor(market, small.members["platform"].account, 1)
    invoice = billing.bill(market, account, licence_no, scheme_id)
    assert invoice is not None
    text = ",".join(payments.COLUMNS) + (
        f"\n2026-11-23,{invoice.result['reference']},{rows}.00,buyer,{product_id}\n"
    )
    report = payments.import_statement(market, account, text)
    assert [len(report.matched), report.findings] == [1, []]
    small.run("buyer", "accept-invoice", {"invoice_id": invoice.result["invoice_id"]})
    return UUID(invoice.result["invoice_id"])
