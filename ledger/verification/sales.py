"""Products and licences as the replay keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ledger.domain.codes import LicenceState, ProductState

Bands = list[dict[str, int]]


@dataclass(slots=True)
class Product:
    """A product as far as the events tell."""

    operator_id: UUID
    city_code: int
    modes: int
    lineage: list[dict[str, Any]]
    state: int = ProductState.LISTED
    is_held: bool = False
    """Whether a registrar suspended it; then only a registrar restores it."""
    is_derived: bool = False
    upstream: frozenset[UUID] = frozenset()
    """Operators of all products that it was made from, however far up."""
    caps: Bands | None = None
    tariffs: dict[int, dict[str, Any]] = field(default_factory=dict)
    superseded_at: dict[int, int] = field(default_factory=dict)
    """Unix seconds in which a tariff was followed by another."""


@dataclass(slots=True)
class Licence:
    """A licence; the `…_max` hold over its agreement and all supplements."""

    product_id: UUID
    buyer_id: UUID
    tariff_no: int
    purpose: int
    modes: int
    valid_from: int
    valid_until: int
    valid_until_max: int
    quota_units_max: int
    agreement_digest: bytes
    team_max: int = 0
    outcome_ppm: int = 0
    is_accepted_by_use: bool = False
    state: int = LicenceState.ACTIVE
    is_held: bool = False
    """As for products."""
