"""Steps that tests of licences share, over the small market."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from ledger.app import billing, gateway, log_keeping
from ledger.app.agreements import licence_no_of, sign_agreement
from ledger.app.supplements import SupplementDraft, draft_supplement, sign_supplement
from ledger.domain.errors import LedgerError, ValidationError
from ledger.domain.ids import new_id
from tests.integration.market_fixture import NANJING, YEAR_SECONDS, SmallMarket, approve, register

SIDES = ("operator", "buyer")


def refused(call: Any) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        call()
    return caught.value


def codes_of(error: LedgerError) -> set[str]:
    return {item.code for item in error.findings} if isinstance(error, ValidationError) else set()


def on_chain(small: SmallMarket, member: str, contract: str, function: str, *args: Any) -> None:
    """Send a call to a contract past the service's own rules."""
    account = small.members[member].account
    target = getattr(small.market.contracts, contract)
    small.market.relay.execute(account, target, function, args)


def supplement(small: SmallMarket, licence_no: int, **changes: Any) -> Any:
    """Draft, sign by both and submit."""
    body = {"licence_no": licence_no} | changes
    return submit(small, draft_supplement(small.market, SupplementDraft.model_validate(body)))


def submit(small: SmallMarket, draft: dict[str, Any]) -> Any:
    return small.run("buyer", "supplement-licence", signed_supplement(small, draft))


def signed_supplement(small: SmallMarket, draft: dict[str, Any]) -> dict[str, Any]:
    signatures = {
        side: sign_supplement(small.market, small.members[side].account, draft) for side in SIDES
    }
    return {"supplement": draft["supplement"], **signatures}


def grant_draft(small: SmallMarket, draft: dict[str, Any]) -> int:
    """Sign a drafted agreement by both sides and grant its licence."""
    signatures = {
        side: sign_agreement(small.market, small.members[side].account, draft) for side in SIDES
    }
    small.run("buyer", "grant-licence", {"agreement": draft["agreement"], **signatures})
    return licence_no_of(small.market, UUID(draft["agreement"]["agreement_id"]))


def offer_terms(small: SmallMarket, **changes: Any) -> dict[str, Any]:
    now = small.market.now_seconds()
    return {
        "purpose": "industry",
        "modes": ["interface"],
        "valid_from": now - 60,
        "valid_until": now + YEAR_SECONDS,
        "quota_units": 5_000,
    } | changes


def use_rows(small: SmallMarket, key: str, rows: int) -> gateway.UsePage:
    page = None
    while rows:
        page = gateway.use(
            small.market,
            api_key=key,
            product_id=small.product_id,
            dataset_id=small.datasets["weather"],
            limit=min(500, rows),
        )
        rows -= page.receipt.records
    assert page is not None
    return page


def billed(small: SmallMarket, licence_no: int) -> UUID:
    """Anchor the log and bill a licence."""
    log_keeping.anchor(small.market, small.members["platform"].account, 1)
    operator = small.members["operator"].account
    done = billing.bill(small.market, operator, licence_no, small.scheme_id)
    assert done is not None
    return UUID(done.result["invoice_id"])


def apply_for_use(small: SmallMarket) -> str:
    """Let the buyer apply for the weather; return the application's id."""
    body = {
        "application_id": str(new_id()),
        "dataset_id": str(small.datasets["weather"]),
        "purpose": "industry",
        "modes": ["interface"],
        "purpose_statement": "物流预测",
        "scenario": "仓储调度",
        "security_commitment": "不留存、不转让",
    }
    return str(small.run("buyer", "apply-for-use", body).result["application_id"])


def decide_application(small: SmallMarket, application_id: str, until: int, reason: str) -> None:
    """Approve until an instant, or refuse at zero."""
    body = {
        "application_id": application_id,
        "is_approved": until > 0,
        "valid_until": until,
        "reason": reason,
    }
    small.run("weather", "decide-application", body)


def sandbox_product(small: SmallMarket) -> str:
    """List a product over a dataset of its own that is offered in a sandbox."""
    register(small, "transport", "public_utility", suffix="-box", delivery_modes=["sandbox"])
    approve(small, "transport", "nanjing")
    body = {
        "city_code": NANJING,
        "modes": ["sandbox"],
        "title_zh": "沙箱产品",
        "title_en": "Sandbox product",
        "summary_zh": "虚构",
        "summary_en": "Invented",
        "lineage": [
            {
                "claimant_id": str(small.datasets["transport"]),
                "kind": "dataset",
                "weight_ppm": 1_000_000,
            }
        ],
    }
    return str(small.run("operator", "list-product", body).result["product_id"])
