"""Who may change members and read about them, by what their account may use now."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ledger.app.errors import NotAdministratorError, SignerUnknownError
from ledger.app.market import Market
from ledger.app.signers import role_names
from ledger.chain.keys import KeyAccount, address_of
from ledger.domain.codes import ADMINISTRATION, Role
from ledger.projection import queries


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who changes members: an organisation, by one of its administrators' accounts."""

    organisation_id: UUID
    address: str


def administrator(market: Market, address: str | None) -> Administrator:
    """Return the administrator that an account is.

    Raises:
        SignerUnknownError: it signs for nobody.
        NotAdministratorError: it may not change the organisation's accounts.
    """
    with market.read() as connection:
        found = queries.signer(connection, address or "")
    if found is None:
        raise SignerUnknownError("the account signs for nobody", field="signer", got=address)
    if not found.roles & ADMINISTRATION:
        raise NotAdministratorError(
            "only administrators of the organisation may do this",
            field="signer",
            got=role_names(found.roles),
            expected="administration",
        )
    return Administrator(found.organisation_id, found.address)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads about members and their actions: an account of an organisation."""

    organisation_id: UUID
    roles: int

    @property
    def may_see_names(self) -> bool:
        """Whether members' names are shown: to their administrators and to regulators."""
        return bool(self.roles & ADMINISTRATION) or self.is_regulator

    @property
    def is_regulator(self) -> bool:
        """Whether the account may use the role of regulator, which its organisation holds."""
        return bool(self.roles >> Role.REGULATOR & 1)

    def require_members_of(self, wanted: UUID | None) -> UUID | None:
        """Return whose members are read: None for all.

        Raises:
            NotAdministratorError: neither an administrator reads the own ones, nor a regulator.
        """
        if not self.may_see_names:
            raise NotAdministratorError(
                "only administrators and regulators see members",
                field="signer",
                got=role_names(self.roles),
                expected="administration",
            )
        return self.require_actions_of(wanted)

    def require_actions_of(self, wanted: UUID | None) -> UUID | None:
        """Return whose actions are read: None for all.

        Raises:
            NotAdministratorError: others' are for regulators.
        """
        if self.is_regulator:
            return wanted
        if wanted not in (None, self.organisation_id):
            raise NotAdministratorError(
                "only regulators read about other organisations",
                field="organisation_id",
                got=str(wanted),
                expected=str(self.organisation_id),
            )
        return self.organisation_id


def reader(market: Market, address: str | None) -> Reader:
    """Return the reader that an account is.

    Raises:
        SignerUnknownError: it signs for nobody.
    """
    with market.read() as connection:
        found = queries.signer(connection, address or "")
        if found is None:
            raise SignerUnknownError("the account signs for nobody", field="signer", got=address)
        held = {row.role for row in queries.roles_of(connection, found.organisation_id)}
    usable = sum(1 << role for role in held) | ADMINISTRATION
    return Reader(found.organisation_id, found.roles & usable)


def reader_at_hand(market: Market, account: KeyAccount) -> Reader:
    """Return the reader that a key at hand is; see `reader`."""
    return reader(market, address_of(account))


def administrator_at_hand(market: Market, account: KeyAccount) -> Administrator:
    """Return the administrator that a key at hand is; see `administrator`."""
    return administrator(market, address_of(account))
