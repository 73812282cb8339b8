"""The words of an objection's page in both languages."""

from __future__ import annotations

from api.languages import CHINESE

_WORDS: dict[str, tuple[str, str]] = {
    "objection": ("异议", "Objection"),
    "home": ("账本首页", "Front page"),
    "same_case": ("同一案件(JSON)", "The same case (JSON)"),
    "clock": ("时限", "Clock"),
    "clock_text": (
        "左:当前步骤已用时间;右:各步骤按时间排列,竖线为下一步到期日。",
        "Left: how much of the present step's time is used. Right: the steps to scale; the upright "
        "line is when the next one is due.",
    ),
    "late": ("已逾期,可督办", "late, may be escalated"),
    "days_left": ("天后到期", "days left"),
    "ended": ("已终结", "at its end"),
    "now": ("现在", "now"),
    "due": ("到期", "due"),
    "case_state": ("案件状态", "State"),
    "ground": ("事由", "Ground"),
    "subject": ("争议对象", "About"),
    "objector": ("异议人", "Objector"),
    "respondent": ("被异议人", "Respondent"),
    "handler": ("经办机构", "Handled by"),
    "not_taken": ("待受理", "nobody yet"),
    "competent": ("管辖", "Competent"),
    "responsible": ("默认责任方", "Answers by default"),
    "suspension": ("中止", "Suspension"),
    "is_suspended": ("已中止,停止新的使用", "out of service, no new use"),
    "in_service": ("未中止", "in service"),
    "escalations": ("督办次数", "Escalations"),
    "decision": ("处理决定", "Decision"),
    "refund": ("退款(元)", "Refund (yuan)"),
    "liability": ("责任份额", "Liability"),
    "relief": ("救济途径", "Relief"),
    "relief_limit": ("救济期限", "Open until"),
    "timeline": ("时间线", "Timeline"),
    "when": ("时间", "When"),
    "step": ("步骤", "Step"),
    "by": ("行为人", "By"),
    "next_due": ("下一步到期", "Next due"),
    "document": ("文书摘要", "Document"),
    "organisation": ("机构", "Organisation"),
    "share": ("份额", "Share"),
    "opened": ("提出", "opened"),
    "advanced": ("流转", "advanced"),
    "held": ("中止", "suspended"),
    "lifted": ("恢复", "restored"),
    "extended": ("延期", "extended"),
    "escalated": ("督办", "escalated"),
    "decided": ("决定", "decided"),
    "noticed": ("救济告知", "relief notice"),
    "role_handler": ("异议处理机构", "handler of the city"),
    "role_registrar": ("数据主管部门", "authority of the city"),
    "role_provider": ("数源单位", "provider"),
    "role_operator": ("运营机构", "operator"),
    "role_buyer": ("使用方", "buyer"),
    "role_platform": ("平台", "platform"),
}


def case_words(language: str) -> dict[str, str]:
    """Return every word in one language."""
    place = 0 if language == CHINESE else 1
    return {key: pair[place] for key, pair in _WORDS.items()}
