"""Responsibility lists (开放责任清单): who is to update what until when, anchored by quarter."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.calendars import working_days
from ledger.app.commands import Command, CommandRequest, command
from ledger.app.fields import CityCode
from ledger.app.market import Market
from ledger.app.names import display_names
from ledger.codec.documents import Document
from ledger.domain.codes import QualityGrade, RegistrationState, UpdateFrequency
from ledger.domain.duties import inspection_due, quarter_of, quarter_text, update_due
from ledger.domain.ids import digest_text
from ledger.projection import queries

_UNKNOWN = {"zh": "—", "en": "—"}


class AnchorDuties(CommandRequest):
    """A city's responsibility list of a quarter (yyyyq) as it stands; this one by default."""

    city_code: CityCode
    quarter_id: Annotated[int, Field(ge=20_000, lt=100_000)] | None = None


@command("anchor-duties", AnchorDuties, "Anchor a responsibility list", "责任清单上链")
def anchor_duties(market: Market, actor_id: UUID | None, request: AnchorDuties) -> Command:
    """Plan the anchor of a city's list; the list stays off chain."""
    quarter_id = request.quarter_id or quarter_of(market.now_seconds())
    duties = duties_found(market, city_code=request.city_code)
    late = sum(duty["is_stale"] for duty in duties)
    document = Document.new(
        {
            "type": "duty_list",
            "city_code": request.city_code,
            "quarter": quarter_text(quarter_id),
            "duties": duties,
        }
    )
    return Command(
        "datasets",
        "anchorDuties",
        (request.city_code, quarter_id, len(duties), late, document.digest),
        (document,),
        {
            "quarter": quarter_text(quarter_id),
            "duties": len(duties),
            "overdue": late,
            "list_digest": digest_text(document.digest),
        },
    )


def duties_found(
    market: Market, *, city_code: int | None = None, provider_id: UUID | None = None
) -> list[dict[str, Any]]:
    """Return the duties of providers, the earliest due first; those without a date last."""
    now_seconds, days, names = market.now_seconds(), working_days(market), display_names(market)
    with market.read() as connection:
        rows = list(queries.all_datasets(connection, city_code=city_code, provider_id=provider_id))
        updated = queries.last_updated(connection)
        inspected = queries.last_inspected(connection)
        open_tasks = {
            task.dataset_id
            for task in queries.rectifications_list(connection)
            if task.closed_by is None
        }
    found = []
    for row in rows:
        if row.state in (RegistrationState.CANCELLED, RegistrationState.REVOKED):
            continue
        due_at = update_due(row.update_frequency, updated[row.dataset_id], days)
        again = inspection_due(row.grade, inspected.get(row.dataset_id, row.evidenced_at), days)
        found.append(
            {
                "dataset_id": str(row.dataset_id),
                "title_zh": names[row.dataset_id]["zh"],
                "provider_id": str(row.provider_id),
                "provider_zh": names.get(row.provider_id, _UNKNOWN)["zh"],
                "city_code": row.city_code,
                "update_frequency": UpdateFrequency(row.update_frequency).name.lower(),
                "updated_at": updated[row.dataset_id],
                "due_at": due_at,
                "is_stale": due_at is not None and now_seconds > due_at,
                "grade": QualityGrade(row.grade).name,
                "inspection_due_at": again,
                "is_inspection_overdue": now_seconds > again,
                "is_rectifying": row.dataset_id in open_tasks,
            }
        )
    return sorted(found, key=_by_due)


def duty_lists_found(market: Market) -> list[dict[str, Any]]:
    """Return the anchored lists with their digests."""
    with market.read() as connection:
        rows = queries.duty_lists_list(connection)
    return [
        {
            "city_code": row.city_code,
            "quarter": quarter_text(row.quarter_id),
            "duties": row.duty_count,
            "overdue": row.overdue_count,
            "list_digest": digest_text(row.list_digest),
            "anchored_at": row.anchored_at,
            "tx_hash": row.tx_hash,
        }
        for row in rows
    ]


def _by_due(duty: dict[str, Any]) -> tuple[bool, int, str]:
    due_at = duty["due_at"]
    return due_at is None, due_at or 0, duty["dataset_id"]
