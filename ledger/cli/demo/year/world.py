"""Who and what the year is played with, made from small tables; every name and figure is invented.

The number of providers and datasets, their levels and themes are the article's where the scale says
so; it counts 60 providers, while its parts by level sum to 59, so one is named as unreconciled.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice

from ledger.domain.catalogue_lists import THEMES
from ledger.domain.cities import CITIES
from ledger.domain.uscc import check_character

GOVERNANCE = "governance"
NANJING, YANGZHOU, WUHU, CHUZHOU = 320100, 321000, 340200, 341100
CLOSED_THEMES = ("population", "social_insurance")
"""Themes whose data are not open: registered, in no product."""
LEVELS = (
    ("national", "国家级", "National", 7),
    ("provincial", "省级", "Provincial", 5),
    ("city", "市级", "City", 47),
    ("unreconciled", "未对上", "Unreconciled", 1),
)
KIND_OF_THEME = {
    "health": "public_institution",
    "education": "public_institution",
    "culture": "public_institution",
    "energy": "public_utility",
    "transport": "public_utility",
    "urban_management": "state_enterprise",
}
"""Kinds of the providers of some themes; the others are administrative bodies."""
OPERATOR_PPM, PLATFORM_PPM = 480_000, 120_000
BANDS = (
    {"up_to_units": 10_000, "price_micro_yuan": 0},
    {"up_to_units": 1_000_000, "price_micro_yuan": 30_000},
    {"up_to_units": 10_000_000, "price_micro_yuan": 20_000},
    {"up_to_units": None, "price_micro_yuan": 10_000},
)
CAPS = ({"up_to_units": None, "price_micro_yuan": 50_000},)


@dataclass(frozen=True, slots=True)
class Scale:
    """How large a market is made."""

    name: str
    cities: tuple[int, ...]
    datasets: int
    products: int
    sources: int
    """Datasets in a product's lineage."""
    buyers: int
    licences: int
    receipts: int
    """Receipts of a licence in a month."""


SCALES = {
    "small": Scale("small", (NANJING, YANGZHOU, WUHU, CHUZHOU), 60, 12, 4, 10, 20, 8),
    "article": Scale("article", tuple(CITIES), 573, 293, 2, 100, 400, 4),
}


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation, its roles at home, and who admits it."""

    key: str
    name_zh: str
    name_en: str
    kind: str
    city_code: int
    roles: tuple[str, ...]
    admitted_by: str
    number: int

    @property
    def uscc(self) -> str:
        """An invented social credit code with the right check character."""
        body = f"9132010088{self.number:07d}"
        return body + check_character(body)


@dataclass(frozen=True, slots=True)
class Holding:
    """A dataset and who holds it."""

    key: str
    provider: Member
    theme: str

    @property
    def is_sellable(self) -> bool:
        """Whether it may be part of a product."""
        return self.theme not in CLOSED_THEMES


@dataclass(frozen=True, slots=True)
class SchemePlan:
    """A scheme: where, by whom, how its approved cost lies to the income that is expected."""

    key: str
    city_code: int
    operator: str
    cost_ppm: int
    is_trial: bool = False


SCHEMES = (
    SchemePlan("nanjing", NANJING, "operator-1", 780_000),
    SchemePlan("yangzhou", YANGZHOU, "operator-2", 950_000),
    SchemePlan("wuhu", WUHU, "operator-3", 900_000, is_trial=True),
)
_SCHEME_TURNS = (0, 0, 1, 2)


@dataclass(frozen=True, slots=True)
class Good:
    """A product: its scheme and the datasets that it is made of."""

    key: str
    title_zh: str
    title_en: str
    scheme: SchemePlan
    sources: tuple[Holding, ...]

    @property
    def weights_ppm(self) -> dict[str, int]:
        """Lineage weights by key; they sum to the whole."""
        left = 1_000_000 - OPERATOR_PPM - PLATFORM_PPM
        weights = {source.key: left // len(self.sources) for source in self.sources}
        weights[self.sources[0].key] += left - sum(weights.values())
        return weights | {self.scheme.operator: OPERATOR_PPM, "platform": PLATFORM_PPM}


@dataclass(frozen=True, slots=True)
class Deal:
    """A licence to be granted, and how much of it is used in a month."""

    buyer: Member
    good: Good
    purpose: str
    number: int

    def units(self, month: int) -> int:
        """Return the calls of a month: some buyers use more, and more towards the year's end."""
        base = 300_000 + self.number * 79_190 % 600_000
        return base * (90 + 4 * month + self.number * month % 13) // 100


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is to be joined, registered, listed and licensed."""

    scale: Scale
    members: tuple[Member, ...]
    holdings: tuple[Holding, ...]
    goods: tuple[Good, ...]
    deals: tuple[Deal, ...]

    def of(self, key: str) -> Member:
        """Return a member by its key."""
        return next(member for member in self.members if member.key == key)


def build_world(scale: Scale) -> World:
    """Return the world of a scale; the same each time."""
    made = _Members()
    institutions = _institutions(made, scale)
    providers = _providers(made, scale)
    buyers = [
        made.member(f"buyer-{number}", "企业", "Company", "enterprise", city, ("buyer",), number)
        for number, city in _numbered(scale.cities, scale.buyers)
    ]
    institute = made.member(
        "institute", "公益研究所", "Welfare Institute", "public_institution", NANJING, ("buyer",)
    )
    holdings = _holdings(providers, scale)
    goods = _goods(holdings, scale)
    deals = [
        Deal(buyers[(number + number // len(goods)) % len(buyers)], good, "industry", number)
        for number, good in enumerate(islice(cycle(goods), scale.licences))
    ]
    deals += [
        Deal(institute, good, "public_welfare", scale.licences + number)
        for number, good in enumerate(goods[:3])
    ]
    members = (*institutions, *providers, *buyers, institute)
    return World(scale, members, tuple(holdings), tuple(goods), tuple(deals))


class _Members:
    """Makes members with running numbers."""

    def __init__(self) -> None:
        self._number = 0

    def member(
        self,
        key: str,
        zh: str,
        en: str,
        kind: str,
        city_code: int,
        roles: tuple[str, ...],
        number: int | None = None,
    ) -> Member:
        """Return a new member, named after its city; institutions are admitted by governance."""
        self._number += 1
        city, end = CITIES[city_code], "" if number is None else f" {number}"
        is_institution = kind in ("platform", "authority", "treasury", "regulator")
        return Member(
            key,
            f"虚构{city.name_zh}{zh}{end}",
            f"Invented {city.name_en} {en}{end}",
            kind,
            city_code,
            roles,
            GOVERNANCE if is_institution else f"authority-{city_code}",
            self._number,
        )


def _institutions(made: _Members, scale: Scale) -> list[Member]:
    member = made.member
    found = [
        member("platform", "数据流通平台", "Data Platform", "platform", NANJING, ("platform",)),
        member("regulator", "审计局", "Audit Office", "regulator", NANJING, ("regulator",)),
    ]
    approving = ("registrar", "price_authority", "handler")
    for city in scale.cities:
        found.append(
            member(f"authority-{city}", "数据局", "Data Authority", "authority", city, approving)
        )
        found.append(
            member(f"treasury-{city}", "国库", "Treasury", "treasury", city, ("treasury",))
        )
    for plan in SCHEMES:
        found.append(
            member(
                plan.operator,
                "数据运营公司",
                "Data Operator",
                "state_enterprise",
                plan.city_code,
                ("operator",),
            )
        )
    return found


def _providers(made: _Members, scale: Scale) -> list[Member]:
    levels = [level for level in LEVELS for _ in range(level[3])]
    found = []
    for number, (level, city, theme) in enumerate(
        zip(levels, cycle(scale.cities), cycle(THEMES), strict=False), start=1
    ):
        found.append(
            made.member(
                f"provider-{number}",
                f"{THEMES[theme]}单位({level[1]})",
                f"{theme.replace('_', ' ').title()} Body ({level[2]})",
                KIND_OF_THEME.get(theme, "administrative"),
                city,
                ("provider",),
                number,
            )
        )
    return found


def _holdings(providers: list[Member], scale: Scale) -> list[Holding]:
    return [
        Holding(f"dataset-{number}", provider, theme)
        for number, (provider, theme) in enumerate(
            islice(zip(cycle(providers), cycle(THEMES), strict=False), scale.datasets), start=1
        )
    ]


def _goods(holdings: list[Holding], scale: Scale) -> list[Good]:
    sellable = cycle([holding for holding in holdings if holding.is_sellable])
    found = []
    for number in range(1, scale.products + 1):
        sources = tuple(islice(sellable, scale.sources))
        theme = sources[0].theme
        found.append(
            Good(
                f"product-{number}",
                f"{THEMES[theme]}数据服务 {number}",
                f"{theme.replace('_', ' ').title()} data service {number}",
                SCHEMES[_SCHEME_TURNS[number % len(_SCHEME_TURNS)]],
                sources,
            )
        )
    return found


def _numbered(cities: tuple[int, ...], count: int) -> list[tuple[int, int]]:
    return list(enumerate(islice(cycle(cities), count), start=1))
