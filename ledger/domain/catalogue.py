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
from datetime import date
from typing import Any

from ledger.domain.catalogue_lists import QUALITY_DIMENSIONS, require_industry, require_theme
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
    ValidationError,
)
from ledger.domain.units import UINT32_MAX, require_range
from ledger.domain.uscc import require_uscc

TEXT_LENGTH_MAX = 4_000
FIELDS_COUNT_MAX = 1_000
_ITEM_KEYS = {"name", "type", "length", "is_key", "description"}
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+")
_PHONE = re.compile(r"[0-9+() -]{5,24}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the record: number and key of the table, labels, obligation, check."""

    number: int
    key: str
    label_zh: str
    label_en: str
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
                label = f"{field.label_zh} {field.label_en}"
                findings.append(_malformed(field.key, None, f"{label} is required"))
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


def _code(kind: type[Any]) -> Callable[[str, Any], object]:
    return lambda name, value: parse_code(kind, value, name)


def _modes(name: str, value: Any) -> list[DeliveryMode]:
    if not isinstance(value, list) or not value:
        raise _malformed(name, value, "a list of at least one delivery mode")
    modes = [parse_code(DeliveryMode, item, name) for item in value]
    if len(set(modes)) != len(modes):
        raise _malformed(name, value, "each delivery mode once")
    return modes


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


def _interval(name: str, value: Any) -> str:
    """Check an interval of days, ISO 8601: 2024-01-01/2024-12-31, or 2024-01-01/.. and going on."""
    expected = "an interval such as 2024-01-01/2024-12-31 or 2024-01-01/.."
    first, slash, last = value.partition("/") if isinstance(value, str) else ("", "", "")
    try:
        begin = date.fromisoformat(first)
        end = begin if last == ".." else date.fromisoformat(last)
    except ValueError as error:
        raise _malformed(name, value, expected) from error
    if not slash or end < begin:
        raise _malformed(name, value, expected)
    return str(value)


def _information_items(name: str, value: Any) -> list[Record]:
    if not isinstance(value, list) or not 1 <= len(value) <= FIELDS_COUNT_MAX:
        raise _malformed(name, value, f"a list of 1 to {FIELDS_COUNT_MAX} information items")
    for place, item in enumerate(value):
        _information_item(f"{name}[{place}]", item)
    names = [item["name"] for item in value]
    if len(set(names)) != len(names):
        raise _malformed(name, names, "information items with names of their own")
    return value


def _information_item(name: str, item: Any) -> None:
    if not isinstance(item, dict) or not {"name", "type"} <= set(item) <= _ITEM_KEYS:
        keys = ", ".join(sorted(_ITEM_KEYS))
        raise _malformed(name, item, f"an object with name and type, and at most {keys}")
    for key in ("name", "type", "description"):
        if key in item:
            _text(f"{name}.{key}", item[key])
    if "length" in item:
        require_range(f"{name}.length", item["length"], 1, UINT32_MAX)
    if "is_key" in item:
        _flag(f"{name}.is_key", item["is_key"])


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


def _if_shared_in(record: Record) -> bool:
    return record.get("shared_in") is True


def _if_personal(record: Record) -> bool:
    return record.get("contains_pi") is True


def _if_share_conditional(record: Record) -> bool:
    return record.get("share_class") in ("conditional", int(OpenClass.CONDITIONAL))


FIELDS: tuple[Field, ...] = (
    Field(2, "resource_code", "信息资源代码", "Resource code", _text),
    Field(4, "title_zh", "名称", "Title (Chinese)", _text),
    Field(4, "title_en", "名称(英文)", "Title (English)", _text),
    Field(5, "summary_zh", "摘要", "Summary (Chinese)", _text),
    Field(5, "summary_en", "摘要(英文)", "Summary (English)", _text),
    Field(6, "keywords", "关键字", "Keywords", _texts, _optional),
    Field(7, "domain", "数据领域", "Theme", require_theme),
    Field(8, "industry", "所属行业", "Industry", require_industry, _optional),
    Field(9, "provider_name", "数源单位", "Provider", _text),
    Field(
        10,
        "provider_uscc",
        "统一社会信用代码",
        "Unified social credit code",
        lambda name, value: require_uscc(value, name),
    ),
    Field(11, "provider_kind", "单位类型", "Kind of provider", _code(OrganisationKind)),
    Field(
        12,
        "city_code",
        "行政区划代码",
        "Jurisdiction",
        lambda name, value: require_city(value, name),
    ),
    Field(13, "rights_basis", "权利依据", "Basis of rights", _rights),
    Field(14, "source_statement", "数据来源说明", "Statement of source", _text),
    Field(15, "shared_in", "是否共享获得", "Came by sharing", _flag),
    Field(15, "source_consent", "提供单位同意", "Consent of the source", _text, _if_shared_in),
    Field(16, "open_class", "开放类型", "Open class", _code(OpenClass)),
    Field(17, "open_conditions", "开放条件", "Conditions of opening", _text, _if_conditional),
    Field(18, "share_class", "共享类型", "Share class", _code(OpenClass), _optional),
    Field(
        18, "share_conditions", "共享条件", "Conditions of sharing", _text, _if_share_conditional
    ),
    Field(19, "sensitivity", "数据级别", "Sensitivity", _code(Sensitivity)),
    Field(19, "contains_pi", "含个人信息", "Holds personal information", _flag),
    Field(20, "masking_report", "脱敏报告", "Masking report", _text, _if_personal),
    Field(20, "pi_assessment", "影响评估", "Impact assessment", _text, _if_personal),
    Field(21, "delivery_modes", "提供方式", "Delivery modes", _modes),
    Field(22, "format", "格式", "Format", _text),
    Field(22, "media_type", "媒体类型", "Media type", _media_type),
    Field(23, "fields", "信息项", "Information items", _information_items),
    Field(25, "update_frequency", "更新频率", "Update frequency", _code(UpdateFrequency)),
    Field(26, "temporal_coverage", "时间范围", "Temporal coverage", _interval, _optional),
    Field(26, "spatial_coverage", "空间范围", "Spatial coverage", _text, _optional),
    Field(30, "quality_scores", "质量六性", "Quality scores", _quality_scores),
    Field(32, "contact_role", "联系岗位", "Contact (role)", _text),
    Field(32, "contact_phone", "联系电话", "Telephone", _phone),
    Field(33, "security_commitment", "安全承诺书", "Security commitment", _text, _optional),
    Field(33, "related_resources", "关联资源", "Related resources", _texts, _optional),
    Field(33, "is_invented", "虚构数据", "Invented", _flag, _optional),
)
MEASURED: tuple[tuple[int, str, str, str], ...] = (
    (1, "dataset_id", "数据集标识", "Identifier"),
    (3, "registration_code", "登记结果查询码", "Registration code"),
    (24, "row_count", "数据量(行)", "Rows"),
    (24, "byte_size", "数据量(字节)", "Bytes"),
    (27, "issued", "发布日期", "Issued"),
    (27, "modified", "最后更新", "Modified"),
    (28, "version_no", "版本", "Version"),
    (28, "previous_version", "上一版本", "Previous version"),
    (29, "sha256_digest", "SHA-256 摘要", "SHA-256 digest"),
    (29, "sm3_digest", "SM3 摘要", "SM3 digest"),
    (29, "metadata_digest", "元数据摘要", "Digest of the record"),
    (30, "quality_grade", "质量等级", "Quality grade"),
    (31, "approved_cost_fen", "核定成本", "Approved cost"),
)
"""Fields that the ledger measures or decides: number, key, labels. A record may not state them."""
_KEYS = {field.key for field in FIELDS}
