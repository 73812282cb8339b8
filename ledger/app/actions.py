"""Who did what when: every transaction with its signer, and the member who had the account.

The signer is read from the bytes of the transaction itself (the ERC-2771 request), not from what
the service remembers; the member from the terms that are kept off chain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.app.market import Market
from ledger.app.people import person_of
from ledger.app.signed import read_signers
from ledger.app.signers import role_names
from ledger.projection import queries
from ledger.projection.members import MemberRow, Members, TermRow


@dataclass(frozen=True, slots=True)
class ActionsWanted:
    """Which actions: of an organisation, a member, between two instants; all when left out."""

    organisation_id: UUID | None = None
    member_id: UUID | None = None
    from_at: int | None = None
    until_at: int | None = None


def actions_found(
    market: Market, wanted: ActionsWanted, *, names: bool = False
) -> list[dict[str, Any]]:
    """Return actions, newest first, each with signer, organisation, roles and member of then.

    Args:
        market: the market.
        wanted: which ones.
        names: whether members' names are shown beside their ids.
    """
    read_signers(market)
    people = _People(market, names)
    with market.read() as connection:
        terms = queries.signer_terms_list(connection)
        rows = queries.actions_list(
            connection,
            addresses=_addresses(wanted, terms, people),
            from_at=wanted.from_at,
            until_at=wanted.until_at,
        )
    found = (_action(row, terms, people) for row in rows)
    return [action for action in found if _is_wanted(action, wanted)]


class _People:
    """Members and their terms, read once."""

    def __init__(self, market: Market, is_named: bool) -> None:
        self._market = market
        self._is_named = is_named
        self.terms = Members(market.engine).terms()
        self.rows: dict[UUID, MemberRow] = {
            row.member_id: row for row in Members(market.engine).list_of()
        }
        self._names: dict[UUID, str | None] = {}

    def at(self, address: str, instant: int) -> TermRow | None:
        """Return whose account it was at an instant."""
        found: TermRow | None = _at(self.terms, address, instant)
        return found

    def name(self, member_id: UUID) -> str | None:
        """Return what a member is called, None where that may not be shown."""
        if not self._is_named:
            return None
        if member_id not in self._names:
            person = person_of(self._market, self.rows[member_id])
            self._names[member_id] = person["name"] if person else None
        return self._names[member_id]


def _at(terms: Iterable[Any], address: str, instant: int) -> Any:
    fits = [
        term
        for term in terms
        if term.address == address
        and term.from_at <= instant
        and (term.until_at is None or instant <= term.until_at)
    ]
    # At the very second of a change the earlier term still counts: its holder signed the change.
    return fits[0] if fits else None


def _addresses(
    wanted: ActionsWanted, terms: list[queries.SignerTermRow], people: _People
) -> list[str] | None:
    if wanted.member_id is not None:
        return [term.address for term in people.terms if term.member_id == wanted.member_id]
    if wanted.organisation_id is not None:
        return sorted({t.address for t in terms if t.organisation_id == wanted.organisation_id})
    return None


def _action(
    row: queries.ActionRow, terms: list[queries.SignerTermRow], people: _People
) -> dict[str, Any]:
    signing = _at(terms, row.signer, row.block_time)
    holding = people.at(row.signer, row.block_time)
    return {
        "at": row.block_time,
        "block_number": row.block_number,
        "tx_hash": row.tx_hash,
        "contract": row.contract,
        "function": row.function,
        "signer": row.signer,
        "organisation_id": str(signing.organisation_id) if signing else None,
        "roles": role_names(signing.roles) if signing else [],
        "member_id": str(holding.member_id) if holding else None,
        "member_name": people.name(holding.member_id) if holding else None,
    }


def _is_wanted(action: dict[str, Any], wanted: ActionsWanted) -> bool:
    return (wanted.member_id is None or action["member_id"] == str(wanted.member_id)) and (
        wanted.organisation_id is None or action["organisation_id"] == str(wanted.organisation_id)
    )
