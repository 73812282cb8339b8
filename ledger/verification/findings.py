"""What a verification found: one record per disagreement, and how much was looked at.

Rules kept here:
1. A check never stops at the first fault: each one is recorded and the next check goes on.
2. Bad data is a finding, never an exception.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from uuid import UUID

from ledger.verification.log_figures import LogFigures

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement between what is recorded and what follows from the rules."""

    code: str
    """Stable: `verify.…`."""
    where: str
    """The record: contract and event number, log and index, document, or path in a report."""
    got: Any = None
    expected: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain data, ready for JSON."""
        return {
            "code": self.code,
            "where": self.where,
            "got": _plain(self.got),
            "expected": _plain(self.expected),
        }


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The outcome: what was checked, how often, and everything that was found."""

    checked: dict[str, int]
    findings: list[Finding]
    logs: list[LogFigures] = field(default_factory=list)
    """Figures of each log that was audited."""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """Return `{"ok", "checked", "findings"}`, ready for JSON."""
        return {
            "ok": self.ok,
            "checked": dict(self.checked),
            "findings": [finding.as_dict() for finding in self.findings],
        }

    def audit_dict(self) -> dict[str, Any]:
        """Return the same with `"logs"`, the figures of each log."""
        return self.as_dict() | {"logs": [log.as_dict() for log in self.logs]}


class Findings:
    """Collects findings and counts what was checked."""

    def __init__(self) -> None:
        self.items: list[Finding] = []
        self._checked: Counter[str] = Counter()

    def add(self, code: str, where: str, got: Any = None, expected: Any = None) -> None:
        """Record a finding; `code` is given without its `verify.`."""
        self.items.append(Finding(f"verify.{code}", where, got, expected))

    def require(
        self, is_right: bool, code: str, where: str, got: Any = None, expected: Any = None
    ) -> bool:
        """Record a finding unless the check holds; return whether it holds."""
        if not is_right:
            self.add(code, where, got, expected)
        return is_right

    def same(self, code: str, where: str, got: Any, expected: Any) -> bool:
        """Record a finding unless both are equal; return whether they are."""
        return self.require(got == expected, code, where, got, expected)

    def count(self, what: str, number: int = 1) -> None:
        """Add to the number of things that were checked."""
        self._checked[what] += number

    def report(self, logs: list[LogFigures] | None = None) -> VerificationReport:
        """Return everything that was found and counted, with the figures of the audited logs."""
        checked = dict(sorted(self._checked.items()))
        return VerificationReport(checked, list(self.items), logs or [])


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, UUID | Fraction):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)
