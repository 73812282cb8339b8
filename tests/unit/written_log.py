"""A log's files, written by code that neither the service nor the verifier shares."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.codec.checkpoints import CheckpointBody
from ledger.codec.notes import NoteSigner
from ledger.codec.receipts import Receipt
from tests.golden import reference_tree

RUN = 256
Members = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Use:
    """What a receipt says beside what the log assigns; a record is kept unless `is_foreign`."""

    licence_no: int
    units: int
    mode: int = 2
    purpose: int = 3
    meter_no: int = 1
    used_at_ms: int = 1_000
    status: int = 0
    records: int = 0
    request: Members | None = None
    is_foreign: bool = False


@dataclass(frozen=True, slots=True)
class Signed:
    """What a checkpoint says."""

    size: int
    root: bytes
    time_ms: int


def compact(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sealed(members: Members, before: str = "") -> bytes:
    told = sha256(before.encode() + compact(members)).hexdigest()[:16]
    return compact(members | {"sum": told}) + b"\n"


class WrittenLog:
    """The log below a folder; every call leaves sound files."""

    def __init__(self, folder: Path, origin: str, log_no: int) -> None:
        self.folder = folder
        self.origin = origin
        self.log_no = log_no
        self.receipts: list[bytes] = []
        self.tallies: dict[int, list[int]] = {}
        self.meters: dict[int, int] = {}
        self.commits = b""
        self.commits_sum = ""
        self.signer = NoteSigner(origin, sha256(origin.encode()).digest())
        for name in ("tree", "columns", "uses", "secrets"):
            (folder / name).mkdir(parents=True)
        (folder / "lock").touch()
        (folder / "receipts.bin").touch()
        (folder / "key").write_text(self.signer.skey + "\n")
        identity = {"log_no": log_no, "origin": origin, "vkey": self.signer.vkey}
        (folder / "log.json").write_bytes(compact(identity) + b"\n")

    def append(self, uses: Sequence[Use]) -> None:
        """Append receipts and commit them at once."""
        self.receipts += [self._receipt(use) for use in uses]
        counts: dict[int, int] = {}
        for use in uses:
            counts[use.meter_no] = counts.get(use.meter_no, 0) + 1
        self.commit([self._numbers(meter_no, count) for meter_no, count in sorted(counts.items())])

    def commit(self, ranges: list[list[int]]) -> None:
        """Commit all receipts, with these numbers of meters."""
        line = sealed({"meters": ranges, "size": len(self.receipts)}, self.commits_sum)
        self.commits += line
        self.commits_sum = json.loads(line)["sum"]
        (self.folder / "receipts.bin").write_bytes(b"".join(self.receipts))
        (self.folder / "commits").write_bytes(self.commits)

    def checkpoint(self, time_ms: int) -> Signed:
        """Write the rows of the tree and sign."""
        row = [sha256(b"\0" + receipt).digest() for receipt in self.receipts]
        root, number = reference_tree.mth(row), 1
        while len(row) >= RUN:
            whole = range(0, len(row) - len(row) % RUN, RUN)
            row = [reference_tree.mth(row[at : at + RUN]) for at in whole]
            (self.folder / "tree" / str(number)).write_bytes(b"".join(row))
            number += 1
        size, extension = len(self.receipts), f"log_no {self.log_no}"
        body = CheckpointBody(self.origin, size, root, time_ms, (extension,))
        (self.folder / "checkpoint").write_text(body.sign(self.signer))
        return Signed(size, root, time_ms)

    def snapshot(self) -> None:
        """Write where licences and meters stand."""
        meters = [[meter_no, [[1, end]]] for meter_no, end in sorted(self.meters.items())]
        members = {
            "commits_bytes": len(self.commits),
            "commits_sum": self.commits_sum,
            "licences": [[number, *tally] for number, tally in sorted(self.tallies.items())],
            "meters": meters,
            "size": len(self.receipts),
        }
        (self.folder / "snapshot").write_bytes(sealed(members))

    def columns(self) -> None:
        """Write what stands for two files of columns, with their digests."""
        lines = []
        for first in (0, 1 << 22):
            name, data = f"{first:012d}.parquet", b"PAR1" + bytes(8) + b"PAR1"
            (self.folder / "columns" / name).write_bytes(data)
            lines.append(f"{sha256(data).hexdigest()}  {name}\n")
        (self.folder / "columns" / "SHA256SUMS").write_text("".join(lines))

    def erase(self, licence_no: int) -> None:
        """Destroy a licence's key and records."""
        (self.folder / "secrets" / f"{licence_no}.key").unlink()
        (self.folder / "uses" / f"{licence_no}.jsonl").unlink()
        through = self.tallies[licence_no][0]
        members = {"erased_at_ms": 5_000, "licence_no": licence_no, "through_seq": through}
        (self.folder / "secrets" / f"{licence_no}.erased").write_bytes(sealed(members))

    def _numbers(self, meter_no: int, count: int) -> list[int]:
        first = self.meters.get(meter_no, 1)
        self.meters[meter_no] = first + count
        return [meter_no, first, first + count]

    def _receipt(self, use: Use) -> bytes:
        tally = self.tallies.setdefault(use.licence_no, [0, 0, 0])
        tally[0] += 1
        tally[1] += use.units
        tally[2] = use.used_at_ms
        return Receipt(
            mode=use.mode,
            purpose=use.purpose,
            meter_no=use.meter_no,
            licence_no=use.licence_no,
            licence_seq=tally[0],
            used_at_ms=use.used_at_ms,
            version_no=1,
            status=use.status,
            units=use.units,
            cumulative_units=tally[1],
            records=use.records,
            commitment=bytes(32) if use.is_foreign else self._record(use, tally[0]),
        ).encode()

    def _record(self, use: Use, seq: int) -> bytes:
        """Keep the record of a use and return what the receipt commits to."""
        key = sha256(b"key %d" % use.licence_no).digest()
        (self.folder / "secrets" / f"{use.licence_no}.key").write_bytes(key)
        request = compact(use.request or {"page": seq})
        response = "0x" + sha256(b"response").hexdigest()
        line = b'{"licence_seq":%d,"request":%s,"response_digest":"%s"}\n'
        with (self.folder / "uses" / f"{use.licence_no}.jsonl").open("ab") as stream:
            stream.write(line % (seq, request, response.encode()))
        label = b"mdl-salt" + self.log_no.to_bytes(4, "big") + seq.to_bytes(8, "big")
        digests = {
            "request_digest": "0x" + sha256(request).hexdigest(),
            "response_digest": response,
        }
        return sha256(hmac.digest(key, label, "sha256") + compact(digests)).digest()
