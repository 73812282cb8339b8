"""How deep a JSON text nests, known before a parser follows it.

A library of the chain's raises the interpreter's recursion limit to 100,000, at which the standard
library's parser runs out of stack and ends the process instead of raising RecursionError. So a
text from outside is measured first.
"""

from __future__ import annotations

import re

from ledger.domain.errors import MalformedValueError

DEPTH_MAX = 64
_STRINGS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")


def nesting_of(text: str) -> int:
    """Return the largest depth at which arrays and objects of a text lie in each other."""
    depth = deepest = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub("", text)):
        depth += 1 if bracket.group() in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def require_shallow(text: str, name: str = "body") -> str:
    """Return a text that nests no deeper than `DEPTH_MAX`.

    Raises:
        MalformedValueError: it nests deeper, and must not be given to a parser.
    """
    depth = nesting_of(text)
    if depth > DEPTH_MAX:
        raise MalformedValueError(
            f"{name} nests {depth} levels deep", field=name, got=depth, expected=DEPTH_MAX
        )
    return text
