"""What licences grant, for those who check uses in bulk."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger.domain.codes import LicenceState
from ledger.projection.tables import events, licences


class LicenceTermsRow(NamedTuple):
    """What a licence grants now. Times are Unix seconds, `modes` a bitmap."""

    licence_no: int
    modes: int
    purpose: int
    valid_from: int
    valid_until: int
    quota_units: int
    pauses: tuple[tuple[int, int], ...] = ()
    """Suspensions that were lifted: from, and until before which."""


def terms_of_licences(connection: Connection) -> list[LicenceTermsRow]:
    """Return the terms of every licence by number.

    A licence that is suspended or ended is valid until the moment when it stopped being active.
    """
    query = select(*(licences.c[name] for name in LicenceTermsRow._fields if name != "pauses"))
    stopped, pauses = _inactive(connection)
    found = connection.execute(query.order_by(licences.c.licence_no))
    terms = [
        LicenceTermsRow(*row)._replace(pauses=tuple(pauses.get(row.licence_no, ())))
        for row in found
    ]
    return [
        row._replace(valid_until=min(row.valid_until, stopped[row.licence_no]))
        if row.licence_no in stopped
        else row
        for row in terms
    ]


def _inactive(
    connection: Connection,
) -> tuple[dict[int, int], defaultdict[int, list[tuple[int, int]]]]:
    """Return since when licences that are not active are so, and when others were not."""
    query = select(events.c.args, events.c.block_time).where(
        events.c.contract == "LicenceRegistry", events.c.name == "LicenceStateSet"
    )
    stopped: dict[int, int] = {}
    pauses: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for args, moment in connection.execute(query.order_by(events.c.event_no)):
        number = args["licence_no"]
        if args["state"] != LicenceState.ACTIVE:
            stopped.setdefault(number, moment)
        elif number in stopped:
            pauses[number].append((stopped.pop(number), moment))
    return stopped, pauses
