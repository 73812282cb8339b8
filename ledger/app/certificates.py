"""The certificate of lawful source (合法来源证明): a W3C credential for a licence's buyer.

Rules kept here:
1. It names what the ledger holds: licence, product, datasets with codes, versions, digests of the
   sources' statements, purpose and validity; its status is what the chain says when it is read.
2. The key that secures it is made for it alone and forgotten; the organisation's own account
   authorises that key (EIP-712), and the chain says for whom the account signs.
3. The licence's operator signs it, or a platform.

Source: W3C Verifiable Credentials Data Model 2.0 (15 May 2025); `domain.md` F33, section 8.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.app.documents import write_durably
from ledger.app.errors import CertificateMissingError, NotCertifierError
from ledger.app.market import Market
from ledger.app.names import display_names
from ledger.chain.forwarder import sign_typed_data
from ledger.chain.keys import KeyAccount, address_of
from ledger.codec.credentials import CONTEXT, did_key_of, public_key_of_seed, secured
from ledger.codec.typed_data import typed_message
from ledger.domain.calendar import instant_text
from ledger.domain.codes import ClaimantKind, LicenceState, ModeSet, Purpose, Role
from ledger.domain.ids import digest_text
from ledger.domain.policies import urn
from ledger.projection import queries
from ledger.verification.certificates import check_certificate
from ledger.verification.findings import VerificationReport

KEY_TYPE = (
    ("organisationId", "bytes16"),
    ("licenceNo", "uint64"),
    ("publicKey", "bytes32"),
    ("validUntil", "uint64"),
)
VOCABULARY = "urn:metro-data-ledger:vocab:1#"


def issue_certificate(market: Market, account: KeyAccount, licence_no: int) -> dict[str, Any]:
    """Issue, keep and return the certificate of a licence.

    Raises:
        NotFoundError: the licence is unknown.
        NotCertifierError: the account signs for neither its operator nor a platform.
    """
    issuer_id = market.organisation_of(address_of(account))
    with market.read() as connection:
        licence = queries.licence(connection, licence_no)
        roles = {row.role for row in queries.roles_of(connection, issuer_id)}
    if issuer_id != licence.operator_id and Role.PLATFORM not in roles:
        raise NotCertifierError(
            "a certificate is signed by the licence's operator, or by a platform",
            field="signer",
            got=str(issuer_id),
            expected=str(licence.operator_id),
        )
    seed = secrets.token_bytes(32)
    authorisation = _authorised(market, account, issuer_id, licence, public_key_of_seed(seed))
    credential = _credential(market, licence, issuer_id, authorisation)
    certificate = secured(credential, seed, instant_text(market.now_seconds()))
    text = json.dumps(certificate, ensure_ascii=False, indent=2, sort_keys=True)
    write_durably(_file(market, licence_no), text.encode())
    return certificate


def certificate_found(market: Market, licence_no: int) -> dict[str, Any]:
    """Return the certificate that was issued last, with the licence's state beside it.

    Raises:
        NotFoundError: the licence is unknown.
        CertificateMissingError: none was issued here.
    """
    status = certificate_status(market, licence_no)
    path = _file(market, licence_no)
    if not path.exists():
        raise CertificateMissingError(
            "no certificate of this licence was issued here", field="licence_no", got=licence_no
        )
    return {"certificate": json.loads(path.read_text("utf-8")), "status": status}


def certificate_status(market: Market, licence_no: int) -> dict[str, Any]:
    """Return what the chain says of a licence now: the status of its certificate.

    Raises:
        ChainRefusedError: the licence is unknown.
    """
    record = market.contracts.licences.licence(licence_no, block="latest")
    with market.read() as connection:
        latest = queries.licence(connection, licence_no).agreement_digest
    now = market.now_seconds()
    is_valid = record.state == LicenceState.ACTIVE
    return {
        "licence_no": licence_no,
        "state": LicenceState(record.state).name.lower(),
        "is_valid_now": is_valid and record.valid_from <= now < record.valid_until,
        "valid_until": instant_text(record.valid_until),
        "agreement_digest": digest_text(latest),
        "at": instant_text(now),
    }


def check_certificate_file(market: Market, certificate: Any) -> VerificationReport:
    """Return what is wrong with a certificate, by the chain alone."""
    return check_certificate(certificate, market.contracts, market.now_seconds())


def key_message(
    domain: dict[str, Any], organisation_id: UUID, licence_no: int, key: bytes, until: int
) -> dict[str, Any]:
    """Return what an account signs to let a key secure one licence's certificate."""
    values = {
        "organisationId": digest_text(organisation_id.bytes),
        "licenceNo": licence_no,
        "publicKey": digest_text(key),
        "validUntil": until,
    }
    return typed_message("CertificateKey", KEY_TYPE, domain, values)


def _authorised(
    market: Market, account: KeyAccount, issuer_id: UUID, licence: queries.LicenceRow, key: bytes
) -> dict[str, Any]:
    domain = market.contracts.licences.eip712_domain(block="latest")
    until = licence.valid_until
    message = key_message(domain, issuer_id, licence.licence_no, key, until)
    return {
        "id": did_key_of(key),
        "organisationId": urn(issuer_id),
        "keyAuthorisation": {
            "type": "EIP-712 CertificateKey",
            "signer": address_of(account),
            "validUntil": until,
            "signature": digest_text(sign_typed_data(account, message)),
        },
    }


def _credential(
    market: Market, licence: queries.LicenceRow, issuer_id: UUID, issuer: dict[str, Any]
) -> dict[str, Any]:
    names = display_names(market)
    unknown = {"zh": "—", "en": "—"}
    head = market.chain.head()
    return {
        "@context": [CONTEXT, {"@vocab": VOCABULARY}],
        "id": f"{urn(licence.agreement_id)}#certificate",
        "type": ["VerifiableCredential", "LawfulSourceCertificate"],
        "name": "合法来源证明 · Certificate of lawful source",
        "issuer": issuer | {"name": names.get(issuer_id, unknown)["zh"]},
        "validFrom": instant_text(licence.valid_from),
        "validUntil": instant_text(licence.valid_until),
        "credentialStatus": {
            "type": "LedgerLicenceStatus",
            "chainId": market.settings.chain_id,
            "contract": market.contracts.licences.address,
            "licenceNo": licence.licence_no,
        },
        "credentialSubject": {
            "id": urn(licence.buyer_id),
            "buyerName": names.get(licence.buyer_id, unknown)["zh"],
            "licenceNo": licence.licence_no,
            "agreementDigest": digest_text(licence.agreement_digest),
            "termsDigest": digest_text(licence.terms_digest),
            "productId": urn(licence.product_id),
            "productName": names.get(licence.product_id, unknown)["zh"],
            "purpose": Purpose(licence.purpose).name.lower(),
            "deliveryModes": [mode.name.lower() for mode in ModeSet(licence.modes).modes()],
            "quotaUnits": str(licence.quota_units),
            "datasets": _datasets(market, licence.product_id),
            "blockNumber": head.number,
        },
    }


def _datasets(market: Market, product_id: UUID) -> list[dict[str, Any]]:
    with market.read() as connection:
        lineage = queries.lineage_of(connection, product_id)
        details = [
            queries.dataset(connection, row.claimant_id)
            for row in lineage
            if row.kind == ClaimantKind.DATASET
        ]
    return [_dataset(market, detail) for detail in details]


def _dataset(market: Market, detail: queries.DatasetDetail) -> dict[str, Any]:
    row, latest = detail.dataset, detail.versions[-1]
    document = market.documents.find(row.metadata_digest)
    record = dict(document.record.get("metadata", {})) if document else {}
    statement = record.get("source_statement")
    return {
        "id": urn(row.dataset_id),
        "title": record.get("title_zh"),
        "providerId": urn(row.provider_id),
        "resourceCode": record.get("resource_code"),
        "registrationCode": record.get("registration_code"),
        "metadataDigest": digest_text(row.metadata_digest),
        "sourceStatementDigest": _text_digest(statement) if statement else None,
        "versionNo": latest.version_no,
        "sha256": digest_text(latest.sha256_digest),
        "sm3": digest_text(latest.sm3_digest),
    }


def _text_digest(text: str) -> str:
    """Return SHA-256 of a statement that the catalogue shows to everyone."""
    return digest_text(hashlib.sha256(text.encode()).digest())


def _file(market: Market, licence_no: int) -> Path:
    return market.home / "certificates" / f"{licence_no}.json"
