"""Errors of reports."""

from __future__ import annotations

from ledger.domain.errors import LedgerError


class ReportError(LedgerError):
    """Base of all errors of reports."""

    code = "report.error"


class StatementSumError(ReportError):
    """The figures of a statement do not add up; it must not be shown."""

    code = "report.sum"
