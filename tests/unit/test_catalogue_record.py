"""The catalogue record: every field of the table is checked, and each refusal names its field."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.catalogue import FIELDS, MEASURED, require_record, validate_record
from ledger.domain.errors import ValidationError
from tests.integration.market_fixture import NANJING, record_of, uscc_of

pytestmark = pytest.mark.unit

ITEM = {"name": "day", "type": "date", "length": 10, "is_key": True, "description": "日期"}
FULL = record_of("气象", "administrative", uscc_of(50), NANJING) | {
    "keywords": ["气温"],
    "industry": "M74",
    "share_class": "conditional",
    "share_conditions": "协商",
    "temporal_coverage": "2020-01-01/..",
    "spatial_coverage": "南京市",
    "security_commitment": "见附件",
    "related_resources": ["3201-0002"],
    "fields": [ITEM],
}


def test_fields__with_what_is_measured__are_all_33_in_both_languages() -> None:
    numbers = {field.number for field in FIELDS} | {number for number, *_ in MEASURED}
    assert numbers == set(range(1, 34))
    assert all(field.label_zh and field.label_en.isascii() for field in FIELDS)


def test_record__with_every_optional_field__is_valid() -> None:
    assert validate_record(FULL) == []


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("title_en", " ", "title_en"),
        ("summary_zh", None, "summary_zh"),
        ("keywords", "气温", "keywords"),
        ("domain", "astrology", "domain"),
        ("industry", "Z", "industry"),
        ("industry", "I65X", "industry"),
        ("provider_uscc", "91320100000000050B", "provider_uscc"),
        ("provider_kind", "person", "provider_kind"),
        ("city_code", 110000, "city_code"),
        ("rights_basis", {"holding": True}, "rights_basis"),
        ("shared_in", "no", "shared_in"),
        ("open_class", "open", "open_class"),
        ("share_class", 9, "share_class"),
        ("sensitivity", "secret", "sensitivity"),
        ("delivery_modes", [], "delivery_modes"),
        ("delivery_modes", ["interface", 2], "delivery_modes"),
        ("media_type", "csv", "media_type"),
        ("fields", [], "fields"),
        ("fields", [{"name": "a"}], "fields[0]"),
        ("fields", [{"name": "a", "type": "t", "size": 1}], "fields[0]"),
        ("fields", [{"name": "a", "type": "t", "length": 0}], "fields[0].length"),
        ("fields", [{"name": "a", "type": "t", "is_key": 1}], "fields[0].is_key"),
        ("fields", [{"name": "a", "type": "t"}] * 2, "fields"),
        ("update_frequency", "sometimes", "update_frequency"),
        ("temporal_coverage", "2024", "temporal_coverage"),
        ("temporal_coverage", "2024-02-01/2024-01-01", "temporal_coverage"),
        ("quality_scores", {"accuracy": 101}, "quality_scores"),
        ("contact_phone", "call me", "contact_phone"),
        ("share_conditions", None, "share_conditions"),
        ("open_conditions", None, "open_conditions"),
        ("dataset_id", "x", "dataset_id"),
    ],
)
def test_record__one_wrong_field__is_the_one_that_is_named(
    field: str, value: Any, named: str
) -> None:
    assert [finding.field for finding in validate_record(FULL | {field: value})] == [named]


def test_record__personal_and_shared__needs_report_assessment_and_consent() -> None:
    wrong = FULL | {"contains_pi": True, "shared_in": True}
    with pytest.raises(ValidationError) as refused:
        require_record(wrong)
    missing = {finding.field for finding in refused.value.findings}
    assert missing == {"masking_report", "pi_assessment", "source_consent"}
