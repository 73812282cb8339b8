"""Records as JSON: names for codes, ISO instants, digests as 0x text, exact numbers.

Rules kept here:
1. µfen are strings of digits, fen are integers: see the edge forms in the style of the house.
2. An end that is no end (2^64 - 1) is null.
3. Instants are ISO 8601 in China Standard Time; a month is 2026-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Any
from uuid import UUID

from ledger.domain.calendar import instant_text, period_text
from ledger.domain.codes import (
    ChargeBasis,
    ClaimantKind,
    InvoiceState,
    LicenceState,
    ModeSet,
    OpenClass,
    OrganisationKind,
    OrganisationStatus,
    ProductState,
    Purpose,
    QualityGrade,
    RegistrationState,
    RemittanceState,
    Role,
    Sensitivity,
    UpdateFrequency,
)
from ledger.domain.ids import digest_text
from ledger.domain.money import Tier
from ledger.domain.units import UINT64_MAX
from ledger.projection import queries

_CODES: dict[str, type[IntEnum]] = {
    "open_class": OpenClass,
    "sensitivity": Sensitivity,
    "update_frequency": UpdateFrequency,
    "grade": QualityGrade,
    "status": OrganisationStatus,
    "role": Role,
    "purpose": Purpose,
    "basis": ChargeBasis,
    "from_state": RegistrationState,
    "to_state": RegistrationState,
    "tier": Tier,
}
_CODES_OF: dict[type[Any], dict[str, type[IntEnum]]] = {
    queries.OrganisationRow: {"kind": OrganisationKind},
    queries.LineageRow: {"kind": ClaimantKind},
    queries.DatasetRow: {"state": RegistrationState},
    queries.ProductRow: {"state": ProductState},
    queries.LicenceRow: {"state": LicenceState},
    queries.InvoiceRow: {"state": InvoiceState},
    queries.RemittanceRow: {"state": RemittanceState},
}
_MODES = ("modes", "delivery_modes")
_INSTANTS = ("valid_from", "valid_until", "held_until")
_INSTANT_MAX = 253_000_000_000


def as_json(value: Any) -> Any:
    """Return a record, a list of records or a plain value as JSON data."""
    if is_dataclass(value) and not isinstance(value, type):
        codes = _CODES | _CODES_OF.get(type(value), {})
        return {
            field.name: _member(field.name, getattr(value, field.name), codes)
            for field in fields(value)
        }
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return digest_text(value)
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value


def listed(items: Sequence[Any], total: int | None = None) -> dict[str, Any]:
    """Return a list as the answer of a collection."""
    return {"items": as_json(list(items)), "total": len(items) if total is None else total}


def _member(name: str, value: Any, codes: dict[str, type[IntEnum]]) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        return as_json(value)
    if name in codes:
        return codes[name](value).name.lower()
    if name in _MODES:
        return [mode.name.lower() for mode in ModeSet(value).modes()]
    if name.endswith("_at") or name in _INSTANTS:
        return _instant(value)
    if name == "period_id":
        return period_text(value)
    if name.endswith("_micro_fen"):
        return str(value)
    return None if value == UINT64_MAX else value


def _instant(value: int) -> str | None:
    return instant_text(value) if 0 < value < _INSTANT_MAX else None
