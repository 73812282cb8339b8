"""What licences grant, for those who check uses in bulk."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from sqlalchemy import Connection, or_, select

from ledger.domain.codes import LicenceState, OpenClass, Sensitivity
from ledger.projection.tables import datasets, events, licences, lineage


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

    A licence that is suspended or ended is valid until the moment when it stopped being active, and
    so is one over a dataset that was closed: 不予开放, too sensitive, or suspended.
    """
    query = select(*(licences.c[name] for name in LicenceTermsRow._fields if name != "pauses"))
    stopped, pauses = _inactive(connection)
    for licence_no, moment in _closed_at(connection):
        stopped[licence_no] = min(moment, stopped.get(licence_no, moment))
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


def _closed_at(connection: Connection) -> list[tuple[int, int]]:
    """Return the licences over closed datasets, and since when each dataset is closed."""
    is_closed = or_(
        datasets.c.open_class == OpenClass.NOT_OPEN,
        datasets.c.sensitivity != Sensitivity.GENERAL,
        datasets.c.is_suspended,
    )
    query = (
        select(licences.c.licence_no, datasets.c.dataset_id)
        .join(lineage, lineage.c.product_id == licences.c.product_id)
        .join(datasets, datasets.c.dataset_id == lineage.c.claimant_id)
        .where(is_closed)
    )
    pairs = [(row.licence_no, str(row.dataset_id)) for row in connection.execute(query)]
    since = _closings(connection) if pairs else {}
    return [(number, since[dataset_id]) for number, dataset_id in pairs if dataset_id in since]


def _closings(connection: Connection) -> dict[str, int]:
    """Return since when each dataset is closed, by its decisions in their order."""
    query = select(events.c.name, events.c.args, events.c.block_time).where(
        events.c.contract == "DatasetRegistry",
        events.c.name.in_(("DatasetClassified", "DatasetSuspensionSet")),
    )
    reasons: dict[str, set[str]] = {}
    since: dict[str, int] = {}
    for name, args, moment in connection.execute(query.order_by(events.c.event_no)):
        found = reasons.setdefault(args["dataset_id"], set())
        if _closes(args):
            found.add(name)
        else:
            found.discard(name)
        if not found:
            since.pop(args["dataset_id"], None)
        else:
            since.setdefault(args["dataset_id"], moment)
    return since


def _closes(args: dict[str, Any]) -> bool:
    """Return whether a classification or a suspension closes its dataset."""
    if "is_suspended" in args:
        return bool(args["is_suspended"])
    return bool(
        args["open_class"] == OpenClass.NOT_OPEN or args["sensitivity"] != Sensitivity.GENERAL
    )
