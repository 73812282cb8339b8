"""Errors of the money layer; malformed values are refused earlier, by `ledger.domain.money`."""

from __future__ import annotations

from ledger.domain.errors import LedgerError


class RevenueError(LedgerError):
    """Base of all errors of charging, splitting, remitting and closing."""

    code = "revenue.error"


class PriceAboveCapError(RevenueError):
    """A band's price exceeds the cap (上限收费标准) of a band that it overlaps."""

    code = "revenue.price_above_cap"


class UnknownClaimantError(RevenueError):
    """A lineage or a pool names a claimant for whom the scheme approved no cost."""

    code = "revenue.unknown_claimant"


class SplitSumError(RevenueError):
    """The lines of a split do not sum to its income."""

    code = "revenue.split_sum"


class EntitlementExceededError(RevenueError):
    """Posting a split would carry a balance above what the scheme approved, or below zero."""

    code = "revenue.entitlement_exceeded"


class PermittedIncomeAbsentError(RevenueError):
    """A deviation is asked of a scheme that has no permitted income to deviate from."""

    code = "revenue.permitted_income_absent"


class AncestorCountError(RevenueError):
    """More ancestors of a derived product have a share than one split may pay."""

    code = "revenue.ancestor_count"


class OutcomeCapError(RevenueError):
    """Outcome shares exceed what the agreement caps them at, or what there is."""

    code = "revenue.outcome_cap"


class OperatorResellsError(RevenueError):
    """The operator of a product, or its affiliate, would sell what is derived from it."""

    code = "revenue.operator_resells"


class RefundUnmatchedError(RevenueError):
    """A refund has neither amount nor weights of an income that is still to be refunded."""

    code = "revenue.refund_unmatched"
