"""Statements for people and programs, made from the projections and nothing else."""

from __future__ import annotations

from ledger.report.errors import ReportError, StatementSumError
from ledger.report.statements import canonical, market_statement, organisation_statement
from ledger.report.sums import require_sums
from ledger.report.tables import to_csv

__all__ = [
    "ReportError",
    "StatementSumError",
    "canonical",
    "market_statement",
    "organisation_statement",
    "require_sums",
    "to_csv",
]
