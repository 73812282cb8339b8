"""Which of the two languages a reader gets: `?lang=`, then Accept-Language, then zh-CN."""

from __future__ import annotations

from starlette.requests import HTTPConnection

CHINESE = "zh-CN"
ENGLISH = "en"
LANGUAGES = (CHINESE, ENGLISH)
_RANGES_MAX = 20


def language_of(connection: HTTPConnection) -> str:
    """Return the BCP 47 tag of the language in which a request is answered."""
    asked = connection.query_params.get("lang", "")
    return _known(asked) or _accepted(connection.headers.get("accept-language", "")) or CHINESE


def _accepted(header: str) -> str | None:
    ranges = [_weighted(part) for part in header.split(",")[:_RANGES_MAX]]
    for weight, tag in sorted(ranges, key=lambda item: -item[0]):
        known = _known(tag) if weight > 0 else None
        if known is not None:
            return known
    return None


def _weighted(part: str) -> tuple[int, str]:
    """Return the weight in thousandths and the tag of one language range."""
    tag, _, parameter = part.partition(";")
    whole, _, fraction = parameter.strip().removeprefix("q=").partition(".")
    if not parameter.strip():
        return 1_000, tag.strip()
    digits = (fraction + "000")[:3]
    if not (whole in ("0", "1") and digits.isascii() and digits.isdigit()):
        return 0, tag.strip()
    return int(whole) * 1_000 + int(digits), tag.strip()


def _known(tag: str) -> str | None:
    primary = tag.strip().lower().partition("-")[0]
    return {"zh": CHINESE, "en": ENGLISH}.get(primary)
