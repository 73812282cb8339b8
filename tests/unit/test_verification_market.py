"""The independent verifier: it believes a sound market, and finds each seeded fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ledger.verification import VerificationReport, verify
from tests.unit import verified_market as m

pytestmark = pytest.mark.unit

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> m.VerifiedMarket:
    return m.VerifiedMarket(tmp_path_factory.mktemp("market"))


def check(market: m.VerifiedMarket, events: Any = None, **more: Any) -> VerificationReport:
    given = {"counts": market.counts, "agreement_domain": m.DOMAIN} | more
    found = market.events if events is None else events
    return verify(found, logs=market.logs, documents=market.documents, **given)


def codes(report: VerificationReport) -> set[str]:
    return {finding.code.removeprefix("verify.") for finding in report.findings}


def put(*path: Any) -> Change:
    """Return what sets the last of the path as the value at the rest of it."""
    *keys, last, value = path

    def change(args: dict[str, Any]) -> None:
        target: Any = args
        for key in keys:
            target = target[key]
        target[last] = value

    return change


def test_verify__sound_market__finds_nothing(market: m.VerifiedMarket) -> None:
    report = check(market)
    assert report.findings == []
    assert report.as_dict()["ok"] is True
    checked = report.checked
    assert checked["receipts"] == 302
    assert checked["events"] == len(market.events)
    assert (checked["invoices"], checked["splits"], checked["documents"]) == (3, 1, 1)
    assert (checked["hashes"], checked["commits"], checked["uses"]) == (1, 3, 302)


def test_verify__events_in_any_order__finds_nothing(market: m.VerifiedMarket) -> None:
    assert check(market, list(reversed(market.events))).ok


U = m.uid(99)
FAULTS: list[tuple[str, int, Change, str]] = [
    ("CityOpened", 0, put("city_code", 320200), "city_unknown"),
    ("WorkingDaysSet", 0, put("high", 2**109), "calendar_malformed"),
    ("NoticeDaysSet", 0, put("is_trial", False), "notice_too_short"),
    ("NoticeDaysSet", 1, put("is_trial", False), "trial_mark"),
    ("OrganisationAdmitted", 1, put("organisation_id", m.PROVIDER), "organisation_twice"),
    ("OrganisationAdmitted", 1, put("organisation", "kind", 99), "kind_unknown"),
    ("OrganisationAdmitted", 1, put("organisation", "status", 2), "organisation_status"),
    ("OrganisationAdmitted", 1, put("signer", "0x" + "01" * 20), "signer_taken"),
    ("OrganisationStatusSet", 0, put("organisation_id", U), "organisation_unknown"),
    ("SignerRemoved", 0, put("signer", "0x" + "ee" * 20), "signer_not_bound"),
    ("SignerAdded", 0, put("roles", 0), "signer_roles"),
    ("SignerAdded", 0, put("roles", 1 << 10), "signer_roles"),
    ("SignerRolesSet", 0, put("roles", 1 << 30), "signer_roles"),
    ("SignerRolesSet", 0, put("signer", "0x" + "ee" * 20), "signer_not_bound"),
    ("SignerRolesSet", 0, put("organisation_id", m.PROVIDER), "signer_not_bound"),
    ("JointActsSet", 0, put("organisation_id", m.OPERATOR), "second_signer_missing"),
    ("JointActsSet", 0, put("joint_acts", 2), "joint_acts"),
    ("JointActsSet", 1, put("joint_acts", 1), "second_signer_missing"),
    ("WorkPrepared", 0, put("signer", "0x" + "ee" * 20), "signer_not_bound"),
    ("TreasuryRuleSet", 0, put("treasury_id", m.REGISTRAR), "role_missing"),
    ("TreasuryRuleSet", 0, put("rule_no", 2), "treasury_rule_no"),
    ("TreasuryRuleSet", 0, put("treasury_ppm", 1_000_001), "treasury_part"),
    ("TreasuryRuleSet", 0, put("treasury_ppm", 300_200), "remittance_too_large"),
    ("TreasuryRuleSet", 0, put("treasury_ppm", 299_800), "remittance_too_large"),
    ("TreasuryRuleSet", 0, put("treasury_ppm", 1_000_000), "remittance_payee"),
    ("RemittanceOpened", 2, put("payee_id", m.TREASURY), "remittance_too_large"),
    ("RemittanceOpened", 3, put("payee_id", m.PROVIDER), "remittance_payee"),
    ("RoleGranted", 0, put("city_code", 320200), "role_outside_city"),
    ("RoleGranted", 0, put("role", 3), "role_not_for_kind"),
    ("RoleGranted", 8, put("role", 2), "role_twice"),
    ("RoleGranted", 8, put("role", 8), "role_forbidden_pair"),
    ("RoleRevoked", 0, put("role", 0), "role_not_held"),
    ("DatasetEvidenced", 0, put("provider_id", m.BUYER), "role_missing"),
    ("DatasetEvidenced", 0, put("registration", "open_class", 3), "dataset_not_sellable"),
    ("DatasetEvidenced", 0, put("registration", "metadata_digest", bytes(32)), "field_missing"),
    ("DatasetEvidenced", 1, put("dataset_id", m.WEATHER), "dataset_twice"),
    ("VersionAdded", 1, put("version", "sha256_digest", m.digest(101)), "content_twice"),
    ("VersionAdded", 1, put("parents", [m.digest(77)]), "parent_unknown"),
    ("VersionAdded", 2, put("version_no", 3), "version_no"),
    ("VersionAdded", 2, put("dataset_id", U), "dataset_unknown"),
    ("RegistrationAdvanced", 1, put("kind", 2), "registration_type"),
    ("RegistrationAdvanced", 5, put("kind", 4), "registration_type"),
    ("RegistrationAdvanced", 10, put("kind", 1), "registration_step"),
    ("RegistrationCoded", 0, put("kind", 2), "code_unasked"),
    ("RegistrationCoded", 1, put("registration_code", m.digest(11)), "code_taken"),
    ("RegistrationCoded", 0, put("valid_until", m.START + 4 * 365 * 86_400), "validity"),
    ("RegistrationCoded", 1, put("valid_until", m.START + 65), "dataset_not_sellable"),
    ("RegistrationCoded", 0, put("application_digest", m.digest(77)), "application_differs"),
    ("NoticeObjected", 0, put("evidence_digest", bytes(32)), "field_missing"),
    ("NoticeObjected", 0, put("objector_id", m.PROVIDER), "party_to_objection"),
    ("NoticeObjected", 1, put("dataset_id", m.WEATHER), "objection_outside_notice"),
    ("NoticeObjectionDecided", 0, put("objection_id", U), "objection_open"),
    ("NoticeObjectionDecided", 0, put("objection_id", U), "objection_not_open"),
    ("NoticeObjectionDecided", 0, put("registrar_id", m.BUYER), "role_missing"),
    ("VersionMasked", 0, put("source_digest", m.digest(77)), "parent_unknown"),
    ("VersionMasked", 0, put("source_digest", m.digest(103)), "masking_of_itself"),
    ("VersionMasked", 0, put("version_no", 1), "masking_version"),
    ("OpeningPolicyPublished", 0, put("effective_at", 1), "policy_backdated"),
    ("OpeningPolicyPublished", 0, put("effective_at", m.START * 2), "opening_forbidden"),
    ("OpeningPolicyPublished", 0, put("conditional", 0), "policy_cells"),
    ("OpeningPolicyPublished", 0, put("policy_no", 2), "policy_no"),
    ("OpeningPolicyPublished", 0, put("conditional", m.EVERY_CELL ^ 7 << 21), "opening_tier"),
    ("OpeningDecided", 0, put("tier", 1), "opening_tier"),
    ("OpeningDecided", 0, put("policy_nos", [1]), "opening_policies"),
    ("OpeningDecided", 0, put("licence_no", 9), "licence_unknown"),
    ("OpeningDecided", 2, put("tier", 1), "opening_tier"),
    ("OpeningDecided", 2, put("licence_no", 2), "opening_unasked"),
    ("DutiesAnchored", 0, put("quarter_id", 20265), "duty_quarter"),
    ("DutiesAnchored", 0, put("registrar_id", m.BUYER), "role_missing"),
    ("DutiesAnchored", 0, put("overdue_count", 3), "duty_count"),
    ("QualityInspected", 0, put("scores", bytes([30] * 6)), "grade"),
    ("QualityInspected", 0, put("scores", bytes([101] * 6)), "grade"),
    ("RegistrationAdvanced", 1, put("from", 1), "registration_state"),
    ("RegistrationAdvanced", 1, put("to", 6), "registration_step"),
    ("RegistrationAdvanced", 1, put("actor_id", m.BUYER), "role_missing"),
    ("RegistrationAdvanced", 0, put("actor_id", m.BUYER), "actor_not_provider"),
    ("QualityInspected", 0, put("inspector_id", m.UTILITY), "registrar_is_applicant"),
    ("QualityInspected", 0, put("grade", 5), "dataset_not_sellable"),
    ("DatasetSuspensionSet", 0, put("is_suspended", True), "dataset_not_sellable"),
    ("ProductListed", 0, put("operator_id", m.BUYER), "role_missing"),
    ("ProductListed", 0, put("lineage", 0, "weight_ppm", 1), "lineage_sum"),
    ("ProductListed", 0, put("lineage", 0, "claimant_id", U), "lineage_order"),
    ("ProductListed", 0, put("modes", 64), "dataset_not_sellable"),
    ("CapsApproved", 0, put("authority_id", m.OPERATOR), "approver_is_operator"),
    ("CapsApproved", 0, put("caps", 0, "price_micro_yuan", 29_999), "price_above_cap"),
    ("TariffPublished", 0, put("tariff_no", 2), "tariff_no"),
    ("TariffPublished", 0, put("tariff", "bands", 1, "up_to_units", 7), "bands_malformed"),
    ("TariffPublished", 0, put("tariff", "bands", 1, "price_micro_yuan", 9), "invoice_charge"),
    ("LicenceGranted", 1, put("licence_no", 3), "licence_no"),
    ("LicenceGranted", 0, put("agreement", "quota_units", 1), "agreement_digest"),
    ("LicenceGranted", 0, put("agreement", "tariff_no", 0), "agreement_tariff"),
    ("LicenceGranted", 0, put("agreement", "is_accepted_by_use", False), "agreement_digest"),
    ("InvoiceReleased", 0, put("is_accepted", False), "accepted_by_use"),
    ("LicenceGranted", 0, put("agreement", "buyer_id", m.OPERATOR), "self_dealing"),
    ("LicenceGranted", 0, put("agreement", "buyer_id", m.PRICE), "buyer_role"),
    ("LicenceGranted", 0, put("agreement", "deadline", 1), "deadline_passed"),
    ("LicenceGranted", 0, put("agreement", "platform_liability_ppm", 1), "liability_below_floor"),
    ("LicenceGranted", 0, put("agreement", "modes", 1), "mode_not_granted"),
    ("LicenceGranted", 0, put("agreement", "valid_from", m.START + 999), "use_outside_validity"),
    ("LicenceGranted", 1, put("agreement", "quota_units", 6), "quota_exceeded"),
    ("LicenceGranted", 1, put("agreement", "purpose", 1), "purpose_not_granted"),
    ("LicenceGranted", 1, put("agreement", "agreement_id", m.uid(31)), "agreement_used"),
    ("LicenceGranted", 0, put("agreement", "team_max", 3), "agreement_digest"),
    ("LicenceGranted", 1, put("agreement", "purpose", 5), "competition_terms"),
    ("ApplicationRequirementSet", 0, put("provider_id", m.BUYER), "actor_not_provider"),
    ("ApplicationRequirementSet", 2, put("is_required", True), "application_missing"),
    ("ApplicationSubmitted", 0, put("purpose", 4), "application_missing"),
    ("ApplicationSubmitted", 0, put("modes", 1), "application_missing"),
    ("ApplicationSubmitted", 0, put("modes", 128), "mode_not_offered"),
    ("ApplicationSubmitted", 1, put("application_id", m.uid(71)), "application_twice"),
    ("ApplicationSubmitted", 0, put("applicant_id", m.PROVIDER), "self_dealing"),
    ("ApplicationSubmitted", 0, put("applicant_id", m.PRICE), "buyer_role"),
    ("ApplicationSubmitted", 0, put("dataset_id", U), "dataset_unknown"),
    ("ApplicationDecided", 0, put("is_approved", False), "application_term"),
    ("ApplicationDecided", 0, put("valid_until", m.START + 10**5), "application_expired"),
    # Enough for the licence, too little for its supplement.
    ("ApplicationDecided", 0, put("valid_until", m.START + 10**6), "application_expired"),
    ("ApplicationDecided", 0, put("provider_id", m.UTILITY), "actor_not_provider"),
    ("ApplicationDecided", 1, put("application_id", m.uid(71)), "application_step"),
    ("ApplicationDecided", 0, put("application_id", U), "application_unknown"),
    ("ApplicationWithdrawn", 0, put("application_id", m.uid(72)), "application_step"),
    ("OfferMade", 1, put("previous_digest", bytes(32)), "offer_order"),
    ("OfferMade", 1, put("state", 1), "offer_out_of_turn"),
    ("OfferMade", 1, put("offer_no", 3), "offer_no"),
    ("OfferMade", 1, put("buyer_id", m.PLATFORM), "offer_parties"),
    ("OfferMade", 0, put("deadline", 1), "offer_deadline"),
    ("OfferMade", 1, put("deadline", m.START + 40), "offer_expired"),
    ("OfferMade", 0, put("operator_id", m.UTILITY), "agreement_operator"),
    ("OfferMade", 0, put("product_id", U), "product_unknown"),
    ("OfferMade", 2, put("buyer_id", m.OPERATOR), "self_dealing"),
    ("OfferAccepted", 0, put("offer_digest", bytes(32)), "offer_order"),
    ("AgreementProposed", 0, put("agreement_digest", bytes(32)), "offer_order"),
    ("NegotiationFinalized", 0, put("licence_no", 2), "negotiated_agreement"),
    ("NegotiationFinalized", 0, put("thread_id", U), "thread_unknown"),
    ("NegotiationTerminated", 0, put("actor_id", m.PRICE), "negotiation_not_party"),
    ("NegotiationTerminated", 0, put("thread_id", m.uid(75)), "offer_out_of_turn"),
    ("LicenceSupplemented", 0, put("supplement", "previous_digest", bytes(32)), "supplement_order"),
    ("LicenceSupplemented", 0, put("supplement", "quota_units", 9), "agreement_digest"),
    ("LicenceStateSet", 0, put("actor_id", m.TREASURY), "role_missing"),
    ("LicenceStateSet", 1, put("actor_id", m.OPERATOR), "suspended_by_authority"),
    ("LicenceStateSet", 0, put("state", 1), "state_step"),
    ("ProductStateSet", 0, put("product_id", U), "product_unknown"),
    ("LogOpened", 0, put("keeper_id", m.BUYER), "role_missing"),
    ("LogOpened", 0, put("origin_digest", bytes(32)), "log_origin"),
    ("LogOpened", 0, put("log_no", 2), "log_unknown"),
    ("Anchored", 0, put("root", bytes(32)), "anchor_root"),
    ("Anchored", 0, put("size", 201), "anchor_root"),
    ("Anchored", 0, put("time_ms", m.START * 1000 + 401), "anchor_clock"),
    ("Anchored", 1, put("time_ms", m.START * 2000), "anchor_ahead"),
    ("Anchored", 1, put("size", 303), "receipts_missing"),
    ("Anchored", 1, put("size", 200), "anchor_size"),
    ("SchemeApproved", 0, put("terms", "operator_id", m.BUYER), "role_missing"),
    ("SchemeApproved", 0, put("terms", "spread_ppm", 60_001), "rate_too_large"),
    ("SchemeApproved", 0, put("terms", "hold_days", 61), "hold_too_long"),
    ("SchemeApproved", 0, put("terms", "hold_days", 4), "hold_end"),
    ("SchemeApproved", 0, put("terms", "year", 2025), "scheme_mismatch"),
    ("SchemeApproved", 0, put("terms", "vat_ppm", 50_000), "split_net"),
    ("SchemeApproved", 0, put("terms", "surcharge_ppm", 6_001), "split_tax"),
    ("SchemeApproved", 0, put("terms", "tax_fen", 1), "split_tax"),
    ("SchemeApproved", 0, put("costs", 0, "cost_fen", 4_999), "split_line"),
    ("InvoiceIssued", 0, put("receipt_index", 198), "invoice_units"),
    ("InvoiceIssued", 0, put("receipt_index", 250), "receipt_not_anchored"),
    ("InvoiceIssued", 1, put("receipt_index", 5), "invoice_licence"),
    ("InvoiceIssued", 0, put("period_id", 202610), "invoice_period"),
    ("InvoiceIssued", 0, put("gross_fen", m.GROSS_FEN + 1), "invoice_charge"),
    ("InvoiceIssued", 1, put("gross_fen", 1), "invoice_charge"),
    ("InvoiceIssued", 2, put("from_units", 9_999), "invoice_from_units"),
    ("InvoiceIssued", 2, put("licence_no", 9), "licence_unknown"),
    ("InvoiceIssued", 2, put("invoice_id", m.INVOICE), "invoice_twice"),
    ("InvoiceIssued", 0, put("scheme_id", U), "scheme_unknown"),
    ("PaymentRecorded", 1, put("paid_fen", m.GROSS_FEN - 1), "payment_sum"),
    ("PaymentRecorded", 1, put("amount_fen", m.GROSS_FEN), "payment_too_large"),
    ("PaymentRecorded", 1, put("receipt_digest", m.digest(6_000)), "bank_receipt_twice"),
    ("PaymentRecorded", 1, put("held_until", 1), "hold_end"),
    ("PaymentRecorded", 1, put("invoice_id", U), "invoice_unknown"),
    ("InvoiceReleased", 0, put("is_accepted", False), "released_early"),
    ("InvoiceReleased", 0, put("release_no", 2), "release_order"),
    ("InvoiceReleased", 0, put("invoice_id", m.LATER), "invoice_state"),
    ("SplitRecorded", 0, put("net_fen", m.NET_FEN - 1), "split_net"),
    ("SplitRecorded", 0, put("vat_fen", 1), "split_vat"),
    ("SplitRecorded", 0, put("release_no", 2), "split_order"),
    ("SplitRecorded", 0, put("split", "tax_micro_fen", 1), "split_tax"),
    ("SplitRecorded", 0, put("split", "reserve_micro_fen", 1), "split_reserve"),
    ("SplitRecorded", 0, put("split", "lineage_cost_micro_fen", [1]), "split_line_count"),
    ("RemittanceOpened", 1, put("payee_id", m.PROVIDER), "remittance_payee"),
    ("RemittanceOpened", 1, put("lines", 0, "amount_fen", 8_560), "remittance_too_large"),
    ("RemittanceOpened", 1, put("lines", 0, "amount_fen", 0), "remittance_too_large"),
    ("RemittanceOpened", 1, put("lines", 0, "scheme_id", U), "account_unknown"),
    ("RemittanceOpened", 1, put("batch_id", m.BATCHES[0]), "batch_twice"),
    ("RemittanceClosed", 0, put("batch_id", U), "batch_unknown"),
    ("DatasetEvidenced", 0, put("registration", "dataset_id", U), "dataset_id_differs"),
    ("RegistrationAdvanced", 4, put("to", 7), "version_after_end"),
    ("RegistrationAdvanced", 4, put("to", 8), "dataset_not_sellable"),
    ("ProductListed", 0, put("lineage", 0, "weight_ppm", 0), "lineage_empty_entry"),
    ("ProductListed", 0, put("lineage", []), "lineage_no_dataset"),
    ("ProductListed", 0, put("lineage", 0, "kind", 1), "claimant_unknown"),
    ("ProductListed", 0, put("modes", 0), "mode_not_offered"),
    ("ProductListed", 0, put("modes", 1), "mode_not_offered"),
    ("CapsApproved", 0, put("product_id", U), "caps_missing"),
    ("TariffPublished", 0, put("tariff", "discount_ppm", 10**6 + 1), "discount"),
    ("TariffPublished", 0, put("product_id", U), "tariff_unknown"),
    ("LicenceGranted", 0, put("agreement", "operator_id", m.PLATFORM), "agreement_operator"),
    ("LicenceGranted", 0, put("agreement", "quota_units", 0), "quota_empty"),
    ("LicenceGranted", 0, put("agreement", "valid_until", m.START), "validity_empty"),
    ("LicenceGranted", 1, put("agreement", "valid_until", 2**40), "validity_empty"),
    ("LicenceSupplemented", 0, put("supplement", "quota_units", 0), "quota_empty"),
    ("LicenceSupplemented", 0, put("supplement", "valid_until", 1), "validity_empty"),
    ("LicenceSupplemented", 0, put("supplement", "deadline", 1), "deadline_passed"),
    ("SchemeApproved", 0, put("scheme_id", U), "scheme_id_differs"),
    ("SchemeApproved", 0, put("costs", 0, "claimant_id", U), "claimant_order"),
    ("InvoiceIssued", 2, put("to_units", 10_000), "invoice_empty"),
    ("InvoiceIssued", 0, put("receipt_index", 10**6), "invoice_receipt"),
    ("PaymentRecorded", 0, put("amount_fen", 0), "payment_empty"),
    ("SplitRecorded", 0, put("scheme_id", U), "split_unknown"),
    ("SplitRecorded", 0, put("release_no", 3), "split_release_no"),
    ("SplitRecorded", 0, put("split", "reserve_micro_fen", 1), "split_sum"),
    ("RemittanceClosed", 0, put("receipt_digest", m.digest(6_000)), "bank_receipt_twice"),
]


@pytest.mark.parametrize(
    ("name", "number", "change", "code"), FAULTS, ids=[f"{f[0]}-{f[3]}" for f in FAULTS]
)
def test_verify__one_event_altered__is_found(
    market: m.VerifiedMarket, name: str, number: int, change: Change, code: str
) -> None:
    report = check(market, m.altered(market.events, name, number, change))
    assert code in codes(report)
    assert not report.ok


REPEATED = [
    ("CityOpened", 0, "city_twice"),
    ("ProductListed", 0, "product_twice"),
    ("SchemeApproved", 0, "scheme_twice"),
    ("RemittanceClosed", 0, "batch_state"),
    ("SplitRecorded", 0, "invoice_state"),
    ("LicenceStateSet", 1, "state_step"),
]


@pytest.mark.parametrize(("name", "number", "code"), REPEATED, ids=[r[2] for r in REPEATED])
def test_verify__one_event_repeated__is_found(
    market: m.VerifiedMarket, name: str, number: int, code: str
) -> None:
    assert code in codes(check(market, followed(market, name, number)))


def followed(market: m.VerifiedMarket, name: str, number: int, **args: Any) -> list[Any]:
    """Return the events with one of them told once more at the end, some arguments changed."""
    again = [event for event in market.copy() if event.name == name][number]
    last = len(market.events) + 1
    return [*market.copy(), replace(again, args=again.args | args, block_number=last)]


def test_verify__licence_on_a_product_that_is_not_listed__is_found(
    market: m.VerifiedMarket,
) -> None:
    events = followed(market, "ProductStateSet", 0)
    grant = next(event for event in market.copy() if event.name == "LicenceGranted")
    agreement = grant.args["agreement"] | {"agreement_id": U}
    args = grant.args | {"licence_no": 3, "agreement": agreement}
    events.append(replace(grant, args=args, block_number=len(events) + 1))
    assert "product_not_listed" in codes(check(market, events))


def test_verify__supplement_to_an_ended_licence__is_found(market: m.VerifiedMarket) -> None:
    events = m.altered(market.events, "LicenceStateSet", 1, put("state", 3))
    supplement = next(event for event in market.copy() if event.name == "LicenceSupplemented")
    events.append(replace(supplement, block_number=len(events) + 1))
    assert "licence_ended" in codes(check(market, events))


@pytest.mark.parametrize(
    ("more", "is_found"),
    [
        ({}, False),
        ({"quota_units": 20_001}, True),
        ({"valid_until": m.START + 2 * 10**6 + 1}, True),
        ({"valid_until": m.START + 10**6, "quota_units": 19_999}, False),
    ],
)
def test_verify__supplement_of_a_suspended_product__only_more_is_found(
    market: m.VerifiedMarket, more: dict[str, Any], is_found: bool
) -> None:
    events = followed(market, "ProductStateSet", 0)
    supplement = next(event for event in market.copy() if event.name == "LicenceSupplemented")
    args = supplement.args | {"supplement": supplement.args["supplement"] | more}
    events.append(replace(supplement, args=args, block_number=len(events) + 1))
    assert ("product_not_listed" in codes(check(market, events))) == is_found


def test_verify__split_booked_in_another_scheme__is_found(market: m.VerifiedMarket) -> None:
    scheme = next(event for event in market.copy() if event.name == "SchemeApproved")
    terms = scheme.args["terms"] | {"scheme_id": U}
    other = replace(scheme, args=scheme.args | {"scheme_id": U, "terms": terms}, log_index=1)
    events = m.altered(market.events, "SplitRecorded", 0, put("scheme_id", U))
    assert "split_scheme" in codes(check(market, [*events, other]))


def test_verify__event_of_an_unknown_contract__is_found(market: m.VerifiedMarket) -> None:
    events = [*market.events, replace(market.events[0], contract="Other", block_number=10**6)]
    assert "contract_unknown" in codes(check(market, events))


@pytest.mark.parametrize("moved", [1, 2, 10**6])
def test_split__micro_fen_moved_between_lines__is_found(
    market: m.VerifiedMarket, moved: int
) -> None:
    def change(args: dict[str, Any]) -> None:
        args["split"]["lineage_cost_micro_fen"][1] -= moved
        args["split"]["lineage_cost_micro_fen"][2] += moved

    report = check(market, m.altered(market.events, "SplitRecorded", 0, change))
    assert codes(report) & {"split_line", "split_rounding"}
    places = [finding.where for finding in report.findings]
    assert any(str(m.TRAFFIC) in place for place in places)


@pytest.mark.parametrize(("days", "is_over"), [(0, False), (13, False), (15, True)])
def test_grant__tariff_superseded__holds_for_the_life_of_a_quote(
    market: m.VerifiedMarket, days: int, is_over: bool
) -> None:
    events = market.copy()
    at = next(i for i, event in enumerate(events) if event.name == "LicenceGranted")
    published = next(event for event in events if event.name == "TariffPublished")
    block = {"block_number": events[at].block_number, "block_time": events[at].block_time}
    following = replace(published, args=published.args | {"tariff_no": 2}, **block)
    later = events[at].block_time + days * 24 * 3600
    events[at] = replace(events[at], log_index=1, block_time=later)
    found = codes(check(market, [*events[:at], following, *events[at:]]))
    assert ("quote_over" in found, "agreement_tariff" in found) == (is_over, False)


@pytest.mark.parametrize("index", range(0, 60, 7))
def test_numbers__an_event_missing__is_found(market: m.VerifiedMarket, index: int) -> None:
    events = market.copy()
    del events[index]
    # The last of a contract leaves no gap.
    assert codes(check(market, events)) & {"event_gap", "event_count"}


def test_numbers__last_event_missing__counter_tells(market: m.VerifiedMarket) -> None:
    assert "event_count" in codes(check(market, market.copy()[:-1]))


def test_verify__event_without_arguments__is_a_finding_not_an_error(
    market: m.VerifiedMarket,
) -> None:
    for index, event in enumerate(market.events):
        events = market.copy()
        events[index] = replace(event, args={})
        assert "event_malformed" in codes(check_events(market, events))


def check_events(market: m.VerifiedMarket, events: Any) -> VerificationReport:
    return verify(events, logs=Path("/nonexistent"), counts=market.counts)


def test_verify__event_of_an_unknown_name__is_found(market: m.VerifiedMarket) -> None:
    unknown = [replace(market.events[0], name="Other")]
    assert "event_unknown" in codes(check_events(market, unknown))


def test_documents__altered_or_misnamed__are_found(
    market: m.VerifiedMarket, tmp_path: Path
) -> None:
    source = next(market.documents.glob("*/*.json"))
    folder = tmp_path / source.parent.name
    folder.mkdir()
    (folder / source.name).write_text(source.read_text().replace("invented", "altered"))
    (folder / "note.json").write_text("{}")
    (folder / f"{source.parent.name}{'0' * 62}.json").write_text("{}")
    report = verify(market.events, logs=market.logs, documents=tmp_path)
    expected = {"document_altered", "document_name", "document_malformed"}
    assert codes(report) == expected


def test_verify__last_administrator_removed__is_found(market: m.VerifiedMarket) -> None:
    events = list(market.events)
    at = next(i for i, event in enumerate(events) if event.name == "SignerRolesSet")
    # The clerk gets no administration, and the first account goes instead of it.
    events[at] = replace(events[at], args=events[at].args | {"roles": 4})
    at = next(i for i, event in enumerate(events) if event.name == "SignerRemoved")
    events[at] = replace(events[at], args=events[at].args | {"signer": "0x" + "03" * 20})
    assert "administrator_missing" in codes(check(market, events))


def account(who: Any) -> str:
    return "0x" + f"{who.int & 0xFF:02x}" * 20


@dataclass(frozen=True)
class Signed:
    """A call as a transaction would show it."""

    signer: str
    name: str
    work_digest: bytes = bytes(32)
    log_end: int = 2**62


def signed(market: m.VerifiedMarket, name: str, call: Signed) -> VerificationReport:
    """Check the market as if all calls were open to anybody, but one event's was this one."""
    at = next(event for event in market.events if event.name == name)
    calls = {event.tx_hash: [Signed("", "LicenceRegistry.grantLicence")] for event in market.events}
    return check(market, calls=calls | {at.tx_hash: [call]})


def test_verify__caller_with_the_role__finds_nothing(market: m.VerifiedMarket) -> None:
    call = Signed(account(m.PRICE), "LicenceRegistry.approveCaps")
    assert signed(market, "CapsApproved", call).findings == []


STRANGER = "0x" + "ee" * 20


@pytest.mark.parametrize(
    ("event", "call", "code"),
    [
        ("CapsApproved", Signed(STRANGER, "LicenceRegistry.approveCaps"), "caller_unknown"),
        (
            "CapsApproved",
            Signed(account(m.BUYER), "LicenceRegistry.approveCaps"),
            "actor_not_signer",
        ),
        # The clerk is added without administration, and then signs for its own promotion.
        ("SignerRolesSet", Signed("0x" + "b2" * 20, "Directory.setSignerRoles"), "caller_role"),
    ],
)
def test_verify__wrong_caller__is_found(
    market: m.VerifiedMarket, event: str, call: Signed, code: str
) -> None:
    assert code in codes(signed(market, event, call))


def test_verify__act_that_takes_two__prepared_by_another(market: m.VerifiedMarket) -> None:
    ends = [event for event in market.events if event.name == "JointActsSet"][1]
    calls = {event.tx_hash: [Signed("", "LicenceRegistry.grantLicence")] for event in market.events}
    alone = Signed(account(m.BUYER), "Directory.setJointActs")
    found = check(market, calls=calls | {ends.tx_hash: [alone]})
    assert codes(found) == {"second_caller_missing"}
    together = Signed(account(m.BUYER), "Directory.setJointActs", m.digest(4))
    assert check(market, calls=calls | {ends.tx_hash: [together]}).findings == []
    itself = Signed("0x" + "b2" * 20, "Directory.setJointActs", m.digest(4))
    found = check(market, calls=calls | {ends.tx_hash: [itself]})
    assert codes(found) == {"second_caller_missing"}


def test_verify__transaction_without_a_call__is_found(market: m.VerifiedMarket) -> None:
    assert codes(check(market, calls={})) == {"call_missing"}
