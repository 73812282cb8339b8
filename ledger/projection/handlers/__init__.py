"""One pure handler per event: what it means for the tables. Importing this registers them all."""

from __future__ import annotations

from ledger.projection.handlers import market, money, objections, sales, schemes
from ledger.projection.handlers.base import HANDLERS

__all__ = ["HANDLERS", "market", "money", "objections", "sales", "schemes"]
