"""Digests of content: SHA-256 for everyone, SM3 (GB/T 32905) for those who must have it.

A file is read once, in pieces, whatever its size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives import hashes

from ledger.codec.errors import UnreadableFileError
from ledger.domain.ids import Digest

PIECE_BYTES = 1 << 20

Progress = Callable[[int], None]
"""Called with the number of bytes just read; the caller adds them up."""


@dataclass(frozen=True, slots=True)
class ContentDigests:
    """Both digests of one content and its length in bytes."""

    sha256: Digest
    sm3: Digest
    size_bytes: int


def sha256(data: bytes) -> Digest:
    """Return the SHA-256 digest of a byte string."""
    return Digest(hashlib.sha256(data).digest())


def sm3(data: bytes) -> Digest:
    """Return the SM3 digest of a byte string. Source: GB/T 32905-2016."""
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return Digest(state.finalize())


def digest_stream(stream: BinaryIO, progress: Progress | None = None) -> ContentDigests:
    """Return both digests of what a binary stream still holds, reading it once."""
    first, second, size_bytes = hashlib.sha256(), hashes.Hash(hashes.SM3()), 0
    while piece := stream.read(PIECE_BYTES):
        first.update(piece)
        second.update(piece)
        size_bytes += len(piece)
        if progress is not None:
            progress(len(piece))
    return ContentDigests(Digest(first.digest()), Digest(second.finalize()), size_bytes)


def digest_file(path: Path, progress: Progress | None = None) -> ContentDigests:
    """Return both digests of a file.

    Raises:
        UnreadableFileError: when the file is missing, a folder, or not readable.
    """
    try:
        with path.open("rb") as stream:
            return digest_stream(stream, progress)
    except OSError as error:
        raise UnreadableFileError(
            f"cannot read {path}: {error.strerror or error}",
            field="path",
            got=str(path),
            expected="a readable file",
        ) from error
