"""JSON that somebody else wrote, read without trusting it.

Rules kept here:
1. Nesting beyond `DEPTH_MAX` is refused before it is parsed: the parser follows it on the stack of
   the process, and packages in use raise the interpreter's own limit.
2. Floats and integers beyond ±(2^53 - 1) are refused: no canonical record has them.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ledger.domain.units import AMOUNT_FEN_MAX

DEPTH_MAX = 64
_BRACKETS = b"[]{}"
_OTHERS = bytes(byte for byte in range(256) if byte not in _BRACKETS)
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def parse_json(data: bytes) -> Any:
    """Return the value of a JSON text in UTF-8.

    Raises:
        ValueError: when it is none, or none that a canonical record may hold.
    """
    if _is_deep(data):
        raise ValueError(f"nesting beyond {DEPTH_MAX} levels")
    return json.loads(
        data.decode(), parse_int=_integer, parse_float=_refused, parse_constant=_refused
    )


def _is_deep(data: bytes) -> bool:
    brackets = data.translate(None, _OTHERS)
    if len(brackets) <= DEPTH_MAX:
        return False
    brackets = _TEXT.sub(b"", data).translate(None, _OTHERS)
    for _ in range(DEPTH_MAX):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def _integer(text: str) -> int:
    value = int(text)
    if abs(value) > AMOUNT_FEN_MAX:
        raise ValueError(f"not an integer of a record: {text}")
    return value


def _refused(text: str) -> Any:
    raise ValueError(f"not a number of a record: {text}")
