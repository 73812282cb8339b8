"""What an entry of the catalogue is made of: a dataset, product or harvested record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.domain.codes import OrganisationKind, parse_code
from ledger.domain.errors import UnknownCodeError
from ledger.domain.facets import EntryKind, theme_number, theme_of_number
from ledger.domain.labels import city_label, industry_label, theme_label
from ledger.domain.search_words import tokens_of

PRICE_MAX = 2**53 - 1
_KEY_LETTERS = 20
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry before it is stored; `facets` by name, `words` besides the titles."""

    entry_id: UUID
    kind: EntryKind
    facets: Mapping[str, int]
    price_micro_yuan: int | None
    issued_at: int
    record_digest: bytes
    tariff_no: int
    title: tuple[str, str]
    summary: tuple[str, str]
    provider: str
    source: str
    words: Sequence[str]

    def title_keys(self) -> tuple[str, str]:
        """Return what titles are sorted by: Chinese by sound, English by letter."""
        zh, en = self.title
        return _by_sound(zh or en), (en or zh).casefold()[: 2 * _KEY_LETTERS]

    def tokens(self) -> tuple[list[str], list[str]]:
        """Return the tokens of the titles, and of everything else."""
        return tokens_of(" . ".join(self.title)), tokens_of(" . ".join(self.words))


def dataset_entry(row: Any, document: Record | None) -> Entry:
    """Return the entry of a dataset; classes and states are the chain's, texts the record's."""
    record = (document or {}).get("metadata") or {}
    theme = str(record.get("domain", ""))
    return Entry(
        entry_id=row.dataset_id,
        kind=EntryKind.DATASET,
        facets={
            "kind": EntryKind.DATASET,
            "city": row.city_code,
            "domain": theme_number(theme),
            "open_class": row.open_class,
            "frequency": row.update_frequency,
            "grade": row.grade,
            "mode": row.delivery_modes,
            "provider_kind": _provider_kind(record, row.provider_kind),
            "state": row.facet_state,
        },
        price_micro_yuan=None,
        issued_at=row.evidenced_at,
        record_digest=row.metadata_digest,
        tariff_no=0,
        title=_titles(record, row.metadata_digest),
        summary=_pair(record, "summary"),
        provider=str(record.get("provider_name", "")),
        source="",
        words=_words(record, theme, row.city_code),
    )


def product_entry(
    row: Any, document: Record | None, operator: Record | None, facets: Mapping[str, int]
) -> Entry:
    """Return the entry of a product; `facets` holds what follows from its datasets and tariff."""
    record = document or {}
    named = operator or {}
    provider = str(named.get("name_zh", ""))
    themes = theme_of_number(facets["domain"])
    words = [
        *_pair(record, "summary"),
        provider,
        str(named.get("name_en", "")),
        *(theme_label(themes, side) for side in ("zh", "en")),
        *(city_label(row.city_code, side) for side in ("zh", "en")),
    ]
    return Entry(
        entry_id=row.product_id,
        kind=EntryKind.PRODUCT,
        facets=facets,
        price_micro_yuan=row.price_micro_yuan,
        issued_at=row.listed_at,
        record_digest=row.metadata_digest,
        tariff_no=row.tariff_no,
        title=_titles(record, row.metadata_digest),
        summary=_pair(record, "summary"),
        provider=provider,
        source="",
        words=words,
    )


def harvested_entry(row: Any, facets: Mapping[str, int]) -> Entry:
    """Return the entry of a dataset that another catalogue lists."""
    record = row.record
    theme = str(record.get("theme", ""))
    words = [*_pair(record, "summary"), *record.get("keywords", []), record.get("publisher", "")]
    words += [row.source, *(theme_label(theme, side) for side in ("zh", "en") if theme)]
    return Entry(
        entry_id=row.entry_id,
        kind=EntryKind.HARVESTED,
        facets=facets,
        price_micro_yuan=None,
        issued_at=row.harvested_at,
        record_digest=row.record_digest,
        tariff_no=0,
        title=_pair(record, "title"),
        summary=_pair(record, "summary"),
        provider=str(record.get("publisher", "")),
        source=row.source,
        words=words,
    )


def price_from(bands: Sequence[Mapping[str, int]]) -> int:
    """Return the price from which use begins: the lowest that is not zero, 0 when all are."""
    prices = [band["price_micro_yuan"] for band in bands if band["price_micro_yuan"]]
    return min([*prices, PRICE_MAX]) if prices else 0


def _by_sound(title: str) -> str:
    # The first level of GB 2312, in which common characters lie, is in the order of pinyin.
    return title[:_KEY_LETTERS].casefold().encode("gb18030", "replace").hex()[:80]


def _titles(record: Record, digest: bytes) -> tuple[str, str]:
    unknown = "0x" + digest.hex()[:12] + "…"
    zh, en = _pair(record, "title")
    return zh or unknown, en or unknown


def _pair(record: Record, name: str) -> tuple[str, str]:
    return str(record.get(f"{name}_zh", "")), str(record.get(f"{name}_en", ""))


def _provider_kind(record: Record, of_directory: int | None) -> int:
    if of_directory is not None:
        return of_directory
    try:
        return int(parse_code(OrganisationKind, record.get("provider_kind"), "provider_kind"))
    except UnknownCodeError:
        return 0


def _words(record: Record, theme: str, city_code: int) -> list[str]:
    """Return what a dataset is found by besides its titles, the weightiest first."""
    words = [*_strings(record.get("keywords")), *_pair(record, "summary")]
    words += [str(record.get(key, "")) for key in ("provider_name", "provider_uscc")]
    words += [str(record.get(key, "")) for key in ("resource_code", "format", "spatial_coverage")]
    for side in ("zh", "en"):
        words += [theme_label(theme, side), city_label(city_code, side)]
        if record.get("industry"):
            words.append(industry_label(str(record["industry"]), side))
    for item in record.get("fields") or ():
        words += [str(item.get("name", "")), str(item.get("description", ""))]
    return words


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
