"""Splits and remittances: who is entitled to what, and who is paid.

The split is computed here and checked by the contract against the same rules; an operator who
proposes another one is refused.
"""

from __future__ import annotations

import csv
import io
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.batches import Ask, all_done, run_many
from ledger.app.commands import Command, CommandRequest, Done, command
from ledger.app.documents import write_durably
from ledger.app.fields import Id, Part, Text, fresh_id
from ledger.app.market import Market
from ledger.app.outcomes import share_outcome
from ledger.app.scheme_state import on_chain, pool_of, quality_of, state_of, with_claimants
from ledger.chain.keys import KeyAccount
from ledger.codec.documents import Document
from ledger.domain.codes import RemittanceState
from ledger.domain.ids import ClaimantId, new_id
from ledger.domain.money import Lineage, LineageWeight
from ledger.domain.units import Fen, Ppm
from ledger.projection import queries
from ledger.projection.queries.money import InvoiceRow
from ledger.projection.queries.sales import LineageRow
from ledger.revenue.vat import take_vat
from ledger.revenue.waterfall import SchemeState, apply, split_income

SPLITS_AT_ONCE = 200
REMITTANCE_COLUMNS = ("batch_id", "payee_id", "scheme_id", "claimant_id", "amount_yuan")


class SplitIncome(CommandRequest):
    """The split of the next released income of a scheme."""

    invoice_id: Id


class RemittanceLineField(Part):
    """Whole fen to one claimant's payee."""

    scheme_id: Id
    claimant_id: Id
    amount_fen: Annotated[int, Field(ge=1, lt=2**53)]


class OpenRemittance(CommandRequest):
    """A batch to one payee."""

    batch_id: Id = Field(default_factory=fresh_id)
    payee_id: Id
    lines: Annotated[list[RemittanceLineField], Field(min_length=1, max_length=256)]


class CloseRemittance(CommandRequest):
    """The bank's or treasury's receipt of a batch."""

    batch_id: Id
    receipt: Text


@command("split-income", SplitIncome, "Split a released income", "分账")
def split(market: Market, actor_id: UUID | None, request: SplitIncome) -> Command:
    """Plan the split of an income through all tiers, in the order of the law.

    The income of a derived product has no tiers: the contract shares it by its lineage.
    """
    with market.read() as connection:
        invoice = queries.invoice(connection, request.invoice_id)
        return _SplitPlans(connection, invoice.scheme_id).plan(invoice)[0]


@command("open-remittance", OpenRemittance, "Open a remittance batch", "发起划拨")
def open_remittance(market: Market, actor_id: UUID | None, request: OpenRemittance) -> Command:
    """Plan a batch of whole fen to one payee."""
    lines = [line.model_dump(mode="python") for line in request.lines]
    document = Document.new(
        {
            "type": "remittance",
            "batch_id": str(request.batch_id),
            "payee_id": str(request.payee_id),
            "lines": [line.model_dump(mode="json") for line in request.lines],
        }
    )
    return Command(
        "revenue",
        "openRemittance",
        (request.batch_id, request.payee_id, lines, document.digest),
        (document,),
        {
            "batch_id": str(request.batch_id),
            "payee_id": str(request.payee_id),
            "amount_fen": sum(line.amount_fen for line in request.lines),
        },
    )


@command("close-remittance", CloseRemittance, "Close a remittance batch", "划拨回执")
def close_remittance(market: Market, actor_id: UUID | None, request: CloseRemittance) -> Command:
    """Plan the closing of a batch; the receipt's digest cannot be used twice."""
    receipt = Document(
        {"type": "remittance_receipt", "text": request.receipt},
        market.secrets.salt_for("bank", request.receipt),
    )
    return Command(
        "revenue",
        "closeRemittance",
        (request.batch_id, receipt.digest),
        (receipt,),
        {"batch_id": str(request.batch_id), "state": RemittanceState.CLOSED.name.lower()},
    )


def split_all(market: Market, account: KeyAccount, scheme_id: UUID) -> list[Done]:
    """Split every released income of a scheme, in the order of release.

    Many are planned at once, each on the balances that the one before it leaves. Where the chain
    refuses one, those after it are planned anew.

    Raises:
        LedgerError: the income whose turn it is is refused.
    """
    done: list[Done] = []
    while asks := _next_splits(market, account, scheme_id):
        results = run_many(market, asks, tried_out=1)
        acted = list(takewhile(lambda result: isinstance(result, Done), results))
        done += all_done(acted or results[:1])
    return done


def _next_splits(market: Market, account: KeyAccount, scheme_id: UUID) -> list[Ask]:
    asks = []
    with market.read() as connection:
        plans = _SplitPlans(connection, scheme_id)
        for invoice in queries.next_splits(connection, scheme_id, SPLITS_AT_ONCE):
            command, size = plans.plan(invoice)
            request = SplitIncome(invoice_id=invoice.invoice_id)
            asks.append(Ask(account, "split-income", request, planned=command, size=size))
    return asks


class _SplitPlans:
    """Plans the splits of a scheme one after another, from its projected balances on."""

    def __init__(self, connection: Any, scheme_id: UUID) -> None:
        self._connection = connection
        self._scheme = queries.scheme(connection, scheme_id)
        self._accounts = queries.accounts_of(connection, scheme_id)
        self._quality = quality_of(connection)
        self._state: SchemeState | None = None
        self._sold: set[UUID] = set()

    def plan(self, invoice: InvoiceRow) -> tuple[Command, int]:
        """Return the split of the next income, and how many accounts it writes."""
        product_id = invoice.product_id
        if queries.product(self._connection, product_id).product.is_derived:
            return share_outcome(invoice.invoice_id), 1
        lineage = queries.lineage_of(self._connection, product_id)
        listed = [row.claimant_id for row in lineage]
        self._sold.update(listed)
        state = self._state or state_of(self._scheme, self._accounts)
        state = with_claimants(state, listed)
        found = split_income(
            state,
            take_vat(Fen(invoice.gross_fen), Ppm(self._scheme.vat_ppm)).net_fen,
            _lineage(lineage),
            pool=pool_of(self._accounts, self._sold),
            quality=self._quality,
        )
        self._state = apply(state, found)
        command = Command(
            "revenue",
            "split",
            (invoice.invoice_id, on_chain(found, state, listed)),
            result={"invoice_id": str(invoice.invoice_id)},
        )
        return command, len(found.lines)


def remit(market: Market, account: KeyAccount, scheme_id: UUID) -> list[dict[str, Any]]:
    """Open one batch per payee for all whole fen that are owed, and write its file."""
    with market.read() as connection:
        owed = queries.payables(connection, scheme_id=scheme_id)
    requests = []
    for payee_id, payables in sorted(owed.items()):
        lines = [
            RemittanceLineField(
                scheme_id=item.scheme_id, claimant_id=item.claimant_id, amount_fen=item.amount_fen
            )
            for item in payables
            if item.amount_fen
        ]
        if lines:
            requests.append(OpenRemittance(batch_id=new_id(), payee_id=payee_id, lines=lines))
    asks = [Ask(account, "open-remittance", request) for request in requests]
    results = run_many(market, asks)
    opened = [done for done in results if isinstance(done, Done)]
    files = [write_remittance(market, UUID(done.result["batch_id"])) for done in opened]
    all_done(results)
    return [done.result | {"file": str(file)} for done, file in zip(opened, files, strict=True)]


def write_remittance(market: Market, batch_id: UUID) -> Path:
    """Write the file of an opened batch, `remittances/<batch>.csv`; the same bytes each time."""
    with market.read() as connection:
        batch = queries.remittance(connection, batch_id)
        lines = queries.remittance_lines_of(connection, batch_id)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(REMITTANCE_COLUMNS)
    for line in lines:
        yuan = f"{line.amount_fen // 100}.{line.amount_fen % 100:02d}"
        writer.writerow([batch_id, batch.payee_id, line.scheme_id, line.claimant_id, yuan])
    path = market.home / "remittances" / f"{batch_id}.csv"
    write_durably(path, out.getvalue().encode())
    return path


def _lineage(rows: list[LineageRow]) -> Lineage:
    return Lineage(
        tuple(LineageWeight(ClaimantId(row.claimant_id), Ppm(row.weight_ppm)) for row in rows)
    )
