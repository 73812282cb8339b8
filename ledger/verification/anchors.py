"""Logs of use as the chain knows them: who keeps them, and the heads that were anchored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import Role
from ledger.domain.errors import MalformedValueError
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.replay import Replay

_AHEAD_MS_MAX = 10 * 60 * 1000
"""How far a head may lie before the time of its block, and not further."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """An anchored head; `where` names its event."""

    size: int
    root: bytes
    time_ms: int
    where: str


@dataclass(slots=True)
class Log:
    """A log as far as the events tell."""

    log_no: int
    keeper_id: UUID | None
    origin_digest: bytes | None
    """Both None when no chain is at hand."""
    anchors: list[Anchor] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Receipts that are anchored."""
        return self.anchors[-1].size if self.anchors else 0

    @property
    def time_ms(self) -> int:
        """Time of the last anchored head, Unix milliseconds."""
        return self.anchors[-1].time_ms if self.anchors else 0


class LogsReplay(Replay):
    """The anchored heads, and what is wrong with how they came about."""

    def __init__(self, findings: Findings, directory: DirectoryReplay) -> None:
        super().__init__(findings)
        self.directory = directory
        self.logs: dict[int, Log] = {}
        self.handlers = {"LogOpened": self._opened, "Anchored": self._anchored}

    def _opened(self, event: Event, where: str) -> None:
        number, keeper_id = event.args["log_no"], event.args["keeper_id"]
        self.findings.count("logs")
        self.findings.same("log_no", where, number, len(self.logs) + 1)
        may_keep = self.directory.has_role_at_home(keeper_id, Role.PLATFORM)
        may_keep = may_keep or self.directory.has_role_at_home(keeper_id, Role.OPERATOR)
        self.findings.require(may_keep, "role_missing", where, keeper_id, "platform or operator")
        self.logs[number] = Log(number, keeper_id, event.args["origin_digest"])

    def _anchored(self, event: Event, where: str) -> None:
        number, size, time_ms = (event.args[name] for name in ("log_no", "size", "time_ms"))
        self.findings.count("anchors")
        log = self.logs.get(number)
        if log is None:
            self.findings.add("log_unknown", where, number, sorted(self.logs))
            return
        self.findings.require(size > log.size, "anchor_size", where, size, f"above {log.size}")
        self.findings.require(
            time_ms >= log.time_ms, "anchor_clock", where, time_ms, f"at least {log.time_ms}"
        )
        latest_ms = event.block_time * 1000 + _AHEAD_MS_MAX
        self.findings.require(time_ms <= latest_ms, "anchor_ahead", where, time_ms, latest_ms)
        log.anchors.append(Anchor(size, event.args["root"], time_ms, where))


def read_anchors(document: Mapping[str, Any]) -> Log:
    """Return a log as a file of anchors tells: number and anchored heads, oldest first.

    Raises:
        MalformedValueError: when it is of another form.
    """
    try:
        log_no = int(document["log_no"])
        log = Log(log_no, None, None)
        for place, item in enumerate(document["anchors"], start=1):
            root = bytes.fromhex(str(item["root"]).removeprefix("0x"))
            where = f"anchor {place}"
            log.anchors.append(Anchor(int(item["size"]), root, int(item["time_ms"]), where))
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedValueError(
            f"not a file of anchors: {error!r}", field="anchors", expected="log_no, anchors"
        ) from error
    return log
