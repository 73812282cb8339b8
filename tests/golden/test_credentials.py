"""Data Integrity proofs: the published vector, and that one changed byte is found."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.codec import credentials
from ledger.codec.credentials import check_secured, did_key_of, public_key_of, secured
from ledger.codec.errors import MalformedProofError

pytestmark = pytest.mark.unit

# W3C Data Integrity EdDSA Cryptosuites v1.0, appendix B.3 (eddsa-jcs-2022).
SECRET = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
DID = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
CREATED = "2023-02-24T23:36:38Z"
PROOF_VALUE = (
    "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"
)
CREDENTIAL: dict[str, Any] = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/ns/credentials/examples/v2",
    ],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}


def _seed() -> bytes:
    # Multikey of an Ed25519 secret: two bytes of prefix, then the seed.
    return credentials._from_base58(SECRET[1:])[2:]


def test_secured__published_vector__same_proof() -> None:
    made = secured(CREDENTIAL, _seed(), CREATED)
    assert made["proof"]["proofValue"] == PROOF_VALUE
    assert made["proof"]["verificationMethod"].startswith(DID)
    assert did_key_of(check_secured(made)) == DID


@pytest.mark.parametrize("member", ["name", "issuer", "validFrom"])
def test_check__a_member_changed__refused(member: str) -> None:
    made = secured(CREDENTIAL, _seed(), CREATED)
    with pytest.raises(MalformedProofError):
        check_secured(made | {member: "other"})


@pytest.mark.parametrize(
    "change",
    [
        {"proofValue": PROOF_VALUE[:-1] + "Y"},
        {"proofValue": "z"},
        {"created": "2024-01-01T00:00:00Z"},
        {"proofPurpose": "authentication"},
        {"cryptosuite": "ecdsa-jcs-2019"},
        {"verificationMethod": "did:key:z6Mk"},
    ],
)
def test_check__the_proof_changed__refused(change: dict[str, str]) -> None:
    made = secured(CREDENTIAL, _seed(), CREATED)
    with pytest.raises(MalformedProofError):
        check_secured(made | {"proof": made["proof"] | change})


@pytest.mark.parametrize("key", [bytes(32), bytes(range(32)), b"\xff" * 32])
def test_did_key__any_key__reads_back(key: bytes) -> None:
    assert public_key_of(did_key_of(key)) == key
