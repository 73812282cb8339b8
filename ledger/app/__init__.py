"""Use cases, one file each; importing the package fills the table of commands."""

from ledger.app import (
    agreements,
    applying,
    billing,
    corrections,
    datasets,
    ending,
    log_keeping,
    negotiating,
    organisations,
    payments,
    products,
    schemes,
    settlement,
    supplements,
)

__all__ = [
    "agreements",
    "applying",
    "billing",
    "corrections",
    "datasets",
    "ending",
    "log_keeping",
    "negotiating",
    "organisations",
    "payments",
    "products",
    "schemes",
    "settlement",
    "supplements",
]
