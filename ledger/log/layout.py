"""The files of one log, and how they become durable.

```
log.json                  {"log_no", "origin", "vkey"}
key                       Ed25519 signer key of the checkpoints, C2SP text (0600)
receipts.bin              receipts of 96 bytes, one after the other; index = offset / 96
commits                   a sealed line a write: receipts committed so far, meters' numbers taken
tree/<level>              level 1, 2 …: hashes of the C2SP tiles of that level, one after the other
checkpoint                the last signed note: origin, size, root, `time_ms …`, `log_no …`
snapshot                  a sealed line: where licences and meters stood at some commit
columns/                  the receipts by column, see `ledger.log.columns`
uses/<licence_no>.jsonl   request records in licence_seq order, one canonical JSON a line:
                          {"licence_seq", "request", "response_digest"}
secrets/<licence_no>.key     32 random bytes (0600) from which the licence's salts are derived
secrets/<licence_no>.erased  a sealed line {"erased_at_ms", "licence_no", "through_seq"}: receipts
                          up to this licence_seq can no longer be opened (`.erasing` meanwhile)
lock                      held by the one writer
```

Rules kept here:
1. `receipts.bin` up to the last commit is the truth; what lies beyond was never acknowledged.
2. A use record and its licence's key are durable before the receipt, the receipt before its
   commit, hashes before the checkpoint that covers them.
3. `tree`, `snapshot` and `columns` follow from receipts and commits and can be made again. Tiles
   of level 0 and entry bundles are slices of the receipts, so no file holds them.
4. Whole files appear by rename, so a reader sees the old one or the new one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LogLayout:
    """Paths of one log."""

    folder: Path

    @property
    def receipts(self) -> Path:
        """All receipts, 96 bytes each."""
        return self.folder / "receipts.bin"

    @property
    def commits(self) -> Path:
        """What was committed, a line a write."""
        return self.folder / "commits"

    @property
    def snapshot(self) -> Path:
        """Where licences and meters stood at some commit."""
        return self.folder / "snapshot"

    @property
    def tree(self) -> Path:
        """Folder of the hashes."""
        return self.folder / "tree"

    def hashes(self, level: int) -> Path:
        """Hashes of the tiles of a level from 1 on."""
        return self.tree / str(level)

    @property
    def checkpoint(self) -> Path:
        """The last signed note."""
        return self.folder / "checkpoint"

    @property
    def identity(self) -> Path:
        """Number, origin and verifier key."""
        return self.folder / "log.json"

    @property
    def key(self) -> Path:
        """The signer key, secret."""
        return self.folder / "key"

    @property
    def lock(self) -> Path:
        """What the one writer holds."""
        return self.folder / "lock"

    @property
    def uses(self) -> Path:
        """Folder of the request records."""
        return self.folder / "uses"

    @property
    def secrets(self) -> Path:
        """Folder of the licence keys."""
        return self.folder / "secrets"

    @property
    def columns(self) -> Path:
        """Folder of the receipts by column."""
        return self.folder / "columns"

    def uses_of(self, licence_no: int) -> Path:
        """Request records of one licence."""
        return self.uses / f"{licence_no}.jsonl"

    def key_of(self, licence_no: int) -> Path:
        """Key of one licence's salts."""
        return self.secrets / f"{licence_no}.key"

    def erased(self, licence_no: int) -> Path:
        """Trace of an erasure."""
        return self.secrets / f"{licence_no}.erased"

    def erasing(self, licence_no: int) -> Path:
        """Trace of an erasure under way."""
        return self.secrets / f"{licence_no}.erasing"


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Put a whole file in place, durable once the folder is: see `sync_folder`."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)


def replace_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Put a whole file in place, durable on return."""
    write_file(path, data, mode)
    sync_folder(path.parent)


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    """Write every byte, however many calls the system needs."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
