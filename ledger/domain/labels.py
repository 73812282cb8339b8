"""What people call the codes, in both languages; the Chinese labels are the statutory terms."""

from __future__ import annotations

from enum import IntEnum

from ledger.domain.catalogue_lists import INDUSTRIES, LEVELS, THEMES
from ledger.domain.cities import CITIES
from ledger.domain.codes import (
    ChargeBasis,
    DeliveryMode,
    InvoiceState,
    OpenClass,
    OrganisationKind,
    ProductState,
    Purpose,
    QualityGrade,
    RegistrationState,
    Sensitivity,
    UpdateFrequency,
)

_LABELS_ZH: dict[type[IntEnum], dict[str, str]] = {
    OrganisationKind: {
        "ADMINISTRATIVE": "行政单位",
        "PUBLIC_INSTITUTION": "事业单位",
        "PUBLIC_UTILITY": "公用企业",
        "STATE_ENTERPRISE": "国有企业",
        "ENTERPRISE": "企业",
        "AUTHORITY": "数据主管部门",
        "TREASURY": "财政",
        "PLATFORM": "平台",
        "REGULATOR": "审计监管",
    },
    OpenClass: {
        "UNCONDITIONAL": "无条件开放",
        "CONDITIONAL": "有条件开放",
        "NOT_OPEN": "不予开放",
    },
    Sensitivity: {
        "GENERAL": "一般",
        "IMPORTANT": "重要",
        "CORE": "核心",
    },
    RegistrationState: {
        "EVIDENCED": "存证",
        "APPLIED": "申请",
        "ACCEPTED": "受理",
        "REVIEWED": "形式审核",
        "PUBLIC_NOTICE": "公示",
        "CODED": "赋码",
        "CANCELLED": "注销",
        "REVOKED": "撤销",
        "EXPIRED": "失效",
    },
    UpdateFrequency: {
        "REAL_TIME": "实时",
        "DAILY": "每日",
        "WEEKLY": "每周",
        "MONTHLY": "每月",
        "QUARTERLY": "每季",
        "HALF_YEARLY": "每半年",
        "YEARLY": "每年",
        "IRREGULAR": "不定期",
        "STATIC": "静态",
    },
    DeliveryMode: {
        "DOWNLOAD": "下载",
        "INTERFACE": "接口",
        "SANDBOX": "沙箱",
        "ENCRYPTED_COMPUTATION": "密态计算",
        "DATA_SAFE_HOUSE": "数据安全屋",
        "VERIFICATION": "核验",
        "MODEL": "模型",
    },
    Purpose: {
        "PUBLIC_GOVERNANCE": "公共治理",
        "PUBLIC_WELFARE": "公益事业",
        "INDUSTRY": "产业发展",
        "SECTOR": "行业发展",
        "COMPETITION": "应用大赛",
    },
    ChargeBasis: {
        "PRODUCTS": "产品数量",
        "SERVICE_CALLS": "服务次数",
        "SERVICE_TIME": "服务时间",
        "DATA_RECORDS": "数据调用量",
    },
    InvoiceState: {
        "ISSUED": "已开账单",
        "HELD": "到账待解付",
        "RELEASED": "已解付",
        "SPLIT": "已分账",
    },
    QualityGrade: {"NONE": "未评级"},
    ProductState: {"LISTED": "上架", "SUSPENDED": "暂停", "WITHDRAWN": "下架"},
}
_LABELS_EN: dict[type[IntEnum], dict[str, str]] = {QualityGrade: {"NONE": "not graded"}}


def label_zh(code: IntEnum) -> str:
    """Return the Chinese label, or the English name where no statutory term exists."""
    return _LABELS_ZH.get(type(code), {}).get(code.name, code.name.lower())


def label_of(code: IntEnum, side: str) -> str:
    """Return the label of a code; `side` is zh or en."""
    kind = type(code)
    if kind is QualityGrade and code:
        return code.name
    if side == "zh":
        return label_zh(code)
    return _LABELS_EN.get(kind, {}).get(code.name) or code.name.replace("_", " ").lower()


def theme_label(key: str, side: str) -> str:
    """Return the label of a theme, or the key where the list does not have it."""
    return _of(THEMES.get(key), key, side)


def industry_label(code: str, side: str) -> str:
    """Return the label of an industry's section, with the code of its class."""
    section = _of(INDUSTRIES.get(code[:1]), code, side)
    return section if len(code) <= 1 else f"{code} {section}"


def level_label(key: str, side: str) -> str:
    """Return the label of a provider's level; empty means that none is stated."""
    return _of(LEVELS.get(key, ("未注明层级", "Level not stated")), key, side)


def city_label(code: int, side: str) -> str:
    """Return the name of a member jurisdiction, or the code of any other."""
    city = CITIES.get(code)
    return _of((city.name_zh, city.name_en) if city else None, str(code), side)


def _of(pair: tuple[str, str] | None, key: str, side: str) -> str:
    return key if pair is None else pair[0 if side == "zh" else 1]
