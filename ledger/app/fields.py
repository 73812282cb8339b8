"""Field types of requests: text at the edge, the domain's values inside."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledger.domain.catalogue_lists import LEVELS, require_level
from ledger.domain.cities import require_city
from ledger.domain.codes import (
    ChargeBasis,
    DeliveryMode,
    LicenceState,
    OrganisationKind,
    ProductState,
    Purpose,
    QualityGrade,
    RegistrationState,
    RegistrationType,
    Role,
    parse_code,
)
from ledger.domain.errors import LedgerError
from ledger.domain.ids import address, digest, digest_text, new_id, parse_id
from ledger.domain.objections import (
    EvidenceKind,
    Ground,
    ObjectionState,
    Outcome,
    ReliefRoute,
    SubjectKind,
)
from ledger.domain.units import (
    AMOUNT_FEN_MAX,
    HOLD_DAYS_MAX,
    INCOME_FEN_MAX,
    PPM_WHOLE,
    UINT64_MAX,
)


def checked(parse: Callable[[Any], Any]) -> BeforeValidator:
    """Return a validator that keeps a domain error as a finding of its field."""

    def validate(value: Any) -> Any:
        try:
            return parse(value)
        except LedgerError as error:
            raise PydanticCustomError(
                "domain", "{detail}", {"detail": error.detail, "error": error}
            ) from error

    return BeforeValidator(validate)


def _code(kind: type[IntEnum]) -> tuple[Any, ...]:
    names = [member.name.lower() for member in kind]
    return (
        checked(lambda value: parse_code(kind, value, "code")),
        PlainSerializer(lambda value: kind(value).name.lower(), return_type=str, when_used="json"),
        WithJsonSchema({"type": "string", "enum": names}),
    )


Id = Annotated[
    UUID,
    checked(parse_id),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "uuid"}),
]
DigestField = Annotated[
    bytes,
    checked(digest),
    PlainSerializer(digest_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-f]{64}$"}),
]
AddressField = Annotated[str, checked(address)]
CityCode = Annotated[int, checked(lambda value: require_city(value).code)]
LevelField = Annotated[
    str,
    checked(lambda value: require_level("level", value)),
    WithJsonSchema({"type": "string", "enum": list(LEVELS)}),
]
KindField = Annotated[OrganisationKind, *_code(OrganisationKind)]
RoleField = Annotated[Role, *_code(Role)]
StateField = Annotated[RegistrationState, *_code(RegistrationState)]
RegistrationTypeField = Annotated[RegistrationType, *_code(RegistrationType)]
GradeField = Annotated[QualityGrade, *_code(QualityGrade)]
ModeField = Annotated[DeliveryMode, *_code(DeliveryMode)]
PurposeField = Annotated[Purpose, *_code(Purpose)]
BasisField = Annotated[ChargeBasis, *_code(ChargeBasis)]
ProductStateField = Annotated[ProductState, *_code(ProductState)]
LicenceStateField = Annotated[LicenceState, *_code(LicenceState)]
SubjectKindField = Annotated[SubjectKind, *_code(SubjectKind)]
GroundField = Annotated[Ground, *_code(Ground)]
EvidenceField = Annotated[EvidenceKind, *_code(EvidenceKind)]
ObjectionStateField = Annotated[ObjectionState, *_code(ObjectionState)]
OutcomeField = Annotated[Outcome, *_code(Outcome)]
ReliefRouteField = Annotated[ReliefRoute, *_code(ReliefRoute)]
FenField = Annotated[int, Field(ge=0, le=AMOUNT_FEN_MAX)]
IncomeField = Annotated[int, Field(ge=0, le=INCOME_FEN_MAX)]
PpmField = Annotated[int, Field(ge=0, le=PPM_WHOLE)]
Uint64Field = Annotated[int, Field(ge=0, le=UINT64_MAX)]
HoldDaysField = Annotated[int, Field(ge=0, le=HOLD_DAYS_MAX)]
"""Working days that a payment is held for acceptance (验收期)."""
InstantField = Annotated[int, Field(ge=0, lt=2**40)]
"""Unix seconds; the chain keeps 40 bits."""
Text = Annotated[str, Field(min_length=1, max_length=4000)]


def fresh_id() -> UUID:
    """Return a new id, for requests that let the ledger choose."""
    return new_id()


class Part(BaseModel):
    """A part of a request."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class BandField(Part):
    """One band: `up_to_units` is null in the last one."""

    up_to_units: Annotated[int, Field(ge=1, lt=UINT64_MAX)] | None
    price_micro_yuan: Uint64Field

    def on_chain(self) -> dict[str, int]:
        """Return the band as the contract takes it."""
        end = UINT64_MAX if self.up_to_units is None else self.up_to_units
        return {"up_to_units": end, "price_micro_yuan": self.price_micro_yuan}
