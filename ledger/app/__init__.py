"""Use cases, one file each; importing the package fills the table of commands."""

from ledger.app import (
    agreements,
    billing,
    corrections,
    datasets,
    log_keeping,
    objections,
    organisations,
    payments,
    products,
    schemes,
    settlement,
)

__all__ = [
    "agreements",
    "billing",
    "corrections",
    "datasets",
    "log_keeping",
    "objections",
    "organisations",
    "payments",
    "products",
    "schemes",
    "settlement",
]
