"""Logs of use: whether the files still are what the chain anchored, and the quotas over all logs.

Rules kept here:
1. Every opened log is audited, see `ledger.verification.log_check`; a folder of receipts that no
   log on chain has is named.
2. Over all logs together a licence uses no more units than it was granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ledger.verification.anchors import Log
from ledger.verification.findings import Findings, Progress
from ledger.verification.log_check import check_log
from ledger.verification.log_figures import LogFigures
from ledger.verification.sold import Licence


def check_logs(
    logs: Mapping[int, Log],
    folder: Path,
    licences: Mapping[int, Licence],
    findings: Findings,
    progress: Progress | None = None,
    *,
    is_all: bool = True,
) -> list[LogFigures]:
    """Check the files of logs against the chain; return the figures of each.

    Args:
        logs: the logs by number, as the chain knows them.
        folder: folder with a folder per log, named by its number.
        licences: licences by number, as granted on chain.
        findings: where faults go.
        progress: called with a log, receipts done, receipts there are.
        is_all: whether these are all logs, so that any other folder belongs to none.
    """
    figures = [
        check_log(log, folder / str(log.log_no), licences, findings, progress)
        for log in logs.values()
    ]
    _check_quotas(figures, licences, findings)
    for path in sorted(folder.glob("*/receipts.bin")) if is_all else ():
        is_known = path.parent.name in {str(number) for number in logs}
        findings.require(is_known, "log_unknown", f"folder {path.parent.name}", path.parent.name)
    return figures


def _check_quotas(
    figures: list[LogFigures], licences: Mapping[int, Licence], findings: Findings
) -> None:
    units: dict[int, int] = {}
    for log in figures:
        for item in log.licences:
            units[item.licence_no] = units.get(item.licence_no, 0) + item.units
    for licence_no, used in sorted(units.items()):
        licence = licences.get(licence_no)
        if licence is not None:
            quota = licence.quota_units_max
            findings.require(used <= quota, "quota_exceeded", f"licence {licence_no}", used, quota)
