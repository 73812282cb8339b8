"""The region's table of jurisdictions: the Nanjing metropolitan area (南京都市圈).

Another region needs only another table. Jintan and Liyang are county-level members under
Changzhou, which is not a member itself.

Source: 《南京都市圈发展规划》(2021); administrative division codes of 2023.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.errors import UnknownCodeError


@dataclass(frozen=True, slots=True)
class City:
    """One jurisdiction: six-digit code, names, province code."""

    code: int
    name_zh: str
    name_en: str
    province_code: int


CITIES: dict[int, City] = {
    city.code: city
    for city in (
        City(320100, "南京市", "Nanjing", 320000),
        City(321100, "镇江市", "Zhenjiang", 320000),
        City(321000, "扬州市", "Yangzhou", 320000),
        City(320800, "淮安市", "Huai'an", 320000),
        City(340200, "芜湖市", "Wuhu", 340000),
        City(340500, "马鞍山市", "Ma'anshan", 340000),
        City(341100, "滁州市", "Chuzhou", 340000),
        City(341800, "宣城市", "Xuancheng", 340000),
        City(320413, "常州市金坛区", "Jintan", 320000),
        City(320481, "溧阳市", "Liyang", 320000),
    )
}


def require_city(code: object, field: str = "city_code") -> City:
    """Return the member jurisdiction of a code given as integer or digits.

    Raises:
        UnknownCodeError: with the codes of all members.
    """
    number = int(code) if isinstance(code, str) and code.isdecimal() else code
    if isinstance(number, int) and not isinstance(number, bool) and number in CITIES:
        return CITIES[number]
    raise UnknownCodeError(
        f"{field} {code!r} is not a member jurisdiction",
        field=field,
        got=code,
        expected=sorted(CITIES),
    )
