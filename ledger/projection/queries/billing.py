"""Reads of many licences at once, for bills that are made together."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, select

from ledger.projection.queries.base import columns, records
from ledger.projection.queries.sales import LicenceRow
from ledger.projection.tables import invoices, licences, products


def licences_of(connection: Connection, licence_nos: Collection[int]) -> dict[int, LicenceRow]:
    """Return licences by their numbers; unknown ones are left out."""
    query = select(*columns(licences, LicenceRow)).where(licences.c.licence_no.in_(licence_nos))
    return {row.licence_no: row for row in records(connection, query, LicenceRow)}


def billed_units_of(
    connection: Connection, licence_nos: Collection[int], log_no: int
) -> dict[int, int]:
    """Return the units of licences billed so far in one log; 0 for those never billed."""
    query = select(invoices.c.licence_no, invoices.c.to_units).where(
        invoices.c.log_no == log_no, invoices.c.licence_no.in_(licence_nos)
    )
    found = dict.fromkeys(licence_nos, 0)
    for licence_no, to_units in connection.execute(query):
        found[licence_no] = max(found[licence_no], int(to_units))
    return found


def licence_nos_of(connection: Connection, operator_id: UUID, city_code: int) -> list[int]:
    """Return the licences of an operator's products in a city, in their order."""
    query = (
        select(licences.c.licence_no)
        .join(products, products.c.product_id == licences.c.product_id)
        .where(products.c.operator_id == operator_id, products.c.city_code == city_code)
    )
    return list(connection.execute(query.order_by(licences.c.licence_no)).scalars())
