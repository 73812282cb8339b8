"""Why an amount is what it is: from the receipts of use to one line of a split, step by step.

Rules kept here:
1. Each step names its rule, where the rule is written, and the arithmetic with its numbers.
2. Steps are computed again from the projections; what is recorded stands beside what was computed.
3. A split line is named `<invoice>/<tier>/<position>`, tier and position as on chain, with
   `@<entry>` behind it from the second entry (a correction) on; a line of a pour
   `<scheme>/<tier>/<position>@<event>`; a batch line `<batch>/<position>`. Statements use the same
   names.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any
from uuid import UUID

from ledger.app.errors import LineUnknownError
from ledger.app.explaining_batches import Step, batch_step, line_name
from ledger.app.explaining_pours import explain_pour_line
from ledger.app.invoice_papers import invoice_figures
from ledger.app.market import Market
from ledger.app.names import display_names
from ledger.app.sharing import SharePlace, share_steps
from ledger.domain.calendar import instant_text
from ledger.domain.codes import InvoiceState
from ledger.domain.ids import parse_id
from ledger.domain.money import Tier
from ledger.projection import queries
from ledger.projection.errors import NotFoundError

PRICE_LAW = "发改价格〔2025〕65号: bands add up 分档累加, one floor to the fen"
VAT_RULE = "增值税价税分离: net is floored to the fen, VAT is the rest"
RELEASE_RULE = "数据流通交易合同示范文本(数据提供)第7条 验收 acceptance"
CORRECTION_RULE = "equal and opposite entries 红冲, never an edit"
USE_RULE = "RFC 9162: inclusion of the licence's latest receipt, running total"
_LINE = re.compile(r"([0-9a-f-]{36})/([1-6])/([0-9]{1,4})(?:@([0-9]{1,9}))?")
_BATCH_LINE = re.compile(r"([0-9a-f-]{36})/([0-9]{1,4})")


def explain(market: Market, reference: str) -> tuple[dict[str, Any], set[UUID]]:
    """Explain a line of a split or a pour, an invoice, a remittance batch or one of its lines.

    Returns:
        The explanation as plain data, and whom it concerns: buyer, operator, who earns, who is
        paid.

    Raises:
        MalformedValueError: the reference is no id and no name of a line.
        LineUnknownError: nothing here has this name.
    """
    text = reference.strip().lower()
    named = _LINE.fullmatch(text)
    if named is not None:
        key = parse_id(named[1], "line")
        place = int(named[2]), int(named[3]), int(named[4] or 1)
        poured = explain_pour_line(market, key, place)
        return poured or _explain_line(market, text, key, place)
    of_batch = _BATCH_LINE.fullmatch(text)
    if of_batch is not None:
        return _explain_batch(market, parse_id(of_batch[1], "line"), int(of_batch[2]))
    key = parse_id(text, "line")
    for found in (_explain_invoice, _explain_batch):
        try:
            return found(market, key)
        except NotFoundError:
            continue
    raise _unknown(reference)


def _explain_invoice(market: Market, invoice_id: UUID) -> tuple[dict[str, Any], set[UUID]]:
    figures = invoice_figures(market, invoice_id)
    with market.read() as connection:
        invoice = queries.invoice(connection, invoice_id)
        split = _split_or_none(connection, invoice)
        parties = _parties(connection, figures, split)
    found = {
        "kind": "invoice",
        "name": str(invoice_id),
        "amount_fen": invoice.gross_fen,
        "invoice": figures,
        "steps": [step.as_dict() for step in _invoice_steps(figures, invoice)],
        "lines": split
        and [
            {"name": line_name(split, line), "amount_micro_fen": str(line.amount_micro_fen)}
            for line in split.lines
        ],
    }
    return found, parties


def _explain_line(
    market: Market, name: str, invoice_id: UUID, place_no: tuple[int, int, int]
) -> tuple[dict[str, Any], set[UUID]]:
    tier, position, entry_no = place_no
    try:
        figures = invoice_figures(market, invoice_id)
    except NotFoundError as error:
        raise _unknown(name) from error
    with market.read() as connection:
        invoice = queries.invoice(connection, invoice_id)
        entries = queries.entries_of(connection, invoice_id)
        split = next((item for item in entries if item.split.entry_no == entry_no), None)
        lines = split.lines if split else ()
        found = [line for line in lines if (line.tier, line.position) == (tier, position)]
        if split is None or not found:
            raise _unknown(name)
        place = SharePlace.of_split(connection, invoice, split)
        parties = _parties(connection, figures, split)
    line = found[0]
    names = display_names(market)
    claimant = names.get(line.claimant_id) if line.claimant_id else None
    steps = [*_invoice_steps(figures, invoice), *share_steps(place, line)]
    if split.split.is_correction:
        opposite = (
            f"entry {entry_no} takes back {line.amount_micro_fen} µfen of the entry before",
        )
        steps = [*steps[:-1], Step("红冲 Correction", CORRECTION_RULE, opposite)]
    explained = {
        "kind": "line",
        "name": line_name(split, line),
        "tier": Tier(tier).name.lower(),
        "claimant_id": str(line.claimant_id) if line.claimant_id else None,
        "claimant": claimant,
        "amount_micro_fen": str(line.amount_micro_fen),
        "invoice": figures,
        "steps": [step.as_dict() for step in steps],
    }
    return explained, parties


def _explain_batch(
    market: Market, batch_id: UUID, position: int | None = None
) -> tuple[dict[str, Any], set[UUID]]:
    with market.read() as connection:
        batch = queries.remittance(connection, batch_id)
        lines = [
            line
            for line in queries.remittance_lines_of(connection, batch_id)
            if position in (None, line.position)
        ]
        if not lines:
            raise _unknown(f"{batch_id}/{position}")
        steps = [batch_step(connection, batch, line) for line in lines]
        parties = {queries.earner_of(connection, line.claimant_id) for line in lines}
        parties |= {queries.scheme(connection, line.scheme_id).operator_id for line in lines}
    found = {
        "kind": "remittance",
        "name": str(batch_id) if position is None else f"{batch_id}/{position}",
        "payee_id": str(batch.payee_id),
        "amount_fen": sum(line.amount_fen for line in lines),
        "opened_at": instant_text(batch.opened_at),
        "steps": [step.as_dict() for step in steps],
    }
    return found, parties | {batch.payee_id}


def _invoice_steps(figures: dict[str, Any], invoice: queries.InvoiceRow) -> list[Step]:
    receipts = figures["receipts"]
    after = receipts["after_index"]
    first = "0" if after is None else str(int(after) + 1)
    use = Step(
        "使用 Proven use",
        USE_RULE,
        (
            f"log {receipts['log_no']}, receipts {first} … {receipts['through_index']} "
            f"of licence {figures['licence_no']}",
            f"{receipts['to_units']} − {receipts['from_units']} = {figures['units']} units",
        ),
    )
    net = (
        f"net = ⌊{figures['gross_fen']} · 10⁶ / (10⁶ + {figures['vat_ppm']})⌋ = "
        f"{figures['net_fen']} fen",
        f"VAT = {figures['gross_fen']} − {figures['net_fen']} = {figures['vat_fen']} fen",
    )
    steps = [use, _price_step(figures), Step("增值税 VAT", VAT_RULE, net)]
    if figures["gross_fen"] != invoice.gross_fen:
        reduced = f"reduced afterwards to {invoice.gross_fen} fen"
        steps.append(Step("减额 Reduction", CORRECTION_RULE, (reduced,)))
    if invoice.release_no:
        how = "accepted by the buyer, or by use" if invoice.is_accepted else "the hold ended"
        arithmetic = (f"release {invoice.release_no} of the scheme: {how}",)
        steps.append(Step("解付 Release", RELEASE_RULE, arithmetic))
    return steps


def _price_step(figures: dict[str, Any]) -> Step:
    price = figures["price"]
    if price is None:
        free = f"purpose {figures['purpose']}: not charged, still metered"
        return Step("收费 Charge", PRICE_LAW, (free, "charge = 0 fen"))
    lines = [
        f"free quota {price['free_quota_units']}, used before {price['already_used_units']}: "
        f"{price['free_units']} units free"
    ]
    lines += [
        f"band {band['from_units']} … {band['up_to_units'] or '∞'}: {band['units']} · "
        f"{band['price_micro_yuan']} = {band['list_micro_yuan']} micro-yuan"
        for band in price["bands"]
        if band["units"] != "0"
    ]
    lines.append(
        f"⌊{price['list_micro_yuan']} · (10⁶ − {price['discount_ppm']}) / 10⁶ / 10⁴⌋ = "
        f"{figures['gross_fen']} fen"
    )
    return Step(f"收费 Charge, tariff {price['tariff_no']}", PRICE_LAW, tuple(lines))


def _split_or_none(connection: Any, invoice: queries.InvoiceRow) -> queries.SplitDetail | None:
    if invoice.state != InvoiceState.SPLIT or not invoice.gross_fen:
        return None
    return queries.split_of(connection, invoice.invoice_id)


def _parties(
    connection: Any, figures: dict[str, Any], split: queries.SplitDetail | None
) -> set[UUID]:
    """Return whom an invoice and its split concern."""
    parties = {UUID(figures["issuer"]["id"]), UUID(figures["buyer"]["id"])}
    for line in split.lines if split else ():
        if line.claimant_id is not None:
            parties.add(queries.earner_of(connection, line.claimant_id))
            with contextlib.suppress(queries.PayeeUnknownError):
                parties.add(queries.payee_of_claimant(connection, line.claimant_id))
    return parties


def _unknown(name: str) -> LineUnknownError:
    return LineUnknownError(
        f"nothing here is called {name}",
        field="line",
        got=name,
        expected="invoice/tier/position, scheme/tier/position@event, batch/position, an id",
    )
