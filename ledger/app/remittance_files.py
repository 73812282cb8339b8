"""Files of remittance batches: pain.001 for a bank, rows for a treasury; and who pays whom.

Rules kept here:
1. The file of a batch follows from the batch and its payee's record alone, so it has the same bytes
   each time it is made.
2. A file that was written is not replaced by another: it may be with the bank already.
3. A treasury is paid by a list with a collection item code, anybody else by a credit transfer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.app.documents import write_durably
from ledger.app.errors import PayeeRecordMissingError, RemittanceFileError
from ledger.app.market import Market
from ledger.app.names import display_names
from ledger.app.payees import PayeeRecord, payee_record
from ledger.codec.pain001 import TEXT_LENGTH_MAX, Transfer, TransferOrder, TransferParty, pain001
from ledger.domain.calendar import instant_text, period_of
from ledger.domain.cities import CITIES
from ledger.domain.codes import OrganisationKind, RemittanceState, Role
from ledger.domain.ids import digest_text
from ledger.domain.units import FEN_PER_YUAN, Fen
from ledger.projection import queries

BANK_SUFFIX = "pain001.xml"
TREASURY_SUFFIX = "treasury.csv"
_UNKNOWN = {"zh": "—", "en": "—"}


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch with its lines, who pays it and whether a treasury is paid."""

    row: queries.RemittanceRow
    lines: tuple[queries.RemittanceLineRow, ...]
    payer_id: UUID
    payer_city: int
    payee_city: int
    is_to_treasury: bool


def batch_found(market: Market, batch_id: UUID) -> Batch:
    """Return a batch.

    Raises:
        NotFoundError: it is unknown.
    """
    with market.read() as connection:
        row = queries.remittance(connection, batch_id)
        lines = queries.remittance_lines_of(connection, batch_id)
        schemes = [queries.scheme(connection, line.scheme_id) for line in lines]
        payee = queries.organisation(connection, row.payee_id)
        operators = {scheme.operator_id for scheme in schemes}
        payer_id = min(operators) if len(operators) == 1 else _platform(connection)
        payer = queries.organisation(connection, payer_id)
    return Batch(
        row,
        tuple(lines),
        payer_id,
        payer.city_code,
        payee.city_code,
        payee.kind == OrganisationKind.TREASURY,
    )


def credit_transfer(market: Market, batch: Batch) -> bytes:
    """Return the pain.001 file of a batch to a bank account.

    Raises:
        PayeeRecordMissingError: payer or payee has no account on record.
        MalformedTransferError: the record does not fit the message.
    """
    payee = payee_record(market, batch.row.payee_id)
    name = batch.row.batch_id.hex
    text = f"都市圈数据账本 划拨 {batch.row.batch_id}"[:TEXT_LENGTH_MAX]
    transfer = Transfer(name, _party(payee), Fen(batch.row.amount_fen), text)
    payer = _party(payee_record(market, batch.payer_id))
    return pain001(TransferOrder(name, instant_text(batch.row.opened_at), payer, [transfer]))


def treasury_rows(market: Market, batch: Batch) -> list[dict[str, Any]]:
    """Return the list of a batch to a treasury: one row per line, the amounts in yuan.

    Raises:
        PayeeRecordMissingError: the treasury has no account or no collection item on record.
    """
    record = payee_record(market, batch.row.payee_id)
    if record.item_code is None:
        raise PayeeRecordMissingError(
            f"treasury {record.organisation_id} has no collection item on record",
            field="item_code",
            got=None,
            expected="a non-tax item code",
        )
    names = display_names(market)
    with market.read() as connection:
        earners = [queries.earner_of(connection, line.claimant_id) for line in batch.lines]
    return [
        {
            "batch_id": str(batch.row.batch_id),
            "city_code": batch.payee_city,
            "city": CITIES[batch.payee_city].name_zh,
            "account_name": record.account_name,
            "account_no": record.account_no,
            "item_code": record.item_code,
            "payer": names.get(batch.payer_id, _UNKNOWN)["zh"],
            "earner": names.get(earner, _UNKNOWN)["zh"],
            "claimant": names.get(line.claimant_id, _UNKNOWN)["zh"],
            "claimant_id": str(line.claimant_id),
            "scheme_id": str(line.scheme_id),
            "amount_yuan": _yuan(line.amount_fen),
        }
        for line, earner in zip(batch.lines, earners, strict=True)
    ]


def keep_file(market: Market, batch: Batch, content: bytes) -> Path:
    """Write the file of a batch; the same content again changes nothing.

    Raises:
        RemittanceFileError: another content was written before.
    """
    suffix = TREASURY_SUFFIX if batch.is_to_treasury else BANK_SUFFIX
    path = market.home / "remittances" / f"{batch.row.batch_id}.{suffix}"
    if not path.exists():
        write_durably(path, content, mode=0o600)
    elif path.read_bytes() != content:
        raise RemittanceFileError(
            f"{path.name} was written with another content; it may be with the bank already",
            field="batch_id",
            got=str(batch.row.batch_id),
            expected="the payee's record as it was",
        )
    return path


def netting_found(market: Market, period_id: int | None = None) -> list[dict[str, Any]]:
    """Return what each pair of cities owes the other over the batches of a month, and the net.

    Args:
        market: the market.
        period_id: month in which batches were opened, yyyymm; None for all.
    """
    with market.read() as connection:
        rows = queries.remittances_list(connection)
    gross: defaultdict[tuple[int, int], int] = defaultdict(int)
    for row in rows:
        if period_id in (None, period_of(row.opened_at)):
            batch = batch_found(market, row.batch_id)
            gross[batch.payer_city, batch.payee_city] += row.amount_fen
    pairs = sorted({(min(pair), max(pair)) for pair in gross})
    return [_pair(low, high, gross[low, high], gross[high, low]) for low, high in pairs]


def batches_found(market: Market, *, is_open: bool = False) -> list[dict[str, Any]]:
    """Return the batches in the order of their opening; with `is_open` those without a receipt."""
    state = int(RemittanceState.OPEN) if is_open else None
    with market.read() as connection:
        rows = queries.remittances_list(connection, state=state)
    return [
        {
            "batch_id": str(row.batch_id),
            "payee_id": str(row.payee_id),
            "state": RemittanceState(row.state).name.lower(),
            "amount_fen": row.amount_fen,
            "opened_at": instant_text(row.opened_at),
            "receipt_digest": row.receipt_digest and digest_text(row.receipt_digest),
        }
        for row in rows
    ]


def _pair(low: int, high: int, forth_fen: int, back_fen: int) -> dict[str, Any]:
    """Return one pair of cities; within one city nothing can be netted."""
    net_fen = forth_fen - back_fen if low != high else forth_fen
    payer, payee = (low, high) if net_fen >= 0 else (high, low)
    return {
        "city_code": low,
        "other_city_code": high,
        "to_other_fen": forth_fen,
        "from_other_fen": back_fen if low != high else 0,
        "net_payer_city": payer,
        "net_payee_city": payee,
        "net_fen": abs(net_fen),
    }


def _party(record: PayeeRecord) -> TransferParty:
    return TransferParty(record.account_name, record.account_no, record.cnaps_code)


def _platform(connection: Any) -> UUID:
    for row in queries.organisations_list(connection):
        if any(
            role.role == Role.PLATFORM for role in queries.roles_of(connection, row.organisation_id)
        ):
            return row.organisation_id
    raise PayeeRecordMissingError("the market has no platform", field="payer")


def _yuan(amount_fen: int) -> str:
    return f"{amount_fen // FEN_PER_YUAN}.{amount_fen % FEN_PER_YUAN:02d}"
