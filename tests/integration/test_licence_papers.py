"""Terms, supplements, ends, suspensions and certificates of licences on a real chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import rfc8785

from ledger.app import gateway
from ledger.app.agreements import AgreementDraft, draft_agreement
from ledger.app.certificates import check_certificate_file, issue_certificate
from ledger.app.ending import refund_preview, refunds_found
from ledger.app.importing import import_file
from ledger.app.keys import issue_api_key
from ledger.app.licence_documents import terms_found
from ledger.app.supplements import SupplementDraft, draft_supplement
from ledger.app.verifying import verify_market
from ledger.domain.codes import ReceiptStatus
from ledger.projection import queries
from ledger.report.certificate_page import certificate_html
from tests.golden.policies_read import faults, triples_of
from tests.integration.licence_story import (
    apply_for_use,
    billed,
    codes_of,
    decide_application,
    on_chain,
    refused,
    signed_supplement,
    submit,
    supplement,
    use_rows,
)
from tests.integration.market_fixture import TICKS, YEAR_SECONDS, SmallMarket, grant, opened_market
from tests.unit.meter_story import line

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("papers")) as market:
        yield market


def _draft(small: SmallMarket, **changes: Any) -> dict[str, Any]:
    now = small.market.now_seconds()
    body = {
        "product_id": str(small.product_id),
        "buyer_id": small.id_of("buyer"),
        "purpose": "industry",
        "modes": ["interface"],
        "valid_from": now,
        "valid_until": now + YEAR_SECONDS,
        "quota_units": 30_000,
        "disclaimers_ticked": TICKS,
    }
    return draft_agreement(small.market, AgreementDraft.model_validate(body | changes))


def _row(small: SmallMarket, licence_no: int) -> queries.LicenceRow:
    with small.market.read() as connection:
        return queries.licence(connection, licence_no)


def test_terms__odrl_agreement__its_canonical_digest_is_the_licences(small: SmallMarket) -> None:
    policy = terms_found(small.market, small.licence_no)["policy"]
    digest = hashlib.sha256(rfc8785.dumps(policy)).digest()
    assert digest == _row(small, small.licence_no).terms_digest
    operands = [item["leftOperand"] for item in policy["permission"][0]["constraint"]]
    assert operands == ["purpose", "deliveryChannel", "count", "dateTime", "dateTime"]
    duties = [item["action"] for item in policy["permission"][0]["duty"]]
    assert duties == ["compensate", "attribute", "delete"]
    assert faults(triples_of(policy), "agreement_shapes.ttl") == ""


@pytest.mark.parametrize("missing", TICKS)
def test_draft__a_tick_is_missing__names_the_item(small: SmallMarket, missing: str) -> None:
    ticked = [key for key in TICKS if key != missing]
    error = refused(lambda: _draft(small, disclaimers_ticked=ticked))
    assert codes_of(error) == {"terms.disclaimer_not_ticked"}
    assert [item.expected for item in error.findings] == [missing]  # type: ignore[attr-defined]


def test_draft__below_the_floor_or_of_no_part__refused(small: SmallMarket) -> None:
    error = refused(lambda: _draft(small, platform_liability_ppm=499_999))
    assert (error.code, error.got) == ("terms.liability_below_floor", 499_999)
    with pytest.raises(ValueError, match="no part"):
        _draft(small, negotiated=[{"part": "weather", "text": "x"}])


def test_supplement__signed_by_both__rules_its_parts_newest_first(small: SmallMarket) -> None:
    licence_no = grant(small, negotiated=[{"part": "fee", "text": "季结"}])
    for text in ("月结", "周结"):
        terms = [{"part": "fee", "text": text}]
        supplement(small, licence_no, quota_units=31_000, negotiated=terms)
    found = {part["part"]: part for part in terms_found(small.market, licence_no)["precedence"]}
    assert (found["fee"]["rules"], found["fee"]["text"]) == ("supplement 2", "周结")
    displaced = [item["text"] for item in found["fee"]["displaced"]]
    assert displaced[:2] == ["月结", "季结"]
    assert found["liability"]["rules"].startswith("standard terms")
    assert _row(small, licence_no).quota_units == 31_000


def test_supplement__renewal__later_end_and_nothing_else(small: SmallMarket) -> None:
    licence_no = grant(small)
    before = _row(small, licence_no)
    done = supplement(small, licence_no, valid_until=before.valid_until + YEAR_SECONDS)
    after = _row(small, licence_no)
    assert after.valid_until == before.valid_until + YEAR_SECONDS
    assert (after.quota_units, after.modes) == (before.quota_units, before.modes)
    assert done.gas_used <= 200_000


def test_supplement__against_the_floor__refused_before_and_on_chain(small: SmallMarket) -> None:
    licence_no = grant(small)
    body = {"licence_no": licence_no, "platform_liability_ppm": 499_999}
    error = refused(lambda: draft_supplement(small.market, SupplementDraft.model_validate(body)))
    assert error.code == "terms.liability_below_floor"
    draft = draft_supplement(
        small.market, SupplementDraft.model_validate(body | {"platform_liability_ppm": 500_000})
    )
    agreement_id, change = _change_of(small, draft)
    call = (agreement_id, change | {"platform_liability_ppm": 499_999})
    nobody = {"signer": "0x" + "11" * 20, "signature": b""}
    error = refused(
        lambda: on_chain(small, "buyer", "licences", "supplement", *call, nobody, nobody)
    )
    assert error.code == "licence_registry.liability_below_floor"


def test_supplement__quota_below_what_is_used__refused_before_and_on_chain(
    small: SmallMarket,
) -> None:
    licence_no = grant(small)
    key = issue_api_key(small.market, small.members["buyer"].account, licence_no)
    early = draft_supplement(
        small.market, SupplementDraft.model_validate({"licence_no": licence_no, "quota_units": 99})
    )
    use_rows(small, key, 1_100)
    error = refused(lambda: supplement(small, licence_no, quota_units=1_099))
    assert (error.code, error.expected) == ("terms.quota_below_used", ">= 1100")
    assert refused(lambda: submit(small, early)).code == "terms.quota_below_used"
    billed(small, licence_no)
    signed = signed_supplement(small, early)
    parties = [
        {"signer": signed[side]["signer"], "signature": signed[side]["signature"]}
        for side in ("operator", "buyer")
    ]
    call = _change_of(small, early)
    error = refused(lambda: on_chain(small, "buyer", "licences", "supplement", *call, *parties))
    assert error.code == "licence_registry.quota_below_billed"
    supplement(small, licence_no, quota_units=1_100)


def test_supplement__more_than_was_approved__refused_before_and_on_chain(
    small: SmallMarket,
) -> None:
    weather = {"dataset_id": str(small.datasets["weather"]), "reason": "敏感场景"}
    licence_no = grant(small)
    until = _row(small, licence_no).valid_until
    early = _draft_change(small, licence_no, valid_until=until + 60)
    small.run("weather", "require-application", weather | {"is_required": True})
    try:
        assert refused(lambda: submit(small, early)).code == "applications.not_approved"
        for more in ({"valid_until": until + 60}, {"quota_units": 30_001}):
            error = refused(lambda more=more: _draft_change(small, licence_no, **more))
            assert error.code == "applications.not_approved"
        decide_application(small, apply_for_use(small), until + 59, "同意")
        error = refused(lambda: _draft_change(small, licence_no, valid_until=until + 60))
        assert (error.code, _row(small, licence_no).valid_until) == ("applications.expired", until)
        supplement(small, licence_no, valid_until=until + 59, quota_units=30_001)
        supplement(small, licence_no, valid_until=until)
    finally:
        small.run("weather", "require-application", weather | {"is_required": False})
    with small.market.read() as connection:
        assert queries.opening_of(connection, licence_no) is not None
    assert verify_market(small.market).findings == []


def test_supplement__not_the_next_one_or_wrongly_signed__refused(small: SmallMarket) -> None:
    licence_no = grant(small)
    body = SupplementDraft.model_validate({"licence_no": licence_no, "quota_units": 40_000})
    first, second = draft_supplement(small.market, body), draft_supplement(small.market, body)
    wrong = signed_supplement(small, first)
    wrong["operator"] = wrong["buyer"]
    error = refused(lambda: small.run("buyer", "supplement-licence", wrong))
    assert error.code == "licence_registry.signer_not_of_party"
    submit(small, first)
    assert refused(lambda: submit(small, second)).code == "terms.supplement_out_of_order"


def test_grant__terms_of_another_agreement__refused(small: SmallMarket) -> None:
    draft, other = _draft(small), _draft(small)
    draft["agreement"]["terms_digest"] = other["agreement"]["terms_digest"]
    signature = {"signer": "0x" + "11" * 20, "signature": "0x00"}
    body = {"agreement": draft["agreement"], "operator": signature, "buyer": signature}
    assert refused(lambda: small.run("buyer", "grant-licence", body)).code == "terms.differ"


def test_end__by_units__refund_computed_proposed_and_settled(small: SmallMarket) -> None:
    licence_no = grant(small, quota_units=10_000, refund="units")
    key = issue_api_key(small.market, small.members["buyer"].account, licence_no)
    use_rows(small, key, 2_000)
    invoice_id = billed(small, licence_no)
    with small.market.read() as connection:
        gross = queries.invoice(connection, invoice_id).gross_fen
    expected = gross * 8_000 // 10_000
    assert refund_preview(small.market, licence_no)["refund_fen"] == expected
    small.run("buyer", "terminate-licence", {"licence_no": licence_no, "reason": "业务调整"})
    found = refunds_found(small.market, licence_no)
    assert (found["due_fen"], found["is_settled"]) == (expected, False)
    proposal = found["bills"][0]["propose"]
    small.run("operator", proposal["command"], proposal["body"])
    found = refunds_found(small.market, licence_no)
    assert (found["due_fen"], found["is_settled"]) == (0, True)
    again = {"licence_no": licence_no, "reason": "x"}
    assert refused(lambda: small.run("operator", "terminate-licence", again)).code == (
        "licence.ended"
    )


def test_suspension__gateway_and_meters__stop_at_once(small: SmallMarket) -> None:
    licence_no = grant(small)
    key = issue_api_key(small.market, small.members["buyer"].account, licence_no)
    use_rows(small, key, 1)
    log_no = small.run("platform", "open-log", {}).result["log_no"]
    assert _metered(small, log_no, 1, licence_no) == (1, 0)
    body = {"licence_no": licence_no, "state": "suspended", "reason": "核查"}
    small.run("operator", "set-licence-state", body)
    error = refused(lambda: use_rows(small, key, 1))
    assert isinstance(error, gateway.UseRefusedError)
    assert error.code == "use.licence_suspended"
    receipt = error.receipt
    assert (receipt.status, receipt.units) == (ReceiptStatus.LICENCE_SUSPENDED, 0)
    small.market.node.increase_time(2)  # type: ignore[union-attr]
    assert _metered(small, log_no, 2, licence_no) == (0, 1)
    small.run("operator", "set-licence-state", body | {"state": "active"})
    use_rows(small, key, 1)
    assert _metered(small, log_no, 2, licence_no) == (1, 0)


def test_use__beyond_its_scope__refused_with_a_receipt(small: SmallMarket) -> None:
    licence_no = grant(small, quota_units=3)
    key = issue_api_key(small.market, small.members["buyer"].account, licence_no)
    where = {"product_id": small.product_id, "dataset_id": small.datasets["weather"]}
    size = small.market.meter(1).size
    for asked, code in (
        ({"mode": "download"}, "use.mode_not_granted"),
        ({"purpose": "sector"}, "use.purpose_not_granted"),
        ({"limit": 4}, "use.quota_exceeded"),
    ):
        error = refused(
            lambda asked=asked: gateway.use(small.market, api_key=key, **where, **asked)
        )
        assert error.code == code
    assert small.market.meter(1).size == size + 3


def test_certificate__issued__checks_and_follows_the_chain(small: SmallMarket) -> None:
    licence_no = grant(small)
    operator = small.members["operator"].account
    certificate = issue_certificate(small.market, operator, licence_no)
    assert certificate["type"] == ["VerifiableCredential", "LawfulSourceCertificate"]
    subject = certificate["credentialSubject"]
    assert {item["id"] for item in subject["datasets"]} == {
        f"urn:uuid:{key}" for key in small.datasets.values()
    }
    report = check_certificate_file(small.market, certificate)
    assert (report.findings, report.checked) == ([], {"certificates": 1, "datasets": 3})
    body = {"licence_no": licence_no, "state": "suspended", "reason": "核查"}
    small.run("operator", "set-licence-state", body)
    codes = {item.code for item in check_certificate_file(small.market, certificate).findings}
    assert codes == {"verify.certificate_not_active"}


def test_certificate__before_a_supplement__is_superseded(small: SmallMarket) -> None:
    licence_no = grant(small)
    certificate = issue_certificate(small.market, small.members["operator"].account, licence_no)
    supplement(small, licence_no, quota_units=30_000)
    codes = {item.code for item in check_certificate_file(small.market, certificate).findings}
    assert codes == {"verify.certificate_agreement"}


def test_certificate__by_the_platform__checks(small: SmallMarket) -> None:
    made = issue_certificate(small.market, small.members["platform"].account, small.licence_no)
    assert check_certificate_file(small.market, made).ok


def test_certificate__by_another__refused(small: SmallMarket) -> None:
    buyer = small.members["buyer"].account
    error = refused(lambda: issue_certificate(small.market, buyer, small.licence_no))
    assert error.code == "licence.not_certifier"


def test_certificate__one_text_changed__is_found(small: SmallMarket) -> None:
    made = issue_certificate(small.market, small.members["operator"].account, small.licence_no)
    subject = made["credentialSubject"] | {"purpose": "sector"}
    report = check_certificate_file(small.market, made | {"credentialSubject": subject})
    assert [item.code for item in report.findings] == ["verify.certificate_malformed_proof"]
    assert not check_certificate_file(small.market, {"proof": {}}).ok
    assert not check_certificate_file(small.market, []).ok


def test_certificate__page__escapes_and_shows_the_state(small: SmallMarket) -> None:
    made = issue_certificate(small.market, small.members["operator"].account, small.licence_no)
    made["credentialSubject"]["buyerName"] = "<script>"
    status = {"state": "suspended", "is_valid_now": False, "at": "x", "agreement_digest": "0x"}
    page = certificate_html(made, status)
    assert "<script>" not in page
    assert "suspended" in page


def test_verify__the_whole_story__finds_nothing(small: SmallMarket) -> None:
    report = verify_market(small.market)
    assert report.findings == []


def _metered(small: SmallMarket, log_no: int, seq: int, licence_no: int) -> tuple[int, int]:
    """Hand in one use of now by a meter's file; return how many were taken and refused."""
    path = small.folder / "meter.ndjson"
    use = line(
        seq, meter_no=9, licence_no=licence_no, used_at_ms=1_000 * small.market.now_seconds()
    )
    path.write_text(json.dumps(use))
    found = import_file(small.market, path, log_no, tell=lambda name, rows, total: None)
    return found.taken, found.refused


def _draft_change(small: SmallMarket, licence_no: int, **more: int) -> dict[str, Any]:
    body = SupplementDraft.model_validate({"licence_no": licence_no} | more)
    return draft_supplement(small.market, body)


def _change_of(small: SmallMarket, draft: dict[str, Any]) -> tuple[UUID, dict[str, Any]]:
    """Return the agreement of a drafted supplement's licence, and the supplement."""
    found = draft["supplement"]
    licence_no = int(found["licence_no"])
    return _row(small, licence_no).agreement_id, found | {"licence_no": licence_no}
