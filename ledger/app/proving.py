"""Proofs of receipts: made from a log's files, checked by anyone, here or on chain."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from ledger.app.errors import NotAnchoredError
from ledger.app.log_keeping import reader
from ledger.app.market import Market
from ledger.chain.reverts import ChainRefusedError
from ledger.codec.errors import MalformedProofError
from ledger.codec.proof_files import CompactProof
from ledger.domain.errors import LedgerError
from ledger.log.consistency_proofs import make_consistency
from ledger.log.licence_proofs import make_licence_proof
from ledger.log.proof_checks import check_proof_bytes
from ledger.log.proofs import compact_of, make_proof, tlog_of


class ProofForm(StrEnum):
    """The forms of a receipt's proof."""

    JSON = "json"
    BINARY = "binary"
    TLOG = "tlog"


def proof(market: Market, log_no: int, index: int, *, is_anchored: bool = False) -> dict[str, Any]:
    """Return the proof document of a receipt.

    Args:
        market: where the log is.
        log_no: number of the log.
        index: which receipt.
        is_anchored: prove against the newest anchored size, as the chain does, instead of the
            last checkpoint's.

    Raises:
        NotAnchoredError: the log was never signed, or never anchored.
        LogRangeError: the receipt is not covered.
    """
    log = reader(market, log_no)
    if log.checkpoint() is None:
        raise NotAnchoredError(f"log {log_no} has no checkpoint yet", field="log_no", got=log_no)
    if not is_anchored:
        return make_proof(log, index)
    head = market.contracts.usage_log.head(log_no, block="latest")
    if not head.size:
        raise NotAnchoredError(f"log {log_no} has no anchor yet", field="log_no", got=log_no)
    return make_proof(log, index, head.size)


def proof_file(document: dict[str, Any], form: ProofForm) -> bytes:
    """Return a receipt's proof document as a file of a form.

    Raises:
        LogUnsignedError: C2SP text of another size than the last checkpoint's.
    """
    if form is ProofForm.BINARY:
        return compact_of(document).encode()
    if form is ProofForm.TLOG:
        return tlog_of(document).text().encode()
    return json_file(document)


def json_file(document: dict[str, Any]) -> bytes:
    """Return a proof document as a JSON file."""
    text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
    return text.encode() + b"\n"


def licence_proof(
    market: Market, log_no: int, licence_no: int, from_seq: int = 1, to_seq: int | None = None
) -> dict[str, Any]:
    """Return the proof that a range of a licence's receipts is whole.

    Raises:
        LogUnsignedError: the log was never signed.
        LogRangeError: the signed log does not hold the whole range.
        ProofTooLargeError: the range is too long for one document.
    """
    return make_licence_proof(reader(market, log_no), licence_no, from_seq, to_seq)


def consistency(market: Market, log_no: int, old_size: int, new_size: int) -> dict[str, Any]:
    """Return the proof that one state of a log begins a later one.

    Raises:
        LogUnsignedError: no checkpoint covers the later state.
        LogRangeError: the first is the larger one.
    """
    return make_consistency(reader(market, log_no), old_size, new_size)


def check_proof_file(data: bytes, vkey: str, checkpoint: str | None = None) -> list[LedgerError]:
    """Return what is wrong with a proof file of any form under a log's public key.

    Args:
        data: the file's content; needs no market.
        vkey: the log's public key (C2SP).
        checkpoint: the signed note that a binary proof rests on.
    """
    return check_proof_bytes(data, vkey, checkpoint)


def check_proof_on_chain(market: Market, data: bytes) -> list[LedgerError]:
    """Return what the chain finds wrong with a binary proof, which it takes as it is.

    Raises:
        MalformedProofError: it is of another form.
    """
    if not CompactProof.is_one(data):
        raise MalformedProofError(
            "the chain takes binary proofs", field="format", got=data[:20], expected="binary"
        )
    try:
        market.contracts.usage_log.require_proven(data, block="latest")
    except ChainRefusedError as error:
        return [error]
    return []
