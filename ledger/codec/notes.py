"""C2SP signed notes with Ed25519: texts that carry their signatures.

Rules kept here:
1. Format and key texts as c2sp.org/signed-note: `name+hash+base64` for a verifier key,
   `PRIVATE+KEY+name+hash+base64` for a signer key; only signature type 0x01.
2. Opening a note ignores unknown keys, refuses the whole note when a known key's signature is
   wrong, and refuses it when no known key signed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.codec.errors import MalformedNoteError, UnverifiedNoteError

ED25519_TYPE = b"\x01"
SIGNATURES_MAX = 64
_PRIVATE = "PRIVATE+KEY+"
_DASH = "— "


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who, the key's short id and the bare signature."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """Return the line, newline included."""
        return f"{_DASH}{self.name} {_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart, signatures not yet checked."""

    text: str
    """Ends in a newline; the blank line is not part of it."""
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A name and an Ed25519 public key that one trusts."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public_key) != 32:
            raise _malformed("an Ed25519 public key has 32 bytes", "key", len(self.public_key))

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ public key)."""
        material = self.name.encode() + b"\n" + ED25519_TYPE + self.public_key
        return hashlib.sha256(material).digest()[:4]

    @property
    def vkey(self) -> str:
        """The verifier key as text."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(ED25519_TYPE + self.public_key)}"

    @classmethod
    def parse(cls, vkey: str) -> NoteVerifier:
        """Return the verifier of a vkey text.

        Raises:
            MalformedNoteError: when the text, its key id or its type is not right.
        """
        name, key_id, material = _key_parts(vkey)
        verifier = cls(name, material)
        if verifier.key_id.hex() != key_id:
            raise _malformed("key id does not belong to name and key", "vkey", key_id)
        return verifier

    def accepts(self, text: str, signature: bytes) -> bool:
        """Return whether a bare signature is this key's over the note text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, repr=False)
class NoteSigner:
    """A name and an Ed25519 seed; the seed never shows in a repr."""

    name: str
    seed: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.seed) != 32:
            raise _malformed("an Ed25519 seed has 32 bytes", "key", len(self.seed))

    @classmethod
    def generate(cls, name: str) -> NoteSigner:
        """Return a signer with a fresh random key."""
        return cls(name, secrets.token_bytes(32))

    @classmethod
    def parse(cls, skey: str) -> NoteSigner:
        """Return the signer of a skey text.

        Raises:
            MalformedNoteError: when the text, its key id or its type is not right; the message
                never repeats the text.
        """
        if not skey.startswith(_PRIVATE):
            raise _malformed(f"a signer key starts with {_PRIVATE}", "skey", None)
        name, key_id, seed = _key_parts(skey.removeprefix(_PRIVATE))
        signer = cls(name, seed)
        if signer.verifier.key_id.hex() != key_id:
            raise _malformed("key id does not belong to name and key", "skey", key_id)
        return signer

    @property
    def verifier(self) -> NoteVerifier:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return NoteVerifier(self.name, public.public_bytes_raw())

    @property
    def vkey(self) -> str:
        """The verifier key as text, to be published."""
        return self.verifier.vkey

    @property
    def skey(self) -> str:
        """The signer key as text, to be kept secret."""
        key_id = self.verifier.key_id.hex()
        return f"{_PRIVATE}{self.name}+{key_id}+{_base64(ED25519_TYPE + self.seed)}"

    def sign(self, text: str) -> str:
        """Return the note of a text: text, blank line, this key's signature line.

        Raises:
            MalformedNoteError: when the text does not end in a newline or has control characters.
        """
        _check_text(text)
        bare = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return text + "\n" + NoteSignature(self.name, self.verifier.key_id, bare).line()

    def __repr__(self) -> str:
        return f"NoteSigner({self.name!r})"


def parse_note(note: str) -> Note:
    """Take a note apart without checking any signature.

    Raises:
        MalformedNoteError: when it is not a text, a blank line and 1 … 64 signature lines.
    """
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise _malformed("expected a text, a blank line and signature lines", "note", None)
    _check_text(text + "\n")
    lines = tail[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise _malformed(f"at most {SIGNATURES_MAX} signatures", "note", len(lines))
    return Note(text + "\n", tuple(_parse_signature(line) for line in lines))


def open_note(note: str, verifiers: Sequence[NoteVerifier]) -> Note:
    """Return a note whose text is vouched for, with only the signatures of known keys.

    Raises:
        MalformedNoteError: when it is not a note.
        UnverifiedNoteError: when no known key signed it or a known key's signature is wrong.
    """
    parsed = parse_note(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    good = []
    for signature in parsed.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            continue
        if not verifier.accepts(parsed.text, signature.signature):
            raise UnverifiedNoteError(
                f"the signature of {verifier.name} is wrong",
                field="signature",
                got=signature.signature,
                expected=f"a signature by {verifier.vkey}",
            )
        good.append(signature)
    if not good:
        raise UnverifiedNoteError(
            "no known key signed the note",
            field="signature",
            got=[signature.name for signature in parsed.signatures],
            expected=[verifier.vkey for verifier in verifiers],
        )
    return Note(parsed.text, tuple(good))


def decode_base64(text: str, field: str) -> bytes:
    """Return the bytes of strict, padded standard base64.

    Raises:
        MalformedNoteError: for any other character, missing padding or stray bits.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed(f"{field} is not base64", field, None) from error
    if _base64(data) != text:
        raise _malformed(f"{field} is not canonical base64", field, None)
    return data


def _parse_signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH):
        raise _malformed("a signature line starts with an em dash and a space", "note", line)
    _check_name(name)
    data = decode_base64(encoded, "signature")
    if len(data) < 5:
        raise _malformed("a signature has a key id and at least one byte", "signature", len(data))
    return NoteSignature(name, data[:4], data[4:])


def _key_parts(text: str) -> tuple[str, str, bytes]:
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise _malformed("a key is name+id+base64", "key", None)
    data = decode_base64(parts[2], "key")
    if data[:1] != ED25519_TYPE or len(data) != 33:
        raise _malformed("only Ed25519 keys (type 1, 32 bytes)", "key", len(data))
    return parts[0], parts[1], data[1:]


def _check_name(name: str) -> None:
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise _malformed("a key name is not empty and has no space or plus", "name", name)


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(char < " " and char != "\n" for char in text):
        raise _malformed(
            "a note's text ends in a newline, without control characters", "text", None
        )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _malformed(detail: str, field: str, got: object) -> MalformedNoteError:
    return MalformedNoteError(detail, field=field, got=got, expected="c2sp.org/signed-note")
