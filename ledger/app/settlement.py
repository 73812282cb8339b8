"""Schemes, splits and remittances: who is entitled to what, and who is paid.

The split is computed here and checked by the contract against the same rules; an operator who
proposes another one is refused.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, Done, command, run
from ledger.app.datasets import decision_document
from ledger.app.documents import write_durably
from ledger.app.fields import (
    CityCode,
    Id,
    IncomeField,
    Part,
    PpmField,
    Text,
    Uint32Field,
    fresh_id,
)
from ledger.app.market import Market
from ledger.chain.keys import KeyAccount
from ledger.codec.documents import Document
from ledger.domain.codes import RemittanceState
from ledger.domain.ids import ClaimantId, new_id
from ledger.domain.money import (
    CLAIMANT_COUNT_MAX,
    REGULAR_TIERS,
    ClaimantCost,
    Lineage,
    LineageWeight,
    SchemeTerms,
    Tier,
)
from ledger.domain.units import MICRO_FEN_PER_FEN, SPREAD_PPM_MAX, Fen, MicroFen, Ppm
from ledger.projection import queries
from ledger.projection.queries.money import AccountRow, InvoiceRow, SchemeRow
from ledger.projection.queries.sales import LineageRow
from ledger.revenue.vat import take_vat
from ledger.revenue.waterfall import SchemeState, split_income

REMITTANCE_COLUMNS = ("batch_id", "payee_id", "scheme_id", "claimant_id", "amount_yuan")


class CostField(Part):
    """The approved cost of one claimant for the year."""

    claimant_id: Id
    cost_fen: IncomeField


class ApproveScheme(CommandRequest):
    """What the price authority approves for an operator and a year."""

    scheme_id: Id = Field(default_factory=fresh_id)
    operator_id: Id
    city_code: CityCode
    year: Annotated[int, Field(ge=2000, le=2999)]
    bond_ppm: PpmField
    spread_ppm: Annotated[int, Field(ge=0, le=SPREAD_PPM_MAX)]
    surcharge_ppm: PpmField
    vat_ppm: PpmField
    tax_fen: IncomeField
    hold_seconds: Uint32Field
    reason: Text
    costs: Annotated[list[CostField], Field(min_length=1, max_length=CLAIMANT_COUNT_MAX)]


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


@command("approve-scheme", ApproveScheme, "Approve a pricing scheme", "核定定价方案")
def approve_scheme(market: Market, actor_id: UUID | None, request: ApproveScheme) -> Command:
    """Plan the approval; costs go on chain in ascending order of ids."""
    decision = decision_document("scheme", request.scheme_id, request.reason)
    terms = request.model_dump(mode="python", exclude={"reason", "costs"})
    costs = sorted(
        (cost.model_dump(mode="python") for cost in request.costs),
        key=lambda cost: cost["claimant_id"],
    )
    return Command(
        "revenue",
        "approveScheme",
        (terms | {"decision_digest": decision.digest}, costs),
        (decision,),
        {"scheme_id": str(request.scheme_id)},
    )


@command("split-income", SplitIncome, "Split a released income", "分账")
def split(market: Market, actor_id: UUID | None, request: SplitIncome) -> Command:
    """Plan the split of an income: tax, lineage cost, reserve, in the order of the law."""
    with market.read() as connection:
        invoice = queries.invoice(connection, request.invoice_id)
        scheme = queries.scheme(connection, invoice.scheme_id)
        accounts = queries.accounts_of(connection, invoice.scheme_id)
        lineage = queries.lineage_of(connection, invoice.product_id)
    result = split_income(
        _state(scheme, accounts, lineage),
        take_vat(Fen(invoice.gross_fen), Ppm(scheme.vat_ppm)).net_fen,
        _lineage(lineage),
    )
    proposed = {
        "tax_micro_fen": result.tier_micro_fen(Tier.TAX),
        "lineage_cost_micro_fen": [
            line.amount_micro_fen for line in result.tier(Tier.LINEAGE_COST)
        ],
        "reserve_micro_fen": result.tier_micro_fen(Tier.RESERVE),
    }
    entries = [
        {"claimant_id": row.claimant_id, "kind": row.kind, "weight_ppm": row.weight_ppm}
        for row in lineage
    ]
    return Command(
        "revenue",
        "split",
        (request.invoice_id, proposed, entries),
        result={"invoice_id": str(request.invoice_id)},
    )


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
    """Split every released income of a scheme, in the order of release."""
    done: list[Done] = []
    while True:
        with market.read() as connection:
            following = queries.next_split(connection, scheme_id)
        if following is None:
            return done
        done.append(
            run(market, account, "split-income", SplitIncome(invoice_id=following.invoice_id))
        )


def remit(market: Market, account: KeyAccount, scheme_id: UUID) -> list[dict[str, Any]]:
    """Open one batch per payee for all whole fen that are owed, and write its file."""
    with market.read() as connection:
        owed = queries.payables(connection, scheme_id=scheme_id)
    batches = []
    for payee_id, payables in sorted(owed.items()):
        lines = [
            RemittanceLineField(
                scheme_id=item.scheme_id, claimant_id=item.claimant_id, amount_fen=item.amount_fen
            )
            for item in payables
            if item.amount_fen
        ]
        if not lines:
            continue
        request = OpenRemittance(batch_id=new_id(), payee_id=payee_id, lines=lines)
        done = run(market, account, "open-remittance", request)
        batches.append(done.result | {"file": str(write_remittance(market, request.batch_id))})
    return batches


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


def next_invoice(market: Market, scheme_id: UUID) -> InvoiceRow | None:
    """Return the income that is to be split next, None when there is none."""
    with market.read() as connection:
        return queries.next_split(connection, scheme_id)


def _lineage(rows: list[LineageRow]) -> Lineage:
    return Lineage(
        tuple(LineageWeight(ClaimantId(row.claimant_id), Ppm(row.weight_ppm)) for row in rows)
    )


def _state(scheme: SchemeRow, accounts: list[AccountRow], lineage: list[LineageRow]) -> SchemeState:
    """Return the scheme as the money layer takes it.

    A claimant of the lineage without an approved cost has room 0, as in the contract.
    """
    costs = {row.claimant_id: row.cost_micro_fen // MICRO_FEN_PER_FEN for row in accounts}
    costs |= {row.claimant_id: 0 for row in lineage if row.claimant_id not in costs}
    terms = SchemeTerms(
        costs=tuple(ClaimantCost(ClaimantId(key), Fen(costs[key])) for key in sorted(costs)),
        operator_id=ClaimantId(scheme.operator_id),
        platform_id=ClaimantId(scheme.operator_id),
        bond_ppm=Ppm(scheme.bond_ppm),
        spread_ppm=Ppm(scheme.spread_ppm),
        tax_fen=Fen(scheme.tax_micro_fen // MICRO_FEN_PER_FEN),
        surcharge_ppm=Ppm(scheme.surcharge_ppm),
        vat_ppm=Ppm(scheme.vat_ppm),
        tiers=REGULAR_TIERS,
    )
    return SchemeState(
        terms,
        {
            ClaimantId(row.claimant_id): MicroFen(row.recovered_micro_fen)
            for row in accounts
            if row.recovered_micro_fen
        },
        tax_micro_fen=MicroFen(scheme.tax_taken_micro_fen),
        reserve_micro_fen=MicroFen(scheme.reserve_micro_fen),
    )
