"""The standard terms of a licence, as one versioned document, and what may be ticked in it.

Rules kept here:
1. A part is what the national model has; the wording is invented and says so.
2. Each clause that limits liability is an item of its own, told apart and ticked by itself.
3. A negotiated term beats the standard term of its part; no term beats a statutory limit.

Source: 数据流通交易合同示范文本 (数据提供), 民法典 arts. 496–498, `domain.md` 1.1 and F25–F26.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.domain.errors import DomainError, LedgerError, MalformedValueError, ValidationError

VERSION = "2026-11"
LIABILITY_FLOOR_PPM = 500_000
"""Least share of the platform in damage from its own faults. Source: `domain.md` section 5."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of the terms, or one disclaimer."""

    key: str
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str

    def as_dict(self) -> dict[str, str]:
        """Return the clause as plain data."""
        return {
            "key": self.key,
            "title_zh": self.title_zh,
            "title_en": self.title_en,
            "text_zh": self.text_zh,
            "text_en": self.text_en,
        }


class DisclaimerNotTickedError(DomainError):
    """A disclaimer was not ticked by itself (民法典 art. 496: to be notified prominently)."""

    code = "terms.disclaimer_not_ticked"


PARTS: tuple[Clause, ...] = (
    Clause(
        "subject", "标的", "Subject", "本产品及其列明的数据资源。", "The product and its datasets."
    ),
    Clause(
        "rights",
        "权利",
        "Rights",
        "使用方取得约定用途的使用权,不得转让。",
        "A right to use for the agreed purpose; it cannot be transferred.",
    ),
    Clause("delivery", "交付", "Delivery", "按约定方式提供。", "In the agreed delivery modes."),
    Clause(
        "fee",
        "费用",
        "Fee",
        "按在用收费标准计费;公益用途免费。",
        "By the tariff fixed in the agreement; public-interest use is free.",
    ),
    Clause(
        "acceptance",
        "验收",
        "Acceptance",
        "到账后在验收期内提出异议;使用视为验收。",
        "Objections within the hold after payment; use counts as acceptance.",
    ),
    Clause(
        "security",
        "安全",
        "Security",
        "使用方按安全承诺使用,不得重新识别个人。",
        "As in the security commitment; nobody may be identified again.",
    ),
    Clause(
        "term",
        "期限与终止",
        "Term and termination",
        "到期自动终止;任一方可终止,按约定退费。",
        "Ends by itself; either side may end it, with the agreed refund.",
    ),
    Clause(
        "liability",
        "责任",
        "Liability",
        "平台对自身过错的责任份额不低于百分之五十。",
        "The platform bears at least half of damage from its own faults.",
    ),
    Clause(
        "disputes",
        "争议",
        "Disputes",
        "先异议处理,可诉讼或行政救济。",
        "Objection first; courts and administrative relief stay open.",
    ),
)
DISCLAIMERS: tuple[Clause, ...] = (
    Clause(
        "no_fitness",
        "不保证适用性",
        "No promise of fitness",
        "供数方不保证数据适合使用方的特定目的。",
        "Providers do not promise that the data fit the buyer's own aim.",
    ),
    Clause(
        "delay",
        "更新延迟",
        "Delay",
        "数源更新延迟在责任清单期限内的,不承担责任。",
        "No liability for delays within the responsibility list's dates.",
    ),
    Clause(
        "outage",
        "计划停机",
        "Planned outage",
        "已公告的计划停机不承担责任。",
        "No liability for outages that were announced.",
    ),
)
_PART_KEYS = tuple(part.key for part in PARTS)
_DISCLAIMER_KEYS = tuple(item.key for item in DISCLAIMERS)


def standard_terms() -> dict[str, Any]:
    """Return the document whose canonical digest agreements name."""
    return {
        "type": "standard_terms",
        "version": VERSION,
        "model": "数据提供合同示范文本 (2025)",
        "is_invented": True,
        "notice": "虚构文本,仅供演示 · invented wording, for demonstration",
        "parts": [part.as_dict() for part in PARTS],
        "disclaimers": [item.as_dict() for item in DISCLAIMERS],
        "platform_liability_floor_ppm": LIABILITY_FLOOR_PPM,
    }


def require_ticks(ticked: Sequence[str], field: str = "disclaimers_ticked") -> None:
    """Check that every disclaimer was ticked by itself.

    Raises:
        ValidationError: one finding for each that is missing, or that is none of the list.
    """
    findings: list[LedgerError] = [
        DisclaimerNotTickedError(
            f"disclaimer {item.key} ({item.title_zh} {item.title_en}) is not ticked; "
            "民法典 art. 496",
            field=field,
            got=list(ticked),
            expected=item.key,
        )
        for item in DISCLAIMERS
        if item.key not in ticked
    ]
    findings += [
        MalformedValueError(
            f"no disclaimer {key!r}", field=field, got=key, expected=list(_DISCLAIMER_KEYS)
        )
        for key in ticked
        if key not in _DISCLAIMER_KEYS
    ]
    if findings:
        raise ValidationError(f"{len(findings)} tick(s) are wrong", findings)


def require_part(key: str) -> str:
    """Return the key of a part of the terms.

    Raises:
        MalformedValueError: the terms have no such part.
    """
    if key not in _PART_KEYS:
        raise MalformedValueError(
            f"the terms have no part {key!r}", field="part", got=key, expected=list(_PART_KEYS)
        )
    return key


def precedence(
    documents: Sequence[tuple[str, Sequence[Mapping[str, str]]]],
) -> list[dict[str, Any]]:
    """Return which document rules which part, newest first.

    Args:
        documents: name and negotiated terms ({part, text}) of each document, oldest first; the
            standard terms come before all of them and need not be named.

    Returns:
        For each part: what rules, its text, and what it displaces, newest first.
    """
    found = []
    for part in PARTS:
        standard = {"document": f"standard terms {VERSION}", "text": part.text_zh}
        ranked = [
            {"document": name, "text": term["text"]}
            for name, terms in reversed(documents)
            for term in terms
            if term["part"] == part.key
        ]
        ranked.append(standard)
        found.append(
            {
                "part": part.key,
                "title_zh": part.title_zh,
                "title_en": part.title_en,
                "rules": ranked[0]["document"],
                "text": ranked[0]["text"],
                "displaced": ranked[1:],
            }
        )
    return found
