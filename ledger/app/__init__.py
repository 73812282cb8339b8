"""Use cases, one file each; importing the package fills the table of commands."""

from ledger.app import (
    agreements,
    billing,
    calendars,
    corrections,
    datasets,
    duties,
    log_keeping,
    opening,
    organisations,
    payments,
    products,
    registration,
    schemes,
    settlement,
)

__all__ = [
    "agreements",
    "billing",
    "calendars",
    "corrections",
    "datasets",
    "duties",
    "log_keeping",
    "opening",
    "organisations",
    "payments",
    "products",
    "registration",
    "schemes",
    "settlement",
]
