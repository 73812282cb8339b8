"""Negotiations (协商): offers and counter-offers in turn, up to the agreement both sign.

Rules kept here:
1. Every offer is a document that names the digest of the one before; the party's signature of the
   command covers its digest, and the chain keeps the order.
2. An offer stands until its deadline; then only an end is possible.
3. The agreement is drafted from the last offer, word for word, with the ticks of the buyer.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from ledger.app.agreements import AgreementDraft, draft_agreement
from ledger.app.commands import Command, CommandRequest, command
from ledger.app.datasets import decision_document
from ledger.app.errors import NotNegotiatingError, OfferExpiredError
from ledger.app.fields import (
    Id,
    InstantField,
    ModeField,
    Part,
    PpmField,
    PurposeField,
    Text,
    fresh_id,
)
from ledger.app.licence_documents import NegotiatedTerm, RefundField, TeamField, require_floor
from ledger.app.market import Market
from ledger.codec.documents import Document
from ledger.domain.codes import NegotiationState
from ledger.domain.dealings import Move, Side, next_negotiation
from ledger.domain.ids import ZERO_DIGEST, digest, digest_text
from ledger.domain.standard_terms import LIABILITY_FLOOR_PPM, require_ticks
from ledger.projection import queries
from ledger.revenue.refunds import RefundRule

OFFER_SECONDS = 10 * 24 * 3600


class OfferTerms(Part):
    """What is offered: the particulars of the agreement that would follow."""

    purpose: PurposeField
    modes: Annotated[list[ModeField], Field(min_length=1)]
    valid_from: InstantField
    valid_until: InstantField
    quota_units: Annotated[int, Field(ge=1, lt=2**64)]
    platform_liability_ppm: PpmField = LIABILITY_FLOOR_PPM
    outcome_ppm: PpmField = 0
    team_max: TeamField = 0
    negotiated: list[NegotiatedTerm] = Field(default_factory=list, max_length=50)
    refund: RefundField = RefundRule.NONE


class MakeOffer(CommandRequest):
    """An offer; the first one of a thread names product and buyer. The buyer ticks disclaimers."""

    thread_id: Id = Field(default_factory=fresh_id)
    product_id: Id | None = None
    buyer_id: Id | None = None
    terms: OfferTerms
    disclaimers_ticked: list[Text] = Field(default_factory=list, max_length=50)
    message: Annotated[str, Field(max_length=4000)] = ""
    deadline: InstantField | None = None


class AcceptOffer(CommandRequest):
    """The buyer's acceptance of the operator's last offer, with its ticks."""

    thread_id: Id
    disclaimers_ticked: list[Text] = Field(max_length=50)


class ProposeAgreement(CommandRequest):
    """The operator puts forward the agreement that follows from the last offer."""

    thread_id: Id


class FinalizeNegotiation(CommandRequest):
    """The agreement granted its licence."""

    thread_id: Id
    licence_no: Annotated[int, Field(ge=1, lt=2**63)]


class TerminateNegotiation(CommandRequest):
    """A side breaks off, with its reason."""

    thread_id: Id
    reason: Text


@command("make-offer", MakeOffer, "Make an offer or a counter-offer", "要约")
def make_offer(market: Market, actor_id: UUID | None, request: MakeOffer) -> Command:
    """Plan an offer.

    Raises:
        OutOfTurnError, OfferExpiredError, NotNegotiatingError: it is not this side's turn.
        LiabilityFloorError, ValidationError: no agreement may say so.
    """
    require_floor(request.terms.platform_liability_ppm)
    with market.read() as connection:
        thread = queries.find_thread(connection, request.thread_id)
    parties, previous = _parties(market, thread, request, actor_id)
    side = _require_move(market, thread, parties, actor_id, Move.OFFER)
    if side is Side.BUYER:
        require_ticks(request.disclaimers_ticked)
    deadline = request.deadline or market.now_seconds() + OFFER_SECONDS
    offer = Document.new(
        {
            "type": "offer",
            "thread_id": str(request.thread_id),
            "previous_digest": digest_text(previous),
            "by": side.value,
            "terms": request.terms.model_dump(mode="json"),
            "disclaimers_ticked": list(request.disclaimers_ticked),
            "message": request.message,
            "deadline": deadline,
        }
    )
    return Command(
        "negotiations",
        "offer",
        (request.thread_id, parties, previous, offer.digest, deadline),
        (offer,),
        {"thread_id": str(request.thread_id), "offer_digest": digest_text(offer.digest)},
    )


@command("accept-offer", AcceptOffer, "Accept the last offer", "承诺")
def accept_offer(market: Market, actor_id: UUID | None, request: AcceptOffer) -> Command:
    """Plan the acceptance.

    Raises:
        OutOfTurnError, OfferExpiredError, NotNegotiatingError: it is not this side's turn.
        ValidationError: a disclaimer is not ticked.
    """
    require_ticks(request.disclaimers_ticked)
    with market.read() as connection:
        thread = queries.thread(connection, request.thread_id)
    parties = _parties_of(thread)
    _require_move(market, thread, parties, actor_id, Move.ACCEPT)
    acceptance = Document.new(
        {
            "type": "acceptance",
            "thread_id": str(request.thread_id),
            "offer_digest": digest_text(thread.last_digest),
            "disclaimers_ticked": list(request.disclaimers_ticked),
        }
    )
    return Command(
        "negotiations",
        "accept",
        (request.thread_id, parties, thread.last_digest, acceptance.digest),
        (acceptance,),
        {"thread_id": str(request.thread_id)},
    )


@command("propose-agreement", ProposeAgreement, "Put the agreement forward", "提出协议")
def propose_agreement(market: Market, actor_id: UUID | None, request: ProposeAgreement) -> Command:
    """Plan the agreement of the last offer; its draft waits for both signatures.

    Raises:
        OutOfTurnError, OfferExpiredError, NotNegotiatingError: it is not this side's turn.
        DocumentMissingError: the last offer is not kept here.
        ValidationError: a disclaimer is not ticked.
    """
    with market.read() as connection:
        thread = queries.thread(connection, request.thread_id)
    parties = _parties_of(thread)
    _require_move(market, thread, parties, actor_id, Move.AGREE)
    offer = market.documents.require(thread.last_digest).record
    ticked = offer
    if thread.acceptance_digest is not None and thread.state == NegotiationState.ACCEPTED:
        ticked = market.documents.require(thread.acceptance_digest).record
    draft = AgreementDraft.model_validate(
        offer["terms"]
        | {
            "product_id": str(thread.product_id),
            "buyer_id": str(thread.buyer_id),
            "disclaimers_ticked": ticked["disclaimers_ticked"],
        }
    )
    drafted = draft_agreement(market, draft)
    deadline = drafted["agreement"]["deadline"]
    return Command(
        "negotiations",
        "agree",
        (request.thread_id, parties, thread.last_digest, digest(drafted["digest"]), deadline),
        result={"thread_id": str(request.thread_id), "agreement_digest": drafted["digest"]},
    )


@command("finalize-negotiation", FinalizeNegotiation, "Note the licence granted", "协商成交")
def finalize_negotiation(
    market: Market, actor_id: UUID | None, request: FinalizeNegotiation
) -> Command:
    """Plan the end that was wished for.

    Raises:
        OutOfTurnError: no agreement was put forward.
        NotFoundError: the licence is unknown.
    """
    with market.read() as connection:
        thread = queries.thread(connection, request.thread_id)
        licence = queries.licence(connection, request.licence_no)
    next_negotiation(NegotiationState(thread.state), Side.BUYER, Move.FINALIZE)
    return Command(
        "negotiations",
        "finalize",
        (request.thread_id, _parties_of(thread), thread.last_digest, licence.agreement_id),
        result={"thread_id": str(request.thread_id), "licence_no": request.licence_no},
    )


@command("terminate-negotiation", TerminateNegotiation, "Break a negotiation off", "终止协商")
def terminate_negotiation(
    market: Market, actor_id: UUID | None, request: TerminateNegotiation
) -> Command:
    """Plan the break; possible also when the last offer no longer stands.

    Raises:
        OutOfTurnError, NotNegotiatingError: it is final, or not this organisation's.
    """
    with market.read() as connection:
        thread = queries.thread(connection, request.thread_id)
    parties = _parties_of(thread)
    _require_move(market, thread, parties, actor_id, Move.TERMINATE)
    decision = decision_document("negotiation", request.thread_id, request.reason)
    return Command(
        "negotiations",
        "terminate",
        (request.thread_id, parties, thread.last_digest, decision.digest),
        (decision,),
        {"thread_id": str(request.thread_id)},
    )


def _parties(
    market: Market, thread: queries.ThreadRow | None, request: MakeOffer, actor_id: UUID | None
) -> tuple[dict[str, UUID], bytes]:
    """Return a thread's parties and the digest that the offer follows."""
    if thread is not None:
        return _parties_of(thread), thread.last_digest
    if request.product_id is None:
        raise NotNegotiatingError(
            "a new thread names its product", field="product_id", expected="an id"
        )
    with market.read() as connection:
        product = queries.product(connection, request.product_id).product
    buyer_id = request.buyer_id or actor_id
    if buyer_id is None or buyer_id == product.operator_id:
        raise NotNegotiatingError(
            "a new thread names its buyer", field="buyer_id", got=buyer_id, expected="a buyer"
        )
    parties = {
        "product_id": product.product_id,
        "operator_id": product.operator_id,
        "buyer_id": buyer_id,
    }
    return parties, ZERO_DIGEST


def _parties_of(thread: queries.ThreadRow) -> dict[str, UUID]:
    return {
        "product_id": thread.product_id,
        "operator_id": thread.operator_id,
        "buyer_id": thread.buyer_id,
    }


def _require_move(
    market: Market,
    thread: queries.ThreadRow | None,
    parties: dict[str, UUID],
    actor_id: UUID | None,
    move: Move,
) -> Side:
    """Return the side that moves, where it may."""
    sides = {parties["operator_id"]: Side.OPERATOR, parties["buyer_id"]: Side.BUYER}
    side = None if actor_id is None else sides.get(actor_id)
    if side is None:
        raise NotNegotiatingError(
            "the organisation is no party to this negotiation",
            field="thread_id",
            got=str(actor_id),
            expected=[str(party) for party in sides],
        )
    next_negotiation(None if thread is None else NegotiationState(thread.state), side, move)
    if thread is not None and move is not Move.TERMINATE:
        now = market.now_seconds()
        if thread.deadline < now:
            raise OfferExpiredError(
                "the last offer no longer stands (F27)",
                field="deadline",
                got=now,
                expected=thread.deadline,
            )
    return side
