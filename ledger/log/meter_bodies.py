"""What meters send over a wire: receipts without numbers, or JSON; read many bodies at a time.

Rules kept here:
1. A body is one meter's: its i-th row has the number first_seq + i.
2. A body that cannot be read as rows is refused whole; else each bad row is named.
3. Bodies that come together are read together: what a small one costs is mostly the call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import msgspec
import numpy as np

from ledger.codec.receipts import RECEIPT_BYTES, RECEIPT_DTYPE, RECEIPT_FORMAT
from ledger.log.admission import RowFault, RowRefusal
from ledger.log.errors import LogRowsError
from ledger.log.meter_files import SEQ_MAX, WIDTHS, quotes_of
from ledger.log.rows import UseRows
from ledger.log.values import MeterBatch

_COMMITMENT_TEXT = 2 + 2 * 32
_COMMITMENTS = re.compile(r"(?:0x[0-9a-f]{64})*")


Read = MeterBatch | list[RowRefusal]
"""A body as it was read."""


class UseObject(msgspec.Struct, forbid_unknown_fields=True):
    """One use as a JSON object; its meter and its number are told around it."""

    licence_no: int
    mode: int
    purpose: int
    used_at_ms: int
    version_no: int
    status: int
    units: int
    records: int
    commitment: str


class _Numbered(UseObject, forbid_unknown_fields=True):
    seq: int


class _Uses(msgspec.Struct, forbid_unknown_fields=True):
    first_seq: int
    uses: list[UseObject]


class _RawUses(msgspec.Struct, forbid_unknown_fields=True):
    first_seq: int
    uses: list[msgspec.Raw]


_NAMES = tuple(name for name in UseObject.__struct_fields__ if name != "commitment")
_VALUES = attrgetter(*UseObject.__struct_fields__)
_USES, _RAW_USES = msgspec.json.Decoder(_Uses), msgspec.json.Decoder(_RawUses)
_USE_QUOTES, _NUMBERED_QUOTES = quotes_of(UseObject), quotes_of(_Numbered)
_USES_QUOTES = 2 * len(_Uses.__struct_fields__)
_USE, _NUMBERED = msgspec.json.Decoder(UseObject), msgspec.json.Decoder(_Numbered)


@dataclass(frozen=True, slots=True)
class Sent:
    """One body; its rows are receipts, or uses, or not read because some are no uses."""

    meter_no: int
    first_seq: int
    count: int
    """Rows in it."""
    receipts: bytes = b""
    uses: Sequence[UseObject] = ()
    refusals: Sequence[RowRefusal] = ()


def sent_receipts(meter_no: int, first_seq: int, body: bytes) -> Sent:
    """Return a body of receipts whose licence_seq and cumulative_units are still zero.

    Raises:
        LogRowsError: it is empty, cut, or numbered beyond the numbers that there are.
    """
    if len(body) % RECEIPT_BYTES:
        raise _malformed("body", f"{len(body)} bytes", f"whole receipts of {RECEIPT_BYTES} bytes")
    return _checked(Sent(meter_no, first_seq, len(body) // RECEIPT_BYTES, receipts=body))


def sent_json(meter_no: int, body: bytes) -> Sent:
    """Return a body of JSON: {"first_seq", "uses": […]}, or one use with its "seq".

    Raises:
        LogRowsError: it is no such JSON, or as `sent_receipts`.
    """
    try:
        if b'"uses"' not in body:
            use = _NUMBERED.decode(body)
            if body.count(b'"') != _NUMBERED_QUOTES:
                raise _malformed("body", "a repeated member", "each member once")
            return _checked(Sent(meter_no, use.seq, 1, uses=[use]))
        found = _USES.decode(body)
        if body.count(b'"') != _USES_QUOTES + _USE_QUOTES * len(found.uses):
            return _checked(_named(meter_no, body))
        return _checked(Sent(meter_no, found.first_seq, len(found.uses), uses=found.uses))
    except msgspec.ValidationError:
        return _checked(_named(meter_no, body))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _malformed("body", str(error), "JSON in UTF-8") from error


def body_of_receipts(rows: UseRows) -> bytes:
    """Return rows as `sent_receipts` reads them."""
    zeros = np.zeros(len(rows), np.uint64)
    return bytes(rows.encode(zeros, zeros))


def body_of_json(first_seq: int, rows: UseRows) -> bytes:
    """Return rows as `sent_json` reads them."""
    commitments = ["0x" + words.tobytes().hex() for words in rows.commitment]
    columns = [getattr(rows, name).tolist() for name in _NAMES]
    uses = [UseObject(*values) for values in zip(*columns, commitments, strict=True)]
    return msgspec.json.encode(_Uses(first_seq, uses))


def batches_of(sent: Sequence[Sent]) -> list[Read]:
    """Return each body as a batch, or why rows of it are no uses."""
    found: list[Read] = [list(item.refusals) for item in sent]
    kinds = (
        ([place for place, item in enumerate(sent) if item.receipts], _from_receipts),
        ([place for place, item in enumerate(sent) if item.uses], _from_objects),
    )
    for places, read in kinds:
        if places:
            for place, batch in zip(places, read([sent[i] for i in places]), strict=True):
                found[place] = batch
    return found


def _checked(sent: Sent) -> Sent:
    if not sent.count:
        raise _malformed("body", "no rows", "at least one row")
    last = sent.first_seq + sent.count - 1
    if sent.first_seq < 1 or last > SEQ_MAX:
        raise _malformed("first_seq", sent.first_seq, f"numbers from 1 to {SEQ_MAX}")
    return sent


def _named(meter_no: int, body: bytes) -> Sent:
    """Return why rows of a body are no uses."""
    try:
        found = _RAW_USES.decode(body) if b'"uses"' in body else None
        if found is None:
            _NUMBERED.decode(body)
    except msgspec.DecodeError as error:
        expected = "first_seq and uses, or one use with its seq"
        raise _malformed("body", str(error), expected) from error
    assert found is not None
    refusals = []
    for row, raw in enumerate(found.uses):
        got = _fault_of(raw)
        if got is not None:
            expected = "a use as a JSON object"
            refusals.append(RowRefusal(row, RowFault.MALFORMED, "row", got, expected))
    if not refusals:
        raise _malformed("body", "a repeated member", "first_seq and uses, each once")
    return Sent(meter_no, found.first_seq, len(found.uses), refusals=refusals)


def _fault_of(raw: msgspec.Raw) -> str | None:
    """Return why an object is no use, None where it is one."""
    try:
        use = _USE.decode(raw)
    except msgspec.DecodeError as error:
        return str(error)
    if bytes(raw).count(b'"') == _USE_QUOTES:
        return None
    is_digest = _are_commitments([use.commitment])
    return "a repeated member" if is_digest else "a commitment that is no digest"


def _from_receipts(sent: Sequence[Sent]) -> list[Read]:
    joined = sent[0].receipts if len(sent) == 1 else b"".join(item.receipts for item in sent)
    meters = np.repeat([item.meter_no for item in sent], [item.count for item in sent])
    try:
        rows = UseRows.decode(joined)
        is_right = bool((rows.meter_no == meters).all())
    except LogRowsError:
        is_right = False
    if is_right:
        return _apart(sent, rows)
    return [_from_receipts([item])[0] for item in sent] if len(sent) > 1 else [_unfit(sent[0])]


def _unfit(sent: Sent) -> list[RowRefusal]:
    """Return which receipts of a body are numbered already, or not its meter's."""
    block = np.frombuffer(sent.receipts, RECEIPT_DTYPE)
    expectations = {
        "format": RECEIPT_FORMAT,
        "licence_seq": 0,
        "cumulative_units": 0,
        "meter_no": sent.meter_no,
    }
    found: dict[int, RowRefusal] = {}
    for name, expected in expectations.items():
        for row in np.flatnonzero(block[name] != expected).tolist():
            got = int(block[name][row])
            found.setdefault(row, RowRefusal(row, RowFault.MALFORMED, name, got, expected))
    return [found[row] for row in sorted(found)]


def _from_objects(sent: Sequence[Sent]) -> list[Read]:
    uses = [use for item in sent for use in item.uses]
    *numbers, commitments = zip(*map(_VALUES, uses), strict=True)
    try:
        columns = {
            name: np.array(values, WIDTHS[name])
            for name, values in zip(_NAMES, numbers, strict=True)
        }
        if not _are_commitments(commitments):
            raise OverflowError
    except OverflowError:
        if len(sent) > 1:
            return [_from_objects([item])[0] for item in sent]
        return [_faults(uses)]
    words = bytes.fromhex("".join(commitments).replace("0x", ""))
    meters = np.repeat([item.meter_no for item in sent], [item.count for item in sent])
    rows = UseRows(
        meter_no=meters.astype(np.uint32),
        **columns,
        commitment=np.frombuffer(words, np.uint64).reshape(-1, 4),
    )
    return _apart(sent, rows)


def _are_commitments(texts: Sequence[str]) -> bool:
    is_long = all(len(text) == _COMMITMENT_TEXT for text in texts)
    return is_long and _COMMITMENTS.fullmatch("".join(texts)) is not None


def _faults(uses: Sequence[UseObject]) -> list[RowRefusal]:
    refusals = []
    for row, use in enumerate(uses):
        for name in _NAMES:
            value, highest = getattr(use, name), int(np.iinfo(WIDTHS[name]).max)
            if not 0 <= value <= highest:
                expected = f"0 … {highest}"
                refusals.append(RowRefusal(row, RowFault.MALFORMED, name, value, expected))
                break
        else:
            if not _are_commitments([use.commitment]):
                got, expected = use.commitment[:80], "0x and 64 lower-case hex digits"
                refusals.append(RowRefusal(row, RowFault.MALFORMED, "commitment", got, expected))
    return refusals


def _apart(sent: Sequence[Sent], rows: UseRows) -> list[Read]:
    batches: list[Read] = []
    first = 0
    for item in sent:
        count = item.count
        own = rows if len(sent) == 1 else rows.part(first, first + count)
        seqs = np.arange(item.first_seq, item.first_seq + count, dtype=np.uint64)
        batches.append(MeterBatch(item.meter_no, seqs, own))
        first += count
    return batches


def _malformed(field: str, got: object, expected: object) -> LogRowsError:
    return LogRowsError(
        f"what was sent cannot be read: {field}", field=field, got=got, expected=expected
    )
