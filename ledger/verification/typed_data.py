"""EIP-712 digests of agreements and supplements, computed without the contract.

Source: EIP-712; the types are those of `contracts/LicenceRegistry.sol`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

_DOMAIN = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
_AGREEMENT = (
    ("agreementId", "bytes16"),
    ("productId", "bytes16"),
    ("operatorId", "bytes16"),
    ("buyerId", "bytes16"),
    ("tariffNo", "uint32"),
    ("purpose", "uint8"),
    ("modes", "uint8"),
    ("validFrom", "uint64"),
    ("validUntil", "uint64"),
    ("quotaUnits", "uint64"),
    ("platformLiabilityPpm", "uint32"),
    ("outcomePpm", "uint32"),
    ("teamMax", "uint8"),
    ("isAcceptedByUse", "bool"),
    ("termsDigest", "bytes32"),
    ("deadline", "uint64"),
)
_SUPPLEMENT = (
    ("licenceNo", "uint64"),
    ("previousDigest", "bytes32"),
    ("termsDigest", "bytes32"),
    ("validUntil", "uint64"),
    ("quotaUnits", "uint64"),
    ("platformLiabilityPpm", "uint32"),
    ("deadline", "uint64"),
)
_CERTIFICATE_KEY = (
    ("organisationId", "bytes16"),
    ("licenceNo", "uint64"),
    ("publicKey", "bytes32"),
    ("validUntil", "uint64"),
)


def agreement_digest(domain: Mapping[str, Any], agreement: Mapping[str, Any]) -> bytes:
    """Return the digest that both sides of an agreement sign; fields in snake_case."""
    return _digest(domain, "Agreement", _AGREEMENT, agreement)


def supplement_digest(domain: Mapping[str, Any], supplement: Mapping[str, Any]) -> bytes:
    """Return the digest that both sides of a supplement sign; fields in snake_case."""
    return _digest(domain, "Supplement", _SUPPLEMENT, supplement)


def certificate_key_signer(
    domain: Mapping[str, Any], values: Mapping[str, Any], signature: bytes
) -> str:
    """Return the account that let a key secure a licence's certificate; fields in snake_case."""
    signable = encode_typed_data(
        full_message=_message(domain, "CertificateKey", _CERTIFICATE_KEY, values)
    )
    return str(Account.recover_message(signable, signature=signature)).lower()


def _digest(
    domain: Mapping[str, Any],
    name: str,
    fields: tuple[tuple[str, str], ...],
    values: Mapping[str, Any],
) -> bytes:
    signable = encode_typed_data(full_message=_message(domain, name, fields, values))
    return bytes(keccak(b"\x19" + signable.version + signable.header + signable.body))


def _message(
    domain: Mapping[str, Any],
    name: str,
    fields: tuple[tuple[str, str], ...],
    values: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "types": {
            "EIP712Domain": [{"name": field, "type": kind} for field, kind in _DOMAIN],
            name: [{"name": field, "type": kind} for field, kind in fields],
        },
        "primaryType": name,
        "domain": dict(domain),
        "message": {field: _value(values[_snake(field)]) for field, _ in fields},
    }


def _value(value: Any) -> Any:
    return value.bytes if isinstance(value, UUID) else value


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
