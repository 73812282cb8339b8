"""Logs of use: opened on chain, signed often, anchored with a consistency proof."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, Done, command, run
from ledger.app.errors import NotAnchoredError, TileMissingError
from ledger.app.fields import DigestField, Uint64Field
from ledger.app.lookup import plain
from ledger.app.market import Market
from ledger.chain.keys import KeyAccount
from ledger.codec.digests import sha256
from ledger.codec.tiles import Tile
from ledger.domain.errors import LedgerError
from ledger.log.errors import LogBusyError
from ledger.log.reader import LogReader
from ledger.log.values import Checkpoint
from ledger.projection import queries

LogNo = Annotated[int, Field(ge=1, lt=2**32)]

GATEWAY_LOG_NO = 1
"""The log in which the access gateway meters."""


class OpenLog(CommandRequest):
    """A new log; its number comes with the event."""


class AnchorLog(CommandRequest):
    """A new head of a log, with the proof that it extends the last one."""

    log_no: LogNo
    size: Uint64Field
    root: DigestField
    time_ms: Uint64Field
    consistency_proof: list[DigestField]


@command("open-log", OpenLog, "Open a log of use", "开设使用日志")
def open_log(market: Market, actor_id: UUID | None, request: OpenLog) -> Command:
    """Plan the opening; the origin names the next number, which the contract assigns."""
    with market.read() as connection:
        log_no = len(queries.logs_list(connection)) + 1
    origin = market.origin(log_no)
    return Command("usage_log", "openLog", (sha256(origin.encode()),), result={"log_no": log_no})


@command("anchor-log", AnchorLog, "Anchor a log's checkpoint", "上链锚定")
def anchor_log(market: Market, actor_id: UUID | None, request: AnchorLog) -> Command:
    """Plan an anchor."""
    return Command(
        "usage_log",
        "anchor",
        (
            request.log_no,
            request.size,
            request.root,
            request.time_ms,
            list(request.consistency_proof),
        ),
        result={"log_no": request.log_no, "size": request.size},
    )


def reader(market: Market, log_no: int) -> LogReader:
    """Return a reader of a log's files."""
    return LogReader(market.log_folder(log_no))


def checkpoint(market: Market, log_no: int) -> Checkpoint:
    """Sign the log as it stands; where another process writes to it, return its last checkpoint.

    Raises:
        LogBusyError: another process writes to it and has signed nothing yet.
    """
    try:
        return market.meter(log_no).checkpoint()
    except LogBusyError:
        signed = reader(market, log_no).checkpoint()
        if signed is None:
            raise
        return signed


def last_checkpoint(market: Market, log_no: int) -> Checkpoint | None:
    """Return the last checkpoint of a log that lies on this machine; None before the first."""
    if not (market.log_folder(log_no) / "log.json").exists():
        return None
    return reader(market, log_no).checkpoint()


def anchor(market: Market, account: KeyAccount, log_no: int) -> Done | None:
    """Anchor the log's checkpoint; None when the chain already has it.

    Raises:
        ChainRefusedError: the contract refuses it, e.g. because the caller keeps another log.
    """
    signed = checkpoint(market, log_no)
    head = market.contracts.usage_log.head(log_no, block="latest")
    if signed.size <= head.size:
        return None
    proof = reader(market, log_no).consistency_proof(head.size, signed.size)
    request = AnchorLog(
        log_no=log_no,
        size=signed.size,
        root=signed.root,
        time_ms=max(signed.time_ms, head.time_ms),
        consistency_proof=list(proof),
    )
    return run(market, account, "anchor-log", request)


def checkpoint_note(market: Market, log_no: int) -> str:
    """Return the last signed checkpoint as text.

    Raises:
        NotAnchoredError: the log was never signed.
        NotFoundError: there is no such log.
    """
    with market.read() as connection:
        queries.log(connection, log_no)
    signed = reader(market, log_no).checkpoint()
    if signed is None:
        raise NotAnchoredError(f"log {log_no} has no checkpoint yet", field="log_no", got=log_no)
    return signed.note


def log_key(market: Market, log_no: int) -> str:
    """Return a log's public key (C2SP vkey)."""
    return reader(market, log_no).vkey()


def logs_found(market: Market) -> list[dict[str, Any]]:
    """Return every log with its anchored head."""
    with market.read() as connection:
        return [plain(row) for row in queries.logs_list(connection)]


def anchors_found(market: Market, log_no: int) -> list[dict[str, Any]]:
    """Return the anchors of a log, oldest first.

    Raises:
        NotFoundError: there is no such log.
    """
    with market.read() as connection:
        queries.log(connection, log_no)
        return [plain(row) for row in queries.anchors_of(connection, log_no)]


def sign_gateway_log(market: Market) -> None:
    """Sign the gateway's log, if it was opened on chain and no other process writes to it.

    Other logs are signed by whoever writes to them: by a meter's intake, or by an import.
    """
    with market.read() as connection:
        is_opened = bool(queries.logs_list(connection))
    if is_opened:
        with contextlib.suppress(LogBusyError):
            market.meter(GATEWAY_LOG_NO).checkpoint()


def tile_bytes(market: Market, log_no: int, path: str) -> tuple[bytes, bool]:
    """Return the content of a tile or entry bundle, and whether it will never change.

    Raises:
        TileMissingError: the path names none, or the last checkpoint does not cover it.
        NotFoundError: there is no such log.
    """
    try:
        wanted = Tile.parse(f"tile/{path}")
    except LedgerError as error:
        raise TileMissingError("no such tile", field="path", got=path) from error
    with market.read() as connection:
        queries.log(connection, log_no)
    log = reader(market, log_no)
    signed = log.checkpoint()
    data = log.tile(wanted, signed.size) if signed is not None else None
    if data is None:
        raise TileMissingError("no such tile", field="path", got=path)
    return data, not wanted.is_partial
