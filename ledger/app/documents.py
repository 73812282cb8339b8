"""Documents that stay off chain, by the digest that the chain holds.

Rules kept here:
1. A document is a file named by its digest; what is stored under a digest opens it.
2. A document is durable before the command that names it is sent.
3. Erasing the file erases record and salt together; the digest then opens nothing.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ledger.app.errors import DocumentMissingError
from ledger.codec.documents import Document
from ledger.domain.ids import Digest

_SYNCS_AT_ONCE = 32


def write_durably(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that after a kill it is there whole or not at all."""
    _write_beside(path, content, mode).replace(path)
    _sync_folder(path.parent)


def _write_beside(path: Path, content: bytes, mode: int = 0o644) -> Path:
    """Write a file durably under another name; return where it waits to be moved to its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return beside


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class DocumentStore:
    """A folder of documents: `<first two hex digits>/<digest>.json`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, document: Document) -> Digest:
        """Store a document and return its digest; storing it again changes nothing."""
        path = self._path(document.digest)
        if not path.exists():
            write_durably(path, document.to_json().encode())
        return document.digest

    def save_all(self, documents: Sequence[Document]) -> None:
        """Store documents; their syncs share the disk, so many cost little more than one."""
        texts = {self._path(one.digest): one.to_json().encode() for one in documents}
        missing = [path for path in texts if not path.exists()]
        if not missing:
            return
        with ThreadPoolExecutor(min(_SYNCS_AT_ONCE, len(missing))) as pool:
            waiting = list(pool.map(lambda path: _write_beside(path, texts[path]), missing))
            for beside, path in zip(waiting, missing, strict=True):
                beside.replace(path)
            list(pool.map(_sync_folder, {path.parent for path in missing}))

    def find(self, digest: bytes) -> Document | None:
        """Return the document of a digest, or None when it is not here."""
        path = self._path(digest)
        return Document.from_json(path.read_bytes()) if path.exists() else None

    def require(self, digest: bytes) -> Document:
        """Return the document of a digest.

        Raises:
            DocumentMissingError: it is not here.
        """
        document = self.find(digest)
        if document is None:
            raise DocumentMissingError(
                f"no document 0x{digest.hex()} is stored here", field="digest", got=digest
            )
        return document

    def erase(self, digest: bytes) -> None:
        """Destroy a document and its salt; nothing happens when it is not here."""
        self._path(digest).unlink(missing_ok=True)

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._folder / name[:2] / f"{name}.json"
