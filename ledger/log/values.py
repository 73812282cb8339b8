"""What goes into the log and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ledger.codec.receipts import Receipt
from ledger.log.rows import UseRows


@dataclass(frozen=True, slots=True)
class LicenceTally:
    """Where a licence stands in one log."""

    licence_seq: int = 0
    """Number of its last receipt; 0 before the first."""
    cumulative_units: int = 0
    last_used_at_ms: int = 0
    """Unix milliseconds, UTC."""


@dataclass(frozen=True, slots=True)
class Use:
    """One use or refusal, before the log numbers it."""

    mode: int
    purpose: int
    meter_no: int
    licence_no: int
    used_at_ms: int
    """Unix milliseconds, UTC; never before the licence's last one."""
    version_no: int
    status: int
    """`ReceiptStatus`: 0 delivered, else why not."""
    units: int
    """Units in the tariff's basis; 0 unless delivered."""
    records: int
    """Rows delivered."""
    request: dict[str, Any]
    """Record of the request, any JSON without floats; kept off chain, destroyable."""
    response_digest: bytes
    """32 bytes, zeros when nothing was delivered."""


@dataclass(frozen=True, slots=True)
class MeterRange:
    """Numbers [first_seq, end_seq) of one meter."""

    meter_no: int
    first_seq: int
    end_seq: int


@dataclass(frozen=True, slots=True)
class MeterBatch:
    """Rows of one meter, each under a number that the meter gives once."""

    meter_no: int
    seqs: npt.NDArray[np.uint64]
    """The meter's numbers, from 1, rising, one a row."""
    rows: UseRows


@dataclass(frozen=True, slots=True)
class Taken:
    """A meter's rows that are durable in the log, one after the other."""

    first_index: int
    count: int
    repeated: int
    """Rows that had come before and were passed over."""
    ranges: tuple[MeterRange, ...] = ()
    """Numbers of the rows taken."""


@dataclass(frozen=True, slots=True)
class Appended:
    """A use that is durable in the log."""

    index: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed state of the log."""

    origin: str
    size: int
    """Receipts covered."""
    root: bytes
    """32 bytes."""
    time_ms: int
    """Unix milliseconds of signing; never goes back."""
    note: str
    """The signed note itself, as the file `checkpoint` has it."""
