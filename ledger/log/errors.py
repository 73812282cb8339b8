"""The errors of the usage log.

Rules kept here:
1. Leaf names end in `Error`; each has a code "log.what_is_wrong" that never changes.
2. `retryable` is true only where the same call may succeed later without being changed.
"""

from __future__ import annotations

from ledger.domain.errors import LedgerError


class LogError(LedgerError):
    """Base of everything that goes wrong in the usage log."""

    code = "log.error"


class LogBusyError(LogError):
    """Another writer has the log; there is one writer per log."""

    code = "log.busy"
    retryable = True


class LogClosedError(LogError):
    """The writer was closed."""

    code = "log.closed"


class LogWriteError(LogError):
    """The disk refused a write; the log takes nothing more until it is opened again."""

    code = "log.write_failed"
    retryable = True


class LogMissingError(LogError):
    """The folder holds no log."""

    code = "log.missing"


class LogIdentityError(LogError):
    """The folder holds a log of another number, origin or key."""

    code = "log.identity"


class LogCorruptError(LogError):
    """The files contradict each other or themselves; the text names the receipt's index."""

    code = "log.corrupt"


class LogRangeError(LogError):
    """An index or a size lies beyond the log."""

    code = "log.range"


class LogClockError(LogError):
    """A moment lies before the last one recorded, of the licence or of the checkpoints."""

    code = "log.clock"


class LogUnitsError(LogError):
    """A refused or failed use bills units."""

    code = "log.units_of_refusal"


class LogLicenceError(LogError):
    """A decision is about another licence than the one it was asked for."""

    code = "log.licence"


class LogRowsError(LogError):
    """Rows of a meter are not in the form that this log takes."""

    code = "log.rows"


class LogMeterGapsError(LogError):
    """A meter's numbers leave more gaps than are kept."""

    code = "log.meter_gaps"


class LogRecordMissingError(LogError):
    """The log keeps no request record of the receipt: its meter does, or nobody."""

    code = "log.record_missing"


class LogUsageError(LogError):
    """Use cannot be summed: a columnar file went away meanwhile, or memory did not suffice."""

    code = "log.usage_failed"
    retryable = True


class LogErasedError(LogError):
    """The salt and the request record were destroyed; the receipt stays provable."""

    code = "log.erased"


class LogUnsignedError(LogError):
    """The log has no checkpoint that covers what is asked."""

    code = "log.no_checkpoint"
    retryable = True


class ProofRefusedError(LogError):
    """A proof file does not show what it claims; `field` says where it fails."""

    code = "log.proof_refused"


class ProofTooLargeError(LogError):
    """A proof would hold more receipts than one document may."""

    code = "log.proof_too_large"
