"""Use cases, one file each; importing the package fills the table of commands."""

from ledger.app import (
    agreements,
    billing,
    datasets,
    log_keeping,
    organisations,
    payments,
    products,
    settlement,
)

__all__ = [
    "agreements",
    "billing",
    "datasets",
    "log_keeping",
    "organisations",
    "payments",
    "products",
    "settlement",
]
