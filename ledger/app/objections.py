"""Objections: open one, take it through its steps, decide it, have it executed.

Statements, evidence and reasons are documents off chain. The same fact has the same digest, so that
the desk refuses to hear it twice.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command
from ledger.app.errors import NotExecutedError
from ledger.app.fields import (
    DigestField,
    EvidenceField,
    GroundField,
    Id,
    InstantField,
    ObjectionStateField,
    OutcomeField,
    Part,
    PpmField,
    ReliefRouteField,
    SubjectKindField,
    Text,
    fresh_id,
)
from ledger.app.market import Market
from ledger.codec.documents import Document
from ledger.domain.codes import Role
from ledger.domain.errors import MalformedValueError
from ledger.domain.ids import digest_text
from ledger.domain.objections import (
    RESPONSIBLE,
    ObjectionState,
    SubjectKind,
    parse_subject,
    require_evidence,
)
from ledger.domain.units import AMOUNT_FEN_MAX
from ledger.projection import queries


class Evidence(Part):
    """A piece of evidence; `file_digest` is the SHA-256 of its file."""

    kind: EvidenceField
    text: Text
    file_digest: DigestField | None = None


class OpenObjection(CommandRequest):
    """An objection. Without `respondent_id`, whoever answers for the ground by default."""

    objection_id: Id = Field(default_factory=fresh_id)
    subject_kind: SubjectKindField
    subject: Text
    ground: GroundField
    respondent_id: Id | None = None
    fact: Text
    statement: Text
    evidence: Annotated[list[Evidence], Field(min_length=1, max_length=16)]


class StepObjection(CommandRequest):
    """One step of a case with its document's text."""

    objection_id: Id
    to: ObjectionStateField
    text: Text


class ExecuteObjection(CommandRequest):
    """The execution; `reference` is the digest of the correction's or treatment's document.

    A refund's is found: the document of the invoice's last reduction since the decision.
    """

    objection_id: Id
    reference: DigestField | None = None


class ActOnObjection(CommandRequest):
    """A suspension or an extension with its reason."""

    objection_id: Id
    reason: Text


class EscalateObjection(CommandRequest):
    """A late case, for the authority of its city."""

    objection_id: Id


class LiabilityShare(Part):
    """One organisation's part of the liability."""

    organisation_id: Id
    share_ppm: PpmField


class DecideObjection(CommandRequest):
    """A decision; shares sum to 1,000,000 ppm, none for a dismissal."""

    objection_id: Id
    outcome: OutcomeField
    refund_fen: Annotated[int, Field(ge=0, le=AMOUNT_FEN_MAX)] = 0
    shares: Annotated[list[LiabilityShare], Field(max_length=8)] = Field(default_factory=list)
    reason: Text


class NoticeRelief(CommandRequest):
    """A relief notice: the route, and until when it is open (Unix seconds)."""

    objection_id: Id
    route: ReliefRouteField
    limit_at: InstantField
    text: Text


@command("open-objection", OpenObjection, "Open an objection", "提出异议")
def open_objection(market: Market, actor_id: UUID | None, request: OpenObjection) -> Command:
    """Plan the opening; the kinds of evidence must belong to the ground.

    Raises:
        EvidenceKindError: one does not.
        MalformedValueError: the subject is no id, or nobody is known to answer.
    """
    require_evidence(request.ground, [item.kind for item in request.evidence])
    subject_id = parse_subject(request.subject_kind, request.subject)
    respondent_id = request.respondent_id or _respondent(market, request, subject_id)
    fact = _fact(market, request.fact)
    statement = _document("statement", request.objection_id, request.statement)
    evidence = [_evidence(request.objection_id, item) for item in request.evidence]
    claim = {
        "objection_id": request.objection_id,
        "subject_id": subject_id,
        "respondent_id": respondent_id,
        "subject_kind": int(request.subject_kind),
        "ground": int(request.ground),
        "fact_digest": fact.digest,
        "statement_digest": statement.digest,
    }
    digests = [item.digest for item in evidence]
    result = {"objection_id": str(request.objection_id), "respondent_id": str(respondent_id)}
    return Command("objections", "open", (claim, digests), (fact, statement, *evidence), result)


@command("advance-objection", StepObjection, "Take an objection one step on", "异议流转")
def advance_objection(market: Market, actor_id: UUID | None, request: StepObjection) -> Command:
    """Plan one step: acceptance, refusal, response, verification, close, or withdrawal."""
    document = _document(request.to.name.lower(), request.objection_id, request.text)
    return _advance(request.objection_id, int(request.to), document.digest, (document,))


@command("execute-objection", ExecuteObjection, "Record that a decision is executed", "异议执行")
def execute_objection(market: Market, actor_id: UUID | None, request: ExecuteObjection) -> Command:
    """Plan the execution; the desk checks that a refund was made.

    Raises:
        NotExecutedError: no reference is given, and no correction was made since the decision.
        NotFoundError: the case is unknown.
    """
    reference = request.reference or _correction(market, request.objection_id)
    return _advance(request.objection_id, int(ObjectionState.EXECUTED), reference, ())


@command("suspend-objected", ActOnObjection, "Suspend what an objection is about", "异议中止")
def suspend_objected(market: Market, actor_id: UUID | None, request: ActOnObjection) -> Command:
    """Plan a suspension in a case."""
    return _act("suspend", request)


@command("extend-objection", ActOnObjection, "Extend the time to decide, once", "异议延期")
def extend_objection(market: Market, actor_id: UUID | None, request: ActOnObjection) -> Command:
    """Plan the one extension."""
    return _act("extend", request)


@command("escalate-objection", EscalateObjection, "Escalate a late objection", "异议督办")
def escalate_objection(
    market: Market, actor_id: UUID | None, request: EscalateObjection
) -> Command:
    """Plan the escalation of a late case; anybody in the market may."""
    result = {"objection_id": str(request.objection_id)}
    return Command("objections", "escalate", (request.objection_id,), result=result)


@command("decide-objection", DecideObjection, "Decide an objection", "异议处理决定")
def decide_objection(market: Market, actor_id: UUID | None, request: DecideObjection) -> Command:
    """Plan the decision; its effects on the subject are the same transaction."""
    document = _document("decision", request.objection_id, request.reason)
    shares: list[dict[str, Any]] = [
        {"organisation_id": share.organisation_id, "share_ppm": share.share_ppm}
        for share in sorted(request.shares, key=lambda share: share.organisation_id)
    ]
    args = (
        request.objection_id,
        int(request.outcome),
        request.refund_fen,
        shares,
        document.digest,
    )
    result = {
        "objection_id": str(request.objection_id),
        "outcome": request.outcome.name.lower(),
        "document_digest": digest_text(document.digest),
    }
    return Command("objections", "decide", args, (document,), result)


@command("notice-relief", NoticeRelief, "Serve the relief notice", "救济告知")
def notice_relief(market: Market, actor_id: UUID | None, request: NoticeRelief) -> Command:
    """Plan the relief notice."""
    document = _document("relief_notice", request.objection_id, request.text)
    args = (request.objection_id, int(request.route), request.limit_at, document.digest)
    result = {"objection_id": str(request.objection_id), "route": request.route.name.lower()}
    return Command("objections", "notify", args, (document,), result)


def _correction(market: Market, objection_id: UUID) -> bytes:
    """Return the document of the last reduction of a case's invoice since its decision."""
    with market.read() as connection:
        case = queries.objection(connection, objection_id)
        steps = queries.steps_of_objection(connection, objection_id)
        made = queries.reductions_of(connection, case.subject_id)
    decided_at = max((step.happened_at for step in steps if step.kind == "decided"), default=0)
    later = [row.document_digest for row in made if decided_at and row.recorded_at >= decided_at]
    if not later:
        raise NotExecutedError(
            "nothing was corrected since the decision; name what was done",
            field="reference",
            got=str(objection_id),
            expected="the digest of a document",
        )
    return later[-1]


def _advance(
    objection_id: UUID, to: int, digest: bytes, documents: tuple[Document, ...]
) -> Command:
    result = {"objection_id": str(objection_id), "document_digest": digest_text(digest)}
    return Command("objections", "advance", (objection_id, to, digest), documents, result)


def _act(function: str, request: ActOnObjection) -> Command:
    document = _document(function, request.objection_id, request.reason)
    result = {"objection_id": str(request.objection_id)}
    args = (request.objection_id, document.digest)
    return Command("objections", function, args, (document,), result)


def _document(kind: str, objection_id: UUID, text: str) -> Document:
    record = {"type": f"objection_{kind}", "objection_id": str(objection_id), "text": text}
    return Document.new(record)


def _evidence(objection_id: UUID, item: Evidence) -> Document:
    record = {
        "type": "objection_evidence",
        "objection_id": str(objection_id),
        "kind": item.kind.name.lower(),
        "text": item.text,
        "file_digest": digest_text(item.file_digest) if item.file_digest else None,
    }
    return Document.new(record)


def _fact(market: Market, text: str) -> Document:
    """Return the fact's document, the same for the same words however they are spaced."""
    plain = " ".join(text.split()).casefold()
    salt = market.secrets.salt_for("fact", plain)
    return Document({"type": "objection_fact", "text": plain}, salt)


def _respondent(market: Market, request: OpenObjection, subject_id: UUID) -> UUID:
    """Return the party that answers for the ground by default."""
    parties = _parties(market, request.subject_kind, subject_id)
    for role in RESPONSIBLE[request.ground]:
        # What is sold is answered for by who sells it: products name providers by digest only.
        found = parties.get(role) or (role == Role.PROVIDER and parties.get(Role.OPERATOR))
        if found:
            return found
    raise MalformedValueError(
        "nobody answers for this ground by default; name the respondent",
        field="respondent_id",
        expected=[role.name.lower() for role in RESPONSIBLE[request.ground]],
    )


def _parties(market: Market, kind: SubjectKind, subject_id: UUID) -> dict[Role, UUID]:
    with market.read() as connection:
        platforms = queries.organisations_list(connection, role=Role.PLATFORM)
        found = {Role.PLATFORM: platforms[0].organisation_id} if platforms else {}
        if kind is SubjectKind.DATASET:
            dataset = queries.dataset(connection, subject_id).dataset
            return found | {Role.PROVIDER: dataset.provider_id}
        product_id = subject_id
        if kind is not SubjectKind.PRODUCT:
            licence_no = subject_id.int
            if kind is SubjectKind.INVOICE:
                licence_no = queries.invoice(connection, subject_id).licence_no
            licence = queries.licence(connection, licence_no)
            product_id = licence.product_id
            found[Role.BUYER] = licence.buyer_id
        operator_id = queries.product(connection, product_id).product.operator_id
        return found | {Role.OPERATOR: operator_id}
