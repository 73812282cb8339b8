"""Use cases, one file each; importing the package fills the table of commands."""

from ledger.app import (
    agreements,
    billing,
    calendars,
    corrections,
    datasets,
    log_keeping,
    organisations,
    payments,
    products,
    schemes,
    settlement,
)

__all__ = [
    "agreements",
    "billing",
    "calendars",
    "corrections",
    "datasets",
    "log_keeping",
    "organisations",
    "payments",
    "products",
    "schemes",
    "settlement",
]
