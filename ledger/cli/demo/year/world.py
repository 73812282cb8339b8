"""Who and what the year is played with, made from small tables; every name and figure is invented.

At the article's scale the numbers of providers by level, datasets, themes, rows, calls, exchanged
rows and services are the article's. It counts 60 providers, while its parts by level sum to 59:
one has no level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, cycle, islice

from ledger.cli.demo.year import naming
from ledger.cli.demo.year.naming import Name
from ledger.domain.catalogue_lists import THEMES
from ledger.domain.cities import CITIES
from ledger.domain.uscc import check_character

GOVERNANCE = "governance"
NANJING, YANGZHOU, WUHU, CHUZHOU = 320100, 321000, 340200, 341100
CLOSED_THEMES = ("population", "social_insurance")
"""Themes whose data are not open: registered, in no product."""
LEVELS = (("national", 7), ("provincial", 5), ("city", 47), ("", 1))
"""How many providers there are of each level."""
PROVINCIAL_CITIES = (NANJING, WUHU)
"""Where bodies of either province are registered; national ones are in the first."""
MONTHS = 12
KIND_OF_THEME = {
    "health": "public_institution",
    "education": "public_institution",
    "culture": "public_institution",
    "energy": "public_utility",
    "transport": "public_utility",
    "urban_management": "state_enterprise",
}
"""Kinds of city bodies of some themes; all others are administrative."""
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
    """How large a market is made.

    Attributes:
        sources: datasets in a product's lineage, at most.
        receipts: receipts of a licence in a month.
        rows: rows of all datasets.
        calls: calls of all licences in the year.
        minutes: about how long it is played on two cores.
    """

    name: str
    cities: tuple[int, ...]
    datasets: int
    products: int
    sources: int
    buyers: int
    licences: int
    receipts: int
    rows: int
    calls: int
    minutes: int


SCALES = {
    "small": Scale(
        "small",
        (NANJING, YANGZHOU, WUHU, CHUZHOU),
        datasets=60,
        products=12,
        sources=4,
        buyers=10,
        licences=20,
        receipts=8,
        rows=2_800_000_000,
        calls=170_000_000,
        minutes=1,
    ),
    "article": Scale(
        "article",
        tuple(CITIES),
        datasets=573,
        products=293,
        sources=2,
        buyers=100,
        licences=400,
        receipts=4,
        rows=26_800_000_000,
        calls=210_000_000,
        minutes=5,
    ),
}


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation, its roles at home, and who admits it."""

    key: str
    name: Name
    kind: str
    city_code: int
    roles: tuple[str, ...]
    admitted_by: str
    number: int
    level: str = ""

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
    subject: int
    rows: int

    @property
    def title(self) -> Name:
        """Its title."""
        provider = self.provider
        return naming.dataset(provider.level, self.theme, provider.city_code, self.subject)

    @property
    def is_sellable(self) -> bool:
        """Whether it may be part of a product."""
        return self.theme not in CLOSED_THEMES

    @property
    def scores(self) -> tuple[int, ...]:
        """What an inspection finds: six scores that give grades from A to C."""
        mean = 73 + self.rows % 25
        return tuple(mean + (-2, 0, 2)[(self.subject + place) % 3] for place in range(6))


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
    title: Name
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
    monthly_calls: tuple[int, ...]


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
        made.member(f"buyer-{number}", naming.buyer(city, number), "enterprise", city, ("buyer",))
        for number, city in enumerate(islice(cycle(scale.cities), scale.buyers), start=1)
    ]
    institute = made.member(
        "institute",
        naming.local(NANJING, "公益研究所", "welfare institute"),
        "public_institution",
        NANJING,
        ("buyer",),
    )
    holdings = _holdings(providers, scale)
    goods = _goods(holdings, scale)
    sold = [
        (buyers[(number + number // len(goods)) % len(buyers)], good, "industry")
        for number, good in enumerate(islice(cycle(goods), scale.licences))
    ]
    sold += [(institute, good, "public_welfare") for good in goods[:3]]
    weights = [_use(number, month) for number in range(len(sold)) for month in range(1, MONTHS + 1)]
    calls = iter(shared_out(scale.calls, weights))
    deals = [Deal(*deal, tuple(islice(calls, MONTHS))) for deal in sold]
    members = (*institutions, *providers, *buyers, institute)
    return World(scale, members, tuple(holdings), tuple(goods), tuple(deals))


def shared_out(total: int, weights: Sequence[int]) -> list[int]:
    """Return parts that stand to each other as their weights and sum to the total exactly."""
    ends = [total * end // sum(weights) for end in accumulate(weights)]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def _use(number: int, month: int) -> int:
    """Return how much one buyer uses in a month beside others: more towards the year's end."""
    return (300 + number * 79 % 600) * (90 + 4 * month + number * month % 13)


class _Members:
    """Makes members with running numbers."""

    def __init__(self) -> None:
        self._number = 0

    def member(
        self,
        key: str,
        name: Name,
        kind: str,
        city_code: int,
        roles: tuple[str, ...],
        level: str = "",
    ) -> Member:
        """Return a new member; institutions are admitted by governance."""
        self._number += 1
        is_institution = kind in ("platform", "authority", "treasury", "regulator")
        admitted_by = GOVERNANCE if is_institution else f"authority-{city_code}"
        return Member(key, name, kind, city_code, roles, admitted_by, self._number, level)


def _institutions(made: _Members, scale: Scale) -> list[Member]:
    approving = ("registrar", "price_authority", "handler")
    rows: list[tuple[str, str, str, str, int, tuple[str, ...]]] = [
        ("platform", "数据流通平台", "data platform", "platform", NANJING, ("platform",)),
        ("regulator", "审计局", "audit office", "regulator", NANJING, ("regulator",)),
    ]
    for city in scale.cities:
        rows += [
            (f"authority-{city}", "数据局", "data authority", "authority", city, approving),
            (f"treasury-{city}", "国库", "treasury", "treasury", city, ("treasury",)),
        ]
    for plan in SCHEMES:
        name = ("数据运营公司", "data operator")
        rows.append((plan.operator, *name, "state_enterprise", plan.city_code, ("operator",)))
    return [
        made.member(key, naming.local(city, zh, en), kind, city, roles)
        for key, zh, en, kind, city, roles in rows
    ]


def _providers(made: _Members, scale: Scale) -> list[Member]:
    places = {
        "national": cycle((NANJING,)),
        "provincial": cycle(PROVINCIAL_CITIES),
        "city": cycle(scale.cities),
        "": cycle((NANJING,)),
    }
    levels = [level for level, count in LEVELS for _ in range(count)]
    found = []
    for number, (level, theme) in enumerate(zip(levels, cycle(THEMES), strict=False), start=1):
        city = next(places[level])
        kind = KIND_OF_THEME.get(theme, "administrative") if level == "city" else "administrative"
        name = naming.provider(level, kind, theme, city)
        found.append(made.member(f"provider-{number}", name, kind, city, ("provider",), level))
    return found


def _holdings(providers: list[Member], scale: Scale) -> list[Holding]:
    """Return datasets, as many from each provider as its turn brings, all on its own theme."""
    rows = shared_out(scale.rows, [20 + number * 79 % 61 for number in range(scale.datasets)])
    themes = list(islice(cycle(THEMES), len(providers)))
    found = []
    for number, count in enumerate(rows):
        turn, place = divmod(number, len(providers))
        subject = (turn + place) % len(naming.SUBJECTS)
        key = f"dataset-{number + 1}"
        found.append(Holding(key, providers[place], themes[place], subject, count))
    return found


def _goods(holdings: list[Holding], scale: Scale) -> list[Good]:
    """Return products, theme by theme in turn, each of the theme's next datasets."""
    by_theme = {
        theme: [holding for holding in holdings if holding.theme == theme]
        for theme in THEMES
        if theme not in CLOSED_THEMES
    }
    following = {theme: cycle(own) for theme, own in by_theme.items()}
    found = []
    for number, theme in enumerate(islice(cycle(by_theme), scale.products), start=1):
        count = min(scale.sources, len(by_theme[theme]))
        found.append(
            Good(
                f"product-{number}",
                naming.product(theme, number, (number - 1) // len(by_theme)),
                SCHEMES[_SCHEME_TURNS[number % len(_SCHEME_TURNS)]],
                tuple(islice(following[theme], count)),
            )
        )
    return found
