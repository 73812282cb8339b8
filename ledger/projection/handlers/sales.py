"""Events of LicenceRegistry and UsageLog."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, func, select

from ledger.domain.codes import LicenceState, ProductState
from ledger.projection.handlers.base import change, handles, insert, insert_all
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import (
    anchors,
    caps,
    licences,
    lineage,
    logs,
    products,
    supplements,
    tariffs,
)

_DELETE_CAPS = delete(caps).where(caps.c.product_id == bindparam("product_id"))
_SUPPLEMENT_COUNT = select(func.count()).where(supplements.c.licence_no == bindparam("licence_no"))
_ANCHOR_COUNT = select(func.count()).where(anchors.c.log_no == bindparam("log_no"))
_AGREED = ("terms_digest", "valid_until", "quota_units", "platform_liability_ppm")


@handles("ProductListed")
def product_listed(connection: Connection, event: StoredEvent) -> None:
    """A product is in the catalogue, with its lineage."""
    values = dict(event.args)
    entries = values.pop("lineage")
    insert(
        connection,
        products,
        state=ProductState.LISTED,
        tariff_no=0,
        is_derived=False,
        decision_digest=None,
        listed_at=event.block_time,
        **values,
    )
    key = {"product_id": values["product_id"]}
    insert_all(
        connection, lineage, [key | entry | {"position": i} for i, entry in enumerate(entries)]
    )


@handles("ProductStateSet")
def product_state_set(connection: Connection, event: StoredEvent) -> None:
    """A product is suspended, restored or withdrawn."""
    change(
        connection,
        products,
        {"product_id": event.args["product_id"]},
        state=event.args["state"],
        decision_digest=event.args["decision_digest"],
    )


@handles("CapsApproved")
def caps_approved(connection: Connection, event: StoredEvent) -> None:
    """Ceiling prices are approved in place of the former ones."""
    values = dict(event.args)
    connection.execute(_DELETE_CAPS, {"product_id": values["product_id"]})
    insert(connection, caps, bands=values.pop("caps"), approved_at=event.block_time, **values)


@handles("TariffPublished")
def tariff_published(connection: Connection, event: StoredEvent) -> None:
    """A tariff is in force from now on; older licences keep theirs."""
    product_id, tariff_no = event.args["product_id"], event.args["tariff_no"]
    insert(
        connection,
        tariffs,
        product_id=product_id,
        tariff_no=tariff_no,
        published_at=event.block_time,
        **event.args["tariff"],
    )
    change(connection, products, {"product_id": product_id}, tariff_no=tariff_no)


@handles("LicenceGranted")
def licence_granted(connection: Connection, event: StoredEvent) -> None:
    """A licence is granted on an agreement that both sides signed."""
    agreement = dict(event.args["agreement"])
    # The deadline bounds the signatures, not the licence.
    agreement.pop("deadline")
    insert(
        connection,
        licences,
        licence_no=event.args["licence_no"],
        agreement_digest=event.args["agreement_digest"],
        agreed_terms_digest=agreement["terms_digest"],
        state=LicenceState.ACTIVE,
        decision_digest=None,
        granted_at=event.block_time,
        tx_hash=event.tx_hash,
        **agreement,
    )


@handles("LicenceSupplemented")
def licence_supplemented(connection: Connection, event: StoredEvent) -> None:
    """A licence is changed by a supplement that both sides signed."""
    licence_no, digest = event.args["licence_no"], event.args["agreement_digest"]
    agreed = {name: event.args["supplement"][name] for name in _AGREED}
    count = connection.execute(_SUPPLEMENT_COUNT, {"licence_no": licence_no}).scalar_one()
    insert(
        connection,
        supplements,
        licence_no=licence_no,
        supplement_no=count + 1,
        previous_digest=event.args["supplement"]["previous_digest"],
        agreement_digest=digest,
        agreed_at=event.block_time,
        **agreed,
    )
    change(connection, licences, {"licence_no": licence_no}, agreement_digest=digest, **agreed)


@handles("LicenceStateSet")
def licence_state_set(connection: Connection, event: StoredEvent) -> None:
    """A licence is suspended, restored or ended."""
    change(
        connection,
        licences,
        {"licence_no": event.args["licence_no"]},
        state=event.args["state"],
        decision_digest=event.args["decision_digest"],
    )


@handles("LogOpened")
def log_opened(connection: Connection, event: StoredEvent) -> None:
    """A log of use begins, empty."""
    insert(connection, logs, size=0, root="0x" + "00" * 32, time_ms=0, **event.args)


@handles("Anchored")
def anchored(connection: Connection, event: StoredEvent) -> None:
    """A log's new head is anchored."""
    values = dict(event.args)
    log_no = values.pop("log_no")
    count = connection.execute(_ANCHOR_COUNT, {"log_no": log_no}).scalar_one()
    insert(
        connection,
        anchors,
        log_no=log_no,
        anchor_no=count + 1,
        anchored_at=event.block_time,
        tx_hash=event.tx_hash,
        **values,
    )
    change(connection, logs, {"log_no": log_no}, **values)
