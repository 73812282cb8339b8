"""Conditional use (有条件开放): applications, and what providers decide on them.

Rules kept here:
1. A dataset needs an application only where its provider said so; then the grant of a licence is
   refused without an approved one for the same buyer, purpose and modes that lasts long enough.
2. Form and reasons stay off chain; their salted digests are on it.

Source: DB37/T 3523.5-2024 (form, security commitment); `domain.md` F04.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command
from ledger.app.datasets import decision_document
from ledger.app.errors import NotNegotiatingError
from ledger.app.fields import Id, InstantField, ModeField, PurposeField, Text, fresh_id
from ledger.app.lookup import plain
from ledger.app.market import Market
from ledger.codec.documents import Document
from ledger.domain.codes import ApplicationState, ModeSet, Purpose
from ledger.domain.dealings import Move, Side, next_application
from ledger.projection import queries


class RequireApplication(CommandRequest):
    """Whether a dataset may be licensed only on an approved application."""

    dataset_id: Id
    is_required: bool
    reason: Text


class ApplyForUse(CommandRequest):
    """The form: what for, in which scenario, in which modes, under which security commitment."""

    application_id: Id = Field(default_factory=fresh_id)
    dataset_id: Id
    purpose: PurposeField
    modes: Annotated[list[ModeField], Field(min_length=1)]
    purpose_statement: Text
    scenario: Text
    security_commitment: Text


class DecideApplication(CommandRequest):
    """The provider's decision with its reasons; `valid_until` when it approves."""

    application_id: Id
    is_approved: bool
    valid_until: InstantField = 0
    reason: Text


class WithdrawApplication(CommandRequest):
    """The applicant takes its application back."""

    application_id: Id


@command("require-application", RequireApplication, "Require applications", "设置申请条件")
def require_application(
    market: Market, actor_id: UUID | None, request: RequireApplication
) -> Command:
    """Plan the provider's condition."""
    decision = decision_document("application_rule", request.dataset_id, request.reason)
    return Command(
        "applications",
        "setRequired",
        (request.dataset_id, request.is_required, decision.digest),
        (decision,),
        {"dataset_id": str(request.dataset_id), "is_required": request.is_required},
    )


@command("apply-for-use", ApplyForUse, "Apply for conditional use", "有条件开放申请")
def apply_for_use(market: Market, actor_id: UUID | None, request: ApplyForUse) -> Command:
    """Plan the application; its form stays off chain."""
    form = Document.new({"type": "application_form"} | request.model_dump(mode="json"))
    return Command(
        "applications",
        "submit",
        (
            request.application_id,
            request.dataset_id,
            int(request.purpose),
            int(ModeSet.of(list(request.modes))),
            form.digest,
        ),
        (form,),
        {"application_id": str(request.application_id)},
    )


@command("decide-application", DecideApplication, "Decide on an application", "审核使用申请")
def decide_application(
    market: Market, actor_id: UUID | None, request: DecideApplication
) -> Command:
    """Plan the provider's decision.

    Raises:
        OutOfTurnError: it is decided or withdrawn already.
    """
    _require_step(market, request.application_id, Side.PROVIDER, _decided(request.is_approved))
    decision = decision_document("application", request.application_id, request.reason)
    return Command(
        "applications",
        "decide",
        (request.application_id, request.is_approved, request.valid_until, decision.digest),
        (decision,),
        {"application_id": str(request.application_id), "is_approved": request.is_approved},
    )


@command("withdraw-application", WithdrawApplication, "Withdraw an application", "撤回使用申请")
def withdraw_application(
    market: Market, actor_id: UUID | None, request: WithdrawApplication
) -> Command:
    """Plan the withdrawal.

    Raises:
        OutOfTurnError: it is decided or withdrawn already.
    """
    _require_step(market, request.application_id, Side.APPLICANT, Move.WITHDRAW)
    return Command(
        "applications",
        "withdraw",
        (request.application_id,),
        result={"application_id": str(request.application_id)},
    )


def applications_found(market: Market, party_id: UUID | None = None) -> list[dict[str, Any]]:
    """Return applications with form and decision; a party's (as applicant or provider), or all."""
    found = []
    with market.read() as connection:
        for row in queries.applications_list(connection):
            provider_id = queries.dataset(connection, row.dataset_id).dataset.provider_id
            if party_id in (None, row.applicant_id, provider_id):
                found.append((row, provider_id))
    return [_as_dict(market, row, provider_id) for row, provider_id in found]


def application_found(
    market: Market, application_id: UUID, party_id: UUID | None = None
) -> dict[str, Any]:
    """Return one application.

    Raises:
        NotFoundError: it is unknown.
        NotNegotiatingError: the reader is neither its applicant nor its provider.
    """
    with market.read() as connection:
        row = queries.application(connection, application_id)
        provider_id = queries.dataset(connection, row.dataset_id).dataset.provider_id
    if party_id not in (None, row.applicant_id, provider_id):
        raise NotNegotiatingError("only applicant and provider may read this", got=str(party_id))
    return _as_dict(market, row, provider_id)


def _as_dict(market: Market, row: queries.ApplicationRow, provider_id: UUID) -> dict[str, Any]:
    form = market.documents.find(row.form_digest)
    decision = market.documents.find(row.decision_digest) if row.decision_digest else None
    state = ApplicationState(row.state)
    return plain(row) | {
        "provider_id": str(provider_id),
        "purpose": Purpose(row.purpose).name.lower(),
        "modes": [mode.name.lower() for mode in ModeSet(row.modes).modes()],
        "state": state.name.lower(),
        "is_expired": state == ApplicationState.APPROVED
        and row.valid_until <= market.now_seconds(),
        "scenario": form.record.get("scenario") if form else None,
        "purpose_statement": form.record.get("purpose_statement") if form else None,
        "security_commitment": form.record.get("security_commitment") if form else None,
        "reason": decision.record.get("reason") if decision else None,
    }


def _decided(is_approved: bool) -> Move:
    return Move.APPROVE if is_approved else Move.REFUSE


def _require_step(market: Market, application_id: UUID, side: Side, move: Move) -> None:
    with market.read() as connection:
        state = queries.application(connection, application_id).state
    next_application(ApplicationState(state), side, move)
