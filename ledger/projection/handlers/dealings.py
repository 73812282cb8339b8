"""Events of Applications and Negotiations."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete

from ledger.domain.codes import ApplicationState, NegotiationState
from ledger.projection.handlers.base import change, handles, insert
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import application_rules, applications, offers, threads

_DELETE_RULE = delete(application_rules).where(
    application_rules.c.dataset_id == bindparam("dataset_id")
)


@handles("ApplicationRequirementSet")
def application_requirement_set(connection: Connection, event: StoredEvent) -> None:
    """A dataset needs an application from now on, or no longer."""
    dataset_id = event.args["dataset_id"]
    connection.execute(_DELETE_RULE, {"dataset_id": dataset_id})
    insert(
        connection,
        application_rules,
        dataset_id=dataset_id,
        is_required=event.args["is_required"],
        decision_digest=event.args["decision_digest"],
        decided_at=event.block_time,
    )


@handles("ApplicationSubmitted")
def application_submitted(connection: Connection, event: StoredEvent) -> None:
    """A buyer applied for the use of a dataset."""
    insert(
        connection,
        applications,
        state=ApplicationState.SUBMITTED,
        valid_until=0,
        decision_digest=None,
        submitted_at=event.block_time,
        decided_at=None,
        **event.args,
    )


@handles("ApplicationDecided")
def application_decided(connection: Connection, event: StoredEvent) -> None:
    """A provider approved an application until a time, or refused it."""
    is_approved = event.args["is_approved"]
    change(
        connection,
        applications,
        {"application_id": event.args["application_id"]},
        state=ApplicationState.APPROVED if is_approved else ApplicationState.REFUSED,
        valid_until=event.args["valid_until"],
        decision_digest=event.args["decision_digest"],
        decided_at=event.block_time,
    )


@handles("ApplicationWithdrawn")
def application_withdrawn(connection: Connection, event: StoredEvent) -> None:
    """An applicant withdrew before the decision."""
    key = {"application_id": event.args["application_id"]}
    change(connection, applications, key, state=ApplicationState.WITHDRAWN)


@handles("OfferMade")
def offer_made(connection: Connection, event: StoredEvent) -> None:
    """An offer or a counter-offer; the first one opens the thread."""
    args = event.args
    key = {"thread_id": args["thread_id"]}
    standing = {
        "state": args["state"],
        "last_digest": args["offer_digest"],
        "deadline": args["deadline"],
    }
    if args["offer_no"] == 1:
        parties = {name: args[name] for name in ("product_id", "operator_id", "buyer_id")}
        insert(
            connection,
            threads,
            acceptance_digest=None,
            decision_digest=None,
            licence_no=None,
            opened_at=event.block_time,
            **key,
            **parties,
            **standing,
        )
    else:
        change(connection, threads, key, **standing)
    insert(
        connection,
        offers,
        thread_id=args["thread_id"],
        offer_no=args["offer_no"],
        state=args["state"],
        previous_digest=args["previous_digest"],
        offer_digest=args["offer_digest"],
        deadline=args["deadline"],
        offered_at=event.block_time,
        tx_hash=event.tx_hash,
    )


@handles("OfferAccepted")
def offer_accepted(connection: Connection, event: StoredEvent) -> None:
    """The buyer accepted the operator's last offer."""
    change(
        connection,
        threads,
        {"thread_id": event.args["thread_id"]},
        state=NegotiationState.ACCEPTED,
        acceptance_digest=event.args["acceptance_digest"],
    )


@handles("AgreementProposed")
def agreement_proposed(connection: Connection, event: StoredEvent) -> None:
    """The operator put the agreement forward; both sign it."""
    change(
        connection,
        threads,
        {"thread_id": event.args["thread_id"]},
        state=NegotiationState.AGREED,
        last_digest=event.args["agreement_digest"],
        deadline=event.args["deadline"],
    )


@handles("NegotiationFinalized")
def negotiation_finalized(connection: Connection, event: StoredEvent) -> None:
    """The agreement granted its licence."""
    change(
        connection,
        threads,
        {"thread_id": event.args["thread_id"]},
        state=NegotiationState.FINALIZED,
        licence_no=event.args["licence_no"],
    )


@handles("NegotiationTerminated")
def negotiation_terminated(connection: Connection, event: StoredEvent) -> None:
    """A side broke the negotiation off."""
    change(
        connection,
        threads,
        {"thread_id": event.args["thread_id"]},
        state=NegotiationState.TERMINATED,
        decision_digest=event.args["decision_digest"],
    )
