"""OpenZeppelin's contracts: the access manager that governance holds, and the forwarder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.chain.contracts.base import Contract
from ledger.chain.contracts.licences import domain_of
from ledger.chain.rpc_types import BlockId


class AccessManager(Contract):
    """The access manager; its administrator is the governance key."""

    name = "AccessManager"

    def is_admin(self, account: str, *, block: BlockId) -> bool:
        """Return whether an account governs now."""
        is_member, _delay = self.view("hasRole", 0, account, block=block)
        return bool(is_member)


class Forwarder(Contract):
    """The ERC-2771 forwarder, through which organisations act without gas."""

    name = "ERC2771Forwarder"

    def nonce_of(self, signer: str, *, block: BlockId) -> int:
        """Return the number of an account's next request."""
        return int(self.view("nonces", signer, block=block))

    def nonces_of(self, signers: Sequence[str], *, block: BlockId) -> list[int]:
        """Return the number of the next request of each of many accounts."""
        return [int(found) for found in self.views("nonces", [(s,) for s in signers], block=block)]

    def verify(self, request: dict[str, Any], *, block: BlockId) -> bool:
        """Return whether a signed request would be executed now."""
        return bool(self.view("verify", request, block=block))

    def eip712_domain(self, *, block: BlockId) -> dict[str, Any]:
        """Return the domain as the contract states it (EIP-5267)."""
        return domain_of(self, block=block)
