"""What people call the codes, in both languages."""

from __future__ import annotations

from enum import IntEnum

from ledger.domain.catalogue_lists import INDUSTRIES, THEMES
from ledger.domain.cities import CITIES
from ledger.domain.codes import ProductState, QualityGrade, label_zh

_MORE_ZH: dict[type[IntEnum], dict[str, str]] = {
    QualityGrade: {"NONE": "未评级"},
    ProductState: {"LISTED": "上架", "SUSPENDED": "暂停", "WITHDRAWN": "下架"},
}
_MORE_EN: dict[type[IntEnum], dict[str, str]] = {QualityGrade: {"NONE": "not graded"}}


def label_of(code: IntEnum, side: str) -> str:
    """Return the label of a code; `side` is zh or en."""
    kind = type(code)
    if side == "zh":
        return _MORE_ZH.get(kind, {}).get(code.name) or label_zh(code)
    if kind is QualityGrade and code:
        return code.name
    return _MORE_EN.get(kind, {}).get(code.name) or code.name.replace("_", " ").lower()


def theme_label(key: str, side: str) -> str:
    """Return the label of a theme, or the key where the list does not have it."""
    return _of(THEMES.get(key), key, side)


def industry_label(code: str, side: str) -> str:
    """Return the label of an industry's section, with the code of its class."""
    section = _of(INDUSTRIES.get(code[:1]), code, side)
    return section if len(code) <= 1 else f"{code} {section}"


def city_label(code: int, side: str) -> str:
    """Return the name of a member jurisdiction, or the code of any other."""
    city = CITIES.get(code)
    return _of((city.name_zh, city.name_en) if city else None, str(code), side)


def _of(pair: tuple[str, str] | None, key: str, side: str) -> str:
    return key if pair is None else pair[0 if side == "zh" else 1]
