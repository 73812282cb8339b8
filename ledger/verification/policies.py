"""Graded opening: the tables that the events tell, and the documents that they were made from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from ledger.chain.events import Event
from ledger.domain.codes import DeliveryMode, OpenClass, OpeningTier, Purpose, Sensitivity
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings

CELLS = 70
_RAW_CELLS = frozenset(cell for cell in range(CELLS) if cell // 5 % 7 < 2)
_CLASSES = (OpenClass.UNCONDITIONAL, OpenClass.CONDITIONAL)


@dataclass(frozen=True, slots=True)
class Table:
    """One published table: tiers by cell and class."""

    city_code: int
    effective_at: int
    tiers: dict[int, tuple[int, ...]]
    document_digest: bytes
    where: str


class Policies:
    """The tables in their order."""

    def __init__(self, findings: Findings, directory: DirectoryReplay) -> None:
        self.findings = findings
        self.directory = directory
        self.tables: list[Table] = []

    def published(self, event: Event, where: str) -> None:
        """Check and take a table."""
        args = event.args
        self.findings.count("policies")
        self.findings.same("policy_no", where, args["policy_no"], len(self.tables) + 1)
        time, at = event.block_time, args["effective_at"]
        self.findings.require(at >= time, "policy_backdated", where, at, time)
        city = args["city_code"]
        waiting = [t for t in self.tables if t.city_code == city and t.effective_at > time]
        self.findings.require(not waiting, "policy_waiting", where, args["policy_no"], "none waits")
        if city:
            known = city in self.directory.cities
            self.findings.require(known, "city_unknown", where, city)
        words = (args["unconditional"], args["conditional"])
        tiers = {int(kind): _tiers(word) for kind, word in zip(_CLASSES, words, strict=True)}
        for kind, row in tiers.items():
            wrong = [cell for cell, tier in enumerate(row) if not _is_tier(cell, tier)]
            self.findings.require(not wrong, "policy_cells", where, [kind, wrong], "tiers")
        self.tables.append(Table(city, at, tiers, args["document_digest"], where))

    def number_in(self, city_code: int, time: int) -> int:
        """Return the number of the table in force; zero where none is."""
        for city in (city_code, 0):
            for number in range(len(self.tables), 0, -1):
                table = self.tables[number - 1]
                if table.city_code == city and table.effective_at <= time:
                    return number
        return 0

    def tier(self, number: int, case: tuple[int, int, bool], mode: int, purpose: int) -> int:
        """Return the tier of a case (class, sensitivity, personal) in a mode for a purpose."""
        kind, sensitivity, is_personal = case
        if kind not in _CLASSES or sensitivity != Sensitivity.GENERAL or not number:
            return OpeningTier.FORBIDDEN
        cell = (7 * is_personal + mode - 1) * 5 + purpose - 1
        return self.tables[number - 1].tiers[kind][cell]


def check_policy_documents(policies: Policies, folder: Path, findings: Findings) -> None:
    """Compare each table with its document, where that is at hand."""
    for table in policies.tables:
        name = table.document_digest.hex()
        path = folder / name[:2] / f"{name}.json"
        if not path.exists():
            continue
        try:
            expected = _tiers_of_rules(json.loads(path.read_text("utf-8"))["record"]["rules"])
        except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
            findings.add("policy_document_malformed", table.where, repr(error), "rules")
            continue
        findings.same("policy_document_differs", table.where, table.tiers, expected)


def _tiers(word: int) -> tuple[int, ...]:
    return tuple(word >> 3 * cell & 7 for cell in range(CELLS)) + (
        (word >> 210,) if word >> 210 else ()
    )


def _is_tier(cell: int, tier: int) -> bool:
    is_contradiction = cell in _RAW_CELLS and tier == OpeningTier.PRIVACY_ONLY
    return cell < CELLS and tier in OpeningTier._value2member_map_ and not is_contradiction


def _tiers_of_rules(rules: list[dict[str, Any]]) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for kind in _CLASSES:
        cases = product((False, True), DeliveryMode, Purpose)
        found[kind] = tuple(_first(rules, kind, *case) for case in cases)
    return found


def _first(
    rules: list[dict[str, Any]], kind: OpenClass, personal: bool, mode: DeliveryMode, use: Purpose
) -> int:
    facts = {
        "open_class": kind,
        "sensitivity": Sensitivity.GENERAL,
        "modes": mode,
        "purposes": use,
    }
    for rule in rules:
        if rule.get("contains_pi") not in (None, personal):
            continue
        if all(_names(rule.get(key), fact) for key, fact in facts.items()):
            return OpeningTier[str(rule["tier"]).upper()]
    raise StopIteration("no rule fits a cell")


def _names(given: list[Any] | None, fact: Any) -> bool:
    wanted = {int(fact), fact.name}
    return given is None or any(
        (item.upper().replace("-", "_") if isinstance(item, str) else item) in wanted
        for item in given
    )
