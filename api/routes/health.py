"""Whether the service lives, and whether it can answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.deps import MarketDep

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(response: Response, market: MarketDep) -> dict[str, Any]:
    """The chain answers and the projections are at its head; 503 otherwise."""
    state = market.is_ready()
    response.status_code = 200 if state["ready"] else 503
    return state
