"""Graded opening (分级开放): tables as signed documents, and the tier of a case."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, Done, command, parse_request, run, spec_of
from ledger.app.errors import OpeningForbiddenError, PolicyMissingError
from ledger.app.fields import Text
from ledger.app.market import Market
from ledger.codec.documents import Document
from ledger.domain.cities import CITIES
from ledger.domain.codes import (
    ClaimantKind,
    DeliveryMode,
    OpenClass,
    OpeningTier,
    Purpose,
    Sensitivity,
    parse_code,
)
from ledger.domain.ids import digest_text
from ledger.domain.opening import REGION_RULES, Cell, Policy, Rule, cells, parse_policy
from ledger.domain.opening_codes import TIER_ZH
from ledger.domain.units import UINT64_MAX
from ledger.projection import queries

REGION = 0


class PublishPolicy(CommandRequest):
    """A table of graded opening; city 0 is the whole region, `effective_at` 0 at once."""

    city_code: Annotated[int, Field(ge=0, lt=10**6)]
    title: Text
    effective_at: Annotated[int, Field(ge=0, le=UINT64_MAX)]
    rules: list[dict[str, Any]] = Field(min_length=1, max_length=200)


@command("publish-policy", PublishPolicy, "Publish a table of graded opening", "发布分级开放表")
def publish_policy(market: Market, actor_id: UUID | None, request: PublishPolicy) -> Command:
    """Plan the publication; the document holds every rule with its source."""
    body = request.model_dump(mode="json")
    first, second = parse_policy(body).words()
    document = Document.new({"type": "opening_policy", **body})
    return Command(
        "datasets",
        "publishPolicy",
        (request.city_code, first, second, request.effective_at, document.digest),
        (document,),
        {"city_code": request.city_code, "document_digest": digest_text(document.digest)},
    )


def open_policy(market: Market) -> Done | None:
    """Publish the region's first table, as governance; None where one is published already."""
    with market.read() as connection:
        if any(row.city_code == REGION for row in queries.policies_list(connection)):
            return None
    request = PublishPolicy(
        city_code=REGION,
        title="南京都市圈公共数据分级开放表 (first table)",
        effective_at=0,
        rules=REGION_RULES,
    )
    return run(market, market.governance, "publish-policy", request)


def policies_found(market: Market) -> list[dict[str, Any]]:
    """Return every table: where and since when it is in force, and whether it is now."""
    now_seconds = market.now_seconds()
    with market.read() as connection:
        rows = queries.policies_list(connection)
        in_force = {
            code: queries.policy_in_force(connection, code, now_seconds)
            for code in {row.city_code for row in rows}
        }
    return [_policy(row, in_force.get(row.city_code), now_seconds) for row in rows]


def policy_found(market: Market, policy_no: int) -> dict[str, Any]:
    """Return one table with its rules, and every cell that a rule may open.

    Raises:
        NotFoundError: it is unknown.
        DocumentMissingError: its document is not here.
    """
    now_seconds = market.now_seconds()
    with market.read() as connection:
        row = queries.policy(connection, policy_no)
        in_force = queries.policy_in_force(connection, row.city_code, now_seconds)
    record = dict(market.documents.require(row.document_digest).record)
    return _policy(row, in_force, now_seconds) | {
        "title": record["title"],
        "rules": record["rules"],
    }


def tier_found(market: Market, city_code: int, **case: Any) -> dict[str, Any]:
    """Return the tier of a case in a city now, the table's number, and the rule's source.

    Raises:
        UnknownCodeError: a part of the case is in no code list.
        PolicyMissingError: no table is in force.
    """
    cell = Cell(
        parse_code(OpenClass, case["open_class"], "open_class"),
        parse_code(Sensitivity, case["sensitivity"], "sensitivity"),
        bool(case["contains_pi"]),
        parse_code(DeliveryMode, case["mode"], "mode"),
        parse_code(Purpose, case["purpose"], "purpose"),
    )
    row, policy = _in_force(market, city_code)
    return _decided(row, policy.decide(cell), cell)


def require_open(
    market: Market, product_id: UUID, modes: list[DeliveryMode], purpose: Purpose
) -> None:
    """Refuse a use that the tables forbid for a dataset of a product, with the cell and its source.

    The contract refuses it too; it knows the cell and the table, but no text.

    Raises:
        OpeningForbiddenError: the first forbidden cell.
    """
    with market.read() as connection:
        lineage = queries.lineage_of(connection, product_id)
        rows = [
            queries.dataset(connection, entry.claimant_id).dataset
            for entry in lineage
            if entry.kind == ClaimantKind.DATASET
        ]
    for row in rows:
        place, policy = _in_force(market, row.city_code)
        for mode in modes:
            cell = Cell(
                OpenClass(row.open_class),
                Sensitivity(row.sensitivity),
                row.contains_personal_information,
                mode,
                purpose,
            )
            rule = policy.decide(cell)
            if rule.tier == OpeningTier.FORBIDDEN:
                raise OpeningForbiddenError(
                    f"table {place.policy_no} forbids this for dataset {row.dataset_id}: "
                    f"{rule.source}",
                    field="purpose",
                    got=cell.as_dict() | {"dataset_id": str(row.dataset_id)},
                    expected=rule.source,
                )


def _in_force(market: Market, city_code: int) -> tuple[queries.PolicyRow, Policy]:
    with market.read() as connection:
        row = queries.policy_in_force(connection, city_code, market.now_seconds())
    if row is None:
        raise PolicyMissingError(
            f"no table of graded opening is in force in {city_code}",
            field="city_code",
            got=city_code,
            expected=sorted(CITIES),
        )
    return row, parse_policy(market.documents.require(row.document_digest).record)


def _decided(row: queries.PolicyRow, rule: Rule, cell: Cell) -> dict[str, Any]:
    return {
        "policy_no": row.policy_no,
        "cell": cell.as_dict(),
        "tier": rule.tier.name.lower(),
        "tier_zh": TIER_ZH[rule.tier],
        "source": rule.source,
    }


def _policy(
    row: queries.PolicyRow, in_force: queries.PolicyRow | None, now_seconds: int
) -> dict[str, Any]:
    is_now = in_force is not None and in_force.policy_no == row.policy_no
    return {
        "policy_no": row.policy_no,
        "city_code": row.city_code,
        "effective_at": row.effective_at,
        "published_at": row.published_at,
        "is_in_force": is_now,
        "is_waiting": row.effective_at > now_seconds,
        "document_digest": digest_text(row.document_digest),
        "tx_hash": row.tx_hash,
    }


def proposal(market: Market, body: dict[str, Any]) -> dict[str, Any]:
    """Return what a table would change against the one in force; nothing is stored.

    Raises:
        ValidationError: with every finding.
    """
    request = parse_request(spec_of("publish-policy"), body)
    policy = parse_policy(request.model_dump(mode="json"))
    row, current = _in_force(market, request.city_code)
    changes = []
    counts = {tier.name.lower(): 0 for tier in OpeningTier}
    for cell in cells():
        old, new = current.decide(cell), policy.decide(cell)
        counts[new.tier.name.lower()] += 1
        if old.tier != new.tier:
            changes.append(
                {
                    "cell": cell.as_dict(),
                    "from": old.tier.name.lower(),
                    "to": new.tier.name.lower(),
                    "source": new.source,
                }
            )
    return {"against_policy_no": row.policy_no, "cells_by_tier": counts, "changes": changes}
