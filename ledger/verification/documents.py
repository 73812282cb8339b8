"""Stored documents: each must open the digest by which it is named."""

from __future__ import annotations

import re
from pathlib import Path

from ledger.codec.documents import Document
from ledger.domain.errors import LedgerError
from ledger.verification.findings import Findings

_NAME = re.compile(r"[0-9a-f]{64}")


def check_documents(folder: Path, findings: Findings) -> None:
    """Check every document below `folder`: `<2 hex>/<64 hex>.json`, named by its digest."""
    for path in sorted(folder.glob("*/*.json")):
        where = f"document {path.relative_to(folder)}"
        findings.count("documents")
        is_named = bool(_NAME.fullmatch(path.stem)) and path.stem.startswith(path.parent.name)
        if not findings.require(is_named, "document_name", where, path.name, "its digest"):
            continue
        try:
            digest = Document.from_json(path.read_bytes()).digest.hex()
        except (OSError, LedgerError) as error:
            findings.add("document_malformed", where, str(error), "a record and its salt")
            continue
        findings.same("document_altered", where, digest, path.stem)
