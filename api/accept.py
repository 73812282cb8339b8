"""Which of several media types a request would rather have (RFC 9110 section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_RANGE = re.compile(r"\s*([^\s;,]+)\s*((?:;[^,]*)?)")
_QUALITY = re.compile(r";\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*(?:;|$)", re.I)


def preferred(accept: str, offers: Sequence[str]) -> str:
    """Return the offer that an Accept header weighs most; the first of equals, and of none.

    A client that accepts nothing of what there is gets the first offer: that is more use to it
    than a refusal.
    """
    weights = _weights(accept)
    return max(offers, key=lambda offer: _weight(offer, weights)) if weights else offers[0]


def _weights(accept: str) -> dict[str, int]:
    """Return thousandths by media range."""
    found: dict[str, int] = {}
    for part in accept.split(","):
        match = _RANGE.fullmatch(part)
        if match:
            found[match[1].lower()] = _thousandths(match[2])
    return found


def _thousandths(parameters: str) -> int:
    if not re.search(r";\s*q\s*=", parameters, re.I):
        return 1000
    quality = _QUALITY.search(parameters)
    if quality is None:
        return 0
    whole, _, fraction = quality[1].partition(".")
    return int(whole) * 1000 + int(fraction.ljust(3, "0"))


def _weight(offer: str, weights: dict[str, int]) -> int:
    """Return the weight of the most specific range that an offer is in."""
    for media_range in (offer, offer.partition("/")[0] + "/*", "*/*"):
        if media_range in weights:
            return weights[media_range]
    return 0
