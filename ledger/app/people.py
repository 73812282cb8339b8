"""Members: the natural persons behind an organisation's accounts, off chain and erasable.

Rules kept here:
1. Name, function and contact are sealed with a key of the member's own, which lies in a file beside
   the other secrets; the database alone opens nothing.
2. Erasing destroys that key and leaves a tombstone: who acted when stays answerable by a random id.
3. Legal retention wins while it runs: what a member who acted is called is kept for three years
   after leaving, shown to nobody (个人信息保护法 art. 47; 网络数据安全管理条例 art. 12).
4. Only administrators of the organisation change members; regulators read them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import Field

from ledger.app.access import Administrator, administrator
from ledger.app.commands import Done, run
from ledger.app.documents import write_durably
from ledger.app.errors import (
    KeyNotUnlockedError,
    MemberStateError,
    NotAdministratorError,
    SignerUnknownError,
)
from ledger.app.fields import AddressField, Part
from ledger.app.market import Market
from ledger.app.signed import has_acted
from ledger.app.signers import role_names
from ledger.app.signing import sign_message
from ledger.chain.keys import KeyAccount, KeystoreError, address_of
from ledger.codec.canonical import canonical_json
from ledger.codec.sealing import new_record_key, open_record, seal_record
from ledger.projection import queries
from ledger.projection.members import ACTIVE, ERASED, LEFT, RESTRICTED, MemberRow, Members, TermRow

RETENTION_SECONDS = 3 * 366 * 24 * 3600
ShortText = Annotated[str, Field(min_length=1, max_length=200)]


class Person(Part):
    """What a member is called, does, and how to reach them."""

    name: ShortText
    function: ShortText
    contact: ShortText


class NewMember(Part):
    """A person and the account that signs for their organisation already."""

    person: Person
    address: AddressField


def new_account_for(market: Market, password: str) -> tuple[str, str]:
    """Make a key that is kept here for a member, who unlocks it; return its name and address."""
    name = f"member-{uuid4()}"
    return name, address_of(market.wallet.create(name, password))


def sign_delegated(
    market: Market, address: str | None, password: str, typed_data: dict[str, Any]
) -> str:
    """Return the signature of a member whose key is kept here, unlocked for this once.

    Raises:
        KeyNotUnlockedError: no key of that account is here, or the password is wrong.
    """
    try:
        account = market.wallet.unlock(address or "", password)
    except KeystoreError as error:
        # One answer for both: nobody learns whose keys are here.
        raise KeyNotUnlockedError(
            "no key of this account is here, or the password is wrong", field="password"
        ) from error
    return sign_message(account, typed_data)


def add_member(
    market: Market, account: KeyAccount, person: Person, address: str, roles: list[str]
) -> tuple[UUID, Done | None]:
    """Let a person sign with an account: on chain first, then the person, sealed.

    An account that signs already only gets its person.

    Raises:
        LedgerError: the chain refuses the account, or it is another member's.
    """
    admin = administrator(market, address_of(account))
    with market.read() as connection:
        known = queries.signer(connection, address)
    done = None
    if known is None or known.organisation_id != admin.organisation_id:
        body = {"signer": address, "roles": roles}
        done = run(market, account, "add-signer", body)
    return record_member(market, admin, NewMember(person=person, address=address)), done


def record_member(
    market: Market, admin: Administrator, new: NewMember, *, is_delegated: bool = False
) -> UUID:
    """Store who holds an account of the administrator's organisation; return the random id.

    Raises:
        SignerUnknownError: the account does not sign for the organisation.
        AccountTakenError: it is another member's.
    """
    with market.read() as connection:
        signer = queries.signer(connection, new.address)
        terms = queries.signer_terms_list(connection)
    if signer is None or signer.organisation_id != admin.organisation_id:
        raise SignerUnknownError(
            "the account does not sign for this organisation", field="address", got=new.address
        )
    member_id = uuid4()
    key = new_record_key()
    row = MemberRow(
        member_id,
        admin.organisation_id,
        ACTIVE,
        seal_record(key, canonical_json(new.person.model_dump()), member_id.bytes),
        is_delegated or market.wallet.holds(new.address),
        market.now_seconds(),
    )
    write_durably(_key_file(market, member_id), key.hex().encode(), mode=0o600)
    Members(market.engine).add(row, new.address, _free_since(market, new.address, terms))
    return member_id


def remove_member(market: Market, account: KeyAccount, member_id: UUID) -> Done | None:
    """End a member's account on chain, then its term; the record stays for its retention."""
    admin = administrator(market, address_of(account))
    row = _own(market, admin, member_id)
    address = _address_now(market, member_id)
    done = None
    if address is not None:
        with market.read() as connection:
            signs = queries.signer(connection, address)
        if signs is not None:
            done = run(market, account, "remove-signer", {"signer": address})
    _leave(market, row)
    return done


def record_departure(market: Market, admin: Administrator, member_id: UUID) -> None:
    """End a member's term whose account signs no longer.

    Raises:
        MemberStateError: the account still signs: end that first.
    """
    row, address = _own(market, admin, member_id), _address_now(market, member_id)
    with market.read() as connection:
        if address is not None and queries.signer(connection, address) is not None:
            raise MemberStateError(
                "the member's account still signs", field="member_id", got=str(member_id)
            )
    _leave(market, row)


def set_member_roles(
    market: Market, account: KeyAccount, member_id: UUID, roles: list[str]
) -> Done:
    """Change what a member may use."""
    admin = administrator(market, address_of(account))
    _own(market, admin, member_id)
    address = _address_now(market, member_id)
    if address is None:
        raise MemberStateError("the member has left", field="member_id", got=str(member_id))
    return run(market, account, "set-signer-roles", {"signer": address, "roles": roles})


def erase_member(
    market: Market, admin: Administrator, member_id: UUID, reason: str, now: int | None = None
) -> dict[str, Any]:
    """Destroy what a member is called, or keep it shut away until the law lets it go.

    Raises:
        MemberStateError: the member still signs, or is erased already.
    """
    row = _own(market, admin, member_id)
    if row.state == ACTIVE or row.state == ERASED:
        raise MemberStateError(
            f"the member is {row.state}", field="member_id", got=row.state, expected=LEFT
        )
    moment = market.now_seconds() if now is None else now
    if row.retain_until is not None and moment < row.retain_until:
        Members(market.engine).restrict(member_id, reason)
        return {"state": RESTRICTED, "retain_until": row.retain_until}
    _key_file(market, member_id).unlink(missing_ok=True)
    Members(market.engine).erase(member_id, moment, reason)
    return {"state": ERASED, "retain_until": None}


def members_found(market: Market, organisation_id: UUID | None) -> list[dict[str, Any]]:
    """Return members with account, roles and person; the last is null where it may not be shown."""
    members = Members(market.engine)
    terms: dict[UUID, list[TermRow]] = {}
    for term in members.terms():
        terms.setdefault(term.member_id, []).append(term)
    with market.read() as connection:
        return [
            _shown(market, row, terms.get(row.member_id, []), connection)
            for row in members.list_of(organisation_id)
        ]


def person_of(market: Market, row: MemberRow) -> dict[str, str] | None:
    """Return what a member is called, None once it may not be processed or is destroyed."""
    file = _key_file(market, row.member_id)
    if row.sealed is None or row.state in (RESTRICTED, ERASED) or not file.exists():
        return None
    key = bytes.fromhex(file.read_text("ascii"))
    found: dict[str, str] = json.loads(open_record(key, row.sealed, row.member_id.bytes))
    return found


def _shown(market: Market, row: MemberRow, terms: list[TermRow], connection: Any) -> dict[str, Any]:
    current = next((term.address for term in terms if term.until_at is None), None)
    signer = queries.signer(connection, current) if current else None
    return {
        "member_id": str(row.member_id),
        "organisation_id": str(row.organisation_id),
        "state": row.state,
        "person": person_of(market, row),
        "address": current,
        "roles": role_names(signer.roles) if signer else [],
        "is_delegated": row.is_delegated,
        "joined_at": row.joined_at,
        "left_at": row.left_at,
        "retain_until": row.retain_until,
        "erased_at": row.erased_at,
        "erasure_reason": row.erasure_reason,
        "terms": [
            {"address": term.address, "from_at": term.from_at, "until_at": term.until_at}
            for term in terms
        ],
    }


def _own(market: Market, admin: Administrator, member_id: UUID) -> MemberRow:
    row = Members(market.engine).get(member_id)
    if row.organisation_id != admin.organisation_id:
        raise NotAdministratorError(
            "the member is another organisation's", field="member_id", got=str(member_id)
        )
    return row


def _address_now(market: Market, member_id: UUID) -> str | None:
    for term in Members(market.engine).terms():
        if term.member_id == member_id and term.until_at is None:
            return term.address
    return None


def _leave(market: Market, row: MemberRow) -> None:
    if row.state != ACTIVE:
        raise MemberStateError(
            f"the member is {row.state}", field="member_id", got=row.state, expected=ACTIVE
        )
    now = market.now_seconds()
    acted = any(
        has_acted(market, term.address, term.from_at)
        for term in Members(market.engine).terms()
        if term.member_id == row.member_id
    )
    retain_until = now + RETENTION_SECONDS if acted else None
    Members(market.engine).leave(row.member_id, now, retain_until)


def _free_since(market: Market, address: str, terms: list[queries.SignerTermRow]) -> int:
    """Return since when an account signs without another member: its acts since then are theirs."""
    own = [term for term in terms if term.address == address]
    unbroken = own[-1].from_at
    for earlier, later in zip(reversed(own[:-1]), reversed(own), strict=False):
        if earlier.until_block != later.from_block:
            break
        unbroken = earlier.from_at
    ended = [
        term.until_at
        for term in Members(market.engine).terms()
        if term.address == address and term.until_at is not None
    ]
    return max([unbroken, *ended])


def _key_file(market: Market, member_id: UUID) -> Path:
    return market.home / "secrets" / "members" / str(member_id)
