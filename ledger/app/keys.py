"""API keys: what a buyer's program shows to the gateway, and a party to read its own records.

A key is issued on a signature of the organisation's own account, shown once, and kept as a digest.
"""

from __future__ import annotations

import secrets
from typing import Any

from ledger.app.errors import ApiKeyUnknownError, TeamFullError
from ledger.app.market import Market
from ledger.chain.forwarder import recover_signer, sign_typed_data
from ledger.chain.keys import KeyAccount
from ledger.codec.typed_data import typed_message
from ledger.domain.errors import MalformedValueError
from ledger.projection import queries
from ledger.projection.api_keys import ApiKey as ApiKey
from ledger.projection.api_keys import ApiKeys

KEY_PREFIX = "mdl_"
ISSUE_SECONDS = 300
SCOPE_USE = "use"
SCOPE_READ = "read"


def api_key_typed_data(market: Market, licence_no: int, issued_at: int) -> dict[str, Any]:
    """Return what an account signs to be given a key; licence 0 asks for a key to read."""
    return typed_message(
        "ApiKeyRequest",
        (("licenceNo", "uint64"), ("issuedAt", "uint64")),
        market.contracts.licences.eip712_domain(block="latest"),
        {"licenceNo": licence_no, "issuedAt": issued_at},
    )


def issue_signed(market: Market, licence_no: int, issued_at: int, signature: bytes) -> str:
    """Issue a key on a signed request, at most five minutes old.

    Raises:
        MalformedValueError: the request is too old or from the future.
        SignerUnknownError: the signer belongs to no organisation.
        ApiKeyUnknownError: the licence is not the signer's organisation's.
        TeamFullError: the licence's team has as many keys as was agreed.
    """
    now = require_fresh(market, issued_at)
    signer = recover_signer(api_key_typed_data(market, licence_no, issued_at), signature)
    organisation_id = market.organisation_of(signer or "")
    if licence_no:
        with market.read() as connection:
            licence = queries.licence(connection, licence_no)
        if licence.buyer_id != organisation_id:
            raise ApiKeyUnknownError(
                "the licence belongs to another organisation", field="licence_no", got=licence_no
            )
        _require_room(market, licence)
    key = new_key()
    ApiKeys(market.engine).add(
        key,
        organisation_id=organisation_id,
        licence_no=licence_no or None,
        scope=SCOPE_USE if licence_no else SCOPE_READ,
        created_at=now,
        signer=signer,
    )
    return key


def _require_room(market: Market, licence: queries.LicenceRow) -> None:
    """Check the team limit of a licence: one key a member."""
    count = ApiKeys(market.engine).count_of(licence.licence_no)
    if licence.team_max and count >= licence.team_max:
        raise TeamFullError(
            "the team has as many keys as was agreed (F14)",
            field="team_max",
            got=count + 1,
            expected=licence.team_max,
        )


def new_key() -> str:
    """Return a key that nobody had before."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def require_fresh(market: Market, issued_at: int) -> int:
    """Return the market's time; a request for a key is of these minutes.

    Raises:
        MalformedValueError: it is too old or from the future.
    """
    now = market.now_seconds()
    if not now - ISSUE_SECONDS <= issued_at <= now + ISSUE_SECONDS:
        raise MalformedValueError(
            "the request for a key is not of these minutes",
            field="issued_at",
            got=issued_at,
            expected=f"{now} ± {ISSUE_SECONDS}",
        )
    return now


def issue_api_key(market: Market, account: KeyAccount, licence_no: int = 0) -> str:
    """Issue a key with an account at hand; see `issue_signed`."""
    issued_at = market.now_seconds()
    message = api_key_typed_data(market, licence_no, issued_at)
    return issue_signed(market, licence_no, issued_at, sign_typed_data(account, message))


def find_key(market: Market, key: str) -> ApiKey:
    """Return the holder of a key.

    Raises:
        ApiKeyUnknownError: it is unknown, or was revoked.
    """
    found = ApiKeys(market.engine).find(key) if key.startswith(KEY_PREFIX) else None
    if found is None or found.revoked_at is not None:
        raise ApiKeyUnknownError("the API key is not known, or was revoked", field="X-Api-Key")
    return found
