"""The terms of licences, where their documents are kept: what both sides signed for.

Rules kept here:
1. The document under a licence's terms digest is the ODRL agreement of this very agreement, with
   its parties, purpose, quota and share of liability.
2. Every disclaimer in it was ticked by the buyer by itself (民法典 art. 496).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ledger.chain.events import Event
from ledger.codec.documents import Document
from ledger.domain.codes import Purpose
from ledger.domain.errors import LedgerError
from ledger.verification.findings import Findings
from ledger.verification.replay import place


def check_terms(folder: Path, events: Iterable[Event], findings: Findings) -> None:
    """Check the terms of every licence whose document lies below `folder`."""
    for event in events:
        if event.name != "LicenceGranted":
            continue
        agreement = event.args["agreement"]
        name = agreement["terms_digest"].hex()
        path = folder / name[:2] / f"{name}.json"
        if path.exists():
            findings.count("terms")
            try:
                record = Document.from_json(path.read_bytes()).record
                _check(record, agreement, place(event, "terms"), findings)
            except (OSError, LedgerError, KeyError, TypeError, ValueError, IndexError) as error:
                findings.add("terms_malformed", place(event), repr(error), "an ODRL agreement")


def _check(
    record: Mapping[str, Any], agreement: Mapping[str, Any], where: str, findings: Findings
) -> None:
    rule, terms = record["permission"][0], record["mdl:terms"]
    limits = {
        (item["leftOperand"], item["operator"]): item["rightOperand"] for item in rule["constraint"]
    }
    purpose = f"mdl:{Purpose(agreement['purpose']).name.lower()}"
    for got, expected in (
        (record["@type"], "Agreement"),
        (record["uid"], f"urn:uuid:{agreement['agreement_id']}"),
        (rule["target"], f"urn:uuid:{agreement['product_id']}"),
        (rule["assigner"], f"urn:uuid:{agreement['operator_id']}"),
        (rule["assignee"], f"urn:uuid:{agreement['buyer_id']}"),
        (limits["purpose", "isAnyOf"], [purpose]),
        (limits["count", "lteq"]["@value"], str(agreement["quota_units"])),
        (terms["platform_liability_ppm"], agreement["platform_liability_ppm"]),
        (terms.get("outcome_ppm", 0), agreement["outcome_ppm"]),
    ):
        findings.same("terms_differ", where, got, expected)
    ticks = [item["key"] for item in terms["disclaimers"] if item["ticked_by_buyer"] is not True]
    findings.require(
        not ticks and bool(terms["disclaimers"]), "disclaimer_not_ticked", where, ticks, []
    )
