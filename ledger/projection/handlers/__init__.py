"""One pure handler per event: what it means for the tables. Importing this registers them all."""

from __future__ import annotations

from ledger.projection.handlers import (
    calendars,
    dealings,
    market,
    money,
    objections,
    outcomes,
    registration,
    remittances,
    sales,
    schemes,
)
from ledger.projection.handlers.base import HANDLERS

__all__ = [
    "HANDLERS",
    "calendars",
    "dealings",
    "market",
    "money",
    "objections",
    "outcomes",
    "registration",
    "remittances",
    "sales",
    "schemes",
]
