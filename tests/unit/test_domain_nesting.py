"""Depth of a JSON text, whatever else is wrong with it."""

from __future__ import annotations

import pytest

from ledger.domain.errors import MalformedValueError
from ledger.domain.nesting import NESTING_MAX, check_nesting

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * NESTING_MAX,
        "[" * NESTING_MAX + "]" * NESTING_MAX,
        "[{}]," * 5_000,
        '["' + "[" * 5_000 + '"]',
        '["\\"' + "{" * 5_000 + '"]',
        '["\\\\"]' + "[" * (NESTING_MAX - 1),
        "]" * 5_000,
    ],
)
def test_nesting__not_too_deep__passes(text: str) -> None:
    check_nesting(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * (NESTING_MAX + 1),
        '{"a":' * (NESTING_MAX + 1),
        "[{" * 33,
        '"\\\\"' + "[" * 100,
        '"a' + "[" * 100,
        "[" * 1_000_000,
    ],
)
def test_nesting__too_deep__refused_with_the_limit(text: str) -> None:
    with pytest.raises(MalformedValueError) as caught:
        check_nesting(text)
    assert (caught.value.got, caught.value.expected) == (NESTING_MAX + 1, NESTING_MAX)
