"""Which form a request would rather have."""

from __future__ import annotations

import pytest

from api.accept import preferred

pytestmark = pytest.mark.unit

OFFERS = ["application/json", "application/octet-stream", "text/plain"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/plain", "text/plain"),
        ("TEXT/Plain; charset=utf-8", "text/plain"),
        ("text/*", "text/plain"),
        ("application/*", "application/json"),
        ("text/plain;q=0.3, application/octet-stream;q=0.7, */*;q=0.1", "application/octet-stream"),
        ("application/json;q=0, */*", "application/octet-stream"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("text/plain;q=0.999,application/json;q=1.000", "application/json"),
        ("image/png", "application/json"),
        ("text/plain;q=NaN, application/octet-stream;q=0.1", "application/octet-stream"),
        (",,;q=1,/,\x00" + "a/b," * 1_000, "application/json"),
    ],
)
def test_preferred__accept_header__the_heaviest_offer(accept: str, expected: str) -> None:
    assert preferred(accept, OFFERS) == expected
