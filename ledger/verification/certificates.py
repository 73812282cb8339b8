"""A licence's certificate, checked against the chain alone.

Rules kept here:
1. The proof is right, the key that made it was authorised by an account, and the account signs for
   the organisation that the certificate names.
2. That organisation operates the product, or is a platform in its city.
3. Licence, parties, purpose, modes, validity and the latest document are the chain's; every dataset
   and version named is registered with these digests; the licence is active now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ledger.chain.contracts import Contracts
from ledger.codec.credentials import CONTEXT, check_secured
from ledger.domain.calendar import instant_text
from ledger.domain.codes import LicenceState, ModeSet, Purpose, Role
from ledger.domain.errors import LedgerError
from ledger.domain.ids import parse_id
from ledger.verification.findings import Findings, VerificationReport
from ledger.verification.sold import KEPT_BYTES
from ledger.verification.typed_data import certificate_key_signer

_WHERE = "certificate"


def check_certificate(
    certificate: Mapping[str, Any], contracts: Contracts, now_seconds: int
) -> VerificationReport:
    """Return what is wrong with a certificate, all of it.

    Args:
        certificate: the credential with its proof, as parsed JSON.
        contracts: the market's contracts, read at the newest block.
        now_seconds: Unix seconds.
    """
    findings = Findings()
    findings.count("certificates")
    try:
        _check(certificate, contracts, now_seconds, findings)
    except LedgerError as error:
        findings.add(f"certificate_{error.code.partition('.')[2]}", _WHERE, error.got, str(error))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        findings.add("certificate_malformed", _WHERE, repr(error), "a certificate of a licence")
    return findings.report()


def _check(
    certificate: Mapping[str, Any], contracts: Contracts, now_seconds: int, findings: Findings
) -> None:
    public_key = check_secured(certificate)
    findings.require(
        certificate["@context"][0] == CONTEXT, "certificate_context", _WHERE, expected=CONTEXT
    )
    subject, status = certificate["credentialSubject"], certificate["credentialStatus"]
    number = subject["licenceNo"]
    findings.same("certificate_status", _WHERE, status["licenceNo"], number)
    address = contracts.licences.address
    findings.same("certificate_contract", _WHERE, status["contract"], address)
    licence = contracts.licences.licence(number, block="latest")
    agreement_id = _id(certificate["id"].partition("#")[0])
    grant = contracts.licences.grant_of(agreement_id, block="latest")
    latest = bytes.fromhex(subject["agreementDigest"].removeprefix("0x"))[:KEPT_BYTES]
    product = contracts.licences.product(licence.product_id, block="latest")
    issuer_id = _check_issuer(certificate, public_key, contracts, now_seconds, findings)
    city = contracts.directory.organisation(issuer_id, block="latest").city_code
    is_platform = contracts.directory.has_role(issuer_id, int(Role.PLATFORM), city, block="latest")
    findings.require(
        issuer_id == product.operator_id or is_platform,
        "certificate_issuer",
        _WHERE,
        issuer_id,
        product.operator_id,
    )
    for name, got, expected in (
        ("buyer", subject["id"], f"urn:uuid:{licence.buyer_id}"),
        ("product", subject["productId"], f"urn:uuid:{licence.product_id}"),
        ("purpose", subject["purpose"], Purpose(licence.purpose).name.lower()),
        ("modes", subject["deliveryModes"], _modes(licence.modes)),
        ("quota", subject["quotaUnits"], str(licence.quota_units)),
        ("agreement", (number, latest), (grant.licence_no, grant.latest_digest)),
        ("valid_from", certificate["validFrom"], instant_text(licence.valid_from)),
        ("valid_until", certificate["validUntil"], instant_text(licence.valid_until)),
    ):
        findings.same(f"certificate_{name}", _WHERE, got, expected)
    state = LicenceState(licence.state).name.lower()
    findings.same("certificate_not_active", _WHERE, state, "active")
    is_running = licence.valid_from <= now_seconds < licence.valid_until
    findings.require(is_running, "certificate_expired", _WHERE, now_seconds, licence.valid_until)
    _check_datasets(subject["datasets"], contracts, findings)


def _check_issuer(
    certificate: Mapping[str, Any],
    public_key: bytes,
    contracts: Contracts,
    now_seconds: int,
    findings: Findings,
) -> UUID:
    """Check who let the key sign, and return the organisation that the issuer names."""
    issuer = certificate["issuer"]
    grant = issuer["keyAuthorisation"]
    organisation_id = _id(issuer["organisationId"])
    method = certificate["proof"]["verificationMethod"].partition("#")[0]
    findings.same("certificate_key", _WHERE, issuer["id"], method)
    domain = contracts.licences.eip712_domain(block="latest")
    values = {
        "organisation_id": organisation_id,
        "licence_no": certificate["credentialSubject"]["licenceNo"],
        "public_key": public_key,
        "valid_until": grant["validUntil"],
    }
    signature = bytes.fromhex(grant["signature"].removeprefix("0x"))
    signer = certificate_key_signer(domain, values, signature)
    findings.same("certificate_signer", _WHERE, signer, grant["signer"].lower())
    findings.require(
        now_seconds < grant["validUntil"], "certificate_key_expired", _WHERE, grant["validUntil"]
    )
    found = contracts.directory.organisation_of(signer, block="latest")
    findings.same("certificate_organisation", _WHERE, organisation_id, found)
    return organisation_id


def _check_datasets(
    datasets: list[Mapping[str, Any]], contracts: Contracts, findings: Findings
) -> None:
    findings.require(bool(datasets), "certificate_datasets", _WHERE, 0, "at least one")
    for item in datasets:
        where = f"{_WHERE}, {item['id']}"
        findings.count("datasets")
        digest = bytes.fromhex(item["sha256"].removeprefix("0x"))
        found = contracts.datasets.version_of(digest, block="latest")
        got = None if found is None else (found.dataset_id, found.version_no)
        findings.same("certificate_version", where, got, (_id(item["id"]), item["versionNo"]))
        record = contracts.datasets.dataset(_id(item["id"]), block="latest")
        findings.same(
            "certificate_provider", where, item["providerId"], f"urn:uuid:{record.provider_id}"
        )


def _modes(bitmap: int) -> list[str]:
    return [mode.name.lower() for mode in ModeSet(bitmap).modes()]


def _id(text: str) -> UUID:
    return parse_id(text.removeprefix("urn:uuid:"))
