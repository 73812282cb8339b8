"""Bank lines that wait for people: money that came and could not be put on one invoice.

Rules kept here:
1. An item is a file named by the digest of its bank line; noticing a line twice makes one item.
2. An item is done when its money is recorded as a payment, or when somebody dismisses it with a
   reason; neither removes the file.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ledger.app.documents import write_durably
from ledger.app.errors import OpenItemUnknownError
from ledger.domain.ids import Digest, digest, digest_text


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One line that waits, as plain data."""

    digest: str
    """Of the document that would be the payment's receipt; 0x and hex."""
    code: str
    """Why it waits: the code of the finding."""
    detail: str
    amount_fen: int
    """0 for money in another currency."""
    currency: str
    booked_on: str
    reference: str
    payer: str
    bank_reference: str
    noticed_at: int
    """Unix seconds."""
    excess_of: str | None = None
    """Digest of the bank line whose invoice asked for less, where this is what was left of it."""
    dismissed_reason: str | None = None
    dismissed_at: int | None = None

    @property
    def receipt_digest(self) -> Digest:
        """The digest as bytes."""
        return digest(self.digest)


class OpenPayments:
    """A folder of items: `<digest>.json`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, item: OpenItem) -> OpenItem:
        """Keep an item; one that is there already stays as it was first noticed."""
        known = self.find(item.receipt_digest)
        if known is None:
            self._write(item)
        return known or item

    def find(self, wanted: bytes) -> OpenItem | None:
        """Return the item of a digest, None when there is none."""
        path = self._path(digest_text(wanted))
        return _item(path) if path.exists() else None

    def require(self, wanted: bytes) -> OpenItem:
        """Return the item of a digest.

        Raises:
            OpenItemUnknownError: there is none.
        """
        found = self.find(wanted)
        if found is None:
            raise OpenItemUnknownError(
                "no bank line of this digest waits for people", field="digest", got=wanted
            )
        return found

    def all(self) -> list[OpenItem]:
        """Return every item, dismissed ones included, in the order of booking."""
        files = self._folder.glob("*.json") if self._folder.exists() else ()
        items = [_item(path) for path in files]
        return sorted(items, key=lambda item: (item.booked_on, item.bank_reference, item.digest))

    def dismiss(self, wanted: bytes, reason: str, now_seconds: int) -> OpenItem:
        """Close an item for a reason; closing it again replaces the reason.

        Raises:
            OpenItemUnknownError: there is none.
        """
        item = replace(self.require(wanted), dismissed_reason=reason, dismissed_at=now_seconds)
        self._write(item)
        return item

    def _write(self, item: OpenItem) -> None:
        content = json.dumps(asdict(item), ensure_ascii=False, indent=1, sort_keys=True)
        write_durably(self._path(item.digest), content.encode(), mode=0o600)

    def _path(self, text: str) -> Path:
        return self._folder / f"{text.removeprefix('0x')}.json"


def _item(path: Path) -> OpenItem:
    fields: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return OpenItem(**fields)
