"""Lists for people: projected rows joined with the names that stay off chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from ledger.app.calendars import working_days
from ledger.app.market import Market
from ledger.app.names import display_names, level_of, names_of
from ledger.domain.codes import (
    ModeSet,
    OpenClass,
    OrganisationKind,
    ProductState,
    QualityGrade,
    Role,
    Sensitivity,
)
from ledger.domain.duties import update_due
from ledger.domain.ids import digest_text
from ledger.domain.registration import code_text, state_now
from ledger.domain.units import AMOUNT_FEN_MAX
from ledger.domain.working_days import WorkingDays
from ledger.projection import queries

_PAGE = 200
_UNKNOWN = {"zh": "—", "en": "—"}


def organisations_found(market: Market) -> list[dict[str, Any]]:
    """Return every organisation with its names and roles."""
    names = display_names(market)
    found = []
    with market.read() as connection:
        for row in queries.organisations_list(connection):
            roles = queries.roles_of(connection, row.organisation_id)
            found.append(
                {
                    "organisation_id": str(row.organisation_id),
                    "name_zh": names[row.organisation_id]["zh"],
                    "name_en": names[row.organisation_id]["en"],
                    "kind": OrganisationKind(row.kind).name.lower(),
                    "level": level_of(market, row.profile_digest) or None,
                    "city_code": row.city_code,
                    "roles": sorted({Role(role.role).name.lower() for role in roles}),
                    "signers": queries.signers_of(connection, row.organisation_id),
                }
            )
    return found


def datasets_found(market: Market, first: int | None = None) -> list[dict[str, Any]]:
    """Return every dataset, or the newest ones, with their names and latest version."""
    days, now_seconds = working_days(market), market.now_seconds()
    with market.read() as connection:
        rows = list(islice(_datasets(connection), first))
        digests = {row.dataset_id: row.metadata_digest for row in rows}
        for provider_id in {row.provider_id for row in rows}:
            digests[provider_id] = queries.organisation(connection, provider_id).profile_digest
        names = names_of(market, digests)
        details = (queries.dataset(connection, row.dataset_id) for row in rows)
        return [_dataset(detail, names, days, now_seconds) for detail in details]


def provider_of_datasets(market: Market) -> dict[str, str]:
    """Return the provider's id by the id of each dataset."""
    with market.read() as connection:
        return {str(row.dataset_id): str(row.provider_id) for row in _datasets(connection)}


def products_found(market: Market) -> list[dict[str, Any]]:
    """Return every product with its names and lineage."""
    names = display_names(market)
    found = []
    with market.read() as connection:
        offset = 0
        while rows := queries.search_products(connection, limit=_PAGE, offset=offset).items:
            for row in rows:
                lineage = queries.lineage_of(connection, row.product_id)
                found.append(
                    {
                        "product_id": str(row.product_id),
                        "title_zh": names[row.product_id]["zh"],
                        "title_en": names[row.product_id]["en"],
                        "operator_zh": names.get(row.operator_id, _UNKNOWN)["zh"],
                        "city_code": row.city_code,
                        "state": ProductState(row.state).name.lower(),
                        "modes": [mode.name.lower() for mode in ModeSet(row.modes).modes()],
                        "tariff_no": row.tariff_no,
                        "lineage": [
                            {
                                "claimant_id": str(entry.claimant_id),
                                "name_zh": names.get(entry.claimant_id, _UNKNOWN)["zh"],
                                "weight_ppm": entry.weight_ppm,
                            }
                            for entry in lineage
                        ],
                    }
                )
            offset += len(rows)
    return found


def _datasets(connection: Any) -> Iterator[queries.DatasetRow]:
    offset = 0
    while rows := queries.search_datasets(connection, limit=_PAGE, offset=offset).items:
        yield from rows
        offset += len(rows)


def _dataset(
    detail: queries.DatasetDetail,
    names: dict[Any, dict[str, str]],
    days: WorkingDays,
    now_seconds: int,
) -> dict[str, Any]:
    row, latest = detail.dataset, detail.versions[-1]
    due_at = update_due(row.update_frequency, latest.registered_at, days)
    return {
        "dataset_id": str(row.dataset_id),
        "title_zh": names[row.dataset_id]["zh"],
        "title_en": names[row.dataset_id]["en"],
        "provider_id": str(row.provider_id),
        "provider_zh": names.get(row.provider_id, _UNKNOWN)["zh"],
        "provider_en": names.get(row.provider_id, _UNKNOWN)["en"],
        "city_code": row.city_code,
        "open_class": OpenClass(row.open_class).name.lower(),
        "sensitivity": Sensitivity(row.sensitivity).name.lower(),
        "state": state_now(row.state, row.valid_until, now_seconds).name.lower(),
        "registration_code": code_text(row.registration_code) or None,
        "valid_until": row.valid_until or None,
        "grade": QualityGrade(row.grade).name,
        "update_due_at": due_at,
        "is_stale": due_at is not None and now_seconds > due_at,
        "latest_version_no": row.latest_version_no,
        "row_count": latest.row_count,
        "byte_size": latest.byte_size,
        "sha256_digest": digest_text(latest.sha256_digest),
    }


def is_regulator(market: Market, organisation_id: UUID) -> bool:
    """Whether an organisation reads everything."""
    with market.read() as connection:
        roles = queries.roles_of(connection, organisation_id)
    return any(role.role == Role.REGULATOR for role in roles)


def keepers_of_money(market: Market) -> set[UUID]:
    """Return who reads the bank's statements: operators, developers and the platform."""
    with market.read() as connection:
        return {
            row.organisation_id
            for row in queries.organisations_list(connection)
            for role in queries.roles_of(connection, row.organisation_id)
            if role.role in (Role.OPERATOR, Role.DEVELOPER, Role.PLATFORM)
        }


def dataset_found(market: Market, dataset_id: UUID) -> dict[str, Any]:
    """Return one dataset with its record, versions, parents and registration steps.

    Raises:
        NotFoundError: it is unknown.
    """
    days, now_seconds = working_days(market), market.now_seconds()
    with market.read() as connection:
        detail = queries.dataset(connection, dataset_id)
        children = queries.children_of(connection, dataset_id)
        provider_id = detail.dataset.provider_id
        profile_digest = queries.organisation(connection, provider_id).profile_digest
        more: dict[str, list[Any]] = {
            "procedures": queries.procedures_of(connection, dataset_id),
            "objections": queries.objections_of(connection, dataset_id),
            "maskings": queries.maskings_of(connection, dataset_id),
            "inspections": queries.inspections_of(connection, dataset_id),
            "rectifications": queries.rectifications_list(connection, dataset_id),
        }
        needing = queries.needing_application(connection, [dataset_id])
    digests = {dataset_id: detail.dataset.metadata_digest, provider_id: profile_digest}
    names = names_of(market, digests)
    document = market.documents.find(detail.dataset.metadata_digest)
    found = _dataset(detail, names, days, now_seconds) | {
        name: [plain(row) for row in rows] for name, rows in more.items()
    }
    return found | {
        "metadata": dict(document.record).get("metadata") if document else None,
        "versions": [plain(row) for row in detail.versions],
        "parents": [plain(row) for row in detail.parents],
        "children": [plain(row) for row in children],
        "registration": [plain(row) for row in detail.steps],
        "is_application_required": bool(needing),
    }


def product_found(market: Market, product_id: UUID) -> dict[str, Any]:
    """Return one product with its lineage, caps and tariff.

    Raises:
        NotFoundError: it is unknown.
    """
    with market.read() as connection:
        detail = queries.product(connection, product_id)
        made_from = queries.sources_of(connection, product_id)
        sources = [row.claimant_id for row in detail.lineage]
        needing = queries.needing_application(connection, sources)
    return plain(detail.product) | {
        "datasets_needing_application": [str(dataset_id) for dataset_id in needing],
        "name": names_of(market, {product_id: detail.product.metadata_digest})[product_id],
        "lineage": [plain(row) for row in detail.lineage],
        "sources": [plain(row) for row in made_from],
        "caps": [plain(cap) for cap in detail.caps],
        "tariff": plain(detail.tariff) if detail.tariff else None,
    }


def plain(row: Any) -> dict[str, Any]:
    """Return a projected row as JSON: ids as text, digests as 0x and hex, large numbers as text."""
    return {field.name: _plain(getattr(row, field.name)) for field in fields(row)}


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return digest_text(value)
    if isinstance(value, tuple | list):
        return [plain(item) if is_dataclass(item) else _plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value > AMOUNT_FEN_MAX:
        return str(value)
    return value
