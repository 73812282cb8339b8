"""What the catalogue is narrowed by, and how an entry keeps it: all facets in one integer.

Rules kept here:
1. Each facet has bits of its own in the number, so one narrow column answers every filter and every
   count, on any database.
2. The names in addresses and answers are those of the code lists; labels are in both languages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ledger.domain.catalogue_lists import THEMES
from ledger.domain.cities import CITIES
from ledger.domain.codes import (
    DeliveryMode,
    OpenClass,
    OrganisationKind,
    ProductState,
    QualityGrade,
    RegistrationState,
    UpdateFrequency,
)
from ledger.domain.errors import UnknownCodeError
from ledger.domain.labels import city_label, label_of, theme_label

_PRODUCT_STATES = 32
SUSPENDED_DATASET = 48
HARVESTED_STATE = 64


class EntryKind(IntEnum):
    """What a catalogue entry is."""

    DATASET = 1
    PRODUCT = 2
    HARVESTED = 3


class PriceKind(IntEnum):
    """Whether use costs something; NONE where no tariff is in force."""

    NONE = 0
    FREE = 1
    PAID = 2


Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet: where its bits are, and the names and labels of its numbers.

    Attributes:
        is_set: whether an entry has several of the values; each then is one bit.
        names: number by name; an entry's number that is not here is not counted.
    """

    key: str
    labels: Labels
    shift: int
    bits: int
    names: Mapping[str, int]
    label: Callable[[int, str], str]
    is_set: bool = False

    @property
    def mask(self) -> int:
        """The facet's bits, not shifted."""
        return (1 << self.bits) - 1

    def values_of(self, facets: int) -> list[int]:
        """Return the values that an entry of these facets has."""
        number = (facets >> self.shift) & self.mask
        if not self.is_set:
            return [number]
        return [1 << place for place in range(self.bits) if number >> place & 1]

    def parse(self, name: str) -> int:
        """Return the number of a name.

        Raises:
            UnknownCodeError: with the names that there are.
        """
        number = self.names.get(name.strip().lower().replace("-", "_"))
        if number is None:
            known = sorted(self.names)
            raise UnknownCodeError(
                f"{self.key} {name!r} is not in its list", field=self.key, got=name, expected=known
            )
        return number


def _codes(kind: type[IntEnum], offset: int = 0) -> dict[str, int]:
    return {member.name.lower(): member.value + offset for member in kind}


def _labels(kind: type[IntEnum]) -> Callable[[int, str], str]:
    return lambda number, side: label_of(kind(number), side)


_THEME_KEYS = tuple(THEMES)
_STATES = (
    _codes(RegistrationState)
    | {"suspended_dataset": SUSPENDED_DATASET, "harvested": HARVESTED_STATE}
    | _codes(ProductState, _PRODUCT_STATES)
)
_PRICES = {PriceKind.NONE: ("无收费标准", "no tariff"), PriceKind.FREE: ("免费", "free")}
_PRICES |= {PriceKind.PAID: ("收费", "paid")}
_KINDS = {
    EntryKind.DATASET: ("数据资源", "dataset"),
    EntryKind.PRODUCT: ("数据产品", "product"),
    EntryKind.HARVESTED: ("外市目录", "harvested"),
}


def _state_label(number: int, side: str) -> str:
    place = 0 if side == "zh" else 1
    if number == HARVESTED_STATE:
        return ("外市目录", "harvested")[place]
    if number == SUSPENDED_DATASET:
        return ("中止", "suspended dataset")[place]
    if number > _PRODUCT_STATES:
        return label_of(ProductState(number - _PRODUCT_STATES), side)
    return label_of(RegistrationState(number), side)


def _picked(pairs: Mapping[Any, tuple[str, str]]) -> Callable[[int, str], str]:
    return lambda number, side: pairs[number][0 if side == "zh" else 1]


FACETS: dict[str, Facet] = {
    facet.key: facet
    for facet in (
        Facet("kind", {"zh": "类别", "en": "Kind"}, 0, 2, _codes(EntryKind), _picked(_KINDS)),
        Facet(
            "city",
            {"zh": "城市", "en": "City"},
            2,
            20,
            {str(code): code for code in CITIES},
            city_label,
        ),
        Facet(
            "domain",
            {"zh": "数据领域", "en": "Theme"},
            22,
            6,
            {key: place for place, key in enumerate(_THEME_KEYS, start=1)},
            lambda number, side: theme_label(_THEME_KEYS[number - 1], side),
        ),
        Facet(
            "open_class",
            {"zh": "开放类型", "en": "Open class"},
            28,
            2,
            _codes(OpenClass),
            _labels(OpenClass),
        ),
        Facet(
            "frequency",
            {"zh": "更新频率", "en": "Update frequency"},
            30,
            4,
            _codes(UpdateFrequency),
            _labels(UpdateFrequency),
        ),
        Facet(
            "grade",
            {"zh": "质量等级", "en": "Quality grade"},
            34,
            3,
            _codes(QualityGrade),
            _labels(QualityGrade),
        ),
        Facet("price", {"zh": "价格", "en": "Price"}, 37, 2, _codes(PriceKind), _picked(_PRICES)),
        Facet(
            "mode",
            {"zh": "提供方式", "en": "Delivery mode"},
            39,
            7,
            {mode.name.lower(): mode.bit for mode in DeliveryMode},
            lambda bit, side: label_of(DeliveryMode(bit.bit_length()), side),
            is_set=True,
        ),
        Facet(
            "provider_kind",
            {"zh": "单位类型", "en": "Kind of provider"},
            46,
            4,
            _codes(OrganisationKind),
            _labels(OrganisationKind),
        ),
        Facet("state", {"zh": "状态", "en": "State"}, 50, 7, _STATES, _state_label),
    )
}


def pack(values: Mapping[str, int]) -> int:
    """Return the number that keeps the facets; what is missing is zero."""
    number = 0
    for key, value in values.items():
        facet = FACETS[key]
        if not 0 <= value <= facet.mask:
            value = 0
        number |= value << facet.shift
    return number


def unpack(number: int, key: str) -> int:
    """Return one facet of an entry's number."""
    facet = FACETS[key]
    return (number >> facet.shift) & facet.mask


def theme_number(key: str) -> int:
    """Return the number of a theme, 0 for one that the list does not have."""
    return FACETS["domain"].names.get(key, 0)


def theme_of_number(number: int) -> str:
    """Return the theme of a number, empty for 0."""
    return _THEME_KEYS[number - 1] if number else ""


def product_state(state: int) -> int:
    """Return the number of a product's state in the facet of states."""
    return _PRODUCT_STATES + state


def price_kind(price_micro_yuan: int | None) -> PriceKind:
    """Return whether a price from which use begins is none, nothing, or something."""
    if price_micro_yuan is None:
        return PriceKind.NONE
    return PriceKind.PAID if price_micro_yuan else PriceKind.FREE
