"""C2SP checkpoints: the signed statement of a log's size and root.

The body is origin, size, base64 root, and extension lines. We add one: `time_ms <Unix ms>`, the
moment of signing, because the chain refuses a clock that goes back.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.codec.errors import MalformedNoteError
from ledger.codec.merkle import HASH_BYTES
from ledger.codec.notes import NoteSigner, NoteVerifier, decode_base64, open_note, parse_note
from ledger.domain.units import UINT64_MAX

_TIME = "time_ms "
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}")


@dataclass(frozen=True, slots=True)
class CheckpointBody:
    """What a checkpoint says, without signatures."""

    origin: str
    size: int
    root: bytes
    time_ms: int | None = None
    """Unix milliseconds of our extension line; None in logs of others."""
    extensions: tuple[str, ...] = ()
    """Other extension lines, in order."""

    def text(self) -> str:
        """Return the note text, one line each, newline at the end."""
        time = () if self.time_ms is None else (f"{_TIME}{self.time_ms}",)
        root = base64.b64encode(self.root).decode()
        lines = (self.origin, str(self.size), root, *time, *self.extensions)
        return "\n".join(lines) + "\n"

    def sign(self, signer: NoteSigner) -> str:
        """Return the checkpoint as a signed note."""
        return signer.sign(self.text())

    @classmethod
    def parse(cls, text: str) -> CheckpointBody:
        """Return the body of a note text.

        Raises:
            MalformedNoteError: when it is not origin, decimal size, base64 root of 32 bytes and
                non-empty extension lines.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise _malformed("expected at least three non-empty lines", "checkpoint", None)
        root = decode_base64(lines[2], "root")
        if len(root) != HASH_BYTES:
            raise _malformed(f"a root has {HASH_BYTES} bytes", "root", len(root))
        times = [line for line in lines[3:] if line.startswith(_TIME)]
        if len(times) > 1:
            raise _malformed("time_ms is given twice", "time_ms", times)
        others = tuple(line for line in lines[3:] if not line.startswith(_TIME))
        time_ms = _number(times[0].removeprefix(_TIME), "time_ms") if times else None
        return cls(lines[0], _number(lines[1], "size"), root, time_ms, others)


def open_checkpoint(note: str, verifiers: Sequence[NoteVerifier]) -> CheckpointBody:
    """Return the body of a checkpoint that a known key signed.

    Raises:
        MalformedNoteError: when it is not a checkpoint.
        UnverifiedNoteError: when no known key vouches for it.
    """
    return CheckpointBody.parse(open_note(note, verifiers).text)


def read_checkpoint(note: str) -> CheckpointBody:
    """Return what a checkpoint claims, signatures unchecked.

    Raises:
        MalformedNoteError: when it is not a checkpoint.
    """
    return CheckpointBody.parse(parse_note(note).text)


def _number(text: str, field: str) -> int:
    if not _DECIMAL.fullmatch(text) or int(text) > UINT64_MAX:
        raise _malformed(f"{field} must be a decimal without leading zeros", field, text)
    return int(text)


def _malformed(detail: str, field: str, got: object) -> MalformedNoteError:
    return MalformedNoteError(detail, field=field, got=got, expected="c2sp.org/tlog-checkpoint")
