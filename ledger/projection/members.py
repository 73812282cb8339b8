"""Members in the database: who has which account when. What they are called is sealed.

Rules kept here:
1. A member's record is bytes that another place's key opens; a tombstone has none.
2. An account has one member at a time; a term that ended is never changed again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine, select, update

from ledger.projection.database import read, write
from ledger.projection.errors import NotFoundError, ProjectionError
from ledger.projection.tables import member_terms, members

ACTIVE, LEFT, RESTRICTED, ERASED = "active", "left", "restricted", "erased"


class AccountTakenError(ProjectionError):
    """The account is another member's."""

    code = "projection.account_taken"


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member; times in Unix seconds, `sealed` None once erased."""

    member_id: UUID
    organisation_id: UUID
    state: str
    sealed: bytes | None
    is_delegated: bool
    joined_at: int
    left_at: int | None = None
    retain_until: int | None = None
    erased_at: int | None = None
    erasure_reason: str | None = None


@dataclass(frozen=True, slots=True)
class TermRow:
    """A member's time with an account; `until_at` None while it lasts."""

    member_id: UUID
    address: str
    from_at: int
    until_at: int | None


class Members:
    """The members and their terms."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, member: MemberRow, address: str, from_at: int) -> None:
        """Store a member and begin its term with an account.

        Raises:
            AccountTakenError: the account has a member.
        """
        with write(self._engine) as connection:
            holder = _holder(connection, address)
            if holder is not None:
                raise AccountTakenError(
                    "the account is another member's", field="address", got=address
                )
            connection.execute(members.insert().values(**asdict(member)))
            term = TermRow(member.member_id, address, from_at, None)
            connection.execute(member_terms.insert().values(**asdict(term)))

    def leave(self, member_id: UUID, left_at: int, retain_until: int | None) -> None:
        """End a member's terms; its record is kept until `retain_until` at least, if given."""
        ended = update(member_terms).where(
            member_terms.c.member_id == member_id, member_terms.c.until_at.is_(None)
        )
        with write(self._engine) as connection:
            connection.execute(ended.values(until_at=left_at))
            _change(connection, member_id, state=LEFT, left_at=left_at, retain_until=retain_until)

    def restrict(self, member_id: UUID, reason: str) -> None:
        """Stop all processing but storage: erasure is asked for, and the law keeps the record."""
        with write(self._engine) as connection:
            _change(connection, member_id, state=RESTRICTED, erasure_reason=reason)

    def erase(self, member_id: UUID, erased_at: int, reason: str) -> None:
        """Leave a tombstone: id, organisation, terms, when and why."""
        with write(self._engine) as connection:
            _change(
                connection,
                member_id,
                state=ERASED,
                sealed=None,
                erased_at=erased_at,
                erasure_reason=reason,
            )

    def get(self, member_id: UUID) -> MemberRow:
        """Return a member.

        Raises:
            NotFoundError: it is unknown.
        """
        with read(self._engine) as connection:
            row = (
                connection.execute(select(members).where(members.c.member_id == member_id))
                .mappings()
                .one_or_none()
            )
        if row is None:
            raise NotFoundError("no such member", field="member_id", got=str(member_id))
        return MemberRow(**row)

    def list_of(self, organisation_id: UUID | None = None) -> list[MemberRow]:
        """Return the members of an organisation, or of all, oldest first."""
        query = select(members).order_by(members.c.joined_at, members.c.member_id)
        if organisation_id is not None:
            query = query.where(members.c.organisation_id == organisation_id)
        with read(self._engine) as connection:
            return [MemberRow(**row) for row in connection.execute(query).mappings()]

    def terms(self) -> list[TermRow]:
        """Return all terms, oldest first."""
        query = select(member_terms).order_by(member_terms.c.from_at, member_terms.c.member_id)
        with read(self._engine) as connection:
            return [TermRow(**row) for row in connection.execute(query).mappings()]

    def holder_of(self, address: str) -> UUID | None:
        """Return the member whose account it is now."""
        with read(self._engine) as connection:
            return _holder(connection, address)


def _holder(connection: Connection, address: str) -> UUID | None:
    query = select(member_terms.c.member_id).where(
        member_terms.c.address == address, member_terms.c.until_at.is_(None)
    )
    return connection.execute(query).scalar_one_or_none()


def _change(connection: Connection, member_id: UUID, **values: object) -> None:
    connection.execute(update(members).where(members.c.member_id == member_id).values(**values))
