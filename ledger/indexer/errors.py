"""The errors of the indexer."""

from __future__ import annotations

from ledger.domain.errors import LedgerError


class IndexerError(LedgerError):
    """Base of everything that goes wrong while the chain is followed."""

    code = "indexer.error"


class IndexGapError(IndexerError):
    """An event is missing, or there is one too many, and asking again did not help.

    The indexer stops: a node that withholds logs must not make a wrong report.
    """

    code = "indexer.gap"


class RangeChangedError(IndexerError):
    """The chain changed while a range was read; the range is read again."""

    code = "indexer.range_changed"
    retryable = True


class ReorgTooDeepError(IndexerError):
    """The chain went back further than the configured limit; a person has to look."""

    code = "indexer.reorg_too_deep"
