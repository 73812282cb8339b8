"""Code lists of the catalogue: themes, industries, quality, levels; Chinese and English.

The Chinese terms are the statutory ones. Sources: GB/T 4754-2017 (sections of industries),
GB/T 36344-2018 (dimensions of quality).
"""

from __future__ import annotations

import re

from ledger.domain.errors import UnknownCodeError

THEMES: dict[str, tuple[str, str]] = {
    "population": ("人口", "Population"),
    "legal_persons": ("法人", "Legal persons"),
    "certificates": ("电子证照", "Electronic certificates"),
    "credit": ("公共信用", "Public credit"),
    "investment": ("投资项目", "Investment projects"),
    "social_insurance": ("社保", "Social insurance"),
    "tax": ("纳税", "Tax"),
    "weather": ("气象", "Weather"),
    "transport": ("交通", "Transport"),
    "employment": ("就业", "Employment"),
    "prices": ("物价", "Prices"),
    "health": ("卫生健康", "Health"),
    "education": ("教育", "Education"),
    "environment": ("生态环境", "Environment"),
    "energy": ("能源", "Energy"),
    "housing": ("住房", "Housing"),
    "agriculture": ("农业", "Agriculture"),
    "culture": ("文化旅游", "Culture and tourism"),
    "safety": ("应急安全", "Emergency and safety"),
    "urban_management": ("城市管理", "Urban management"),
    "finance": ("财政金融", "Public finance"),
    "science": ("科技", "Science and technology"),
    "geography": ("地理空间", "Geography"),
}
INDUSTRIES: dict[str, tuple[str, str]] = {
    "A": ("农、林、牧、渔业", "Agriculture, forestry, animal husbandry, fishery"),
    "B": ("采矿业", "Mining"),
    "C": ("制造业", "Manufacturing"),
    "D": ("电力、热力、燃气及水生产和供应业", "Electricity, heat, gas and water supply"),
    "E": ("建筑业", "Construction"),
    "F": ("批发和零售业", "Wholesale and retail trade"),
    "G": ("交通运输、仓储和邮政业", "Transport, storage and post"),
    "H": ("住宿和餐饮业", "Hotels and catering"),
    "I": ("信息传输、软件和信息技术服务业", "Information transmission, software, IT services"),
    "J": ("金融业", "Finance"),
    "K": ("房地产业", "Real estate"),
    "L": ("租赁和商务服务业", "Leasing and business services"),
    "M": ("科学研究和技术服务业", "Scientific research and technical services"),
    "N": ("水利、环境和公共设施管理业", "Water, environment and public facilities"),
    "O": ("居民服务、修理和其他服务业", "Household services, repair and other services"),
    "P": ("教育", "Education"),
    "Q": ("卫生和社会工作", "Health and social work"),
    "R": ("文化、体育和娱乐业", "Culture, sports and entertainment"),
    "S": ("公共管理、社会保障和社会组织", "Public management, social security, organisations"),
    "T": ("国际组织", "International organisations"),
}
QUALITY_DIMENSIONS: dict[str, tuple[str, str]] = {
    "normativity": ("规范性", "Normativity"),
    "completeness": ("完整性", "Completeness"),
    "accuracy": ("准确性", "Accuracy"),
    "consistency": ("一致性", "Consistency"),
    "timeliness": ("时效性", "Timeliness"),
    "accessibility": ("可访问性", "Accessibility"),
}
LEVELS: dict[str, tuple[str, str]] = {
    "national": ("国家级", "National"),
    "provincial": ("省级", "Provincial"),
    "city": ("市级", "City"),
    "county": ("区县级", "County"),
}
"""Levels of government to which a provider may belong."""
_INDUSTRY = re.compile(r"[A-T][0-9]{0,4}")


def require_theme(name: str, value: object) -> str:
    """Return the key of a theme.

    Raises:
        UnknownCodeError: with all keys.
    """
    if isinstance(value, str) and value in THEMES:
        return value
    raise UnknownCodeError(
        f"{name} {value!r} is not a theme", field=name, got=value, expected=sorted(THEMES)
    )


def require_level(name: str, value: object) -> str:
    """Return the key of a level.

    Raises:
        UnknownCodeError: with all keys.
    """
    if isinstance(value, str) and value in LEVELS:
        return value
    raise UnknownCodeError(
        f"{name} {value!r} is not a level", field=name, got=value, expected=sorted(LEVELS)
    )


def require_industry(name: str, value: object) -> str:
    """Return an industry code: the letter of a section, and up to four digits of a class in it.

    Raises:
        UnknownCodeError: with the letters of all sections.
    """
    if isinstance(value, str) and _INDUSTRY.fullmatch(value):
        return value
    raise UnknownCodeError(
        f"{name} {value!r} is no code of GB/T 4754", field=name, got=value, expected=[*INDUSTRIES]
    )
