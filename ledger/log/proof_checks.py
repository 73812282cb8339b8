"""Checking a proof file of any form; the form is recognised from the content.

Compact bytes name a size and no root: the root is that of a checkpoint brought along, or the
chain's, which then checks the bytes itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ledger.codec.checkpoints import CheckpointBody
from ledger.codec.errors import MalformedProofError
from ledger.codec.merkle import leaf_hash, verify_inclusion
from ledger.codec.proof_files import TLOG_HEADER, CompactProof, TlogProof
from ledger.codec.receipts import Receipt
from ledger.domain.errors import LedgerError
from ledger.domain.nesting import check_nesting
from ledger.log.consistency_proofs import CONSISTENCY_FORMAT, check_consistency
from ledger.log.licence_proofs import LICENCE_PROOF_FORMAT, check_licence_proof
from ledger.log.proof_documents import check_log_no, findings_of, refuse
from ledger.log.proofs import PROOF_FORMAT, check_proof

_DOCUMENTS: dict[str, Callable[[dict[str, Any], str], list[LedgerError]]] = {
    PROOF_FORMAT: check_proof,
    CONSISTENCY_FORMAT: check_consistency,
    LICENCE_PROOF_FORMAT: check_licence_proof,
}
_FORMS = ["compact bytes", TLOG_HEADER, *_DOCUMENTS]


def check_proof_bytes(data: bytes, vkey: str, checkpoint: str | None = None) -> list[LedgerError]:
    """Return what is wrong with a proof file; empty when it holds.

    Args:
        data: the file's content.
        vkey: the log's verifier key, from a source that one trusts.
        checkpoint: the signed note for a form that carries none, the compact bytes.
    """
    try:
        if CompactProof.is_one(data):
            return _check_compact(CompactProof.decode(data), vkey, checkpoint)
        text = data.decode()
        if text.startswith(TLOG_HEADER):
            return _check_tlog(TlogProof.parse(text), vkey)
        check_nesting(text)
        document = json.loads(text)
        form = document.get("format") if isinstance(document, dict) else None
        check = _DOCUMENTS.get(form) if isinstance(form, str) else None
    except LedgerError as error:
        return [error]
    except ValueError:
        check = None
    if check is None:
        return [_unrecognised()]
    return check(document, vkey)


def _check_compact(proof: CompactProof, vkey: str, checkpoint: str | None) -> list[LedgerError]:
    if checkpoint is None:
        refuse("checkpoint", None, "a checkpoint of the proof's size, or the chain")

    def check_size(body: CheckpointBody) -> None:
        check_log_no(proof.log_no, body)
        if body.size != proof.size:
            refuse("size", proof.size, body.size)

    return findings_of(
        checkpoint,
        vkey,
        (check_size, lambda body: _check_receipt(proof.receipt, proof.index, proof.path, body)),
    )


def _check_tlog(proof: TlogProof, vkey: str) -> list[LedgerError]:
    receipt = proof.extra
    if receipt is None:
        refuse("extra", None, "the receipt")
    return findings_of(
        proof.checkpoint,
        vkey,
        (lambda body: _check_receipt(receipt, proof.index, proof.path, body),),
    )


def _check_receipt(
    receipt: bytes, index: int, path: tuple[bytes, ...], body: CheckpointBody
) -> None:
    Receipt.decode(receipt)
    verify_inclusion(leaf_hash(receipt), index, body.size, path, body.root)


def _unrecognised() -> MalformedProofError:
    return MalformedProofError("this is no proof of a known form", field="format", expected=_FORMS)
