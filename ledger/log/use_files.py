"""Request records: one file of JSON lines per licence.

Rules kept here:
1. A line is written before its receipt, so the files may run ahead of the receipts after a crash,
   never behind; opening the log cuts what runs ahead.
2. Receipts that meters sent in bulk have no line here: their meters keep the records.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Any

from ledger.codec.canonical import canonical_json
from ledger.codec.digests import sha256
from ledger.codec.receipts import Receipt, commitment
from ledger.domain.ids import digest, digest_text
from ledger.log.errors import LogCorruptError, LogErasedError, LogRecordMissingError
from ledger.log.layout import LogLayout, sync_folder, write_all
from ledger.log.salts import read_licence_key, receipt_salt
from ledger.log.sealed import unseal

_TAIL_BYTES = 1 << 16


def use_line(licence_seq: int, request: bytes, response: bytes) -> bytes:
    """Return the line of one use as canonical JSON, newline included.

    Args:
        licence_seq: number of the receipt.
        request: canonical JSON of the request.
        response: digest of the response, 32 bytes.
    """
    tail = b',"response_digest":"0x%s"}\n' % response.hex().encode()
    return b'{"licence_seq":%d,"request":%s%s' % (licence_seq, request, tail)


def store_lines(layout: LogLayout, lines: dict[int, list[bytes]], pool: Executor) -> None:
    """Append lines by licence, durable on return.

    Args:
        layout: where the files are.
        lines: whole lines by licence.
        pool: waits for several files at once, which file systems with a journal commit together.
    """
    created = any(not layout.uses_of(licence_no).exists() for licence_no in lines)
    texts = [(layout.uses_of(no), b"".join(parts)) for no, parts in lines.items()]
    if len(texts) == 1:
        _append(texts[0])
    else:
        list(pool.map(_append, texts))
    if created:
        sync_folder(layout.uses)


def _append(item: tuple[Path, bytes]) -> None:
    path, text = item
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        write_all(descriptor, text)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def cut_uses(path: Path, last_seq: int) -> None:
    """Cut torn lines and lines beyond `last_seq` off the end of a file of uses."""
    size = path.stat().st_size
    keep = _end_of(path, size, last_seq)
    if keep != size:
        with path.open("r+b") as stream:
            stream.truncate(keep)
            os.fsync(stream.fileno())


def _end_of(path: Path, size: int, last_seq: int) -> int:
    """Return the offset behind the last whole line whose licence_seq is at most `last_seq`."""
    span = _TAIL_BYTES
    while True:
        start = max(size - span, 0)
        with path.open("rb") as stream:
            stream.seek(start)
            tail = stream.read(size - start)
        end = tail.rfind(b"\n") + 1
        while end:
            begin = tail.rfind(b"\n", 0, end - 1) + 1
            if begin == 0 and start:
                break
            seq = _seq(tail[begin:end])
            if seq is not None and seq <= last_seq:
                return start + end
            end = begin
        if start == 0:
            return 0
        span *= 4


def _seq(line: bytes) -> int | None:
    try:
        return int(json.loads(line)["licence_seq"])
    except (ValueError, KeyError, TypeError):
        return None


def find_line(path: Path, licence_seq: int) -> dict[str, Any] | None:
    """Return the line of one licence_seq, or None."""
    mark = b'"licence_seq":%d,' % licence_seq
    for line in _lines(path):
        if mark in line and _seq(line) == licence_seq:
            found: dict[str, Any] = json.loads(line)
            return found
    return None


def _lines(path: Path) -> Iterable[bytes]:
    try:
        with path.open("rb") as stream:
            yield from stream
    except FileNotFoundError:
        return


def erased_through(layout: LogLayout, licence_no: int) -> int:
    """Return the last licence_seq that an erasure covers; 0 when there was none."""
    last = 0
    for path in (layout.erasing(licence_no), layout.erased(licence_no)):
        with suppress(FileNotFoundError):
            trace = unseal(path.read_bytes())
            if trace is None:
                raise LogCorruptError(
                    f"{path.name} is not what was written",
                    field="secrets",
                    got=path.name,
                    expected="a sealed line",
                )
            last = max(last, int(trace["through_seq"]))
    return last


def open_receipt(layout: LogLayout, log_no: int, index: int, receipt: Receipt) -> dict[str, Any]:
    """Return what a receipt commits to, checked against the commitment.

    Raises:
        LogErasedError: when it was destroyed.
        LogCorruptError: when it is missing or does not open the commitment.
    """
    licence_no, seq = receipt.licence_no, receipt.licence_seq
    if seq <= erased_through(layout, licence_no):
        raise LogErasedError(
            f"the records of licence {licence_no} up to {seq} were destroyed",
            field="licence_no",
            got=licence_no,
            expected="a licence whose records are kept",
        )
    key = read_licence_key(layout, licence_no)
    line = find_line(layout.uses_of(licence_no), seq)
    if line is None:
        raise LogRecordMissingError(
            f"receipt {index} of licence {licence_no} has no request record here",
            field="index",
            got=index,
            expected="a receipt whose record this log keeps",
        )
    if key is None:
        raise _unopened(index, licence_no, "its key is missing")
    return _checked_opening(index, receipt, line, receipt_salt(key, log_no, seq))


def _checked_opening(
    index: int, receipt: Receipt, line: dict[str, Any], salt: bytes
) -> dict[str, Any]:
    request_digest = sha256(canonical_json(line["request"]))
    response_digest = digest(line["response_digest"], "response_digest")
    if commitment(salt, request_digest, response_digest) != receipt.commitment:
        raise _unopened(index, receipt.licence_no, "key and request record do not open it")
    return {
        "request": line["request"],
        "request_digest": digest_text(request_digest),
        "response_digest": digest_text(response_digest),
        "salt": digest_text(salt),
    }


def _unopened(index: int, licence_no: int, why: str) -> LogCorruptError:
    return LogCorruptError(
        f"receipt {index} of licence {licence_no} cannot be opened: {why}",
        field="commitment",
        got=index,
        expected="key and record that open the commitment",
    )
