"""Tokens of the full-text index: every part of a text is found, whatever the letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.search_words import TOKENS_MAX, Part, parts_of, tokens_of

pytestmark = pytest.mark.property

CHINESE = st.text(st.sampled_from("南京市交通气象数据江宁区表月报"), min_size=2, max_size=20)


def found(part: Part, tokens: list[str]) -> bool:
    """Whether a part matches tokens, as both databases do it."""

    def has(phrase: tuple[str, ...]) -> bool:
        size = len(phrase)
        runs = (tokens[place : place + size] for place in range(len(tokens) - size + 1))
        if part.is_prefix:
            return any(
                tuple(run[:-1]) == phrase[:-1] and run[-1].startswith(phrase[-1]) for run in runs
            )
        return any(tuple(run) == phrase for run in runs)

    return any(all(has(phrase) for phrase in cut) for cut in part.cuts)


@given(CHINESE, st.data())
def test_words__any_part_of_a_chinese_text__is_found(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, min(len(text), start + 12)))
    assert all(found(part, tokens_of(text)) for part in parts_of(text[start:end]))


@given(st.text(max_size=300))
def test_words__any_text__gives_letters_and_digits_only(text: str) -> None:
    tokens = tokens_of(text)
    assert len(tokens) <= TOKENS_MAX
    assert all(token.isalnum() and token == token.lower() for token in tokens)
    assert all(found(part, tokens) for part in parts_of(text[:200])[:3] if len(text) <= 12)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("南京市交通流量", "南京交通"),
        ("南京市交通流量", "南京 流量"),
        ("Daily weather stations", "WEATHER station"),
        ("Cities and their populations", "city population"),
        ("Ｃａｆé 2024", "cafe 2024"),
        ("空气质量", "气"),
    ],
)
def test_words__as_people_type_them__are_found(text: str, query: str) -> None:
    assert all(found(part, tokens_of(text)) for part in parts_of(query))


@pytest.mark.parametrize(
    ("text", "query"), [("南京市交通", "北京"), ("数据 据点", "据据"), ("weather", "whether")]
)
def test_words__that_are_not_there__are_not_found(text: str, query: str) -> None:
    assert not all(found(part, tokens_of(text)) for part in parts_of(query))
