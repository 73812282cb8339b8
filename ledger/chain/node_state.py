"""The local node's state on disk: a copy that a crash can never leave half written.

Two files, the newer readable one wins:

    state.json   checkpoints taken while the node runs; written beside and renamed
    exit.json    written by the node itself when it ends in order; may be torn by a kill
"""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path

from ledger.chain.errors import NodeStateError


@dataclass(frozen=True, slots=True)
class NodeState:
    """The state files of one local node in `folder`."""

    folder: Path

    @property
    def checkpoint_file(self) -> Path:
        """The file that is always whole."""
        return self.folder / "state.json"

    @property
    def exit_file(self) -> Path:
        """The file that the node writes at its end."""
        return self.folder / "exit.json"

    def settle(self) -> Path | None:
        """Make the newest readable copy the checkpoint and return it; None on a new chain.

        Raises:
            NodeStateError: there are state files, and none can be read.
        """
        found = [file for file in (self.exit_file, self.checkpoint_file) if file.exists()]
        if not found:
            return None
        found.sort(key=lambda file: file.stat().st_mtime_ns, reverse=True)
        best = next((file for file in found if _readable(file)), None)
        if best is None:
            raise NodeStateError(
                "no copy of the local chain's state can be read",
                field="state",
                got=[str(file) for file in found],
                expected="one whole JSON document; remove the folder to begin a new chain",
            )
        if best != self.checkpoint_file:
            best.replace(self.checkpoint_file)
        self.exit_file.unlink(missing_ok=True)
        return self.checkpoint_file

    def save(self, dump: str) -> None:
        """Write a dump (hex of gzipped JSON, as `anvil_dumpState` answers) as the checkpoint."""
        text = gzip.decompress(bytes.fromhex(dump.removeprefix("0x")))
        beside = self.folder / "state.json.new"
        with beside.open("wb") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(self.checkpoint_file)


def _readable(file: Path) -> bool:
    try:
        return "best_block_number" in json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
