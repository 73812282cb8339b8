"""How deep a JSON text nests, told before anything parses it.

A parser recurses in C. Python's own limit does not hold it back where a library has raised that
limit, and then a text of nothing but brackets ends the process.
"""

from __future__ import annotations

import re

from ledger.domain.errors import MalformedValueError

NESTING_MAX = 64

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.S)
_BRACKET = re.compile(r"[\[\]{}]")


def check_nesting(text: str) -> None:
    """Check that a JSON text nests no deeper than `NESTING_MAX`; it may be malformed otherwise.

    Raises:
        MalformedValueError: when it nests deeper.
    """
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > NESTING_MAX:
            raise MalformedValueError(
                "the text nests too deep", field="depth", got=depth, expected=NESTING_MAX
            )
