"""The twelve months: use, anchors, bills, bank files, holds, splits, remittances, refunds."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.app.batches import all_done
from ledger.app.billing import bill_all
from ledger.app.importing import import_file
from ledger.app.log_keeping import anchor
from ledger.app.payments import COLUMNS, import_statement
from ledger.app.settlement import remit, split_all
from ledger.cli.demo.year.objecting import Bill, dismissed, objected
from ledger.cli.demo.year.stage import YearStage
from ledger.cli.demo.year.world import MONTHS, SCHEMES, SchemePlan
from ledger.domain.calendar import instant_text
from ledger.domain.codes import Purpose
from ledger.domain.units import yuan_text

METER_NO = 2
IN_TWO_PARTS, OVERPAID, UNKNOWN_LINE, FROZEN, LATE = 2, 3, 4, 5, 6
REFUND_HELD, REFUND_REMITTED, CREDIT_NOTE = 7, 9, 10
"""Months in which something out of the ordinary happens to the first bill of the first scheme."""


@dataclass
class Months:
    """What goes over from month to month."""

    stage: YearStage
    unpaid: list[Bill] = field(default_factory=list)
    frozen: list[Bill] = field(default_factory=list)
    objection_id: str = ""
    last_split: list[Bill] = field(default_factory=list)
    meter_seq: int = 0
    calls: int = 0


def year_played(stage: YearStage) -> None:
    """Play the twelve months; the settlement of one happens in the next."""
    months = Months(stage)
    for month in range(1, MONTHS + 1):
        stage.at(month + 1, 1)
        receipts = used(months, month)
        bills = billed(months)
        paid = _paid(months, month, bills)
        _released(months, month, paid)
        splits = split_released(stage)
        amount, batches = remitted(stage, month + 1)
        stage.say(
            f"month {month:>2}: {receipts} receipts anchored, {len(bills)} bills "
            f"{yuan_text(sum(bill.gross_fen for bill in bills))} yuan, {splits} splits, "
            f"{batches} remittances {yuan_text(amount)} yuan"
        )


def split_released(stage: YearStage) -> int:
    """Split what was released, each scheme in its order."""
    count = sum(
        len(split_all(stage.market, stage.key(plan.operator), stage.scheme_id(plan)))
        for plan in SCHEMES
    )
    stage.count(count)
    return count


def remitted(stage: YearStage, month: int, *more: tuple[SchemePlan, int]) -> tuple[int, int]:
    """Pay out what is owed on the 25th; bank and treasury answer the day after."""
    stage.at(month, 25)
    batches: list[tuple[SchemePlan, dict[str, Any]]] = []
    for plan, year in (*((plan, stage.year) for plan in SCHEMES), *more):
        operator, scheme_id = stage.key(plan.operator), stage.scheme_id(plan, year)
        batches += [(plan, batch) for batch in remit(stage.market, operator, scheme_id)]
    stage.at(month, 26)
    stage.run(
        (
            plan.operator,
            "close-remittance",
            {"batch_id": batch["batch_id"], "receipt": f"虚构回单 {batch['batch_id']}"},
        )
        for plan, batch in batches
        if batch["amount_fen"]
    )
    return sum(batch["amount_fen"] for _, batch in batches), len(batches)


def used(months: Months, month: int) -> int:
    """Bring a meter's file of the month into the log and anchor it."""
    stage = months.stage
    path = stage.market.home / "meter-files" / f"{stage.year}-{month:02d}.ndjson"
    path.parent.mkdir(exist_ok=True)
    rows = sorted(_rows(stage, month), key=lambda row: row["used_at_ms"])
    for row in rows:
        months.meter_seq += 1
        row["meter_seq"] = months.meter_seq
        before, months.calls = months.calls, months.calls + row["units"]
        row["records"] = _exchanged(months.calls) - _exchanged(before)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = import_file(stage.market, path, stage.log_no, tell=lambda *_: None)
    anchor(stage.market, stage.key("platform"), stage.log_no)
    return found.taken


def _exchanged(calls: int) -> int:
    """Return how many rows so many calls bring: the article's 8.988 billion for 210 million."""
    return calls * 428 // 10


def _rows(stage: YearStage, month: int) -> list[dict[str, Any]]:
    """Return invented uses, spread over the month."""
    begin, end = stage.moment(month, 1, 0), stage.moment(month + 1, 1, 0)
    count = stage.world.scale.receipts
    rows = []
    for licence_no, deal in stage.licences.items():
        units = deal.monthly_calls[month - 1]
        for part in range(count):
            seed = hashlib.sha256(f"{licence_no} {month} {part}".encode()).digest()
            place = (part + seed[0] / 256) / count
            share = units // count + (units % count if part == 0 else 0)
            rows.append(
                {
                    "meter_no": METER_NO,
                    "licence_no": licence_no,
                    "mode": 2,
                    "purpose": int(Purpose[deal.purpose.upper()]),
                    "used_at_ms": 1000 * begin + int(1000 * (end - begin) * place),
                    "version_no": 1,
                    "status": 0,
                    "units": share,
                    "commitment": "0x" + seed.hex(),
                }
            )
    return rows


def billed(months: Months) -> list[Bill]:
    """Bill every licence on the proof of its latest receipt; free use gets a zero invoice."""
    stage = months.stage
    bills = []
    for plan in SCHEMES:
        scheme_id = stage.scheme_id(plan)
        results = bill_all(stage.market, stage.key(plan.operator), scheme_id, stage.log_no)
        for done in all_done(results):
            item, deal = done.result, stage.licences[done.result["licence_no"]]
            bills.append(Bill(item["invoice_id"], item["reference"], item["gross_fen"], deal))
        stage.count(len(results))
    return [bill for bill in bills if bill.gross_fen]


def _paid(months: Months, month: int, bills: list[Bill]) -> list[Bill]:
    """Import a bank statement of every operator; return the bills that are paid by it."""
    stage = months.stage
    stage.at(month + 1, 8)
    due, months.unpaid = [*months.unpaid, *bills], []
    special = next(bill for bill in bills if bill.deal.good.scheme == SCHEMES[0])
    if month == LATE:
        months.unpaid.append(special)
        due.remove(special)
    if month == CREDIT_NOTE:
        special = _credited(stage, due, special)
    for plan in SCHEMES:
        own = [bill for bill in due if bill.deal.good.scheme == plan]
        path = stage.market.home / "bank-files" / f"{plan.key}-{stage.year}-{month:02d}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(_statement(stage, month, own, special), "utf-8")
        report = import_statement(stage.market, stage.key(plan.operator), path.read_bytes())
        for finding in report.findings:
            stage.say(f"bank line left for people 待处理: {finding.code}")
    return due


def _credited(stage: YearStage, due: list[Bill], special: Bill) -> Bill:
    """Reduce a bill before it is paid: the buyer pays less."""
    off = special.gross_fen // 10
    body = {"invoice_id": special.invoice_id, "reduction_fen": off, "reason": "虚构:计量更正"}
    stage.run([(special.deal.good.scheme.operator, "reduce-invoice", body)])
    reduced = Bill(special.invoice_id, special.reference, special.gross_fen - off, special.deal)
    due[due.index(special)] = reduced
    stage.say(f"credit note 减额 of {yuan_text(off)} yuan before payment")
    return reduced


def _statement(stage: YearStage, month: int, bills: list[Bill], special: Bill) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    booked_on = instant_text(stage.market.now_seconds())[:10]
    lines: list[tuple[str, int, str]] = []
    for bill in bills:
        amounts = [bill.gross_fen]
        if bill == special and month == IN_TWO_PARTS:
            amounts = [bill.gross_fen // 3, bill.gross_fen - bill.gross_fen // 3]
        if bill == special and month == OVERPAID:
            amounts = [bill.gross_fen + 10_000]
        lines += [(bill.reference, amount, bill.deal.buyer.name[0]) for amount in amounts]
    if special in bills and month == UNKNOWN_LINE:
        lines.append(("房租", 50_000, "路人甲(虚构)"))
    for number, (reference, amount, payer) in enumerate(lines, start=1):
        bank_reference = (
            f"虚构-{stage.year}{month:02d}-{bills[0].deal.good.scheme.key}-{number:05d}"
        )
        yuan = f"{amount // 100}.{amount % 100:02d}"
        writer.writerow([booked_on, reference, yuan, payer, bank_reference])
    return text.getvalue()


def _released(months: Months, month: int, paid: list[Bill]) -> None:
    """Half of the bills are accepted by their buyers, the others end their hold."""
    stage = months.stage
    stage.at(month + 1, 9)
    special = next(bill for bill in paid if bill.deal.good.scheme == SCHEMES[0])
    held = _exceptional(months, month, special)
    open_bills = [bill for bill in paid if bill not in held]
    stage.run(
        (bill.deal.buyer.key, "accept-invoice", {"invoice_id": bill.invoice_id})
        for bill in open_bills[::2]
    )
    stage.at(month + 1, 16)
    stage.run(
        (bill.deal.good.scheme.operator, "release-invoice", {"invoice_id": bill.invoice_id})
        for bill in open_bills[1::2]
    )
    months.last_split = [bill for bill in open_bills if bill.deal.good.scheme == SCHEMES[0]]


def _exceptional(months: Months, month: int, special: Bill) -> list[Bill]:
    """Freeze, unfreeze, refund; return the bills that stay held."""
    stage, operator = months.stage, special.deal.good.scheme.operator
    if month == FROZEN:
        months.objection_id = objected(stage, special)
        stage.say("an objection 异议 freezes a payment 冻结 for a month")
        months.frozen = [special]
        return [special]
    if months.frozen:
        bill, months.frozen = months.frozen[0], []
        dismissed(stage, bill, months.objection_id)
        stage.run([(operator, "release-invoice", {"invoice_id": bill.invoice_id})])
    if month == REFUND_HELD:
        refund = _refund(special, special.gross_fen // 20, "虚构:部分退款")
        stage.run([(operator, "reduce-invoice", refund)])
        stage.say(f"refund 退款 of {yuan_text(refund['reduction_fen'])} yuan out of the hold")
    if month == REFUND_REMITTED:
        bill = months.last_split[0]
        refund = _refund(bill, bill.gross_fen // 2, "虚构:服务中断退款")
        stage.run([(operator, "correct-split", refund)])
        stage.say(
            f"refund 退款 of {yuan_text(refund['reduction_fen'])} yuan after remittance: "
            "taken back by opposite entries 红冲, set off in the next batches"
        )
    return []


def _refund(bill: Bill, amount_fen: int, reason: str) -> dict[str, Any]:
    receipt = f"虚构退款回单 {bill.reference}"
    return {
        "invoice_id": bill.invoice_id,
        "reduction_fen": amount_fen,
        "reason": reason,
        "receipt": receipt,
    }


def files_of(home: Path) -> dict[str, int]:
    """Return how many files of each kind the year left, for the last lines."""
    folders = ("meter-files", "bank-files", "remittances", "documents")
    return {name: sum(1 for path in (home / name).rglob("*") if path.is_file()) for name in folders}
