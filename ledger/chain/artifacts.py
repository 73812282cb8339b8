"""The compiled contracts that the package carries: whoever only runs the service compiles nothing.

`artifacts.json` is written by `python -m ledger.chain.compile` and never by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ledger.chain.errors import ArtifactMissingError

ARTIFACTS_FILE = Path(__file__).with_name("artifacts.json")


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract.

    Attributes:
        name: the contract's name in Solidity.
        abi: the JSON ABI, errors and events included.
        bytecode: creation code, `0x` and hex; constructor arguments go behind it.
        deployed_bytecode_size: size of the runtime code in bytes (the limit is 24,576).
        links: where the creation code wants a library's address: bytes from its start, by library.
    """

    name: str
    abi: list[dict[str, Any]]
    bytecode: str
    deployed_bytecode_size: int
    links: dict[str, list[int]]

    def creation_code(self, addresses: Mapping[str, str]) -> bytes:
        """Return the creation code, linked to the libraries' addresses.

        Raises:
            ArtifactMissingError: a library that it needs has no address.
        """
        text = self.bytecode[2:]
        for library, places in self.links.items():
            if library not in addresses:
                raise ArtifactMissingError(
                    f"{self.name} is linked to {library}, which is not deployed",
                    field="links",
                    got=library,
                    expected=sorted(addresses),
                )
            for place in places:
                text = text[: 2 * place] + addresses[library][2:] + text[2 * place + 40 :]
        return bytes.fromhex(text)


def artifact(name: str) -> Artifact:
    """Return the packaged contract called `name`.

    Raises:
        ArtifactMissingError: there is no such contract, or no artifacts at all.
    """
    contracts = load()["contracts"]
    if name not in contracts:
        raise ArtifactMissingError(
            f"no compiled contract called {name}: run `make contracts`",
            field="name",
            got=name,
            expected=sorted(contracts),
        )
    return Artifact(name=name, **contracts[name])


def names() -> tuple[str, ...]:
    """Return the names of all packaged contracts, sorted."""
    return tuple(sorted(load()["contracts"]))


@cache
def load(file: Path = ARTIFACTS_FILE) -> dict[str, Any]:
    """Return the whole content of an artifacts file.

    Raises:
        ArtifactMissingError: the file is absent or not JSON.
    """
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactMissingError(
            f"{file.name} cannot be read: run `make contracts`", field="file", got=str(error)
        ) from error
    return content
