"""Every refusal of every packaged contract has a Python class with a stable code."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from eth_abi.abi import encode

from ledger.chain.abi import Entry, contract_abi, type_text
from ledger.chain.artifacts import names
from ledger.chain.reverts import ChainRefusedError, decode_revert, error_classes
from ledger.chain.rpc_types import revert_data

pytestmark = pytest.mark.unit

ERRORS = [entry for name in names() for entry in contract_abi(name).errors.values()]
SAMPLES: dict[str, Any] = {
    "address": "0x" + "ab" * 20,
    "bytes": b"\x01",
    "bytes4": b"\x01" * 4,
    "bytes16": b"\x01" * 16,
    "bytes19": b"\x01" * 19,
    "bytes20": b"\x01" * 20,
    "bytes24": b"\x01" * 24,
    "bytes32": b"\x01" * 32,
    "string": "field",
    "bool": True,
}


def sample(entry: Entry) -> bytes:
    types = [type_text(param) for param in entry.inputs]
    return entry.selector + encode(types, [SAMPLES.get(kind, 7) for kind in types])


@pytest.mark.parametrize("entry", ERRORS, ids=lambda entry: f"{entry.contract}-{entry.name}")
def test_decode_revert__every_custom_error__has_its_class_and_parameters(entry: Entry) -> None:
    error = decode_revert(sample(entry))
    assert type(error) is error_classes()[entry.selector]
    assert error.name == entry.name
    assert len(error.params) == len(entry.inputs)
    assert re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", error.code)


def test_error_classes__codes__are_unique() -> None:
    codes = [cls.code for cls in error_classes().values()]
    assert len(codes) == len(set(codes))


def test_decode_revert__content_exists__names_the_version() -> None:
    entry = contract_abi("DatasetRegistry").errors["DatasetRegistry_ContentExists"]
    body = encode(["bytes32", "bytes16", "uint32"], [b"\x05" * 32, b"\x06" * 16, 3])
    error = decode_revert(entry.selector + body)
    assert error.code == "dataset_registry.content_exists"
    assert error.params["dataset_id"] == UUID(bytes=b"\x06" * 16)
    assert error.params["version_no"] == 3
    assert error.as_dict()["params"]["sha256_digest"] == "0x" + "05" * 32


def test_decode_revert__price_above_cap__fills_got_and_expected() -> None:
    entry = contract_abi("LicenceRegistry").errors["LicenceRegistry_PriceAboveCap"]
    error = decode_revert(entry.selector + encode(["uint256", "uint64", "uint64"], [1, 900, 800]))
    assert (error.code, error.got, error.expected) == ("licence_registry.price_above_cap", 900, 800)


def test_decode_revert__panic_and_reason__are_told_apart() -> None:
    panic = decode_revert(bytes.fromhex("4e487b71") + encode(["uint256"], [0x21]))
    reason = decode_revert(bytes.fromhex("08c379a0") + encode(["string"], ["no"]))
    assert (panic.code, panic.params) == ("chain.panic", {"panic_code": 0x21})
    assert (reason.code, reason.detail) == ("chain.reverted", "no")


@pytest.mark.parametrize("data", [b"", b"\x01\x02\x03\x04", bytes.fromhex("08c379a0ff")])
def test_decode_revert__unknown_or_malformed__keeps_the_data(data: bytes) -> None:
    error = decode_revert(data, "execution reverted")
    assert type(error) is ChainRefusedError
    assert error.data == data


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0x0102"}, b"\x01\x02"),
        ({"code": -32000, "message": "x", "data": {"data": "0x0102"}}, b"\x01\x02"),
        ({"code": -32000, "message": "VM Exception: revert"}, b""),
        ({"code": -32601, "message": "method not found"}, None),
        ("not an object", None),
    ],
)
def test_revert_data__answers_of_different_nodes__are_read_alike(
    error: object, expected: bytes | None
) -> None:
    assert revert_data(error) == expected
