"""Gas of each step of an objection, the effects on its subject included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from ledger.domain.ids import new_id
from scripts.bench.market import Bench, registration

Take = Callable[[str, str, tuple[str, Any]], None]
RELIEF_DAYS = 61
DAY_SECONDS = 24 * 3600


def measure_objections(bench: Bench, invoice_id: str, runs: int, take: Take) -> None:
    """Take cases of two kinds through all their steps.

    Args:
        bench: the market.
        invoice_id: an invoice that is not split.
        runs: how many cases of each kind.
        take: measures one command: figure, member, command's name and body.
    """
    bench.run(
        "buyer", "open-objection", _claim("dataset", str(bench.dataset_id), "format", "sample", 0)
    )
    for number in range(runs):
        _suspending(bench, number, take)
        _refunding(bench, invoice_id, number, take)


def _suspending(bench: Bench, number: int, take: Take) -> None:
    """Masking of a dataset: acceptance suspends it, the decision resumes it."""
    body = registration(new_id())
    bench.run("provider", "register-dataset", body)
    about = _claim("dataset", body["dataset_id"], "masking", "sample", number)
    take("objection_open", "buyer", ("open-objection", about))
    one = {"objection_id": about["objection_id"]}
    step = one | {"text": "示例"}
    take("objection_accept", "authority", ("advance-objection", step | {"to": "accepted"}))
    take("objection_respond", "provider", ("advance-objection", step | {"to": "responded"}))
    take("objection_verify", "authority", ("advance-objection", step | {"to": "verified"}))
    decision = one | {"outcome": "resume", "reason": "示例", "shares": _shares(bench, "provider")}
    take("objection_decide", "authority", ("decide-objection", decision))
    _end(bench, one, "0x" + "11" * 32, take)


def _refunding(bench: Bench, invoice_id: str, number: int, take: Take) -> None:
    """Billing by the platform: the largest opening, and a decision with three shares."""
    objector = ("buyer", "operator", "provider")[number % 3]
    about = _claim("invoice", invoice_id, "billing", "invoice_document", number)
    about["respondent_id"] = str(bench.ids["platform"])
    take("objection_open_invoice", objector, ("open-objection", about))
    one = {"objection_id": about["objection_id"]}
    step = one | {"text": "示例"}
    take("objection_accept_invoice", "authority", ("advance-objection", step | {"to": "accepted"}))
    bench.run("platform", "advance-objection", step | {"to": "responded"})
    bench.run("authority", "advance-objection", step | {"to": "verified"})
    shares = _shares(bench, "platform", "operator", "provider")
    decision = one | {"outcome": "refund", "refund_fen": 1, "reason": "示例", "shares": shares}
    take("objection_decide_refund", "authority", ("decide-objection", decision))
    bench.run("authority", "notice-relief", _notice(bench, one))
    reduction = {"invoice_id": invoice_id, "reduction_fen": 1, "reason": "示例"}
    bench.run("operator", "reduce-invoice", reduction | {"receipt": f"R-{number}"})
    take("objection_execute_refund", "authority", ("execute-objection", one))
    bench.run("authority", "advance-objection", step | {"to": "closed"})


def _end(bench: Bench, one: dict[str, str], reference: str, take: Take) -> None:
    take("objection_notice", "authority", ("notice-relief", _notice(bench, one)))
    done = one | {"reference": reference}
    take("objection_execute", "authority", ("execute-objection", done))
    step = one | {"to": "closed", "text": "示例"}
    take("objection_close", "authority", ("advance-objection", step))


def _notice(bench: Bench, one: dict[str, str]) -> dict[str, Any]:
    limit_at = bench.market.now_seconds() + RELIEF_DAYS * DAY_SECONDS
    return one | {"route": "review", "limit_at": limit_at, "text": "示例"}


def _claim(kind: str, subject: str, ground: str, evidence: str, number: int) -> dict[str, Any]:
    return {
        "objection_id": str(new_id()),
        "subject_kind": kind,
        "subject": subject,
        "ground": ground,
        "fact": f"示例 {number}",
        "statement": "示例",
        "evidence": [{"kind": evidence, "text": "示例"}, {"kind": evidence, "text": "示例二"}],
    }


def _shares(bench: Bench, *liable: str) -> list[dict[str, Any]]:
    ids: list[UUID] = [bench.ids[who] for who in liable]
    rest = 500_000 // max(1, len(ids) - 1)
    parts = [1_000_000 - rest * (len(ids) - 1), *([rest] * (len(ids) - 1))]
    return [
        {"organisation_id": str(key), "share_ppm": part}
        for key, part in zip(ids, parts, strict=True)
    ]
