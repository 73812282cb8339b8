"""The requests that organisations sign (EIP-712) for the ERC-2771 forwarder.

The organisation's own key signs; the relayer pays for gas and can forge nothing. Wrong key, used
number and passed deadline have errors of their own here; the forwarder reports them as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from ledger.chain.errors import ChainError

VALID_SECONDS = 7 * 24 * 3600
_TYPES = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ],
    "ForwardRequest": [
        {"name": "from", "type": "address"},
        {"name": "to", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "gas", "type": "uint256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint48"},
        {"name": "data", "type": "bytes"},
    ],
}


_TYPEHASH = keccak(
    text="ForwardRequest("
    + ",".join(f"{field['type']} {field['name']}" for field in _TYPES["ForwardRequest"])
    + ")"
)


class SignatureMismatchError(ChainError):
    """A request was signed by another key than its sender's, or was changed after signing."""

    code = "chain.signature_mismatch"


class RequestReplayedError(ChainError):
    """The request's number is not the signer's next one: it was used, or others come first."""

    code = "chain.request_replayed"


class RequestExpiredError(ChainError):
    """The request's deadline has passed."""

    code = "chain.request_expired"


@dataclass(frozen=True, slots=True)
class ForwardRequest:
    """What an organisation signs.

    Attributes:
        sender: account of the organisation.
        to: contract.
        gas: gas limit of the inner call.
        nonce: the account's next number in the forwarder.
        deadline: Unix seconds after which nobody may relay it.
        data: calldata of the command.
    """

    sender: str
    to: str
    gas: int
    nonce: int
    deadline: int
    data: bytes


def typed_data(request: ForwardRequest, domain: dict[str, Any]) -> dict[str, Any]:
    """Return the EIP-712 message that is shown and signed; byte strings as 0x text."""
    return {
        "types": _TYPES,
        "primaryType": "ForwardRequest",
        "domain": domain,
        "message": {
            "from": request.sender,
            "to": request.to,
            "value": 0,
            "gas": request.gas,
            "nonce": request.nonce,
            "deadline": request.deadline,
            "data": "0x" + request.data.hex(),
        },
    }


def domain_separator(domain: dict[str, Any]) -> bytes:
    """Return the hash of an EIP-712 domain; it is the same for every message."""
    nobody = "0x" + "00" * 20
    message = typed_data(ForwardRequest(nobody, nobody, 0, 0, 0, b""), domain)
    return bytes(encode_typed_data(full_message=message).header)


def request_hash(request: ForwardRequest, separator: bytes) -> bytes:
    """Return what is signed for a request, from its words; a library's way takes longer."""
    words = (
        _TYPEHASH,
        bytes.fromhex(request.sender[2:]).rjust(32, b"\0"),
        bytes.fromhex(request.to[2:]).rjust(32, b"\0"),
        bytes(32),
        request.gas.to_bytes(32, "big"),
        request.nonce.to_bytes(32, "big"),
        request.deadline.to_bytes(32, "big"),
        keccak(request.data),
    )
    return keccak(b"\x19\x01" + separator + keccak(b"".join(words)))


def sign_request(account: LocalAccount, request: ForwardRequest, separator: bytes) -> bytes:
    """Return the signature (65 bytes) of a request by a local key."""
    digest = request_hash(request, separator)
    return bytes(account.unsafe_sign_hash(digest).signature)  # type: ignore[arg-type]


def sign_typed_data(account: LocalAccount, message: dict[str, Any]) -> bytes:
    """Return the signature (65 bytes) of an EIP-712 message by a local key."""
    return bytes(account.sign_message(encode_typed_data(full_message=message)).signature)


def recover_signer(message: dict[str, Any], signature: bytes) -> str | None:
    """Return the address that signed an EIP-712 message, None when it is no signature."""
    try:
        found = Account.recover_message(
            encode_typed_data(full_message=message), signature=signature
        )
    except (ValueError, TypeError, BadSignature, ValidationError):
        return None
    return str(found).lower()


def relayed(data: bytes, signer: str) -> bytes:
    """Return calldata as the forwarder passes it on: the signer's address behind it."""
    return data + bytes.fromhex(signer[2:])


def request_data(request: ForwardRequest, signature: bytes) -> dict[str, Any]:
    """Return a signed request as the forwarder's argument."""
    return {
        "from": request.sender,
        "to": request.to,
        "value": 0,
        "gas": request.gas,
        "deadline": request.deadline,
        "data": request.data,
        "signature": signature,
    }
