"""API keys: the database knows their digests, never the keys."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine, func, or_, select, update

from ledger.projection.database import read, write
from ledger.projection.errors import ProjectionError
from ledger.projection.tables import api_keys, signers


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key's holder; times in Unix seconds, `licence_no` None when bound to no licence."""

    key_digest: bytes
    organisation_id: UUID
    licence_no: int | None
    scope: str
    created_at: int
    revoked_at: int | None
    meter_no: int | None = None
    log_no: int | None = None
    """The log that a meter's key writes to."""
    signer: str | None = None
    """The account on whose signature it was issued; the key ends with it."""


class MeterBoundError(ProjectionError):
    """A meter belongs to one log, and this one to another."""

    code = "projection.meter_bound"


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
        meter: tuple[int, int] | None = None,
        signer: str | None = None,
    ) -> ApiKey:
        """Store a new key by its digest.

        Args:
            key: the key.
            organisation_id: its holder.
            licence_no: the licence it is bound to, if any.
            scope: what it is for.
            created_at: Unix seconds.
            meter: number and log of the meter it is bound to, if any.
            signer: the account that asked for it; the key ends when that signs no longer.

        Raises:
            MeterBoundError: the meter had a key for another log before.
        """
        meter_no, log_no = meter or (None, None)
        made = ApiKey(
            key_digest(key),
            organisation_id,
            licence_no,
            scope,
            created_at,
            None,
            meter_no,
            log_no,
            signer,
        )
        with write(self._engine) as connection:
            if meter is not None:
                _require_log(connection, *meter)
            connection.execute(api_keys.insert().values(**asdict(made)))
        return made

    def count_of(self, licence_no: int) -> int:
        """Return how many keys of a licence are not revoked."""
        query = select(func.count()).where(
            api_keys.c.licence_no == licence_no, api_keys.c.revoked_at.is_(None)
        )
        with read(self._engine) as connection:
            return int(connection.execute(query).scalar_one())

    def find(self, key: str) -> ApiKey | None:
        """Return the holder of a key that is not revoked, None when there is none.

        A key is its signer's: it ends when that account signs for its holder no longer.
        """
        query = (
            select(api_keys)
            .outerjoin(signers, signers.c.address == api_keys.c.signer)
            .where(
                api_keys.c.key_digest == key_digest(key),
                api_keys.c.revoked_at.is_(None),
                or_(
                    api_keys.c.signer.is_(None),
                    signers.c.organisation_id == api_keys.c.organisation_id,
                ),
            )
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


def _require_log(connection: Connection, meter_no: int, log_no: int) -> None:
    query = select(api_keys.c.log_no).where(api_keys.c.meter_no == meter_no)
    bound = connection.execute(query.limit(1)).scalar()
    if bound is not None and bound != log_no:
        raise MeterBoundError(
            f"meter {meter_no} belongs to log {bound}", field="log_no", got=log_no, expected=bound
        )
