"""Code lists of registration and graded opening; `domain.codes` offers them with all others."""

from __future__ import annotations

from enum import IntEnum


class RegistrationType(IntEnum):
    """登记类型: what is applied for; NONE while nothing is."""

    NONE = 0
    FIRST = 1
    CHANGE = 2
    CORRECTION = 3
    CANCELLATION = 4
    RENEWAL = 5


class NoticeObjectionState(IntEnum):
    """State of an objection during public notice (公示异议)."""

    OPEN = 1
    UPHELD = 2
    DISMISSED = 3


class OpeningTier(IntEnum):
    """开放层级: how far data is opened for a purpose in a mode, from the widest to none."""

    OPEN = 1
    MASKED = 2
    CONDITIONAL = 3
    PRIVACY_ONLY = 4
    FORBIDDEN = 5


TYPE_ZH = {
    RegistrationType.NONE: "—",
    RegistrationType.FIRST: "首次登记",
    RegistrationType.CHANGE: "变更登记",
    RegistrationType.CORRECTION: "更正登记",
    RegistrationType.CANCELLATION: "注销登记",
    RegistrationType.RENEWAL: "续展",
}
TIER_ZH = {
    OpeningTier.OPEN: "无条件开放",
    OpeningTier.MASKED: "脱敏后开放",
    OpeningTier.CONDITIONAL: "附条件开放",
    OpeningTier.PRIVACY_ONLY: "仅限隐私计算",
    OpeningTier.FORBIDDEN: "不予开放",
}
