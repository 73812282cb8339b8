"""Remittance batches: their parties, operators, the platform and regulators."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from api.deps import MarketDep, Reader, require_party
from ledger.app.lookup import keepers_of_money
from ledger.app.remittance_files import (
    batch_found,
    batches_found,
    credit_transfer,
    netting_found,
    treasury_rows,
)
from ledger.domain.calendar import parse_period
from ledger.report.tables import to_csv

router = APIRouter(prefix="/v1", tags=["money 资金"])


@router.get("/remittances")
def remittances(market: MarketDep, reader: Reader) -> list[dict[str, Any]]:
    """List the batches (划拨批次)."""
    require_party(market, reader, keepers_of_money(market))
    return batches_found(market)


@router.get("/remittances/netting")
def netting(market: MarketDep, reader: Reader, period: str = "") -> list[dict[str, Any]]:
    """What each pair of cities owes the other, and the net (城市间轧差)."""
    require_party(market, reader, keepers_of_money(market))
    return netting_found(market, parse_period(period) if period else None)


@router.get("/remittances/{batch_id}/file")
def remittance_file(batch_id: UUID, market: MarketDep, reader: Reader) -> Response:
    """A batch's file: pain.001 for a bank, CSV for a treasury (划拨文件)."""
    batch = batch_found(market, batch_id)
    require_party(market, reader, keepers_of_money(market) | {batch.row.payee_id})
    if batch.is_to_treasury:
        content = to_csv(treasury_rows(market, batch)).encode("utf-8-sig")
        return Response(content, media_type="text/csv")
    return Response(credit_transfer(market, batch), media_type="application/xml")
