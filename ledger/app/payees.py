"""Where organisations are paid: bank accounts and collection item codes, which stay off chain.

A record is a file that only its owner may read, one per organisation: `payees/<id>.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.documents import write_durably
from ledger.app.errors import PayeeRecordMissingError
from ledger.app.fields import Id, Part
from ledger.app.market import Market
from ledger.app.requests import parse_part
from ledger.domain.calendar import instant_text
from ledger.projection import queries


class PayeeRecord(Part):
    """How one organisation is paid, or pays."""

    organisation_id: Id
    account_name: Annotated[str, Field(min_length=1, max_length=140, pattern=r"\S")]
    account_no: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,34}$")]
    bank_name: Annotated[str, Field(min_length=1, max_length=140)]
    cnaps_code: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    item_code: Annotated[str, Field(pattern=r"^[0-9]{3,12}$")] | None = None
    """Collection item of non-tax revenue (非税收入项目编码); treasuries need it."""


def set_payee(market: Market, body: Any) -> PayeeRecord:
    """Keep the record of a known organisation; a later one replaces it.

    Raises:
        ValidationError: fields are wrong.
        NotFoundError: the organisation is unknown.
    """
    record = parse_part(PayeeRecord, body)
    with market.read() as connection:
        queries.organisation(connection, record.organisation_id)
    content = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    write_durably(_path(market, record.organisation_id), content.encode(), mode=0o600)
    return record


def payee_record(market: Market, organisation_id: UUID) -> PayeeRecord:
    """Return the record of an organisation.

    Raises:
        PayeeRecordMissingError: it has none; `mdl payee set` makes it.
    """
    path = _path(market, organisation_id)
    if not path.exists():
        raise PayeeRecordMissingError(
            f"no account of organisation {organisation_id} is on record",
            field="organisation_id",
            got=str(organisation_id),
            expected="a record made by `mdl payee set`",
        )
    return parse_part(PayeeRecord, json.loads(path.read_text("utf-8")))


def payee_records(market: Market) -> list[PayeeRecord]:
    """Return all records in the order of their organisations."""
    folder = market.home / "payees"
    files = sorted(folder.glob("*.json")) if folder.exists() else []
    return [payee_record(market, UUID(file.stem)) for file in files]


def treasury_rules(market: Market) -> list[dict[str, Any]]:
    """Return the rules by which cities part their public institutions' income."""
    with market.read() as connection:
        rows = queries.treasury_rules_list(connection)
    return [
        {
            "city_code": row.city_code,
            "rule_no": row.rule_no,
            "treasury_ppm": row.treasury_ppm,
            "treasury_id": str(row.treasury_id),
            "in_force_at": instant_text(row.in_force_at),
        }
        for row in rows
    ]


def _path(market: Market, organisation_id: UUID) -> Path:
    return market.home / "payees" / f"{organisation_id}.json"
