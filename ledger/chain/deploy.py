"""Deployment: libraries and contracts in their order, through the outbox like every other command.

Rules kept here:
1. Creations are commands with fixed idempotency keys, so a deployment that died goes on where it
   stopped, and a chain that lost its blocks is rebuilt by sending the same bytes again.
2. What was deployed is written to one JSON file, atomically, after the last contract stands.
3. A recorded deployment is used only when all its contracts still have code.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ledger.chain.abi import Param, contract_abi
from ledger.chain.artifacts import artifact
from ledger.chain.client import Chain
from ledger.chain.contracts.base import encode_call
from ledger.chain.errors import ChainError
from ledger.chain.sender import Intent, Outcome, Sender
from ledger.domain.ids import new_id

FORWARDER_NAME = "MetroDataLedger"
ORDER = (
    "AccessManager",
    "ERC2771Forwarder",
    "Directory",
    "Opening",
    "DatasetRegistry",
    "Applications",
    "Deriving",
    "LicenceRegistry",
    "Negotiations",
    "UsageLog",
    "Schemes",
    "Billing",
    "Corrections",
    "Closing",
    "Remitting",
    "OutcomeSharing",
    "RevenueLedger",
    "ObjectionDesk",
)
"""A contract comes after what its constructor names and what it is linked to."""


class DeploymentError(ChainError):
    """The recorded deployment is unreadable, or its contracts are not on the chain."""

    code = "chain.deployment_missing"


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts stand.

    Attributes:
        chain_id: EIP-155 chain id.
        genesis_hash: hash of block 0 when it was made; for people, not for checks.
        governance: address of the key that governs the access manager.
        first_block: block of the first contract; the indexer starts there.
        last_block: block of the last contract.
        addresses: address by contract name.
        arguments: constructor arguments by contract name.
    """

    chain_id: int
    genesis_hash: str
    governance: str
    first_block: int
    last_block: int
    addresses: dict[str, str]
    arguments: dict[str, list[Any]]


def deploy(
    chain: Chain, sender: Sender, governance: str, file: Path, *, is_trial: bool = False
) -> Deployment:
    """Deploy what is not deployed, record it in `file`, and return where it stands.

    Args:
        chain: the chain; the sender's account must have gas there.
        sender: the relayer's sender.
        governance: address of the key that will govern.
        file: the record, usually `<home>/chain/deployment.json`.
        is_trial: whether clocks may be shorter than the law's (试运行); cannot be changed later.

    Raises:
        IdempotencyConflictError: the outbox holds a deployment of other bytecode.
        ChainError: as `Sender.submit`.
    """
    recorded = load_deployment(file)
    if recorded is not None and stands(chain, recorded):
        return recorded
    done: list[Outcome] = []
    addresses: dict[str, str] = {}
    arguments: dict[str, list[Any]] = {}
    for name in ORDER:
        arguments[name] = _arguments(name, addresses, governance, is_trial)
        code = artifact(name).creation_code(addresses)
        outcome = sender.submit(_creation(chain, sender, name, code, arguments[name]))
        addresses[name] = _created_address(chain, outcome)
        done.append(outcome)
    done.append(_bind(chain, sender, addresses))
    made = Deployment(
        chain_id=chain.expected_chain_id,
        genesis_hash=chain.genesis_hash(),
        governance=governance.lower(),
        first_block=done[0].block_number,
        last_block=done[-1].block_number,
        addresses=addresses,
        arguments=arguments,
    )
    save_deployment(file, made)
    return made


def stands(chain: Chain, deployment: Deployment) -> bool:
    """Return whether all contracts of a deployment have code at the newest block."""
    return all(chain.code(address, block="latest") for address in deployment.addresses.values())


def load_deployment(file: Path) -> Deployment | None:
    """Return the recorded deployment, None when there is no record.

    Raises:
        DeploymentError: the record cannot be read, or is of an earlier version.
    """
    try:
        found = Deployment(**json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise DeploymentError("unreadable deployment", field="file", got=str(file)) from error
    missing = [name for name in ORDER if name not in found.addresses]
    if missing:
        raise DeploymentError(
            "the deployment is of an earlier version and lacks contracts; deploy in a new home",
            field="addresses",
            got=str(file),
            expected=missing,
        )
    return found


def save_deployment(file: Path, deployment: Deployment) -> None:
    """Write a record beside its place and move it there: it is never half written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as stream:
        json.dump(asdict(deployment), stream, indent=2, sort_keys=True)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)


def _creation(chain: Chain, sender: Sender, name: str, code: bytes, arguments: list[Any]) -> Intent:
    data = code + contract_abi(name).constructor.encode_args(arguments)
    digest = hashlib.sha256(data).digest()
    scope, key = f"deploy:{chain.expected_chain_id}", name
    known = sender.find(scope, key, digest)
    gas = 0 if known else chain.estimate_gas(None, data, sender=sender.account) * 11 // 10
    return Intent(new_id(), scope, key, digest, None, data, gas)


def _bind(chain: Chain, sender: Sender, addresses: Mapping[str, str]) -> Outcome:
    """Name the ledger of bills to the licence registry, which was made before it."""
    data = encode_call("LicenceRegistry", "bindLedger", addresses["RevenueLedger"])
    digest = hashlib.sha256(data).digest()
    scope, key = f"deploy:{chain.expected_chain_id}", "LicenceRegistry.bindLedger"
    registry = addresses["LicenceRegistry"]
    known = sender.find(scope, key, digest)
    gas = 0 if known else chain.estimate_gas(registry, data, sender=sender.account) * 11 // 10
    return sender.submit(Intent(new_id(), scope, key, digest, registry, data, gas))


def _created_address(chain: Chain, outcome: Outcome) -> str:
    receipt = chain.receipt(outcome.tx_hash)
    if receipt is None or receipt.contract_address is None:
        raise DeploymentError("a creation made no contract", field="tx_hash", got=outcome.tx_hash)
    return receipt.contract_address


def _arguments(
    name: str, addresses: Mapping[str, str], governance: str, is_trial: bool
) -> list[Any]:
    inputs = contract_abi(name).constructor.inputs
    return [_argument(param, addresses, governance, is_trial) for param in inputs]


def _argument(
    param: Param, addresses: Mapping[str, str], governance: str, is_trial: bool
) -> str | bool:
    """Return a constructor argument by its type (contract IDirectory) or else by its name."""
    kind, _, interface = str(param["internalType"]).partition(" ")
    if kind == "contract":
        return addresses[interface.removeprefix("I")]
    by_name: dict[str, str | bool] = {
        "initialAdmin": governance,
        "name": FORWARDER_NAME,
        "governance": addresses.get("AccessManager", ""),
        "forwarder": addresses.get("ERC2771Forwarder", ""),
        "isTrial_": is_trial,
    }
    return by_name[param["name"]]
