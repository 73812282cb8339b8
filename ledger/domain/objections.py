"""Objections: their codes, which evidence belongs to a ground, and who answers for it by default.

Rules kept here:
1. The numbers equal those of `contracts/libraries/Codes.sol`.
2. A ground has its list of kinds of evidence; another kind is refused.

Source: domain report, section 5; 上海市数据条例 arts. 35 and 75.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar
from uuid import UUID

from ledger.domain.codes import Role
from ledger.domain.errors import DomainError, MalformedValueError
from ledger.domain.ids import parse_id
from ledger.domain.units import UINT64_MAX


class SubjectKind(IntEnum):
    """What an objection is about."""

    DATASET = 1
    PRODUCT = 2
    LICENCE = 3
    INVOICE = 4


class Ground(IntEnum):
    """Why a party objects (异议事由)."""

    MASKING = 1
    FORMAT = 2
    QUALITY = 3
    SLOW_UPDATE = 4
    PLATFORM_FAULT = 5
    BILLING = 6
    OVER_SCOPE = 7
    INFRINGEMENT = 8


class ObjectionState(IntEnum):
    """State of a case; those from CLOSED on are final."""

    OPENED = 1
    ACCEPTED = 2
    RESPONDED = 3
    VERIFIED = 4
    DECIDED = 5
    NOTIFIED = 6
    EXECUTED = 7
    CLOSED = 8
    REFUSED = 9
    WITHDRAWN = 10

    @property
    def is_live(self) -> bool:
        """Whether the case still runs."""
        return self < ObjectionState.CLOSED


class Outcome(IntEnum):
    """What a case is decided to (处理决定)."""

    WITHDRAW = 1
    RESUME = 2
    REOPEN = 3
    REFUND = 4
    DISMISS = 5


class ReliefRoute(IntEnum):
    """Where a party may turn against a decision (救济途径)."""

    REVIEW = 1
    LITIGATION = 2
    CONTRACT = 3


class EvidenceKind(IntEnum):
    """Kind of a piece of evidence."""

    SAMPLE = 1
    MASKING_REPORT = 2
    SCHEMA_COMPARISON = 3
    QUALITY_REPORT = 4
    UPDATE_RECORD = 5
    PLATFORM_RECORD = 6
    RECEIPT_PROOF = 7
    INVOICE_DOCUMENT = 8
    AGREEMENT_TEXT = 9
    RIGHTS_PROOF = 10
    OBSERVATION = 11


K, R = EvidenceKind, Role
EVIDENCE_OF: dict[Ground, tuple[EvidenceKind, ...]] = {
    Ground.MASKING: (K.SAMPLE, K.MASKING_REPORT, K.OBSERVATION),
    Ground.FORMAT: (K.SAMPLE, K.SCHEMA_COMPARISON),
    Ground.QUALITY: (K.SAMPLE, K.QUALITY_REPORT),
    Ground.SLOW_UPDATE: (K.UPDATE_RECORD, K.OBSERVATION),
    Ground.PLATFORM_FAULT: (K.PLATFORM_RECORD, K.RECEIPT_PROOF, K.OBSERVATION),
    Ground.BILLING: (K.INVOICE_DOCUMENT, K.RECEIPT_PROOF, K.AGREEMENT_TEXT),
    Ground.OVER_SCOPE: (K.AGREEMENT_TEXT, K.RECEIPT_PROOF, K.OBSERVATION),
    Ground.INFRINGEMENT: (K.RIGHTS_PROOF, K.SAMPLE, K.OBSERVATION),
}
RESPONSIBLE: dict[Ground, tuple[Role, ...]] = {
    Ground.MASKING: (R.PROVIDER, R.OPERATOR),
    Ground.FORMAT: (R.PROVIDER,),
    Ground.QUALITY: (R.PROVIDER,),
    Ground.SLOW_UPDATE: (R.PROVIDER,),
    Ground.PLATFORM_FAULT: (R.PLATFORM,),
    Ground.BILLING: (R.PLATFORM,),
    Ground.OVER_SCOPE: (R.BUYER,),
    Ground.INFRINGEMENT: (R.PROVIDER, R.BUYER),
}
"""Who answers for a ground unless the decision finds otherwise."""

_LABELS_ZH: dict[type[IntEnum], tuple[str, ...]] = {
    SubjectKind: ("数据资源", "数据产品", "使用许可", "账单"),
    Ground: (
        "脱敏不足",
        "格式",
        "质量",
        "更新缓慢",
        "平台问题",
        "计费",
        "超范围使用",
        "个人信息/商业秘密侵权",
    ),
    ObjectionState: (
        "已提出",
        "已受理",
        "已答复",
        "已核实",
        "已决定",
        "已告知救济",
        "已执行",
        "已结案",
        "不予受理",
        "已撤回",
    ),
    Outcome: ("撤下", "恢复", "处理后重新开放", "退款", "驳回"),
    ReliefRoute: ("行政复议", "行政诉讼", "合同约定途径"),
    EvidenceKind: (
        "样本",
        "脱敏报告",
        "结构比对",
        "质量报告",
        "更新记录",
        "平台记录",
        "凭证证明",
        "账单文件",
        "协议文本",
        "权利证明",
        "情况说明",
    ),
}


class EvidenceKindError(DomainError):
    """A piece of evidence is of a kind that its ground does not know."""

    code: ClassVar[str] = "objection.evidence_kind"


def case_label_zh(code: IntEnum) -> str:
    """Return the Chinese label of a code of this module."""
    return _LABELS_ZH[type(code)][code - 1]


def require_evidence(ground: Ground, kinds: list[EvidenceKind]) -> None:
    """Check that every kind of evidence belongs to the ground.

    Raises:
        EvidenceKindError: one does not.
    """
    for kind in kinds:
        if kind not in EVIDENCE_OF[ground]:
            raise EvidenceKindError(
                f"{kind.name.lower()} is no evidence for {ground.name.lower()}",
                field="evidence.kind",
                got=kind.name.lower(),
                expected=[known.name.lower() for known in EVIDENCE_OF[ground]],
            )


def parse_subject(kind: SubjectKind, text: str) -> UUID:
    """Return a subject's id as the chain has it: a licence's number fills the last eight bytes.

    Raises:
        MalformedValueError: it is neither an id nor, for a licence, a number.
    """
    if kind is not SubjectKind.LICENCE:
        return parse_id(text, "subject")
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and 0 < int(text) <= UINT64_MAX):
        raise MalformedValueError(
            "a licence is named by its number", field="subject", got=text[:80], expected="a number"
        )
    return UUID(int=int(text))


def subject_text(kind: int, subject_id: UUID) -> str:
    """Return a subject's id as people write it."""
    return str(subject_id.int if kind == SubjectKind.LICENCE else subject_id)
