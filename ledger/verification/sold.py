"""Products and licences as the events tell them, and what their prices must be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import LicenceState, ProductState, Purpose
from ledger.domain.units import PPM_WHOLE, UINT64_MAX
from ledger.verification.findings import Findings

LIABILITY_FLOOR_PPM = 500_000
"""Least share of the platform in damage from its own faults. Source: domain report, section 5."""
KEPT_BYTES = 24
"""What the chain keeps of a licence's latest digest, and so compares."""
UINT40_MAX = 2**40 - 1
COMPETITION_SECONDS_MAX = 366 * 86_400
COMPETITION_TEAM_MAX = 50
_SANDBOX = 4
CHARGEABLE = frozenset({Purpose.INDUSTRY, Purpose.SECTOR})
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
    caps: Bands | None = None
    tariffs: dict[int, dict[str, Any]] = field(default_factory=dict)
    superseded_at: dict[int, int] = field(default_factory=dict)
    """Unix seconds in which a tariff was followed by another."""
    is_derived: bool = False
    upstream: frozenset[UUID] = frozenset()
    """Operators of all products that it was made from, however far up."""


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
    quota_units: int
    quota_units_max: int
    agreement_digest: bytes
    team_max: int = 0
    outcome_ppm: int = 0
    is_accepted_by_use: bool = False
    state: int = LicenceState.ACTIVE
    is_held: bool = False
    """As for products."""


def check_bands(findings: Findings, bands: Bands, where: str) -> None:
    """Check that bands ascend and the last is open."""
    ends = [band["up_to_units"] for band in bands]
    is_formed = ends == sorted(set(ends)) and ends[-1:] == [UINT64_MAX] and ends[0] > 0
    findings.require(is_formed, "bands_malformed", where, ends, "ascending, open end")


def check_caps(findings: Findings, bands: Bands, caps: Bands, where: str) -> None:
    """Check that no band lies above the cap of any of its units."""
    above = 0
    for number, band in enumerate(bands):
        below_cap = 0
        for cap in caps:
            overlaps = above < cap["up_to_units"] and below_cap < band["up_to_units"]
            findings.require(
                not overlaps or band["price_micro_yuan"] <= cap["price_micro_yuan"],
                "price_above_cap",
                f"{where}, band {number + 1}",
                band["price_micro_yuan"],
                cap["price_micro_yuan"],
            )
            below_cap = cap["up_to_units"]
        above = band["up_to_units"]


def check_competition(findings: Findings, licence: Licence, where: str) -> None:
    """Check a competition licence: a sandbox, a team, an end by itself."""
    if licence.purpose != Purpose.COMPETITION:
        return
    team, seconds = licence.team_max, licence.valid_until - licence.valid_from
    is_bounded = 0 < team <= COMPETITION_TEAM_MAX and seconds <= COMPETITION_SECONDS_MAX
    findings.require(
        licence.modes == _SANDBOX and is_bounded,
        "competition_terms",
        where,
        [licence.modes, team, seconds],
        [_SANDBOX, COMPETITION_TEAM_MAX, COMPETITION_SECONDS_MAX],
    )


def check_terms(findings: Findings, event: Event, terms: dict[str, Any], where: str) -> None:
    """Check what an agreement and a supplement have in common."""
    deadline = terms["deadline"]
    findings.require(
        deadline >= event.block_time, "deadline_passed", where, deadline, event.block_time
    )
    share = terms["platform_liability_ppm"]
    findings.require(
        LIABILITY_FLOOR_PPM <= share <= PPM_WHOLE,
        "liability_below_floor",
        where,
        share,
        LIABILITY_FLOOR_PPM,
    )
