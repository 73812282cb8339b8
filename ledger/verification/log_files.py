"""The small files of a log: who it is, what it signed, its columns, and what does not belong.

Rules kept here:
1. `log.json` is canonical and names the log and the origin that the chain knows.
2. The signer key belongs to the verifier key of `log.json`, which signed the checkpoint.
3. Every column file has the digest that `columns/SHA256SUMS` gives it; one without a line there is
   being made, and nobody reads it.
4. A file that no log has is named.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from ledger.codec.canonical import canonical_json
from ledger.codec.checkpoints import CheckpointBody, open_checkpoint, read_checkpoint
from ledger.codec.errors import CodecError
from ledger.codec.notes import NoteSigner, NoteVerifier
from ledger.domain.ids import Digest
from ledger.verification.findings import Findings
from ledger.verification.texts import parse_json

_MEMBERS = ("log_no", "origin", "vkey")
_FILES = re.compile(
    r"(?:log\.json|key|receipts\.bin|commits|checkpoint|snapshot|tree/[1-8])(?:\.new)?|lock"
    r"|columns/(?:SHA256SUMS|[0-9]{12}\.parquet)(?:\.new)?|columns/lock"
    r"|uses/(?:0|[1-9][0-9]{0,19})\.jsonl"
    r"|secrets/(?:0|[1-9][0-9]{0,19})\.(?:key|erased|erasing)(?:\.new)?"
)
_SUM_LINE = re.compile(r"([0-9a-f]{64})  ([0-9]{12}\.parquet)\n")
_STRANGERS_MAX = 100


def check_identity(
    folder: Path, log_no: int, origin_digest: bytes | None, findings: Findings
) -> dict[str, Any]:
    """Check `log.json` and the signer key; return its members, none when it cannot be read.

    Args:
        folder: the log's folder.
        log_no: its number.
        origin_digest: digest of the origin as the chain knows it; None when no chain is at hand.
        findings: where faults go.
    """
    name = f"log {log_no}"
    try:
        data = (folder / "log.json").read_bytes()
        identity: dict[str, Any] = parse_json(data)
        is_exact = sorted(identity) == list(_MEMBERS) and canonical_json(identity) + b"\n" == data
    except (OSError, ValueError, TypeError, RecursionError, CodecError) as error:
        findings.add("log_identity", name, repr(error), "a readable log.json")
        return {}
    if not findings.require(is_exact, "log_identity", name, data[:200], "canonical JSON"):
        return {}
    findings.same("log_identity", name, identity["log_no"], log_no)
    if origin_digest is not None:
        got = hashlib.sha256(str(identity["origin"]).encode()).digest()
        findings.same("log_origin", name, got, origin_digest)
    _check_key(folder / "key", identity, name, findings)
    return identity


def _check_key(path: Path, identity: dict[str, Any], name: str, findings: Findings) -> None:
    """Check the signer key where it is at hand; an auditor's copy has none."""
    if not path.exists():
        return
    where = f"{name} key"
    try:
        text = path.read_bytes().decode()
        signer = NoteSigner.parse(text.removesuffix("\n"))
    except (OSError, ValueError, CodecError):
        findings.add("log_key", where, None, "a signer key")
        return
    is_exact = text == signer.skey + "\n"
    findings.require(is_exact, "log_key", where, None, "one line")
    findings.same("log_key", where, signer.vkey, identity["vkey"])


def check_checkpoint(
    folder: Path,
    identity: dict[str, Any],
    log_no: int,
    findings: Findings,
    *,
    is_needed: bool,
) -> CheckpointBody | None:
    """Return the checkpoint when the log's key signed it; name what is wrong with it.

    Args:
        folder: the log's folder.
        identity: members of `log.json`.
        log_no: the log's number.
        findings: where faults go.
        is_needed: whether the log was anchored, so that it must have one.
    """
    where = f"log {log_no} checkpoint"
    if not is_needed and not (folder / "checkpoint").exists():
        return None
    try:
        note = (folder / "checkpoint").read_bytes().decode()
        body = read_checkpoint(note)
    except (OSError, ValueError, CodecError) as error:
        findings.add("checkpoint_unreadable", where, repr(error), "a signed note")
        return None
    findings.count("checkpoints")
    findings.same("checkpoint_origin", where, body.origin, identity.get("origin"))
    extension = f"log_no {log_no}"
    findings.require(
        extension in body.extensions, "checkpoint_log_no", where, body.extensions, extension
    )
    try:
        opened = open_checkpoint(note, [NoteVerifier.parse(str(identity.get("vkey")))])
    except CodecError as error:
        findings.add("checkpoint_signature", where, str(error), identity.get("vkey"))
        return None
    return opened


def check_columns(folder: Path, name: str, findings: Findings) -> None:
    """Check the digests of the column files."""
    columns = folder / "columns"
    try:
        text = (columns / "SHA256SUMS").read_bytes().decode()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        findings.add("columns_unreadable", f"{name} columns", repr(error), "SHA256SUMS")
        return
    named: set[str] = set()
    for line_no, line in enumerate(text.splitlines(keepends=True), start=1):
        match = _SUM_LINE.fullmatch(line)
        where = f"{name} columns/SHA256SUMS line {line_no}"
        is_new = match is not None and match[2] not in named
        if not findings.require(is_new, "columns_sums", where, line[:200], "digest and file"):
            continue
        assert match is not None
        named.add(match[2])
        _check_column(columns / match[2], bytes.fromhex(match[1]), name, findings)


def _check_column(path: Path, expected: bytes, name: str, findings: Findings) -> None:
    where = f"{name} columns/{path.name}"
    findings.count("columns")
    try:
        with path.open("rb") as stream:
            got = Digest(hashlib.file_digest(stream, "sha256").digest())
    except OSError as error:
        findings.add("columns_missing", where, repr(error), "a readable file")
        return
    findings.same("columns_digest", where, got, expected)


def check_strangers(folder: Path, name: str, findings: Findings) -> None:
    """Name the files that no log has."""
    found = []
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).as_posix()
        if not path.is_dir() and _FILES.fullmatch(inside) is None:
            found.append(inside)
    for inside in sorted(found)[:_STRANGERS_MAX]:
        findings.add("file_unknown", f"{name} {inside}", "a file", "no such file")
