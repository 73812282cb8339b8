"""The story of a market in which a derived product is listed, sold, shared and corrected."""

from __future__ import annotations

from ledger.projection.stored import StoredEvent
from tests.unit.market_story import (
    BUYER,
    CITY,
    DATASET,
    OPERATOR,
    TARIFF,
    TREASURY,
    Teller,
    agreement,
    bill,
    digest,
    uid,
)

DERIVED, LICENCE_NO = uid(201), 2
MARKET_SCHEME, BILL = uid(202), uid(203)


def derived_story() -> list[StoredEvent]:
    """Return the events of the whole market, those of the derived product last."""
    teller = Teller()
    teller.tell()
    say = teller.say
    pair = {"one_id": min(OPERATOR, BUYER), "other_id": max(OPERATOR, BUYER)}
    say("Directory", "AffiliatesDeclared", **pair, actor_id=BUYER)
    say("Directory", "AffiliationEnded", **pair, actor_id=TREASURY, decision_digest=digest(5))
    other = {"one_id": min(TREASURY, BUYER), "other_id": max(TREASURY, BUYER)}
    say("Directory", "AffiliatesDeclared", **other, actor_id=TREASURY)
    say(
        "LicenceRegistry",
        "ProductDerived",
        product_id=DERIVED,
        developer_id=BUYER,
        city_code=CITY,
        modes=2,
        metadata_digest=digest(11),
        sources=[{"licence_no": 1, "ancestor_id": DATASET, "share_ppm": 100_000}],
        lineage=[
            {"claimant_id": DATASET, "kind": 1, "weight_ppm": 100_000},
            {"claimant_id": TREASURY, "kind": 2, "weight_ppm": 50_000},
            {"claimant_id": BUYER, "kind": 2, "weight_ppm": 850_000},
        ],
    )
    say("LicenceRegistry", "TariffPublished", product_id=DERIVED, tariff_no=1, tariff=TARIFF)
    sold = agreement() | {
        "agreement_id": uid(204),
        "product_id": DERIVED,
        "operator_id": BUYER,
        "buyer_id": OPERATOR,
        "tariff_no": 1,
        "outcome_ppm": 7,
    }
    say(
        "LicenceRegistry",
        "LicenceGranted",
        licence_no=LICENCE_NO,
        agreement=sold,
        agreement_digest=digest(14),
    )
    say(
        "RevenueLedger",
        "MarketOpened",
        scheme_id=MARKET_SCHEME,
        developer_id=BUYER,
        city_code=CITY,
        year=2026,
        vat_ppm=60_000,
        hold_days=0,
    )
    issued = bill(BILL, 0, 5_000, 106_000) | {
        "scheme_id": MARKET_SCHEME,
        "licence_no": LICENCE_NO,
    }
    say("RevenueLedger", "InvoiceIssued", **issued)
    say("RevenueLedger", "InvoiceReleased", invoice_id=BILL, release_no=1, is_accepted=True)
    key = {"invoice_id": BILL, "scheme_id": MARKET_SCHEME}
    say("RevenueLedger", "OutcomeShared", **key, release_no=1, net_fen=100_000, vat_fen=6_000)
    for number, reduction in enumerate((53_000, 53_000)):
        say(
            "RevenueLedger",
            "OutcomeCorrected",
            **key,
            reduction_fen=reduction,
            net_fen=50_000,
            receivables=[],
            receipt_digest=digest(210 + number),
            document_digest=digest(12),
        )
    return teller.events
