"""Supplements (补充协议): what both sides sign to change a licence, renewals included.

Rules kept here:
1. A supplement follows the licence's latest document by its digest; what it does not name stays.
2. It lowers no statutory floor, and leaves no quota below what is used or billed.
3. More of a licence (a later end, a larger quota) asks again what a grant asks: tables of graded
   opening and applications.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.agreements import SIGNING_SECONDS, Signature, signed, wallet_values
from ledger.app.commands import Command, CommandRequest, command
from ledger.app.errors import LicenceEndedError, QuotaBelowUsedError, SupplementOrderError
from ledger.app.fields import DigestField, InstantField, Part, PpmField, Text, Uint64Field
from ledger.app.licence_documents import NegotiatedTerm, require_floor
from ledger.app.market import Market
from ledger.app.opening import require_open
from ledger.chain.forwarder import sign_typed_data
from ledger.chain.keys import KeyAccount, address_of
from ledger.codec.documents import Document
from ledger.codec.typed_data import typed_message
from ledger.domain.codes import ClaimantKind, LicenceState, ModeSet, Purpose
from ledger.domain.ids import digest_text
from ledger.projection import queries

LicenceNo = Annotated[int, Field(ge=1, lt=2**63)]
Quota = Annotated[int, Field(ge=1, lt=2**64)]
_ALL_LOGS = 0
_KEPT = ("valid_until", "quota_units", "platform_liability_ppm")
_SUPPLEMENT_TYPE = [
    ("licenceNo", "uint64"),
    ("previousDigest", "bytes32"),
    ("termsDigest", "bytes32"),
    ("validUntil", "uint64"),
    ("quotaUnits", "uint64"),
    ("platformLiabilityPpm", "uint32"),
    ("deadline", "uint64"),
]


class SupplementDraft(Part):
    """What a supplement changes; what it leaves out stays as it is."""

    licence_no: LicenceNo
    valid_until: InstantField | None = None
    quota_units: Quota | None = None
    platform_liability_ppm: PpmField | None = None
    negotiated: list[NegotiatedTerm] = Field(default_factory=list, max_length=50)
    reason: Text = "双方协商一致"


class SupplementField(Part):
    """A supplement as it was signed."""

    licence_no: LicenceNo
    previous_digest: DigestField
    terms_digest: DigestField
    valid_until: InstantField
    quota_units: Uint64Field
    platform_liability_ppm: PpmField
    deadline: InstantField


class SupplementLicence(CommandRequest):
    """A change of a licence that operator and buyer signed."""

    supplement: SupplementField
    operator: Signature
    buyer: Signature


def draft_supplement(market: Market, draft: SupplementDraft) -> dict[str, Any]:
    """Return the supplement to sign: its fields, its terms, its typed data.

    Raises:
        NotFoundError: the licence is unknown.
        LicenceEndedError: it is ended.
        LiabilityFloorError, QuotaBelowUsedError: no supplement may say so.
        OpeningForbiddenError, ChainRefusedError: no more of this licence would be granted now.
    """
    with market.read() as connection:
        licence = queries.licence(connection, draft.licence_no)
    if licence.state == LicenceState.TERMINATED:
        raise LicenceEndedError(
            "an ended licence is not changed", field="licence_no", got=draft.licence_no
        )
    changed = {name: value for name in _KEPT if (value := getattr(draft, name)) is not None}
    agreed = {name: changed.get(name, getattr(licence, name)) for name in _KEPT}
    require_floor(agreed["platform_liability_ppm"])
    require_quota(market, draft.licence_no, agreed["quota_units"])
    if any(agreed[name] > getattr(licence, name) for name in ("valid_until", "quota_units")):
        _require_open_until(market, licence, agreed["valid_until"])
    terms = Document.new(
        {
            "type": "supplement_terms",
            "licence_no": draft.licence_no,
            "previous_digest": digest_text(licence.agreement_digest),
            "changed": {name: str(value) for name, value in changed.items()},
            "negotiated": [dict(item) for item in draft.negotiated],
            "reason": draft.reason,
        }
    )
    market.documents.save(terms)
    supplement = SupplementField(
        licence_no=draft.licence_no,
        previous_digest=licence.agreement_digest,
        terms_digest=terms.digest,
        deadline=market.now_seconds() + SIGNING_SECONDS,
        **agreed,
    )
    digest = market.contracts.licences.supplement_digest(
        supplement.model_dump(mode="python"), block="latest"
    )
    drafted = {
        "supplement": supplement.model_dump(mode="json"),
        "digest": digest_text(digest),
        "terms": dict(terms.record),
        "typed_data": supplement_typed_data(market, supplement),
    }
    market.drafts.save(digest, drafted)
    return drafted


def used_units_of(market: Market, licence_no: int) -> int:
    """Return what a licence used: in all logs on this machine, or billed, whichever is more."""
    logged = market.other_logs(_ALL_LOGS).units_of([licence_no])[0]
    last_billed: dict[int, int] = {}
    with market.read() as connection:
        bills = queries.invoices_list(connection, licence_no=licence_no, limit=500).items
    for bill in bills:
        last_billed[bill.log_no] = max(bill.to_units, last_billed.get(bill.log_no, 0))
    return max(logged, sum(last_billed.values()))


def require_quota(market: Market, licence_no: int, quota_units: int) -> None:
    """Check a quota against what is used already.

    Raises:
        QuotaBelowUsedError: it is less.
    """
    used = used_units_of(market, licence_no)
    if quota_units < used:
        raise QuotaBelowUsedError(
            "a supplement leaves no quota below what is used (F26)",
            field="quota_units",
            got=quota_units,
            expected=f">= {used}",
        )


def _require_open_until(market: Market, licence: queries.LicenceRow, valid_until: int) -> None:
    modes = ModeSet(licence.modes)
    require_open(market, licence.product_id, list(modes.modes()), Purpose(licence.purpose))
    with market.read() as connection:
        lineage = queries.lineage_of(connection, licence.product_id)
    market.contracts.applications.require_approved(
        [row.claimant_id for row in lineage if row.kind == ClaimantKind.DATASET],
        licence.buyer_id,
        licence.purpose,
        licence.modes,
        valid_until,
        block="latest",
    )


def parties_of_draft(market: Market, draft: dict[str, Any]) -> set[UUID]:
    """Return who may read a kept draft: the two sides of its agreement or licence."""
    if "agreement" in draft:
        return {UUID(draft["agreement"][name]) for name in ("operator_id", "buyer_id")}
    with market.read() as connection:
        licence = queries.licence(connection, draft["supplement"]["licence_no"])
    return {licence.operator_id, licence.buyer_id}


def sign_supplement(market: Market, account: KeyAccount, draft: dict[str, Any]) -> dict[str, str]:
    """Return a party's signature of a drafted supplement; the typed data are built anew from it."""
    supplement = SupplementField.model_validate(draft["supplement"])
    signature = sign_typed_data(account, supplement_typed_data(market, supplement))
    return {"signer": address_of(account), "signature": digest_text(signature)}


def supplement_typed_data(market: Market, supplement: SupplementField) -> dict[str, Any]:
    """Return the EIP-712 message of a supplement; digests as 0x and hex."""
    domain = market.contracts.licences.eip712_domain(block="latest")
    values = wallet_values(_SUPPLEMENT_TYPE, supplement.model_dump(mode="python"))
    return typed_message("Supplement", _SUPPLEMENT_TYPE, domain, values)


@command(
    "supplement-licence", SupplementLicence, "Change a licence on a signed supplement", "补充协议"
)
def supplement_licence(
    market: Market, actor_id: UUID | None, request: SupplementLicence
) -> Command:
    """Plan the change; anyone may submit what both sides signed.

    Raises:
        SupplementOrderError: the licence has a newer document than the one it follows.
        LiabilityFloorError, QuotaBelowUsedError: no supplement may say so.
    """
    change = request.supplement
    with market.read() as connection:
        licence = queries.licence(connection, change.licence_no)
    latest = licence.agreement_digest
    if change.previous_digest != latest:
        raise SupplementOrderError(
            "the supplement does not follow the licence's latest document (F26)",
            field="previous_digest",
            got=digest_text(change.previous_digest),
            expected=digest_text(latest),
        )
    require_floor(change.platform_liability_ppm)
    require_quota(market, change.licence_no, change.quota_units)
    both = (signed(request.operator), signed(request.buyer))
    return Command(
        "licences",
        "supplement",
        (licence.agreement_id, change.model_dump(mode="python"), *both),
        result={"licence_no": change.licence_no},
    )
