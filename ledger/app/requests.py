"""Parts of requests that are no commands, parsed with the same findings."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError as PydanticValidationError

from ledger.app.commands import finding_of, parse_hex
from ledger.app.fields import Part
from ledger.domain.errors import ValidationError

PartOf = TypeVar("PartOf", bound=Part)


def parse_part(kind: type[PartOf], body: Any) -> PartOf:
    """Return a part of its body.

    Raises:
        ValidationError: with every finding, each naming its field.
    """
    try:
        return kind.model_validate(body)
    except PydanticValidationError as error:
        findings = [finding_of(dict(item)) for item in error.errors(include_url=False)]
        for finding in findings:
            finding.field = finding.field or "body"
        raise ValidationError(f"{len(findings)} field(s) are wrong", findings) from error


def hex_bytes(text: str, name: str) -> bytes:
    """Return the bytes of a text of 0x and hex digits.

    Raises:
        MalformedValueError: it is none.
    """
    return parse_hex(text, name)
