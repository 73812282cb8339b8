"""Who takes part in the demonstration, and which real files they register.

Every organisation, title, cost and price here is invented; the files are real ones of the package
`vega_datasets`, attributed to invented departments, and every record says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from ledger.app.files import FileFacts
from ledger.domain.uscc import check_character

NANJING = 320100
CHUZHOU = 341100
GOVERNANCE = "governance"


@dataclass(frozen=True, slots=True)
class Cast:
    """One invented organisation."""

    key: str
    name_zh: str
    name_en: str
    kind: str
    city_code: int
    roles: tuple[str, ...]
    admitted_by: str


_AUTHORITY = ("registrar", "price_authority", "handler")
CAST = (
    Cast(
        "platform",
        "虚构数据流通平台",
        "Invented Data Platform",
        "platform",
        NANJING,
        ("platform",),
        GOVERNANCE,
    ),
    Cast(
        "nanjing-authority",
        "虚构南京数据局",
        "Invented Nanjing Data Authority",
        "authority",
        NANJING,
        _AUTHORITY,
        GOVERNANCE,
    ),
    Cast(
        "chuzhou-authority",
        "虚构滁州数据局",
        "Invented Chuzhou Data Authority",
        "authority",
        CHUZHOU,
        _AUTHORITY,
        GOVERNANCE,
    ),
    Cast(
        "nanjing-treasury",
        "虚构南京国库",
        "Invented Nanjing Treasury",
        "treasury",
        NANJING,
        ("treasury",),
        GOVERNANCE,
    ),
    Cast(
        "chuzhou-treasury",
        "虚构滁州国库",
        "Invented Chuzhou Treasury",
        "treasury",
        CHUZHOU,
        ("treasury",),
        GOVERNANCE,
    ),
    Cast(
        "regulator",
        "虚构审计局",
        "Invented Audit Office",
        "regulator",
        NANJING,
        ("regulator",),
        GOVERNANCE,
    ),
    Cast(
        "weather",
        "虚构南京气象局",
        "Invented Nanjing Weather Bureau",
        "administrative",
        NANJING,
        ("provider",),
        "nanjing-authority",
    ),
    Cast(
        "transport",
        "虚构南京机场集团",
        "Invented Nanjing Airports",
        "public_utility",
        NANJING,
        ("provider",),
        "nanjing-authority",
    ),
    Cast(
        "labour",
        "虚构滁州人社局",
        "Invented Chuzhou Labour Bureau",
        "administrative",
        CHUZHOU,
        ("provider",),
        "chuzhou-authority",
    ),
    Cast(
        "prices",
        "虚构滁州价格监测中心",
        "Invented Chuzhou Price Monitor",
        "administrative",
        CHUZHOU,
        ("provider",),
        "chuzhou-authority",
    ),
    Cast(
        "operator",
        "虚构数据运营公司",
        "Invented Data Operator",
        "state_enterprise",
        NANJING,
        ("operator",),
        "nanjing-authority",
    ),
    Cast(
        "buyer",
        "虚构物流科技公司",
        "Invented Logistics Company",
        "enterprise",
        NANJING,
        ("buyer",),
        "nanjing-authority",
    ),
    Cast(
        "institute",
        "虚构公益研究所",
        "Invented Welfare Institute",
        "public_institution",
        CHUZHOU,
        ("buyer",),
        "chuzhou-authority",
    ),
)


@dataclass(frozen=True, slots=True)
class Holding:
    """A real file, and how its invented holder describes it."""

    key: str
    provider: str
    file: str
    title_zh: str
    title_en: str
    theme: str
    open_class: str = "conditional"


HOLDINGS = (
    Holding(
        "weather", "weather", "seattle-weather.csv", "逐日气象观测", "Daily weather", "weather"
    ),
    Holding("airports", "transport", "airports.csv", "机场名录", "Airports", "transport"),
    Holding(
        "employment",
        "labour",
        "us-employment.csv",
        "分行业就业",
        "Employment by sector",
        "employment",
    ),
    Holding("prices", "prices", "stocks.csv", "价格行情", "Prices", "prices", "unconditional"),
    Holding(
        "electricity",
        "prices",
        "iowa-electricity.csv",
        "分能源发电量",
        "Electricity by source",
        "energy",
        "not_open",
    ),
)

LINEAGE_PPM = {
    "weather": 240_000,
    "airports": 60_000,
    "employment": 100_000,
    "operator": 480_000,
    "platform": 120_000,
}
COSTS_FEN = {
    "weather": 120_000_000,
    "airports": 30_000_000,
    "employment": 50_000_000,
    "operator": 240_000_000,
    "platform": 60_000_000,
}
RATES: dict[str, int] = {
    "bond_ppm": 17_500,
    "spread_ppm": 60_000,
    "surcharge_ppm": 7_200,
    "vat_ppm": 60_000,
    "tax_fen": 3_600_000,
    "hold_days": 5,
}
BANDS = [
    {"up_to_units": 1_000, "price_micro_yuan": 0},
    {"up_to_units": 11_000, "price_micro_yuan": 6_910_000},
    {"up_to_units": None, "price_micro_yuan": 3_690_000},
]
CAPS = [
    {"up_to_units": 11_000, "price_micro_yuan": 8_000_000},
    {"up_to_units": None, "price_micro_yuan": 4_000_000},
]
FIRST_ROWS = 21_000
SECOND_ROWS = 271
FIRST_YUAN = "106000.00"
SECOND_YUAN = "999.99"
VECTORS: tuple[dict[str, int], ...] = (
    {
        "tax": 72_000_000_000,
        "weather": 2_382_720_000_000,
        "airports": 595_680_000_000,
        "employment": 992_800_000_000,
        "operator": 4_765_440_000_000,
        "platform": 1_191_360_000_000,
        "reserve": 0,
    },
    {
        "tax": 679_233_600,
        "weather": 22_478_103_936,
        "airports": 5_619_525_984,
        "employment": 9_365_876_640,
        "operator": 44_956_207_872,
        "platform": 11_239_051_968,
        "reserve": 0,
    },
)
"""What the two incomes must give, in µfen: the vectors V1 and V2 of the money specification."""


def uscc_of(number: int) -> str:
    """Return an invented social credit code with the right check character."""
    body = f"9132010099{number:07d}"
    return body + check_character(body)


def data_file(name: str) -> Path:
    """Return a file of `vega_datasets` where it is installed."""
    with as_file(files("vega_datasets").joinpath("_data", name)) as path:
        return path


def record_of(holding: Holding, cast: Cast, uscc: str, facts: FileFacts) -> dict[str, Any]:
    """Return the catalogue record of a holding."""
    record: dict[str, Any] = {
        "resource_code": f"{cast.city_code}-{holding.theme}-0001",
        "title_zh": f"{holding.title_zh}(虚构示例)",
        "title_en": f"{holding.title_en} (invented example)",
        "summary_zh": f"示例:公开软件包 vega_datasets 的文件 {holding.file},单位为虚构",
        "summary_en": f"Example: file {holding.file} of the package vega_datasets; holder invented",
        "keywords": [holding.theme, "示例"],
        "domain": holding.theme,
        "provider_name": cast.name_zh,
        "provider_uscc": uscc,
        "provider_kind": cast.kind,
        "city_code": cast.city_code,
        "rights_basis": {
            "holding": True,
            "processing": True,
            "operation": False,
            "authorisation": "虚构授权书第 1 号",
        },
        "source_statement": "公开示例数据,用于演示",
        "shared_in": False,
        "open_class": holding.open_class,
        "sensitivity": "general",
        "contains_pi": False,
        "delivery_modes": ["interface"],
        "format": "CSV",
        "media_type": "text/csv",
        "fields": list(facts.fields),
        "update_frequency": "yearly",
        "quality_scores": {
            "normativity": 96,
            "completeness": 97,
            "accuracy": 95,
            "consistency": 94,
            "timeliness": 90,
            "accessibility": 99,
        },
        "contact_role": "数据管理岗",
        "contact_phone": "025-00000000",
        "is_invented": True,
    }
    if holding.open_class == "conditional":
        record["open_conditions"] = "签订使用协议后按用途使用"
    return record
