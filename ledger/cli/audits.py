"""What audits and verifications show: progress while they run, logs and findings as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ledger.cli.shell import err, out, table
from ledger.domain.ids import digest_text

FINDINGS_SHOWN_MAX = 200
_LOG_COLUMNS = (
    "log no",
    "receipts",
    "licences",
    "units",
    "records",
    "refusals",
    "erased",
    "anchors",
    "root",
    "seconds",
)


@contextmanager
def audit_progress(as_json: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar per step on standard error; give what a verification calls with its progress."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=err, disable=as_json, transient=True) as progress:

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total)
            progress.update(tasks[step], completed=done, total=total)

        yield tell


def print_audit(found: Any) -> None:
    """Print the figures of each log, the first bad receipt of each, and the findings."""
    out.print(table("Logs 使用日志", _LOG_COLUMNS, [_log_row(log) for log in found.logs]))
    for log in found.logs:
        if log.first_bad is not None:
            bad = log.first_bad
            out.print(
                f"log {log.log_no}: the first bad receipt is {bad.index}, "
                f"of licence {'?' if bad.licence_no is None else bad.licence_no}",
                style="bold red",
            )
    print_findings(found)


def print_findings(found: Any) -> None:
    """Print the findings as a table, the first ones where there are very many, and how many."""
    rows = [(item.code, item.where, item.got, item.expected) for item in found.findings]
    if rows:
        shown = rows[:FINDINGS_SHOWN_MAX]
        out.print(table("Findings 稽核发现", ("code", "where", "got", "expected"), shown))
    if len(rows) > FINDINGS_SHOWN_MAX:
        out.print(f"the first {FINDINGS_SHOWN_MAX} are shown; --json has them all")
    out.print(f"{len(rows)} findings", style="green" if found.ok else "red")


def _log_row(log: Any) -> tuple[object, ...]:
    return (
        log.log_no,
        f"{log.receipts:,}",
        f"{len(log.licences):,}",
        f"{log.units:,}",
        f"{log.records:,}",
        f"{log.refusals:,}",
        f"{log.erased:,}",
        f"{log.anchors:,}",
        digest_text(log.root) if log.root else "—",
        f"{log.took_ms / 1000:.1f}",
    )
