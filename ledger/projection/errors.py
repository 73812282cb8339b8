"""The errors of the projection layer."""

from __future__ import annotations

from ledger.domain.errors import LedgerError


class ProjectionError(LedgerError):
    """Base of everything that goes wrong between events and tables."""

    code = "projection.error"


class UnknownEventError(ProjectionError):
    """No handler knows this event: the software is older than the contracts."""

    code = "projection.unknown_event"


class EventContradictsError(ProjectionError):
    """An event does not fit what the events before it say."""

    code = "projection.event_contradicts"


class NotFoundError(ProjectionError):
    """There is no such organisation, dataset, product, licence, invoice …"""

    code = "projection.not_found"
