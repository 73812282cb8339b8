"""LicenceRegistry: products, tariffs, licences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.chain.contracts.base import Contract, as_record
from ledger.chain.rpc_types import BlockId


@dataclass(frozen=True, slots=True)
class ProductRecord:
    """A product as the chain keeps it; `modes` is a bitmap, `lineage` the address of its list."""

    operator_id: UUID
    city_code: int
    state: int
    modes: int
    tariff_no: int
    lineage: str
    is_derived: bool
    caps_digest: bytes


@dataclass(frozen=True, slots=True)
class LicenceRecord:
    """A licence as the chain keeps it; valid from (inclusive) to (exclusive) in Unix seconds."""

    product_id: UUID
    buyer_id: UUID
    valid_from: int
    valid_until: int
    quota_units: int
    tariff_no: int
    purpose: int
    modes: int
    state: int
    team_max: int
    is_accepted_by_use: bool


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """What an agreement granted: 0 where nothing; 24 bytes of its licence's latest digest."""

    licence_no: int
    latest_digest: bytes


class LicenceRegistry(Contract):
    """Views of the licence registry."""

    name = "LicenceRegistry"

    def product(self, product_id: UUID, *, block: BlockId) -> ProductRecord:
        """Return a product; refused when unknown."""
        return as_record(ProductRecord, self.view("product", product_id, block=block))

    def lineage_of(self, product_id: UUID, *, block: BlockId) -> list[dict[str, Any]]:
        """Return a product's lineage as `ProductListed` has it; empty when unknown."""
        return list(self.view("lineageOf", product_id, block=block))

    def licence(self, licence_no: int, *, block: BlockId) -> LicenceRecord:
        """Return a licence; refused when unknown."""
        return as_record(LicenceRecord, self.view("licence", licence_no, block=block))

    def grant_of(self, agreement_id: UUID, *, block: BlockId) -> GrantRecord:
        """Return what an agreement granted."""
        return as_record(GrantRecord, self.view("grantOf", agreement_id, block=block))

    def agreement_digest(self, agreement: dict[str, Any], *, block: BlockId) -> bytes:
        """Return the EIP-712 digest of an agreement that both sides sign."""
        return bytes(self.view("agreementDigest", agreement, block=block))

    def supplement_digest(self, supplement: dict[str, Any], *, block: BlockId) -> bytes:
        """Return the EIP-712 digest of a supplement that both sides sign."""
        return bytes(self.view("supplementDigest", supplement, block=block))

    def eip712_domain(self, *, block: BlockId) -> dict[str, Any]:
        """Return the domain as the contract states it (EIP-5267), ready for typed data."""
        return domain_of(self, block=block)


def domain_of(contract: Contract, *, block: BlockId) -> dict[str, Any]:
    """Return a contract's EIP-712 domain: name, version, chainId, verifyingContract."""
    _, name, version, chain_id, address, _, _ = contract.view("eip712Domain", block=block)
    return {"name": name, "version": version, "chainId": chain_id, "verifyingContract": address}
