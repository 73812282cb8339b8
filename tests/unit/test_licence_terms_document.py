"""Standard terms, policies, precedence; and that the verifier reads the terms by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ledger.chain.events import Event
from ledger.codec.documents import Document
from ledger.codec.errors import MalformedDocumentError
from ledger.domain.codes import DeliveryMode, Purpose
from ledger.domain.errors import ValidationError
from ledger.domain.policies import Grant, Term, agreement_policy, offer_policy
from ledger.domain.standard_terms import DISCLAIMERS, PARTS, precedence, require_ticks
from ledger.verification.findings import Findings
from ledger.verification.terms import check_terms

pytestmark = pytest.mark.unit

IDS = [UUID(int=(0x0199C0DE << 96) | (0x7000 << 64) | (8 << 60) | number) for number in range(5)]
NONCE = "0x" + "ab" * 32
GRANT = Grant(IDS[0], IDS[1], [Purpose.INDUSTRY], [DeliveryMode.INTERFACE], 1, [IDS[2]])
TERM = Term(1_790_000_000, 1_800_000_000, 2**64 - 1, 3)
TERMS = {
    "platform_liability_ppm": 500_000,
    "disclaimers": [{"key": item.key, "ticked_by_buyer": True} for item in DISCLAIMERS],
}
AGREEMENT: dict[str, Any] = {
    "agreement_id": IDS[3],
    "product_id": IDS[0],
    "operator_id": IDS[1],
    "buyer_id": IDS[4],
    "purpose": 3,
    "quota_units": 2**64 - 1,
    "outcome_ppm": 0,
    "platform_liability_ppm": 500_000,
}


def _policy(terms: dict[str, Any] | None = None) -> dict[str, Any]:
    return agreement_policy(IDS[3], GRANT, TERM, IDS[4], terms or TERMS, NONCE)


def test_offer__of_a_product__names_nobody_and_no_time() -> None:
    offer = offer_policy(GRANT)
    assert offer["@type"] == "Offer"
    rule = offer["permission"][0]
    assert "assignee" not in rule
    operands = [item["leftOperand"] for item in rule["constraint"]]
    assert operands == ["purpose", "deliveryChannel"]


def test_agreement__constraints_and_duties__are_the_profiles() -> None:
    rule = _policy()["permission"][0]
    count = next(item for item in rule["constraint"] if item["leftOperand"] == "count")
    assert count["rightOperand"]["@value"] == "18446744073709551615"
    assert [duty["action"] for duty in rule["duty"]] == ["compensate", "attribute", "delete"]
    assert {duty["assignee"] for duty in rule["duty"]} == {f"urn:uuid:{IDS[4]}"}


def test_agreement__free_use__is_not_compensated() -> None:
    free = Grant(IDS[0], IDS[1], [Purpose.PUBLIC_WELFARE], [DeliveryMode.INTERFACE], 0, [IDS[2]])
    duties = [duty["action"] for duty in offer_policy(free)["permission"][0]["duty"]]
    assert duties == ["attribute", "delete"]


def test_document__without_salt__needs_a_nonce_of_its_own() -> None:
    document = Document(_policy(), b"")
    assert Document.from_json(document.to_json()) == document
    with pytest.raises(MalformedDocumentError):
        Document({"a": 1}, b"")
    with pytest.raises(MalformedDocumentError):
        Document(_policy() | {"mdl:nonce": "0x00"}, b"")


def test_ticks__each_missing_and_each_unknown__has_a_finding() -> None:
    with pytest.raises(ValidationError) as caught:
        require_ticks([DISCLAIMERS[0].key, "weather"])
    codes = [item.code for item in caught.value.findings]
    assert codes == ["terms.disclaimer_not_ticked"] * (len(DISCLAIMERS) - 1) + [
        "domain.malformed_value"
    ]


def test_precedence__newest_first__standard_terms_last() -> None:
    found = precedence(
        [
            ("agreement", [{"part": "fee", "text": "a"}]),
            ("supplement 1", [{"part": "fee", "text": "b"}, {"part": "term", "text": "c"}]),
        ]
    )
    by_part = {item["part"]: item for item in found}
    assert [item["part"] for item in found] == [part.key for part in PARTS]
    assert by_part["fee"]["text"] == "b"
    assert [item["document"] for item in by_part["fee"]["displaced"]][:1] == ["agreement"]
    assert by_part["term"]["rules"] == "supplement 1"
    assert by_part["liability"]["rules"].startswith("standard terms")


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        (_policy(), None),
        (_policy() | {"uid": "urn:uuid:other"}, "verify.terms_differ"),
        (_policy(TERMS | {"platform_liability_ppm": 400_000}), "verify.terms_differ"),
        (
            _policy(TERMS | {"disclaimers": [{"key": "delay", "ticked_by_buyer": False}]}),
            "verify.disclaimer_not_ticked",
        ),
        (_policy(TERMS | {"disclaimers": []}), "verify.disclaimer_not_ticked"),
        ({"mdl:nonce": NONCE}, "verify.terms_malformed"),
    ],
    ids=["sound", "uid", "share", "no tick", "no list", "no policy"],
)
def test_verify__terms_kept__are_read(
    tmp_path: Path, policy: dict[str, Any], code: str | None
) -> None:
    document = Document(policy, b"")
    name = document.digest.hex()
    (tmp_path / name[:2]).mkdir()
    (tmp_path / name[:2] / f"{name}.json").write_text(document.to_json())
    args = {"agreement": AGREEMENT | {"terms_digest": bytes(document.digest)}}
    event = Event("LicenceRegistry", "LicenceGranted", 1, args, 1, "0x", 1, "0x", 0)
    findings = Findings()
    check_terms(tmp_path, [event], findings)
    assert [item.code for item in findings.items] == ([] if code is None else [code])
    assert findings.report().checked == {"terms": 1}
