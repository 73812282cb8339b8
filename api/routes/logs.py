"""Logs of use: checkpoints, anchors, proofs and tiles for anyone's audit; public, read-only."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from api.deps import LogNo, MarketDep, Number
from ledger.app.log_keeping import (
    anchors_found,
    checkpoint_note,
    log_key,
    logs_found,
    proof,
    tile_bytes,
)

router = APIRouter(prefix="/v1/logs", tags=["log 使用日志"])


@router.get("")
def logs(market: MarketDep) -> dict[str, Any]:
    """List the logs with their anchored heads."""
    return {"items": logs_found(market)}


@router.get("/{log_no}/anchors")
def anchors(log_no: LogNo, market: MarketDep) -> dict[str, Any]:
    """List the anchors of a log."""
    return {"items": anchors_found(market, log_no), "vkey": log_key(market, log_no)}


@router.get("/{log_no}/checkpoint", response_class=PlainTextResponse)
def checkpoint(log_no: LogNo, market: MarketDep) -> str:
    """The last signed checkpoint (C2SP tlog-checkpoint)."""
    return checkpoint_note(market, log_no)


@router.get("/{log_no}/receipts/{index}/proof")
def receipt_proof(log_no: LogNo, index: Number, market: MarketDep) -> dict[str, Any]:
    """The proof file of one receipt."""
    return proof(market, log_no, index)


@router.get("/{log_no}/tile/{path:path}")
def tile(log_no: LogNo, path: str, market: MarketDep) -> Response:
    """One tile or entry bundle (C2SP tlog-tiles)."""
    data, is_final = tile_bytes(market, log_no, path)
    caching = "public, max-age=31536000, immutable" if is_final else "no-cache"
    return Response(
        data,
        media_type="application/octet-stream",
        headers={"Cache-Control": caching},
    )
