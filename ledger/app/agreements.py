"""Quotes, agreements that both sides sign, and the licences that they grant."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command, parse_hex
from ledger.app.fields import (
    AddressField,
    DigestField,
    Id,
    InstantField,
    ModeField,
    Part,
    PpmField,
    PurposeField,
    Text,
    Uint64Field,
    fresh_id,
)
from ledger.app.licence_documents import (
    NegotiatedTerm,
    RefundField,
    TeamField,
    agreement_terms,
    require_floor,
    require_terms,
)
from ledger.app.market import Market
from ledger.app.opening import require_open
from ledger.app.products import tariff_of_row
from ledger.chain.forwarder import sign_typed_data
from ledger.chain.keys import KeyAccount, address_of
from ledger.codec.typed_data import typed_message
from ledger.domain.calendar import instant_text, year_of
from ledger.domain.codes import ModeSet, Purpose
from ledger.domain.ids import digest_text
from ledger.domain.standard_terms import LIABILITY_FLOOR_PPM, require_ticks
from ledger.projection import queries
from ledger.revenue.refunds import RefundRule
from ledger.revenue.tariff import charge_fen

QUOTE_VALID_SECONDS = 14 * 24 * 3600
SIGNING_SECONDS = 30 * 24 * 3600

_AGREEMENT_TYPE = [
    ("agreementId", "bytes16"),
    ("productId", "bytes16"),
    ("operatorId", "bytes16"),
    ("buyerId", "bytes16"),
    ("tariffNo", "uint32"),
    ("purpose", "uint8"),
    ("modes", "uint8"),
    ("validFrom", "uint64"),
    ("validUntil", "uint64"),
    ("quotaUnits", "uint64"),
    ("platformLiabilityPpm", "uint32"),
    ("outcomePpm", "uint32"),
    ("teamMax", "uint8"),
    ("isAcceptedByUse", "bool"),
    ("termsDigest", "bytes32"),
    ("deadline", "uint64"),
]


class QuoteRequest(Part):
    """What a buyer would pay for a number of units of a product in a purpose."""

    product_id: Id
    purpose: PurposeField
    units: Uint64Field
    already_used_units: Uint64Field = 0


class AgreementDraft(Part):
    """The particulars of an agreement; it fixes the tariff that was quoted, or the one in force.

    Signed by the operator it is a quote: good until its deadline, whatever is published meanwhile.
    """

    agreement_id: Id = Field(default_factory=fresh_id)
    product_id: Id
    buyer_id: Id
    purpose: PurposeField
    modes: Annotated[list[ModeField], Field(min_length=1)]
    valid_from: InstantField
    valid_until: InstantField
    quota_units: Annotated[int, Field(ge=1, lt=2**64)]
    platform_liability_ppm: PpmField = LIABILITY_FLOOR_PPM
    outcome_ppm: PpmField = 0
    team_max: TeamField = 0
    is_accepted_by_use: bool = False
    """Whether use counts as acceptance (使用即视为验收), so that payments need no hold."""
    tariff_no: Annotated[int, Field(ge=1, lt=2**32)] | None = None
    """Version that was quoted; the one in force when absent."""
    negotiated: list[NegotiatedTerm] = Field(default_factory=list, max_length=50)
    disclaimers_ticked: list[Text] = Field(default_factory=list, max_length=50)
    refund: RefundField = RefundRule.NONE


class Signature(Part):
    """A party's signature of the typed data."""

    signer: AddressField
    signature: Text


class AgreementField(Part):
    """An agreement as it was signed."""

    agreement_id: Id
    product_id: Id
    operator_id: Id
    buyer_id: Id
    tariff_no: Annotated[int, Field(ge=0, lt=2**32)]
    purpose: PurposeField
    modes: Annotated[int, Field(ge=0, lt=2**8)]
    valid_from: InstantField
    valid_until: InstantField
    quota_units: Uint64Field
    platform_liability_ppm: PpmField
    outcome_ppm: PpmField = 0
    team_max: TeamField
    is_accepted_by_use: bool = False
    terms_digest: DigestField
    deadline: InstantField


class GrantLicence(CommandRequest):
    """A licence on an agreement that operator and buyer signed."""

    agreement: AgreementField
    operator: Signature
    buyer: Signature


def quote(market: Market, request: QuoteRequest) -> dict[str, Any]:
    """Return the price of a use under the tariff in force, with the tariff and its caps."""
    with market.read() as connection:
        detail = queries.product(connection, request.product_id)
    is_free = not request.purpose.is_chargeable or detail.tariff is None
    charge = (
        0
        if is_free or detail.tariff is None
        else charge_fen(tariff_of_row(detail.tariff), request.already_used_units, request.units)
    )
    expires_at = market.now_seconds() + QUOTE_VALID_SECONDS
    return {
        "product_id": str(request.product_id),
        "purpose": request.purpose.name.lower(),
        "units": request.units,
        "tariff_no": 0 if is_free else detail.product.tariff_no,
        "charge_fen": charge,
        "bands": [
            {"up_to_units": str(band.up_to_units), "price_micro_yuan": band.price_micro_yuan}
            for band in (detail.tariff.bands if detail.tariff else ())
        ],
        "caps": [
            {"up_to_units": str(cap.up_to_units), "price_micro_yuan": cap.price_micro_yuan}
            for cap in detail.caps
        ],
        "expires_at": instant_text(expires_at),
        "year": year_of(market.now_seconds()),
    }


def draft_agreement(market: Market, draft: AgreementDraft) -> dict[str, Any]:
    """Return the agreement to sign: its fields, its terms (ODRL), its typed data.

    The terms are stored when the agreement is drafted, so that their digest can be opened.

    Raises:
        ValidationError: a disclaimer is not ticked, or a negotiated term is of no part.
        LiabilityFloorError: the platform's share lies below the statutory floor.
    """
    require_ticks(draft.disclaimers_ticked)
    require_floor(draft.platform_liability_ppm)
    with market.read() as connection:
        detail = queries.product(connection, draft.product_id)
    product = detail.product
    require_open(market, draft.product_id, list(draft.modes), draft.purpose)
    tariff_no = (draft.tariff_no or product.tariff_no) if draft.purpose.is_chargeable else 0
    terms = agreement_terms(draft, detail, tariff_no)
    market.documents.save(terms)
    agreement = AgreementField(
        agreement_id=draft.agreement_id,
        product_id=draft.product_id,
        operator_id=product.operator_id,
        buyer_id=draft.buyer_id,
        tariff_no=tariff_no,
        purpose=draft.purpose,
        modes=int(ModeSet.of(list(draft.modes))),
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        quota_units=draft.quota_units,
        platform_liability_ppm=draft.platform_liability_ppm,
        outcome_ppm=draft.outcome_ppm,
        team_max=draft.team_max,
        is_accepted_by_use=draft.is_accepted_by_use,
        terms_digest=terms.digest,
        deadline=market.now_seconds() + SIGNING_SECONDS,
    )
    on_chain = _on_chain(agreement)
    digest = market.contracts.licences.agreement_digest(on_chain, block="latest")
    drafted = {
        "agreement": agreement.model_dump(mode="json"),
        "digest": digest_text(digest),
        "terms": dict(terms.record),
        "typed_data": agreement_typed_data(market, agreement),
    }
    market.drafts.save(digest, drafted)
    return drafted


def sign_agreement(market: Market, account: KeyAccount, draft: dict[str, Any]) -> dict[str, str]:
    """Return a party's signature of a drafted agreement; the typed data are built anew from it."""
    agreement = AgreementField.model_validate(draft["agreement"])
    signature = sign_typed_data(account, agreement_typed_data(market, agreement))
    return {"signer": address_of(account), "signature": digest_text(signature)}


def agreement_typed_data(market: Market, agreement: AgreementField) -> dict[str, Any]:
    """Return the EIP-712 message of an agreement; ids and digests as 0x and hex."""
    domain = market.agreement_domain
    fields = agreement.model_dump(mode="python")
    return typed_message(
        "Agreement", _AGREEMENT_TYPE, domain, wallet_values(_AGREEMENT_TYPE, fields)
    )


def wallet_values(members: list[tuple[str, str]], fields: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a message as a wallet takes them; ids and digests as 0x and hex."""
    values: dict[str, Any] = {}
    for camel, kind in members:
        value = fields[_snake(camel)]
        if kind == "bytes16":
            values[camel] = digest_text(value.bytes)
        elif kind == "bytes32":
            values[camel] = digest_text(value)
        else:
            values[camel] = bool(value) if kind == "bool" else int(value)
    return values


@command("grant-licence", GrantLicence, "Grant a licence on a signed agreement", "授予使用许可")
def grant_licence(market: Market, actor_id: UUID | None, request: GrantLicence) -> Command:
    """Plan the grant; anyone may submit what both sides signed.

    Raises:
        TermsDifferError: the terms kept here under the digest say something else.
    """
    agreement = request.agreement
    require_terms(market, agreement)
    return Command(
        "licences",
        "grantLicence",
        (_on_chain(agreement), signed(request.operator), signed(request.buyer)),
        result={"agreement_id": str(agreement.agreement_id)},
    )


def licence_no_of(market: Market, agreement_id: UUID) -> int:
    """Return the number of the licence that an agreement granted; 0 when it granted none."""
    with market.read() as connection:
        row = queries.licence_of_agreement(connection, agreement_id)
    return row.licence_no if row else 0


def _on_chain(agreement: AgreementField) -> dict[str, Any]:
    fields = agreement.model_dump(mode="python")
    return fields | {"purpose": int(Purpose(fields["purpose"])), "modes": int(fields["modes"])}


def signed(signature: Signature) -> dict[str, Any]:
    """Return a signature as the contract takes it."""
    return {
        "signer": signature.signer,
        "signature": parse_hex(signature.signature, "signature"),
    }


def _snake(camel: str) -> str:
    return "".join("_" + char.lower() if char.isupper() else char for char in camel)
