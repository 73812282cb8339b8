"""API keys: the database knows their digests, never the keys."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, select, update

from ledger.projection.database import read, write
from ledger.projection.tables import api_keys


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key's holder; times in Unix seconds, `licence_no` None when bound to no licence."""

    key_digest: bytes
    organisation_id: UUID
    licence_no: int | None
    scope: str
    created_at: int
    revoked_at: int | None


def key_digest(key: str) -> bytes:
    """Return the digest under which a key is kept; keys are random, so no salt is needed."""
    return hashlib.sha256(key.encode()).digest()


class ApiKeys:
    """The keys in the `api_keys` table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        key: str,
        *,
        organisation_id: UUID,
        licence_no: int | None,
        scope: str,
        created_at: int,
    ) -> ApiKey:
        """Store a new key by its digest."""
        made = ApiKey(key_digest(key), organisation_id, licence_no, scope, created_at, None)
        with write(self._engine) as connection:
            connection.execute(
                api_keys.insert().values(
                    key_digest=made.key_digest,
                    organisation_id=organisation_id,
                    licence_no=licence_no,
                    scope=scope,
                    created_at=created_at,
                )
            )
        return made

    def find(self, key: str) -> ApiKey | None:
        """Return the holder of a key that is not revoked, None when there is none."""
        query = select(api_keys).where(
            api_keys.c.key_digest == key_digest(key), api_keys.c.revoked_at.is_(None)
        )
        with read(self._engine) as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else ApiKey(**row)

    def revoke(self, digest: bytes, revoked_at: int) -> bool:
        """End a key; return whether it was in force."""
        change = update(api_keys).where(
            api_keys.c.key_digest == digest, api_keys.c.revoked_at.is_(None)
        )
        with write(self._engine) as connection:
            return connection.execute(change.values(revoked_at=revoked_at)).rowcount == 1
