"""Files that providers hold: what is measured on them, and the rows that are served from them.

Rules kept here:
1. A file never leaves its holder; the ledger learns digests, sizes and the list of fields.
2. Rows are served only from a file whose digest is the registered one, checked again whenever the
   file changed on disk.
"""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.app.documents import write_durably
from ledger.app.errors import FileUnreadableError, HoldingChangedError, HoldingMissingError
from ledger.codec.canonical import canonical_digest
from ledger.codec.digests import Progress, digest_file
from ledger.codec.errors import UnreadableFileError
from ledger.domain.nesting import check_nesting

Row = dict[str, Any]
_SAMPLE_ROWS = 200


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is measured on a file: digests, sizes in rows and bytes, its fields."""

    sha256: bytes
    sm3: bytes
    schema_digest: bytes
    row_count: int
    byte_size: int
    fields: tuple[dict[str, str], ...]

    def as_version(self) -> dict[str, Any]:
        """Return the facts as the `version` of a registration request."""
        return {
            "sha256_digest": "0x" + self.sha256.hex(),
            "sm3_digest": "0x" + self.sm3.hex(),
            "schema_digest": "0x" + self.schema_digest.hex(),
            "row_count": self.row_count,
            "byte_size": self.byte_size,
        }


def describe_file(path: Path, progress: Progress | None = None) -> FileFacts:
    """Measure a CSV or JSON file in place.

    Raises:
        FileUnreadableError: it cannot be read, or is neither.
    """
    try:
        digests = digest_file(path, progress)
    except UnreadableFileError as error:
        raise _unreadable(path, error.detail) from error
    rows = read_rows(path)
    fields = tuple({"name": name, "type": kind} for name, kind in _field_types(rows))
    return FileFacts(
        sha256=digests.sha256,
        sm3=digests.sm3,
        schema_digest=canonical_digest(list(fields)),
        row_count=len(rows),
        byte_size=digests.size_bytes,
        fields=fields,
    )


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a CSV file with a header, or of a JSON list of objects; values as text.

    Raises:
        FileUnreadableError: it cannot be read, or is neither.
    """
    try:
        text = path.read_text("utf-8-sig")
        rows = _json_rows(text) if path.suffix == ".json" else _csv_rows(text)
    except (OSError, ValueError, csv.Error) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise _unreadable(path, "expected a table with a header and at least one row")
    return [{key: _cell(value) for key, value in row.items()} for row in rows]


def _json_rows(text: str) -> Any:
    check_nesting(text)
    return json.loads(text)


def _csv_rows(text: str) -> list[Row]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    rows: list[Row] = list(reader)
    for place, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ValueError(f"line {place} has another number of cells than the header")
    return rows


def _cell(value: Any) -> str | None:
    # Numbers are served as the text that the file holds: no binary fraction can change them.
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _field_types(rows: Sequence[Row]) -> list[tuple[str, str]]:
    names = list(rows[0])
    sample = rows[:_SAMPLE_ROWS]
    return [(name, _type_of([row.get(name) for row in sample])) for name in names]


def _type_of(values: Sequence[str | None]) -> str:
    present = [value for value in values if value]
    if present and all(value.lstrip("+-").isdecimal() for value in present):
        return "integer"
    if present and all(_is_decimal(value) for value in present):
        return "decimal"
    return "text"


def _is_decimal(value: str) -> bool:
    whole, _, fraction = value.lstrip("+-").partition(".")
    return (whole.isdecimal() or not whole) and fraction.isdecimal()


class Holdings:
    """Where the files of registered versions lie on this machine: `holdings.json`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, int, int], list[Row]] = {}

    def put(self, dataset_id: UUID, version_no: int, path: Path, sha256: bytes) -> None:
        """Remember the file of a version."""
        with self._lock:
            index = self._index()
            entry = {"path": str(path.resolve()), "sha256": sha256.hex()}
            index[f"{dataset_id}/{version_no}"] = entry
            write_durably(self._file, json.dumps(index, indent=1, sort_keys=True).encode())

    def rows(self, dataset_id: UUID, version_no: int) -> list[Row]:
        """Return all rows of a version.

        Raises:
            HoldingMissingError: no file is known, or it is gone.
            HoldingChangedError: the file is not the registered one any more.
            FileUnreadableError: it is no table.
        """
        entry = self._index().get(f"{dataset_id}/{version_no}")
        path = Path(entry["path"]) if entry else None
        if entry is None or path is None or not path.exists():
            raise HoldingMissingError(
                f"no file is on hand for version {version_no} of {dataset_id}",
                field="dataset_id",
                got=str(dataset_id),
            )
        state = path.stat()
        key = (str(path), state.st_mtime_ns, state.st_size)
        with self._lock:
            if key not in self._rows:
                self._require_unchanged(path, bytes.fromhex(entry["sha256"]))
                self._rows[key] = read_rows(path)
            return self._rows[key]

    def _require_unchanged(self, path: Path, expected: bytes) -> None:
        got = digest_file(path).sha256
        if got != expected:
            raise HoldingChangedError(
                "the file on hand is not the registered one",
                field="sha256_digest",
                got=got,
                expected=expected,
            )

    def _index(self) -> dict[str, Any]:
        if not self._file.exists():
            return {}
        index: dict[str, Any] = json.loads(self._file.read_text("utf-8"))
        return index


def _unreadable(path: Path, why: str) -> FileUnreadableError:
    return FileUnreadableError(
        f"{path.name} cannot be read: {why}",
        field="path",
        got=str(path),
        expected="CSV or JSON rows",
    )
