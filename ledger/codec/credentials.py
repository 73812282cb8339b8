"""Verifiable credentials secured by Data Integrity, cryptosuite eddsa-jcs-2022.

Rules kept here:
1. Signed is SHA-256(JCS(proof options)) ‖ SHA-256(JCS(document)); the proof repeats the document's
   context, and its value is base58-btc behind a `z`.
2. The verification method is a did:key of an Ed25519 key, so a proof is checked without a look-up.

Source: W3C Data Integrity EdDSA Cryptosuites v1.0 (15 May 2025), section 3.3; its test vector.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.codec.canonical import canonical_json
from ledger.codec.errors import MalformedProofError

CONTEXT = "https://www.w3.org/ns/credentials/v2"
CRYPTOSUITE = "eddsa-jcs-2022"
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519 = bytes((0xED, 0x01))
_DID_KEY = "did:key:"
_TEXT_MAX = 200


def did_key_of(public_key: bytes) -> str:
    """Return the did:key of an Ed25519 public key (32 bytes)."""
    return f"{_DID_KEY}z{_base58(_ED25519 + public_key)}"


def public_key_of(did: str) -> bytes:
    """Return the Ed25519 public key of a did:key.

    Raises:
        MalformedProofError: it is none.
    """
    text = did.removeprefix(_DID_KEY)
    found = _from_base58(text[1:]) if did.startswith(f"{_DID_KEY}z") else b""
    if len(found) != 34 or not found.startswith(_ED25519):
        raise MalformedProofError(
            "expected a did:key of an Ed25519 key", field="verificationMethod", got=did[:_TEXT_MAX]
        )
    return found[2:]


def public_key_of_seed(seed: bytes) -> bytes:
    """Return the Ed25519 public key (32 bytes) of a seed (32 bytes)."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def secured(document: Mapping[str, Any], private_key: bytes, created: str) -> dict[str, Any]:
    """Return a document with its proof.

    Args:
        document: the credential, without a proof.
        private_key: Ed25519 seed, 32 bytes.
        created: instant as XML Schema dateTime, with its offset.
    """
    signer = Ed25519PrivateKey.from_private_bytes(private_key)
    did = did_key_of(public_key_of_seed(private_key))
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": created,
        "verificationMethod": f"{did}#{did.removeprefix(_DID_KEY)}",
        "proofPurpose": "assertionMethod",
        "@context": document["@context"],
    }
    signature = signer.sign(_hash_data(options, document))
    return dict(document) | {"proof": options | {"proofValue": f"z{_base58(signature)}"}}


def check_secured(credential: Mapping[str, Any]) -> bytes:
    """Check the proof of a secured document and return the Ed25519 key that made it.

    Raises:
        MalformedProofError: it has no such proof, or the proof is wrong.
    """
    document = {name: value for name, value in credential.items() if name != "proof"}
    proof = credential.get("proof")
    if not isinstance(proof, Mapping) or proof.get("cryptosuite") != CRYPTOSUITE:
        raise MalformedProofError(
            "the document has no proof of this suite", field="proof", expected=CRYPTOSUITE
        )
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    is_formed = (
        options.get("type") == "DataIntegrityProof"
        and options.get("proofPurpose") == "assertionMethod"
        and options.get("@context") == document.get("@context")
    )
    if not is_formed:
        raise MalformedProofError("the proof's options are not the document's", field="proof")
    method, value = str(options.get("verificationMethod")), str(proof.get("proofValue"))
    public_key = public_key_of(method.partition("#")[0])
    signature = _from_base58(value[1:]) if value.startswith("z") else b""
    try:
        verifier = Ed25519PublicKey.from_public_bytes(public_key)
        verifier.verify(signature, _hash_data(options, document))
    except InvalidSignature as error:
        raise MalformedProofError(
            "the signature does not fit the document", field="proofValue", got=value[:_TEXT_MAX]
        ) from error
    return public_key


def _hash_data(options: Mapping[str, Any], document: Mapping[str, Any]) -> bytes:
    parts = (canonical_json(options), canonical_json(document))
    return b"".join(hashlib.sha256(part).digest() for part in parts)


def _base58(data: bytes) -> str:
    number, digits = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        digits = _ALPHABET[rest] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def _from_base58(text: str) -> bytes:
    """Return the bytes of base58-btc text; empty where it is none."""
    if not text or len(text) > _TEXT_MAX or any(char not in _ALPHABET for char in text):
        return b""
    number = 0
    for char in text:
        number = number * 58 + _ALPHABET.index(char)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
