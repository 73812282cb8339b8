"""What the invented members, datasets and products of the year are called, in both languages.

Every name says that it is invented; kinds of data and of services are what such bodies hold.
"""

from __future__ import annotations

from ledger.domain.catalogue_lists import THEMES
from ledger.domain.cities import CITIES

Name = tuple[str, str]
"""Chinese, English."""
PROVINCES: dict[int, Name] = {320000: ("江苏省", "Jiangsu"), 340000: ("安徽省", "Anhui")}
SUBJECTS: tuple[tuple[str, str, str, str], ...] = (
    # Chinese, English, how often it is updated, how it is open
    ("基础信息", "core records", "quarterly", "conditional"),
    ("变更记录", "changes", "monthly", "conditional"),
    ("统计月报", "monthly statistics", "monthly", "unconditional"),
    ("名录", "register", "yearly", "unconditional"),
    ("办件记录", "cases", "monthly", "conditional"),
    ("指标", "indicators", "quarterly", "conditional"),
    ("监测数据", "measurements", "monthly", "conditional"),
    ("空间分布", "locations", "yearly", "conditional"),
    ("评价结果", "ratings", "half_yearly", "conditional"),
    ("历史档案", "archive", "static", "conditional"),
)
_SERVICES: tuple[Name, ...] = (
    ("查询服务", "lookup"),
    ("核验服务", "verification"),
    ("统计服务", "statistics"),
    ("预警服务", "alerts"),
    ("地图服务", "map"),
    ("评价服务", "scoring"),
    ("画像服务", "profiles"),
)
_TRADES: tuple[Name, ...] = (
    ("物流企业", "logistics company"),
    ("保险企业", "insurance company"),
    ("商业银行", "bank"),
    ("软件企业", "software company"),
    ("零售企业", "retail company"),
    ("建筑企业", "building company"),
    ("医药企业", "pharmaceutical company"),
)
_BODIES: dict[str, Name] = {
    "administrative": ("部门", "department of"),
    "public_institution": ("中心", "centre for"),
    "public_utility": ("公用企业", "utility for"),
    "state_enterprise": ("国有企业", "state enterprise for"),
}
UNLISTED: Name = (
    "虚构单位(原文称共60家,分项之和为59家,此为所差一家)",
    "Invented body (the article says 60 units, its parts sum to 59: this is the one between)",
)


def local(city_code: int, zh: str, en: str) -> Name:
    """Return the name of a member after its city."""
    city = CITIES[city_code]
    return f"虚构{city.name_zh}{zh}", f"{city.name_en} {en} (invented)"


def place(level: str, city_code: int) -> Name:
    """Return what bodies of a level and their data are called after."""
    city = CITIES[city_code]
    if level == "national":
        return "国家级", "National"
    if level == "provincial":
        zh, en = PROVINCES[city.province_code]
        return f"{zh}级", en
    return (city.name_zh, city.name_en) if level else ("", "")


def provider(level: str, kind: str, theme: str, city_code: int) -> Name:
    """Return the name of a body that holds data of a theme."""
    if not level:
        return UNLISTED
    where_zh, where_en = place(level, city_code)
    body_zh, body_en = _BODIES[kind]
    theme_zh, theme_en = THEMES[theme]
    return (
        f"虚构{where_zh}{theme_zh}{body_zh}",
        f"{where_en} {body_en} {theme_en.lower()} (invented)",
    )


def buyer(city_code: int, number: int) -> Name:
    """Return the name of a company that buys."""
    zh, en = _TRADES[number % len(_TRADES)]
    return local(city_code, f"{zh} {number}", f"{en} {number}")


def dataset(level: str, theme: str, city_code: int, subject: int) -> Name:
    """Return the title of a dataset."""
    zh, en, *_ = SUBJECTS[subject]
    where_zh, where_en = place(level, city_code)
    theme_zh, theme_en = THEMES[theme]
    return f"{where_zh}{theme_zh}{zh}(虚构)", f"{where_en} {theme_en}: {en} (invented)".strip()


def product(theme: str, number: int, round_no: int) -> Name:
    """Return the title of a product: its theme, what it does, and its number."""
    zh, en = _SERVICES[round_no % len(_SERVICES)]
    theme_zh, theme_en = THEMES[theme]
    return f"{theme_zh}{zh} {number}(虚构)", f"{theme_en} {en} service {number} (invented)"
