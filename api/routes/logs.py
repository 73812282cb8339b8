"""Logs of use: checkpoints, anchors, proofs and tiles for anyone's audit; read-only.

Public, but for a licence's range of receipts, which is its parties' and regulators'.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import PlainTextResponse

from api.accept import preferred
from api.deps import LogNo, MarketDep, Number, Reader, require_party
from ledger.app.books import licence_found
from ledger.app.log_keeping import (
    anchors_found,
    checkpoint_note,
    log_key,
    logs_found,
    tile_bytes,
)
from ledger.app.proving import ProofForm, consistency, licence_proof, proof, proof_file

router = APIRouter(prefix="/v1/logs", tags=["log 使用日志"])
Size = Annotated[int, Query(ge=0, lt=2**53)]
Seq = Annotated[int, Query(ge=1, lt=2**53)]
PROOF_TYPES: dict[str, ProofForm] = {
    "application/json": ProofForm.JSON,
    "application/octet-stream": ProofForm.BINARY,
    "text/plain": ProofForm.TLOG,
}
"""Media types of a receipt's proof, the usual one first."""


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


@router.get(
    "/{log_no}/receipts/{index}/proof",
    response_model=None,
    responses={200: {"content": {media_type: {} for media_type in PROOF_TYPES}}},
)
def receipt_proof(
    log_no: LogNo,
    index: Number,
    market: MarketDep,
    accept: Annotated[str, Header()] = "",
    anchored: bool = False,
) -> Response:
    """The proof of one receipt: JSON, binary as the chain takes it, or C2SP tlog-proof."""
    media_type = preferred(accept, list(PROOF_TYPES))
    document = proof(market, log_no, index, is_anchored=anchored)
    content = proof_file(document, PROOF_TYPES[media_type])
    return Response(content, media_type=media_type, headers={"Vary": "Accept"})


@router.get("/{log_no}/consistency")
def consistency_proof(log_no: LogNo, old: Size, new: Size, market: MarketDep) -> dict[str, Any]:
    """The proof that the log of `old` receipts begins the log of `new`."""
    return consistency(market, log_no, old, new)


@router.get("/{log_no}/licences/{licence_no}/proof")
def whole_licence_proof(
    log_no: LogNo,
    licence_no: Number,
    market: MarketDep,
    reader: Reader,
    from_seq: Seq = 1,
    to_seq: Seq | None = None,
) -> dict[str, Any]:
    """The proof that a range of a licence's receipts is whole; its parties and regulators."""
    _, parties = licence_found(market, licence_no)
    require_party(market, reader, parties)
    return licence_proof(market, log_no, licence_no, from_seq, to_seq)


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
