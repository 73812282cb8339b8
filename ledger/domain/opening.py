"""Graded opening (分级开放): from class, sensitivity, personal information, mode, purpose to tier.

Rules kept here:
1. A table is a list of rules; the first that fits a cell gives its tier and its source. Every cell
   has one, so the same input has the same tier under the same version.
2. 不予开放, important and core data are forbidden whatever a table says, and a table says so too.
3. Where data may not leave (privacy only), no mode hands it out: download and interface are none.
4. On chain are the cells that a rule may open: two words of 70 cells, three bits a cell, one word
   per open class; cell = ((personal ? 7 : 0) + mode − 1) · 5 + purpose − 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ledger.domain.codes import (
    DeliveryMode,
    OpenClass,
    OpeningTier,
    Purpose,
    Sensitivity,
    parse_code,
)
from ledger.domain.errors import LedgerError, MalformedValueError, ValidationError

RULES_MAX = 200
_TIER_BITS = 3
_RAW = (DeliveryMode.DOWNLOAD, DeliveryMode.INTERFACE)
_LISTS: dict[str, type[IntEnum]] = {
    "open_class": OpenClass,
    "sensitivity": Sensitivity,
    "modes": DeliveryMode,
    "purposes": Purpose,
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One case of the table."""

    open_class: OpenClass
    sensitivity: Sensitivity
    contains_pi: bool
    mode: DeliveryMode
    purpose: Purpose

    @property
    def is_closed(self) -> bool:
        """Whether no table may open it."""
        return self.open_class == OpenClass.NOT_OPEN or self.sensitivity != Sensitivity.GENERAL

    def as_dict(self) -> dict[str, Any]:
        """Return the cell as plain data."""
        return {
            "open_class": self.open_class.name.lower(),
            "sensitivity": self.sensitivity.name.lower(),
            "contains_pi": self.contains_pi,
            "mode": self.mode.name.lower(),
            "purpose": self.purpose.name.lower(),
        }


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the cells that it fits, their tier, and where that comes from."""

    open_class: frozenset[int]
    sensitivity: frozenset[int]
    contains_pi: frozenset[bool]
    modes: frozenset[int]
    purposes: frozenset[int]
    tier: OpeningTier
    source: str

    def fits(self, cell: Cell) -> bool:
        """Return whether the rule speaks of a cell."""
        return (
            cell.open_class in self.open_class
            and cell.sensitivity in self.sensitivity
            and cell.contains_pi in self.contains_pi
            and cell.mode in self.modes
            and cell.purpose in self.purposes
        )


def cells() -> Iterator[Cell]:
    """Yield every cell in a fixed order."""
    for open_class in OpenClass:
        for sensitivity in Sensitivity:
            for contains_pi in (False, True):
                for mode in DeliveryMode:
                    for purpose in Purpose:
                        yield Cell(open_class, sensitivity, contains_pi, mode, purpose)


class Policy:
    """A checked table."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)

    def decide(self, cell: Cell) -> Rule:
        """Return the rule of a cell."""
        return next(rule for rule in self.rules if rule.fits(cell))

    def words(self) -> tuple[int, int]:
        """Return the two words that the contract keeps: unconditional, conditional."""
        found = {OpenClass.UNCONDITIONAL: 0, OpenClass.CONDITIONAL: 0}
        for cell in cells():
            if not cell.is_closed:
                place = ((7 if cell.contains_pi else 0) + cell.mode - 1) * 5 + cell.purpose - 1
                found[cell.open_class] |= self.decide(cell).tier << _TIER_BITS * place
        return found[OpenClass.UNCONDITIONAL], found[OpenClass.CONDITIONAL]


def parse_policy(document: Mapping[str, Any]) -> Policy:
    """Return the table of a document's `rules`.

    Raises:
        ValidationError: with every rule that is malformed and every cell that is wrong.
    """
    given = document.get("rules")
    if not isinstance(given, list) or not 1 <= len(given) <= RULES_MAX:
        raise _wrong("rules", given, f"a list of 1 to {RULES_MAX} rules")
    findings: list[LedgerError] = []
    rules: list[Rule] = []
    for number, item in enumerate(given):
        try:
            rules.append(_rule(f"rules.{number}", item))
        except LedgerError as error:
            findings.append(error)
    findings = findings or _cell_findings(rules)
    if findings:
        raise ValidationError(f"the table has {len(findings)} fault(s)", findings)
    return Policy(rules)


def _cell_findings(rules: list[Rule]) -> list[LedgerError]:
    found: list[LedgerError] = []
    for cell in cells():
        rule = next((rule for rule in rules if rule.fits(cell)), None)
        tier = None if rule is None else rule.tier
        if tier is None:
            found.append(_wrong("rules", cell.as_dict(), "a rule for every cell"))
        elif cell.is_closed and tier != OpeningTier.FORBIDDEN:
            found.append(_wrong("rules", cell.as_dict(), "forbidden, whatever the table says"))
        elif tier == OpeningTier.PRIVACY_ONLY and cell.mode in _RAW:
            found.append(_wrong("rules", cell.as_dict(), "no privacy tier where data leaves"))
    return found


def _rule(name: str, item: object) -> Rule:
    if not isinstance(item, dict) or not {"tier", "source"} <= set(item):
        raise _wrong(name, item, "an object with tier and source")
    unknown = set(item) - set(_LISTS) - {"contains_pi", "tier", "source"}
    if unknown:
        raise _wrong(f"{name}.{min(unknown)}", None, "no such condition")
    if not isinstance(item["source"], str) or not 1 <= len(item["source"]) <= 400:
        raise _wrong(f"{name}.source", item["source"], "the rule's source")
    chosen = {key: _choice(f"{name}.{key}", kind, item.get(key)) for key, kind in _LISTS.items()}
    personal = item.get("contains_pi")
    if personal is not None and not isinstance(personal, bool):
        raise _wrong(f"{name}.contains_pi", personal, "true or false")
    return Rule(
        contains_pi=frozenset((True, False) if personal is None else (personal,)),
        tier=parse_code(OpeningTier, item["tier"], f"{name}.tier"),
        source=item["source"],
        **chosen,
    )


def _choice(name: str, kind: type[IntEnum], given: object) -> frozenset[int]:
    if given is None:
        return frozenset(kind)
    if not isinstance(given, list) or not given:
        raise _wrong(name, given, "a list of codes")
    return frozenset(parse_code(kind, value, name) for value in given)


def _wrong(field: str, got: object, expected: str) -> MalformedValueError:
    return MalformedValueError(
        f"{field}: expected {expected}", field=field, got=got, expected=expected
    )


REGION_RULES: list[dict[str, Any]] = [
    {
        "open_class": ["not_open"],
        "tier": "forbidden",
        "source": "上海市数据条例 art. 41: 非开放类",
    },
    {
        "sensitivity": ["important", "core"],
        "tier": "forbidden",
        "source": "数据安全法 art. 21: 重要数据、核心数据",
    },
    {
        "purposes": ["competition"],
        "modes": ["download"],
        "tier": "forbidden",
        "source": "应用大赛仅限平台内使用 (market rule F14)",
    },
    {
        "contains_pi": True,
        "modes": ["download"],
        "purposes": ["industry", "sector", "competition"],
        "tier": "forbidden",
        "source": "个人信息保护法 arts. 4, 55: 含个人信息不得整体下载",
    },
    {
        "contains_pi": True,
        "modes": ["download", "interface"],
        "tier": "masked",
        "source": "个人信息保护法 art. 73; DB37/T 3523.2 脱敏后开放",
    },
    {
        "contains_pi": True,
        "tier": "privacy_only",
        "source": "发改数据〔2025〕18号: 数据可用不可见",
    },
    {
        "open_class": ["unconditional"],
        "tier": "open",
        "source": "上海市数据条例 art. 41: 无条件开放类",
    },
    {
        "open_class": ["conditional"],
        "tier": "conditional",
        "source": "上海市数据条例 art. 41: 有条件开放类",
    },
]
"""The region's table at its opening; governance publishes another when it is decided."""
