"""Why a line of a remittance batch is what it is; and what a step of any explanation is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.domain.parting import Parting
from ledger.domain.units import MICRO_FEN_PER_FEN, PPM_WHOLE
from ledger.projection import queries

PAYEE_RULE = "财资〔2024〕1号; 非税收入国库集中收缴 centralised treasury collection"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an explanation."""

    title: str
    """What is computed, in both languages."""
    rule: str
    """Where the rule is written."""
    arithmetic: tuple[str, ...]
    """The numbers, one line each."""

    def as_dict(self) -> dict[str, Any]:
        """Return the step as plain data."""
        return {"title": self.title, "rule": self.rule, "arithmetic": list(self.arithmetic)}


def line_name(split: queries.SplitDetail, line: queries.SplitLineRow) -> str:
    """Return the name of a line of a split."""
    entry = "" if split.split.entry_no == 1 else f"@{split.split.entry_no}"
    return f"{split.split.invoice_id}/{line.tier}/{line.position}{entry}"


def pour_line_name(pour: queries.FillDetail, line: queries.SplitLineRow) -> str:
    """Return the name of a line of a pour."""
    return f"{pour.fill.scheme_id}/{line.tier}/{line.position}@{pour.fill.event_no}"


def batch_step(
    connection: Any, batch: queries.RemittanceRow, line: queries.RemittanceLineRow
) -> Step:
    """Return how a batch line follows from what was credited and remitted before it."""
    credited = 0
    sources = []
    for split in queries.splits_of(connection, line.scheme_id):
        for item in split.lines:
            is_own = item.claimant_id == line.claimant_id and item.amount_micro_fen
            if is_own and split.split.recorded_at <= batch.opened_at:
                amount = split.split.sign * item.amount_micro_fen
                credited += amount
                sources.append(f"{line_name(split, item)}  {amount} µfen")
    for pour in queries.fills_of(connection, line.scheme_id):
        for item in pour.lines if pour.fill.recorded_at <= batch.opened_at else ():
            if item.claimant_id == line.claimant_id and item.amount_micro_fen:
                credited += item.amount_micro_fen
                name = pour_line_name(pour, item)
                sources.append(f"{name}  {item.amount_micro_fen} µfen")
    remitted = _remitted_before(connection, batch, line)
    due = credited - remitted * MICRO_FEN_PER_FEN
    return Step(
        f"划拨 Remittance line {line.position}",
        PAYEE_RULE,
        (
            *sources,
            f"credited {credited} − remitted {remitted} · 10⁶ = {due} µfen",
            f"⌊{due} / 10⁶⌋ = {due // MICRO_FEN_PER_FEN} fen; paid {line.amount_fen} fen, "
            f"{due % MICRO_FEN_PER_FEN} of {PPM_WHOLE} µfen of the last fen stay",
            *_parting(connection, batch, line, credited // MICRO_FEN_PER_FEN, remitted),
        ),
    )


def _remitted_before(
    connection: Any, batch: queries.RemittanceRow, line: queries.RemittanceLineRow
) -> int:
    total = 0
    for earlier in queries.remittances_list(connection):
        if earlier.batch_id == batch.batch_id:
            return total
        for item in queries.remittance_lines_of(connection, earlier.batch_id):
            if (item.scheme_id, item.claimant_id) == (line.scheme_id, line.claimant_id):
                total += item.amount_fen
    return total


def _parting(
    connection: Any,
    batch: queries.RemittanceRow,
    line: queries.RemittanceLineRow,
    due_fen: int,
    remitted_fen: int,
) -> tuple[str, ...]:
    """Return how a city's rule parts what is due, as it stood before the line."""
    if line.parting is None:
        return ()
    part = Parting(**line.parting)
    own_part, cap = PPM_WHOLE - part.treasury_ppm, part.own_cap_fen(due_fen)
    if due_fen < part.base_fen:
        own = f"⌊{part.base_own_fen} · {due_fen} / {part.base_fen}⌋"
    else:
        own = f"{part.base_own_fen} + ⌊({due_fen} − {part.base_fen}) · {own_part} / 10⁶⌋"
    treasury_fen = remitted_fen - part.own_fen
    is_own = batch.payee_id == queries.earner_of(connection, line.claimant_id)
    mine = (
        f"own account: {cap} − {part.own_fen} remitted = {cap - part.own_fen} fen"
        if is_own
        else f"treasury: {due_fen} − {cap} − {treasury_fen} remitted = "
        f"{due_fen - cap - treasury_fen} fen"
    )
    return (
        f"rule {part.rule_no} of the city: {part.treasury_ppm} ppm to its treasury of what was not "
        f"remitted before; {part.base_fen} fen were, {part.base_own_fen} to the own account",
        f"own account's part of {due_fen} fen = {own} = {cap} fen",
        mine,
    )
