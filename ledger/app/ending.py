"""States of a licence, and its end before its time with the refund that its terms give.

Rules kept here:
1. Either side ends it; the decision states the refund of each bill, computed once by
   `revenue.refunds`.
2. Nothing is paid by that: the operator carries each refund out as a reduction or a correction.
3. What is still due is the refund less what was taken off the bill since.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command
from ledger.app.datasets import decision_document
from ledger.app.errors import LicenceEndedError
from ledger.app.fields import LicenceStateField, Text
from ledger.app.licence_documents import refund_rule_of
from ledger.app.market import Market
from ledger.app.supplements import used_units_of
from ledger.codec.documents import Document
from ledger.domain.codes import InvoiceState, LicenceState
from ledger.projection import queries
from ledger.revenue.refunds import RefundRule, refunds_fen, unused_of_days, unused_of_units


class SetLicenceState(CommandRequest):
    """Suspends, restores or ends a licence."""

    licence_no: Annotated[int, Field(ge=1, lt=2**63)]
    state: LicenceStateField
    reason: Text


class TerminateLicence(CommandRequest):
    """Ends a licence before its time, with the refund on which its parties agreed."""

    licence_no: Annotated[int, Field(ge=1, lt=2**63)]
    reason: Text


@command("set-licence-state", SetLicenceState, "Suspend, restore or end a licence", "许可状态")
def set_licence_state(market: Market, actor_id: UUID | None, request: SetLicenceState) -> Command:
    """Plan a change of a licence's state; an end states its refund like any other.

    Raises:
        LicenceEndedError: it is ended already.
    """
    if request.state is LicenceState.TERMINATED:
        end = TerminateLicence(licence_no=request.licence_no, reason=request.reason)
        return terminate_licence(market, actor_id, end)
    decision = decision_document("licence", request.licence_no, request.reason)
    return Command(
        "licences",
        "setLicenceState",
        (request.licence_no, int(request.state), decision.digest),
        (decision,),
    )


@command("terminate-licence", TerminateLicence, "End a licence, with its refund", "终止许可并退费")
def terminate_licence(market: Market, actor_id: UUID | None, request: TerminateLicence) -> Command:
    """Plan the end; the decision states what goes back.

    Raises:
        LicenceEndedError: it is ended already.
    """
    proposed = refund_preview(market, request.licence_no)
    decision = Document.new(
        {
            "type": "licence_termination",
            "subject": str(request.licence_no),
            "reason": request.reason,
            "refund": proposed,
        }
    )
    return Command(
        "licences",
        "setLicenceState",
        (request.licence_no, int(LicenceState.TERMINATED), decision.digest),
        (decision,),
        {"licence_no": request.licence_no, "refund_fen": proposed["refund_fen"]},
    )


def refund_preview(market: Market, licence_no: int) -> dict[str, Any]:
    """Return what would go back if the licence ended now.

    Raises:
        NotFoundError: it is unknown.
        LicenceEndedError: it is ended already.
    """
    with market.read() as connection:
        licence = queries.licence(connection, licence_no)
        bills = _bills(connection, licence_no)
    if licence.state == LicenceState.TERMINATED:
        raise LicenceEndedError(
            "the licence is ended already", field="licence_no", got=licence_no, expected="active"
        )
    rule, now = refund_rule_of(market, licence_no), market.now_seconds()
    used = used_units_of(market, licence_no)
    unused, whole = 0, 1
    if rule is RefundRule.DAYS:
        unused, whole = unused_of_days(licence.valid_from, licence.valid_until, now)
    elif rule is RefundRule.UNITS:
        unused, whole = unused_of_units(licence.quota_units, used)
    refunds = refunds_fen([bill.gross_fen for bill in bills], unused, whole)
    return {
        "rule": rule.value,
        "ended_at": now,
        "used_units": str(used),
        "unused": str(unused),
        "whole": str(whole),
        "refund_fen": sum(refunds),
        "bills": [
            {
                "invoice_id": str(bill.invoice_id),
                "gross_fen": bill.gross_fen,
                "refund_fen": refund,
            }
            for bill, refund in zip(bills, refunds, strict=True)
        ],
    }


def refunds_found(market: Market, licence_no: int) -> dict[str, Any]:
    """Return what the end of a licence gives back, what is still due, and by which command.

    Raises:
        NotFoundError: it is unknown.
        LicenceEndedError: it is not ended.
    """
    with market.read() as connection:
        licence = queries.licence(connection, licence_no)
        bills = {str(bill.invoice_id): bill for bill in _bills(connection, licence_no)}
    if licence.state != LicenceState.TERMINATED:
        raise LicenceEndedError(
            "the licence is not ended", field="licence_no", got=licence_no, expected="ended"
        )
    decision = market.documents.find(licence.decision_digest or b"")
    proposed = dict(decision.record.get("refund", {})) if decision else {}
    lines = [_line(bills[line["invoice_id"]], line) for line in proposed.get("bills", [])]
    return {
        "licence_no": licence_no,
        "rule": proposed.get("rule", RefundRule.NONE.value),
        "ended_at": proposed.get("ended_at"),
        "refund_fen": proposed.get("refund_fen", 0),
        "due_fen": sum(line["due_fen"] for line in lines),
        "is_settled": all(line["due_fen"] == 0 for line in lines),
        "bills": lines,
    }


def _line(bill: queries.InvoiceRow, line: dict[str, Any]) -> dict[str, Any]:
    """Return one bill's refund: what is due, and the operator's command that carries it out."""
    taken = max(0, line["gross_fen"] - bill.gross_fen)
    due = max(0, line["refund_fen"] - taken)
    name = "correct-split" if bill.state == InvoiceState.SPLIT else "reduce-invoice"
    is_paid = bill.paid_fen > 0
    body: dict[str, Any] = {
        "invoice_id": line["invoice_id"],
        "reduction_fen": due,
        "reason": "许可终止退费",
    }
    if is_paid:
        body["receipt"] = "退款银行回单号 (the bank's line of the refund)"
    return line | {
        "due_fen": due,
        "is_paid": is_paid,
        "propose": {"command": name, "body": body} if due else None,
    }


def _bills(connection: Any, licence_no: int) -> list[queries.InvoiceRow]:
    found = queries.invoices_list(connection, licence_no=licence_no, limit=500).items
    return [bill for bill in found if bill.gross_fen > 0 or bill.state == InvoiceState.REFUNDED]
