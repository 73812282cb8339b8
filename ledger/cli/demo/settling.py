"""Steps 7 to 9: bills, bank, splits, remittances; independent verification; the last table."""

from __future__ import annotations

import copy
import json
import shutil
from typing import Any
from uuid import UUID

from ledger.app.billing import bill
from ledger.app.names import display_names
from ledger.app.payments import COLUMNS, import_statement
from ledger.app.settlement import remit, split_all
from ledger.app.splits import split_lines
from ledger.app.verifying import verify_market
from ledger.cli.demo.stage import Stage
from ledger.cli.demo.story import FIRST_YUAN, SECOND_YUAN, VECTORS
from ledger.cli.demo.using import used_again
from ledger.cli.shell import out
from ledger.cli.tables import print_statement
from ledger.domain.calendar import instant_text
from ledger.domain.errors import LedgerError
from ledger.domain.units import yuan_text
from ledger.report.statements import market_statement

RECEIPT_BYTES = 96
"""Length of a receipt in the log's file, format 1."""


class DemoError(LedgerError):
    """The demonstration did not come out as the specification says."""

    code = "demo.unexpected"


def billed_and_paid(stage: Stage, url: str) -> None:
    """Step 7: bills on proofs, the bank's statement, acceptance, splits, remittances."""
    stage.step(7, "Bills 账单 on proofs, payment 到账, split 分账, remittance 划拨")
    _income(stage, 1, FIRST_YUAN)
    used_again(stage, url)
    _income(stage, 2, SECOND_YUAN)
    free = bill(stage.market, stage.account("operator"), stage.free_licence_no, stage.scheme_id)
    if free is not None:
        stage.say(f"public welfare use: billed {yuan_text(free.result['gross_fen'])} yuan")
    batches = remit(stage.market, stage.account("operator"), stage.scheme_id)
    names = display_names(stage.market)
    for batch in batches:
        payee = names[UUID(batch["payee_id"])]
        stage.say(
            f"remittance {yuan_text(batch['amount_fen']):>12} yuan → {payee['zh']} {payee['en']}"
        )
    closing = {"batch_id": batches[0]["batch_id"], "receipt": "虚构回单 0001"}
    stage.run("operator", "close-remittance", closing)
    stage.facts["batches"] = batches


def verified(stage: Stage) -> None:
    """Step 8: everything again with independent code; then one byte and one fen are changed."""
    stage.step(8, "Independent verification 核验")
    statement = _statement(stage)
    found = verify_market(stage.market, report=statement)
    checked = ", ".join(f"{count} {what}" for what, count in found.checked.items())
    stage.say(f"{len(found.findings)} findings over {checked}")
    stage.facts["findings"] = len(found.findings)
    altered_log = _verify_flipped_byte(stage)
    altered_report = _verify_changed_fen(stage, statement)
    stage.facts["altered"] = [altered_log, altered_report]
    stage.say(f"one byte flipped in a copy of the log  → [yellow]{altered_log}[/]")
    stage.say(f"one fen changed in a copy of a report → [yellow]{altered_report}[/]")
    if found.findings or not altered_log or not altered_report:
        raise DemoError("verification did not come out as it must", got=found.as_dict())


def shown(stage: Stage) -> None:
    """Step 9: the table a person can read."""
    stage.step(9, "Who supplied, who used, who gets how much and why 对账单")
    statement = _statement(stage)
    stage.facts["statement"] = statement
    path = stage.market.home / "statement.json"
    path.write_text(json.dumps(statement, ensure_ascii=False, indent=1), "utf-8")
    print_statement(statement)
    out.print(
        "[dim]All organisations, costs and prices are invented. 机构、成本、价格均为虚构。[/]"
    )


def _income(stage: Stage, number: int, yuan: str) -> None:
    market, operator = stage.market, stage.account("operator")
    done = bill(market, operator, stage.licence_no, stage.scheme_id)
    if done is None:
        raise DemoError("there was nothing to bill", got=number)
    reference = done.result["reference"]
    path = market.home / f"bank-{number}.csv"
    booked_on = instant_text(market.now_seconds())[:10]
    lines = [
        ",".join(COLUMNS),
        f"{booked_on},{reference} 数据服务费,{yuan},虚构物流科技公司,BANK-{number:04d}",
    ]
    if number == 1:
        lines.append(f"{booked_on},房租,500.00,路人甲,BANK-9999")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    report = import_statement(market, operator, path.read_text("utf-8"))
    stage.facts.setdefault("bank_findings", []).extend(report.findings)
    for finding in report.findings:
        stage.say(f"bank line left for people: [yellow]{finding.code}[/] {finding.detail}")
    stage.run("buyer", "accept-invoice", {"invoice_id": done.result["invoice_id"]})
    split_all(market, operator, stage.scheme_id)
    _compare(stage, number, UUID(done.result["invoice_id"]))
    stage.say(
        f"bill {number}: {done.result['units']:,} rows → "
        f"{yuan_text(done.result['gross_fen'])} yuan, paid, accepted; "
        f"the split equals vector V{number} to the µfen"
    )


def _compare(stage: Stage, number: int, invoice_id: UUID) -> None:
    lines = split_lines(stage.market, invoice_id)
    expected = {
        key if key in ("tax", "reserve") else str(stage.claimant(key)): amount
        for key, amount in VECTORS[number - 1].items()
    }
    if lines != expected:
        raise DemoError(f"split {number} is not V{number}", got=lines, expected=expected)


def _statement(stage: Stage) -> dict[str, Any]:
    with stage.market.read() as connection:
        return market_statement(connection, display_names(stage.market))


def _verify_flipped_byte(stage: Stage) -> str:
    """Return where verification finds one flipped byte in a copy of the log."""
    copied = stage.market.home / "altered" / "logs"
    shutil.copytree(stage.market.home / "logs", copied, dirs_exist_ok=True)
    path = copied / "1" / "receipts.bin"
    content = bytearray(path.read_bytes())
    content[7 * RECEIPT_BYTES + 47] ^= 1
    path.write_bytes(content)
    found = verify_market(stage.market, logs=copied)
    return f"{found.findings[0].code} at {found.findings[0].where}" if found.findings else ""


def _verify_changed_fen(stage: Stage, statement: dict[str, Any]) -> str:
    """Return where verification finds one fen more in a copy of a report."""
    altered = copy.deepcopy(statement)
    altered["claimants"][0]["remitted_fen"] += 1
    found = verify_market(stage.market, report=altered)
    return f"{found.findings[0].code} at {found.findings[0].where}" if found.findings else ""
