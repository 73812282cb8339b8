"""Who a log is: its number, its origin and the key that signs its checkpoints."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ledger.codec.canonical import canonical_json
from ledger.codec.notes import NoteSigner
from ledger.domain.units import UINT32_MAX, require_range
from ledger.log.errors import LogCorruptError, LogIdentityError, LogMissingError
from ledger.log.layout import LogLayout, replace_file


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """What `log.json` says."""

    log_no: int
    origin: str
    vkey: str
    """Verifier key of the checkpoints, C2SP text."""

    @property
    def extension(self) -> str:
        """The checkpoint line that binds the log's number."""
        return f"log_no {self.log_no}"

    def to_json(self) -> bytes:
        """Return the file's content."""
        members = {"log_no": self.log_no, "origin": self.origin, "vkey": self.vkey}
        return canonical_json(members) + b"\n"


def read_identity(layout: LogLayout) -> LogIdentity:
    """Return the identity of a log on disk.

    Raises:
        LogMissingError: when there is no log in the folder.
        LogCorruptError: when `log.json` is not what this module writes.
    """
    try:
        members = json.loads(layout.identity.read_bytes())
        return LogIdentity(int(members["log_no"]), str(members["origin"]), str(members["vkey"]))
    except FileNotFoundError as error:
        raise LogMissingError(
            f"no log in {layout.folder}", field="folder", got=str(layout.folder), expected="a log"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise LogCorruptError(
            "log.json cannot be read", field="log.json", expected="log_no, origin, vkey"
        ) from error


def open_identity(layout: LogLayout, origin: str, log_no: int) -> tuple[LogIdentity, NoteSigner]:
    """Return identity and signer of a log, both made on first use.

    Raises:
        LogIdentityError: when the folder holds another log, or its key is another's.
    """
    require_range("log_no", log_no, 0, UINT32_MAX)
    if not layout.key.exists():
        _require(layout.identity.exists(), False, "key")
        replace_file(layout.key, NoteSigner.generate(origin).skey.encode() + b"\n", 0o600)
    signer = NoteSigner.parse(layout.key.read_text().strip())
    identity = LogIdentity(log_no, origin, signer.vkey)
    _require(signer.name, origin, "origin")
    if not layout.identity.exists():
        replace_file(layout.identity, identity.to_json())
    found = read_identity(layout)
    for field in ("log_no", "origin", "vkey"):
        _require(getattr(found, field), getattr(identity, field), field)
    return identity, signer


def _require(got: object, expected: object, field: str) -> None:
    if got != expected:
        raise LogIdentityError(
            f"the folder holds another log: {field} differs",
            field=field,
            got=got,
            expected=expected,
        )
