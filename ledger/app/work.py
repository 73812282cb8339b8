"""Calls that one member prepares and another makes: kept whole until then, by their digest.

The digest is what the chain compares: SHA-256 of the contract's address and the calldata. A stored
work proves itself by it, so nobody can be shown other figures than will be approved.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.app.documents import write_durably
from ledger.app.errors import DocumentMissingError, PreparedMismatchError
from ledger.codec.canonical import canonical_json
from ledger.codec.documents import Document
from ledger.domain.errors import LedgerError
from ledger.domain.ids import digest_text


@dataclass(frozen=True, slots=True)
class Work:
    """One call as it will be made: command, contract's address, calldata, documents, result."""

    command: str
    target: str
    data: bytes
    documents: tuple[Document, ...]
    result: dict[str, Any]

    @property
    def digest(self) -> bytes:
        """What the chain compares."""
        return hashlib.sha256(bytes.fromhex(self.target[2:]) + self.data).digest()

    def as_dict(self) -> dict[str, Any]:
        """Return the work as plain data."""
        return {
            "command": self.command,
            "target": self.target,
            "data": digest_text(self.data),
            "documents": [json.loads(document.to_json()) for document in self.documents],
            "result": self.result,
        }

    @classmethod
    def of_dict(cls, value: Any) -> Work:
        """Return the work of plain data.

        Raises:
            PreparedMismatchError: it is of another form, or a document is not named by the call.
        """
        try:
            work = cls(
                command=str(value["command"]),
                target="0x" + bytes.fromhex(value["target"].removeprefix("0x")).hex(),
                data=bytes.fromhex(value["data"].removeprefix("0x")),
                documents=tuple(
                    Document.from_json(canonical_json(item)) for item in value["documents"]
                ),
                result=dict(value["result"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, LedgerError) as error:
            raise PreparedMismatchError(f"no prepared work: {error}", field="work") from error
        for document in work.documents:
            if bytes(document.digest) not in work.data:
                raise PreparedMismatchError(
                    "the prepared call does not name this document",
                    field="work.documents",
                    got=document.digest,
                )
        return work


class WorkStore:
    """A folder of works: `<digest>.json`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, work: Work) -> None:
        """Store a work durably; storing it again changes nothing."""
        path = self._path(work.digest)
        if not path.exists():
            write_durably(path, canonical_json(work.as_dict()), mode=0o600)

    def find(self, digest: bytes) -> Work | None:
        """Return the work of a digest, None when it is not here."""
        path = self._path(digest)
        return Work.of_dict(json.loads(path.read_bytes())) if path.exists() else None

    def require(self, digest: bytes) -> Work:
        """Return the work of a digest.

        Raises:
            DocumentMissingError: it is not here, or what is here is another one.
        """
        work = self.find(digest)
        if work is None or work.digest != digest:
            raise DocumentMissingError(
                "no work of this digest was prepared here", field="work_digest", got=digest
            )
        return work

    def _path(self, digest: bytes) -> Path:
        return self._folder / f"{digest.hex()}.json"
