"""Errors of bytes and texts whose form someone else fixed."""

from __future__ import annotations

from ledger.domain.errors import LedgerError


class CodecError(LedgerError):
    """Base of the codec layer: a byte string or text is not what its format demands."""

    code = "codec.error"


class NotCanonicalError(CodecError):
    """A value has no canonical JSON form here: a float, a huge integer, a foreign type."""

    code = "codec.not_canonical"


class MalformedDocumentError(CodecError):
    """An off-chain record's file is not {"record": …, "salt": …}."""

    code = "codec.malformed_document"


class UnreadableFileError(CodecError):
    """A file to be digested cannot be read."""

    code = "codec.unreadable_file"


class ReceiptLengthError(CodecError):
    """A receipt is not exactly 96 bytes."""

    code = "codec.receipt_length"


class UnknownReceiptFormatError(CodecError):
    """The first byte of a receipt names a format that this code does not know."""

    code = "codec.unknown_receipt_format"


class TreeRangeError(CodecError):
    """An index or a size lies outside the tree it is asked of."""

    code = "codec.tree_range"


class InvalidProofError(CodecError):
    """A Merkle proof does not lead to the root it claims."""

    code = "codec.invalid_proof"


class MalformedProofError(CodecError):
    """Bytes or a text are not a proof of the form that their beginning names."""

    code = "codec.malformed_proof"


class MalformedNoteError(CodecError):
    """A text is not a signed note, a checkpoint or a note key of C2SP."""

    code = "codec.malformed_note"


class UnverifiedNoteError(CodecError):
    """No known key signed the note, or a known key's signature is wrong."""

    code = "codec.unverified_note"


class MalformedTileError(CodecError):
    """A tile, an entry bundle or one of their paths is not of the C2SP form."""

    code = "codec.malformed_tile"


class MalformedStatementError(CodecError):
    """A file is no camt.053 statement, tries to declare entities, or does not add up."""

    code = "codec.malformed_statement"


class MalformedTransferError(CodecError):
    """What is to be paid does not fit a pain.001 message, or a file is none."""

    code = "codec.malformed_transfer"


class EntryLengthError(CodecError):
    """A buffer to be hashed is not a whole number of its entries, tiles or hashes."""

    code = "codec.entry_length"


class UnknownEngineError(CodecError):
    """A hashing engine is asked for that this machine does not have."""

    code = "codec.unknown_engine"


class KernelTableError(CodecError):
    """A table for the totals filter is not of the type and layout that the kernel reads."""

    code = "codec.kernel_table"


class ForeignCatalogueError(CodecError):
    """A file is no catalogue that can be harvested, or exceeds a limit."""

    code = "catalogue.foreign"


class RemoteContextError(CodecError):
    """A catalogue asks for something that lies elsewhere; nothing is fetched."""

    code = "catalogue.remote_context"
