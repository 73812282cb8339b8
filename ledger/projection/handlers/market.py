"""Events of Directory and DatasetRegistry."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select

from ledger.domain.codes import RegistrationState
from ledger.projection.errors import EventContradictsError
from ledger.projection.handlers.base import change, handles, insert, insert_all
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import (
    cities,
    dataset_versions,
    datasets,
    kinds,
    organisations,
    registration_steps,
    roles,
    signers,
    version_parents,
)

_VERSION_OF_DIGEST = select(dataset_versions.c.dataset_id, dataset_versions.c.version_no).where(
    dataset_versions.c.sha256_digest == bindparam("digest")
)
_STEP_COUNT = select(func.count()).where(registration_steps.c.dataset_id == bindparam("dataset_id"))
_DELETE_KIND = delete(kinds).where(kinds.c.kind == bindparam("kind"))
_DELETE_SIGNER = delete(signers).where(signers.c.address == bindparam("address"))
_DELETE_ROLE = delete(roles).where(
    roles.c.organisation_id == bindparam("organisation_id"),
    roles.c.role == bindparam("role"),
    roles.c.city_code == bindparam("city_code"),
)


@handles("CityOpened")
def city_opened(connection: Connection, event: StoredEvent) -> None:
    """A jurisdiction takes part."""
    insert(connection, cities, city_code=event.args["city_code"])


@handles("KindDefined")
def kind_defined(connection: Connection, event: StoredEvent) -> None:
    """A kind of organisation has a rule, or a new one."""
    connection.execute(_DELETE_KIND, {"kind": event.args["kind"]})
    insert(connection, kinds, kind=event.args["kind"], **event.args["rule"])


@handles("OrganisationAdmitted")
def organisation_admitted(connection: Connection, event: StoredEvent) -> None:
    """An organisation joins with its first signer."""
    organisation_id = event.args["organisation_id"]
    insert(
        connection,
        organisations,
        organisation_id=organisation_id,
        decision_digest=None,
        **event.args["organisation"],
    )
    insert(connection, signers, address=event.args["signer"], organisation_id=organisation_id)


@handles("OrganisationStatusSet")
def organisation_status_set(connection: Connection, event: StoredEvent) -> None:
    """An organisation is suspended or restored."""
    change(
        connection,
        organisations,
        {"organisation_id": event.args["organisation_id"]},
        status=event.args["status"],
        decision_digest=event.args["decision_digest"],
    )


@handles("SignerAdded")
def signer_added(connection: Connection, event: StoredEvent) -> None:
    """Another account signs for an organisation."""
    insert(
        connection,
        signers,
        address=event.args["signer"],
        organisation_id=event.args["organisation_id"],
    )


@handles("SignerRemoved")
def signer_removed(connection: Connection, event: StoredEvent) -> None:
    """An account no longer signs."""
    connection.execute(_DELETE_SIGNER, {"address": event.args["signer"]})


@handles("RoleGranted")
def role_granted(connection: Connection, event: StoredEvent) -> None:
    """An organisation may act in a role in a city."""
    insert(connection, roles, **event.args)


@handles("RoleRevoked")
def role_revoked(connection: Connection, event: StoredEvent) -> None:
    """An organisation may no longer act in a role in a city."""
    connection.execute(_DELETE_ROLE, event.args)


@handles("DeskAppointed")
def desk_appointed(connection: Connection, event: StoredEvent) -> None:
    """The market has its objection desk; no table keeps where it stands."""


@handles("DatasetEvidenced")
def dataset_evidenced(connection: Connection, event: StoredEvent) -> None:
    """A dataset's evidence is deposited; its first version follows as an event of its own."""
    insert(
        connection,
        datasets,
        provider_id=event.args["provider_id"],
        city_code=event.args["city_code"],
        state=RegistrationState.EVIDENCED,
        grade=0,
        is_suspended=False,
        quality_report_digest=None,
        latest_version_no=0,
        evidenced_at=event.block_time,
        **event.args["registration"],
    )


@handles("VersionAdded")
def version_added(connection: Connection, event: StoredEvent) -> None:
    """A version's content is registered, with the versions that it was made from."""
    dataset_id, version_no = event.args["dataset_id"], event.args["version_no"]
    insert(
        connection,
        dataset_versions,
        dataset_id=dataset_id,
        version_no=version_no,
        registered_at=event.block_time,
        tx_hash=event.tx_hash,
        **event.args["version"],
    )
    parents = [_parent(connection, digest) for digest in event.args["parents"]]
    key = {"dataset_id": dataset_id, "version_no": version_no}
    rows = [key | parent | {"position": i} for i, parent in enumerate(parents)]
    insert_all(connection, version_parents, rows)
    change(connection, datasets, {"dataset_id": dataset_id}, latest_version_no=version_no)


def _parent(connection: Connection, digest: str) -> dict[str, Any]:
    row = connection.execute(_VERSION_OF_DIGEST, {"digest": digest}).one_or_none()
    if row is None:
        raise EventContradictsError("a parent was never registered", field="parents", got=digest)
    return {
        "parent_digest": digest,
        "parent_dataset_id": row.dataset_id,
        "parent_version_no": row.version_no,
    }


@handles("RegistrationAdvanced")
def registration_advanced(connection: Connection, event: StoredEvent) -> None:
    """The registration goes one step on."""
    args = event.args
    dataset_id = args["dataset_id"]
    steps = connection.execute(_STEP_COUNT, {"dataset_id": dataset_id}).scalar_one()
    insert(
        connection,
        registration_steps,
        dataset_id=dataset_id,
        step_no=steps + 1,
        from_state=args["from"],
        to_state=args["to"],
        actor_id=args["actor_id"],
        decision_digest=args["decision_digest"],
        decided_at=event.block_time,
        tx_hash=event.tx_hash,
    )
    change(connection, datasets, {"dataset_id": dataset_id}, state=args["to"])


@handles("DatasetClassified")
def dataset_classified(connection: Connection, event: StoredEvent) -> None:
    """Open class and sensitivity are decided anew."""
    change(
        connection,
        datasets,
        {"dataset_id": event.args["dataset_id"]},
        open_class=event.args["open_class"],
        sensitivity=event.args["sensitivity"],
    )


@handles("QualityInspected")
def quality_inspected(connection: Connection, event: StoredEvent) -> None:
    """A dataset was inspected and has a grade."""
    change(
        connection,
        datasets,
        {"dataset_id": event.args["dataset_id"]},
        grade=event.args["grade"],
        quality_report_digest=event.args["report_digest"],
    )


@handles("DatasetSuspensionSet")
def dataset_suspension_set(connection: Connection, event: StoredEvent) -> None:
    """A dataset is suspended or restored."""
    change(
        connection,
        datasets,
        {"dataset_id": event.args["dataset_id"]},
        is_suspended=event.args["is_suspended"],
    )
