"""Errors of the catalogue's use cases."""

from __future__ import annotations

from ledger.app.errors import AppError


class CursorError(AppError):
    """A cursor of the catalogue that was not given for this search."""

    code = "catalogue.cursor"


class NotHarvesterError(AppError):
    """Only the platform and registrars bring another catalogue in."""

    code = "catalogue.not_harvester"
