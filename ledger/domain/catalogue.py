"""The catalogue record (目录元数据) that a provider states about a dataset.

Rules kept here:
1. One table, `FIELDS`, holds every field: key, Chinese label, whether it is required, its check.
2. Validation returns all findings, each naming its field, what was got and what was expected.
3. Digests, sizes, version numbers and instants are measured by the ledger, never stated.

Source: 政务信息资源核心元数据 (GB/T 21063.3-2007) with the market's own fields; the numbers are
those of the field table that the README links.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ledger.domain.cities import require_city
from ledger.domain.codes import (
    DeliveryMode,
    OpenClass,
    OrganisationKind,
    Sensitivity,
    UpdateFrequency,
    parse_code,
)
from ledger.domain.errors import (
    LedgerError,
    MalformedValueError,
    UnknownCodeError,
    ValidationError,
)
from ledger.domain.units import require_range
from ledger.domain.uscc import require_uscc

THEMES: dict[str, str] = {
    "population": "人口",
    "legal_persons": "法人",
    "certificates": "电子证照",
    "credit": "公共信用",
    "investment": "投资项目",
    "social_insurance": "社保",
    "tax": "纳税",
    "weather": "气象",
    "transport": "交通",
    "employment": "就业",
    "prices": "物价",
    "health": "卫生健康",
    "education": "教育",
    "environment": "生态环境",
    "energy": "能源",
    "housing": "住房",
    "agriculture": "农业",
    "culture": "文化旅游",
    "safety": "应急安全",
    "urban_management": "城市管理",
    "finance": "财政金融",
    "science": "科技",
    "geography": "地理空间",
}
QUALITY_DIMENSIONS: dict[str, str] = {
    "normativity": "规范性",
    "completeness": "完整性",
    "accuracy": "准确性",
    "consistency": "一致性",
    "timeliness": "时效性",
    "accessibility": "可访问性",
}
TEXT_LENGTH_MAX = 4_000
FIELDS_COUNT_MAX = 1_000
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+")
_PHONE = re.compile(r"[0-9+() -]{5,24}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the record: number and key of the table, label, obligation, check."""

    number: int
    key: str
    label_zh: str
    check: Callable[[str, Any], object]
    is_required: Callable[[Record], bool] = lambda record: True


def validate_record(record: object) -> list[LedgerError]:
    """Return every finding on a catalogue record; an empty list means that it is valid."""
    if not isinstance(record, dict):
        return [_malformed("metadata", record, "a JSON object")]
    unknown = sorted(str(key) for key in record if key not in _KEYS)
    findings: list[LedgerError] = [
        _malformed(key, record.get(key), "no such field") for key in unknown
    ]
    for field in FIELDS:
        value = record.get(field.key)
        if value is None:
            if field.is_required(record):
                findings.append(_malformed(field.key, None, f"{field.label_zh} is required"))
            continue
        try:
            field.check(field.key, value)
        except LedgerError as finding:
            findings.append(finding)
    return findings


def require_record(record: object) -> Record:
    """Return the record when it is valid.

    Raises:
        ValidationError: with every finding.
    """
    findings = validate_record(record)
    if findings or not isinstance(record, dict):
        fields = ", ".join(str(finding.field) for finding in findings)
        raise ValidationError(f"the catalogue record is invalid in: {fields}", findings)
    return record


def _malformed(field: str, got: Any, expected: str) -> MalformedValueError:
    return MalformedValueError(
        f"{field}: expected {expected}", field=field, got=got, expected=expected
    )


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > TEXT_LENGTH_MAX:
        raise _malformed(name, value, f"text of 1 to {TEXT_LENGTH_MAX} characters")
    if _CONTROL.search(value):
        raise _malformed(name, value, "text without control or direction characters")
    return value


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > 64:
        raise _malformed(name, value, "a list of at most 64 texts")
    return [_text(name, item) for item in value]


def _theme(name: str, value: Any) -> str:
    if value not in THEMES:
        raise UnknownCodeError(
            f"{name} {value!r} is not a theme", field=name, got=value, expected=sorted(THEMES)
        )
    return str(value)


def _code(kind: type[Any]) -> Callable[[str, Any], object]:
    return lambda name, value: parse_code(kind, value, name)


def _modes(name: str, value: Any) -> list[DeliveryMode]:
    if not isinstance(value, list) or not value:
        raise _malformed(name, value, "a list of at least one delivery mode")
    return [parse_code(DeliveryMode, item, name) for item in value]


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _malformed(name, value, "true or false")
    return value


def _media_type(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _MEDIA_TYPE.fullmatch(value):
        raise _malformed(name, value, "a media type such as text/csv")
    return value


def _phone(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _PHONE.fullmatch(value):
        raise _malformed(name, value, "a telephone number")
    return value


def _rights(name: str, value: Any) -> Record:
    keys = {"holding", "processing", "operation", "authorisation"}
    if not isinstance(value, dict) or set(value) != keys:
        raise _malformed(name, value, f"an object with {', '.join(sorted(keys))}")
    for key in ("holding", "processing", "operation"):
        _flag(f"{name}.{key}", value[key])
    _text(f"{name}.authorisation", value["authorisation"])
    return value


def _information_items(name: str, value: Any) -> list[Record]:
    if not isinstance(value, list) or not 1 <= len(value) <= FIELDS_COUNT_MAX:
        raise _malformed(name, value, f"a list of 1 to {FIELDS_COUNT_MAX} information items")
    for place, item in enumerate(value):
        if not isinstance(item, dict) or not {"name", "type"} <= set(item):
            raise _malformed(f"{name}[{place}]", item, "an object with name and type")
        _text(f"{name}[{place}].name", item["name"])
        _text(f"{name}[{place}].type", item["type"])
    return value


def _quality_scores(name: str, value: Any) -> Record:
    if not isinstance(value, dict) or set(value) != set(QUALITY_DIMENSIONS):
        raise _malformed(name, value, f"an object with {', '.join(QUALITY_DIMENSIONS)}")
    for key, score in value.items():
        require_range(f"{name}.{key}", score, 0, 100)
    return value


def _optional(record: Record) -> bool:
    return False


def _if_conditional(record: Record) -> bool:
    return record.get("open_class") in ("conditional", int(OpenClass.CONDITIONAL))


FIELDS: tuple[Field, ...] = (
    Field(2, "resource_code", "信息资源代码", _text),
    Field(4, "title_zh", "名称", _text),
    Field(4, "title_en", "名称(英文)", _text),
    Field(5, "summary_zh", "摘要", _text),
    Field(5, "summary_en", "摘要(英文)", _text),
    Field(6, "keywords", "关键字", _texts, _optional),
    Field(7, "domain", "数据领域", _theme),
    Field(8, "industry", "所属行业", _text, _optional),
    Field(9, "provider_name", "数源单位", _text),
    Field(10, "provider_uscc", "统一社会信用代码", lambda name, value: require_uscc(value, name)),
    Field(11, "provider_kind", "单位类型", _code(OrganisationKind)),
    Field(12, "city_code", "行政区划代码", lambda name, value: require_city(value, name)),
    Field(13, "rights_basis", "权利依据", _rights),
    Field(14, "source_statement", "数据来源说明", _text),
    Field(15, "shared_in", "是否共享获得", _flag),
    Field(
        15, "source_consent", "提供单位同意", _text, lambda record: record.get("shared_in") is True
    ),
    Field(16, "open_class", "开放类型", _code(OpenClass)),
    Field(17, "open_conditions", "开放条件", _text, _if_conditional),
    Field(18, "share_class", "共享类型", _code(OpenClass), _optional),
    Field(19, "sensitivity", "数据级别", _code(Sensitivity)),
    Field(19, "contains_pi", "含个人信息", _flag),
    Field(
        20, "masking_report", "脱敏报告", _text, lambda record: record.get("contains_pi") is True
    ),
    Field(20, "pi_assessment", "影响评估", _text, lambda record: record.get("contains_pi") is True),
    Field(21, "delivery_modes", "提供方式", _modes),
    Field(22, "format", "格式", _text),
    Field(22, "media_type", "媒体类型", _media_type),
    Field(23, "fields", "信息项", _information_items),
    Field(25, "update_frequency", "更新频率", _code(UpdateFrequency)),
    Field(26, "temporal_coverage", "时间范围", _text, _optional),
    Field(26, "spatial_coverage", "空间范围", _text, _optional),
    Field(30, "quality_scores", "质量六性", _quality_scores),
    Field(32, "contact_role", "联系岗位", _text),
    Field(32, "contact_phone", "联系电话", _phone),
    Field(33, "security_commitment", "安全承诺书", _text, _optional),
    Field(33, "related_resources", "关联资源", _texts, _optional),
    Field(33, "is_invented", "虚构数据", _flag, _optional),
)
_KEYS = {field.key for field in FIELDS}
