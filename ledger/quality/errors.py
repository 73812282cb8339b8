"""Errors of files that cannot be profiled."""

from __future__ import annotations

from ledger.domain.errors import LedgerError


class QualityError(LedgerError):
    """Base: a file cannot be profiled as it is."""

    code = "quality.error"


class ProfileFileError(QualityError):
    """The file is missing, is of another format than its name says, or is damaged."""

    code = "quality.file_unreadable"


class EncodingUnknownError(QualityError):
    """A text file is neither UTF-8, UTF-16 with its mark, nor GB18030."""

    code = "quality.encoding_unknown"


class HeaderError(QualityError):
    """A table's first line names no columns, or more than a record may list."""

    code = "quality.header"
