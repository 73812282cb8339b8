"""Keys of meters: what a meter shows when it sends what it measured.

Rules kept here:
1. A key is issued to the organisation that keeps the log on chain, on a signature of its account.
2. It is good for one meter and one log; a meter belongs to one log, whatever keys it had.
3. The gateway's own meter has no key: nothing but the gateway speaks for it.
4. A key that was revoked is refused a few seconds later at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ledger.app.errors import MeterKeyError, NotKeeperError
from ledger.app.gateway import METER_NO
from ledger.app.keys import new_key, require_fresh
from ledger.app.market import Market
from ledger.chain.forwarder import recover_signer, sign_typed_data
from ledger.chain.keys import KeyAccount
from ledger.codec.typed_data import typed_message
from ledger.domain.units import UINT32_MAX, require_range
from ledger.projection import queries
from ledger.projection.api_keys import ApiKey, ApiKeys

SCOPE_METER = "meter"
KNOWN_SECONDS = 5.0
"""How long a key is believed without looking again."""
_KNOWN_MAX = 1_024


def meter_key_typed_data(
    market: Market, meter_no: int, log_no: int, issued_at: int
) -> dict[str, Any]:
    """Return what a log keeper's account signs to be given a meter's key.

    Raises:
        ValueOutOfRangeError: the meter is the gateway's own, or a number is no uint32.
    """
    require_range("meter_no", meter_no, METER_NO + 1, UINT32_MAX)
    require_range("log_no", log_no, 1, UINT32_MAX)
    return typed_message(
        "MeterKeyRequest",
        (("meterNo", "uint32"), ("logNo", "uint32"), ("issuedAt", "uint64")),
        market.contracts.licences.eip712_domain(block="latest"),
        {"meterNo": meter_no, "logNo": log_no, "issuedAt": issued_at},
    )


def issue_meter_key_signed(
    market: Market, meter_no: int, log_no: int, issued_at: int, signature: bytes
) -> str:
    """Issue a meter's key on a signed request, at most five minutes old.

    Raises:
        MalformedValueError: the request is too old or from the future.
        ValueOutOfRangeError: the meter is the gateway's own, or no uint32.
        NotFoundError: there is no such log.
        SignerUnknownError: the signer belongs to no organisation.
        NotKeeperError: the signer's organisation does not keep the log.
        MeterBoundError: the meter belongs to another log.
    """
    now = require_fresh(market, issued_at)
    message = meter_key_typed_data(market, meter_no, log_no, issued_at)
    with market.read() as connection:
        keeper_id = queries.log(connection, log_no).keeper_id
    signer = recover_signer(message, signature) or ""
    organisation_id = market.organisation_of(signer)
    if organisation_id != keeper_id:
        raise NotKeeperError(
            f"log {log_no} is kept by another organisation",
            field="log_no",
            got=str(organisation_id),
            expected=str(keeper_id),
        )
    key = new_key()
    ApiKeys(market.engine).add(
        key,
        organisation_id=organisation_id,
        licence_no=None,
        scope=SCOPE_METER,
        created_at=now,
        meter=(meter_no, log_no),
        signer=signer,
    )
    return key


def issue_meter_key(market: Market, account: KeyAccount, meter_no: int, log_no: int) -> str:
    """Issue a key with an account at hand; see `issue_meter_key_signed`."""
    issued_at = market.now_seconds()
    message = meter_key_typed_data(market, meter_no, log_no, issued_at)
    signature = sign_typed_data(account, message)
    return issue_meter_key_signed(market, meter_no, log_no, issued_at, signature)


class KeyRing:
    """Meters' keys of one log, remembered for a few seconds; for one thread."""

    def __init__(self, find: Callable[[str], ApiKey], log_no: int) -> None:
        """Remember how keys are found, see `ledger.app.keys.find_key`."""
        self._find = find
        self._log_no = log_no
        self._known: dict[str, tuple[float, ApiKey]] = {}

    def known(self, key: str) -> ApiKey | None:
        """Return a key's holder where it was looked up in these seconds."""
        found = self._known.get(key)
        if found is None or found[0] < time.monotonic():
            return None
        return found[1]

    def look_up(self, key: str) -> ApiKey:
        """Return a key's holder from the database.

        Raises:
            ApiKeyUnknownError: it is unknown, or was revoked.
        """
        return self._find(key)

    def remember(self, key: str, holder: ApiKey) -> None:
        """Believe a key for some seconds."""
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known[key] = (time.monotonic() + KNOWN_SECONDS, holder)

    def require(self, holder: ApiKey, meter_no: int) -> None:
        """Check that a key is this meter's, in this log.

        Raises:
            MeterKeyError: it is another's.
        """
        if (holder.scope, holder.meter_no, holder.log_no) != (SCOPE_METER, meter_no, self._log_no):
            raise MeterKeyError(
                f"the API key does not speak for meter {meter_no} of log {self._log_no}",
                field="X-Api-Key",
                got=f"{holder.scope}, meter {holder.meter_no}, log {holder.log_no}",
                expected=f"{SCOPE_METER}, meter {meter_no}, log {self._log_no}",
            )
