"""CSV files as they come: in UTF-8, with a byte order mark, in GBK or GB18030, in UTF-16.

Rules kept here:
1. An encoding is believed only when the whole file decodes in it; memory stays at one block.
2. A file in another encoding than UTF-8 is read through a copy beside the temporary files.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger.domain.catalogue import FIELDS_COUNT_MAX
from ledger.quality.errors import EncodingUnknownError, HeaderError, ProfileFileError

BLOCK_BYTES = 1 << 20
HEADER_BYTES_MAX = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = ",\t;|"


@dataclass(frozen=True, slots=True)
class TextTable:
    """A CSV file that can be read: where, in which encoding it came, delimiter, column names."""

    path: Path
    encoding: str
    delimiter: str
    names: tuple[str, ...]


def text_table(path: Path, folder: Path) -> TextTable:
    """Return a CSV file as UTF-8, copied into `folder` where it is in another encoding.

    Raises:
        ProfileFileError: it cannot be read.
        EncodingUnknownError: no encoding fits all of it.
        HeaderError: its first line names too many columns.
    """
    try:
        encoding = _encoding_of(path)
        readable = path if encoding in ("utf-8", "utf-8-sig") else _copy(path, encoding, folder)
        header = _first_lines(readable)
    except OSError as error:
        raise ProfileFileError(
            f"{path.name} cannot be read: {error.strerror}", field="file", got=str(path)
        ) from error
    delimiter = _delimiter_of(header)
    names = _names(header, delimiter)
    return TextTable(readable, encoding.removesuffix("-sig"), delimiter, names)


def _encoding_of(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(4)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            _require_decodes(path, encoding)
            return encoding
    for encoding in ("utf-8", "gb18030"):
        if _fault(path, encoding) is None:
            return encoding
    raise _unknown(path, _fault(path, "utf-8") or 0)


def _require_decodes(path: Path, encoding: str) -> None:
    fault = _fault(path, encoding)
    if fault is not None:
        raise _unknown(path, fault)


def _unknown(path: Path, offset: int) -> EncodingUnknownError:
    return EncodingUnknownError(
        f"{path.name} is neither UTF-8 nor GB18030 at byte {offset:,}",
        field="file",
        got=offset,
        expected="UTF-8, UTF-16 with a byte order mark, GBK or GB18030",
    )


def _fault(path: Path, encoding: str) -> int | None:
    """Return where about a file stops being text of an encoding, None when all of it is."""
    offset = 0
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        for block in _blocks(path):
            decoder.decode(block)
            offset += len(block)
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        return offset + (error.start if isinstance(error, UnicodeDecodeError) else 0)
    return None


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            yield block


def _copy(path: Path, encoding: str, folder: Path) -> Path:
    copy = folder / "table.csv"
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with copy.open("wb") as stream:
        for block in _blocks(path):
            stream.write(decoder.decode(block).encode())
    return copy


def _first_lines(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(HEADER_BYTES_MAX)
    return start.decode("utf-8-sig", "ignore")


def _delimiter_of(text: str) -> str:
    counts = Counter(character for character in text.partition("\n")[0] if character in _DELIMITERS)
    return max(_DELIMITERS, key=lambda item: (counts[item], -_DELIMITERS.index(item)))


def _names(text: str, delimiter: str) -> tuple[str, ...]:
    try:
        first = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), [])
    except csv.Error as error:
        raise HeaderError(f"the first line is no header: {error}", field="header") from error
    if len(first) > FIELDS_COUNT_MAX:
        raise HeaderError(
            "the first line names too many columns",
            field="header",
            got=len(first),
            expected=f"at most {FIELDS_COUNT_MAX}",
        )
    return tuple(name.strip() for name in first)
