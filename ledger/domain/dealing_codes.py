"""Code lists of what comes before a licence; `codes` offers them with all others."""

from __future__ import annotations

from enum import IntEnum


class ApplicationState(IntEnum):
    """State of an application for conditional use; expiry follows from its date."""

    SUBMITTED = 1
    APPROVED = 2
    REFUSED = 3
    WITHDRAWN = 4


class NegotiationState(IntEnum):
    """State of a negotiation (Dataspace Protocol); the buyer's VERIFIED is its signature."""

    REQUESTED = 1
    OFFERED = 2
    ACCEPTED = 3
    AGREED = 4
    FINALIZED = 5
    TERMINATED = 6
