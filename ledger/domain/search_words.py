"""From texts to the tokens of a search index, and from what people type to what must match.

Rules kept here:
1. Runs of Latin letters and digits are words: lower case, no accents, plural endings cut.
2. Every other letter, Chinese above all, makes overlapping pairs (气象数据: 气象 象数 数据), and
   the last letter of a run stands alone too. So every part of two letters or more can be found,
   without a dictionary that would have to know the names of districts and offices.
3. A typed run of four letters or more is read as words of two or three letters in any cut
   (南京交通: 南京 + 交通), because people write several words without a space between them.
4. Both databases index these tokens as they are, so both answer alike.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

QUERY_LENGTH_MAX = 200
WORDS_MAX = 12
TOKENS_MAX = 12_000
"""Tokens of one text; PostgreSQL counts positions up to 16,383."""
_RUN_MAX = 12
_PREFIX_LENGTH_MIN = 3
_WORD_LENGTH_MAX = 64
_LATIN = re.compile(r"[0-9a-z]+")

Phrase = tuple[str, ...]
"""Tokens that must stand one after another."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a query: it matches when all phrases of one of its cuts are in the text.

    Attributes:
        whole: the phrase of the part as it was typed.
        cuts: ways to read it; the phrases of one of them must all be there.
        is_prefix: whether the last token of a phrase may go on.
    """

    whole: Phrase
    cuts: tuple[tuple[Phrase, ...], ...]
    is_prefix: bool


def tokens_of(text: str) -> list[str]:
    """Return the tokens of a text in their order, at most `TOKENS_MAX`."""
    found: list[str] = []
    for run, is_latin in _runs(text):
        if len(found) >= TOKENS_MAX:
            break
        found += [_stem(run)] if is_latin else [*_pairs(run), run[-1]]
    return found[:TOKENS_MAX]


def parts_of(query: str) -> tuple[Part, ...]:
    """Return what must match, every part of it; empty when nothing was typed that can."""
    parts: list[Part] = []
    for run, is_latin in _runs(query[:QUERY_LENGTH_MAX]):
        if is_latin:
            word = (_stem(run),)
            parts.append(Part(word, ((word,),), len(run) >= _PREFIX_LENGTH_MIN))
            continue
        for start in range(0, len(run), _RUN_MAX):
            parts.append(_part(run[start : start + _RUN_MAX]))
    return tuple(dict.fromkeys(parts))[:WORDS_MAX]


def _part(run: str) -> Part:
    if len(run) == 1:
        return Part((run,), (((run,),),), is_prefix=True)
    cuts = tuple(tuple(_phrase(piece) for piece in cut) for cut in _cuts(run))
    return Part(_phrase(run), cuts, is_prefix=False)


@cache
def _cuts(run: str) -> tuple[tuple[str, ...], ...]:
    """Return every way to cut a run into words of two or three letters."""
    if len(run) <= 3:
        return ((run,),)
    found = []
    for length in (2, 3):
        rest = run[length:]
        if len(rest) >= 2:
            found += [(run[:length], *cut) for cut in _cuts(rest)]
    return tuple(found)


def _phrase(run: str) -> Phrase:
    return tuple(_pairs(run))


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)]


def _runs(text: str) -> list[tuple[str, bool]]:
    """Return the runs of a text, each with whether it is Latin."""
    plain = unicodedata.normalize("NFKD", text).lower()
    found: list[tuple[str, bool]] = []
    run, kind = "", 0
    for character in plain:
        here = _kind(character)
        if here == _MARK:
            continue
        if here != kind or (kind == _WORD and len(run) >= _WORD_LENGTH_MAX):
            found += [(run, kind == _WORD)] if run else []
            run, kind = "", here
        run += character if here else ""
    return [*found, (run, kind == _WORD)] if run else found


_NONE, _WORD, _LETTER, _MARK = range(4)


@cache
def _kind(character: str) -> int:
    if _LATIN.fullmatch(character):
        return _WORD
    if unicodedata.combining(character):
        return _MARK
    return _LETTER if character.isalnum() else _NONE


def _stem(word: str) -> str:
    """Return an English word without its plural ending (Harman's S-stemmer)."""
    if len(word) > 4 and word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word
