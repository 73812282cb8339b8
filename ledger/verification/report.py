"""A published statement, compared figure by figure with what the events imply.

Rules kept here:
1. Every figure of the statement must be the recomputed one; a figure that is not known here is a
   finding too, so nothing can be slipped in. Only `names` is free.
2. Finding a figure wrong names its path, what the statement says and what follows from the events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.verification.figures import FORMAT
from ledger.verification.findings import Findings

_FREE = frozenset({"names"})
_KEYS = ("licence_no", "log_no", "scheme_id", "product_id", "claimant_id", "payee_id")
_MISSING = "nothing"


def block_number_of(report: Mapping[str, Any]) -> int | None:
    """Return the block for which a statement was made, None when it does not say."""
    number = report.get("block_number")
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def check_report(
    report: Mapping[str, Any], expected: Mapping[str, Any], findings: Findings
) -> None:
    """Compare a statement with the expected one."""
    findings.same("report_format", "report.format", report.get("format"), FORMAT)
    shown = {key: value for key, value in report.items() if key not in _FREE}
    _compare(shown, expected, "report", findings)


def _compare(got: Any, expected: Any, path: str, findings: Findings) -> None:
    if isinstance(got, dict) and isinstance(expected, Mapping):
        for key in sorted(got.keys() | expected.keys(), key=str):
            inner = f"{path}.{key}"
            _compare(got.get(key, _MISSING), expected.get(key, _MISSING), inner, findings)
    elif isinstance(got, list) and isinstance(expected, list):
        findings.same("report_figure", f"{path}.length", len(got), len(expected))
        for index, (item, wanted) in enumerate(zip(got, expected, strict=False)):
            _compare(item, wanted, f"{path}[{_name(wanted, index)}]", findings)
    else:
        findings.count("figures")
        is_same = type(got) is type(expected) and got == expected
        findings.require(is_same, "report_figure", path, got, expected)


def _name(item: Any, index: int) -> str:
    """Return how a path names a list's item: by its numbers and ids where it has some."""
    if not isinstance(item, dict):
        return str(index)
    keys = [key for key in _KEYS if item.get(key) is not None]
    first = {"licence_no", "log_no"} & set(keys)
    wanted = sorted(first) or [key for key in keys if key in ("scheme_id", "claimant_id")] or keys
    return ",".join(f"{key}={item[key]}" for key in wanted) or str(index)
