"""Events of Directory and DatasetRegistry."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from ledger.domain.codes import SIGNER_ROLES_ALL, RegistrationState
from ledger.projection.errors import EventContradictsError
from ledger.projection.handlers.base import change, handles, insert, insert_all
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import (
    cities,
    dataset_versions,
    datasets,
    kinds,
    organisations,
    prepared_works,
    roles,
    signer_terms,
    signers,
    treasury_rules,
    version_parents,
)

_VERSION_OF_DIGEST = select(dataset_versions.c.dataset_id, dataset_versions.c.version_no).where(
    dataset_versions.c.sha256_digest == bindparam("digest")
)
_DELETE_KIND = delete(kinds).where(kinds.c.kind == bindparam("kind"))
_DELETE_SIGNER = delete(signers).where(signers.c.address == bindparam("address"))
_DELETE_WORK = delete(prepared_works).where(
    prepared_works.c.organisation_id == bindparam("organisation_id"),
    prepared_works.c.work_digest == bindparam("work_digest"),
)
_END_TERM = (
    update(signer_terms)
    .where(signer_terms.c.address == bindparam("ended"), signer_terms.c.until_at.is_(None))
    .values(until_block=bindparam("block"), until_at=bindparam("time"))
)
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


@handles("TreasuryRuleSet")
def treasury_rule_set(connection: Connection, event: StoredEvent) -> None:
    """A city's treasury says which part of its public institutions' income it is paid."""
    insert(
        connection,
        treasury_rules,
        in_force_at=event.block_time,
        tx_hash=event.tx_hash,
        **event.args,
    )


@handles("OrganisationAdmitted")
def organisation_admitted(connection: Connection, event: StoredEvent) -> None:
    """An organisation joins with its first signer."""
    organisation_id = event.args["organisation_id"]
    insert(
        connection,
        organisations,
        organisation_id=organisation_id,
        decision_digest=None,
        joint_acts=0,
        **event.args["organisation"],
    )
    _begin_term(connection, event, SIGNER_ROLES_ALL)


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
    _begin_term(connection, event, event.args["roles"])


@handles("SignerRolesSet")
def signer_roles_set(connection: Connection, event: StoredEvent) -> None:
    """An account may use other roles than before."""
    signer_removed(connection, event)
    _begin_term(connection, event, event.args["roles"])


@handles("SignerRemoved")
def signer_removed(connection: Connection, event: StoredEvent) -> None:
    """An account no longer signs."""
    signer = event.args["signer"]
    connection.execute(_DELETE_SIGNER, {"address": signer})
    end = {"ended": signer, "block": event.block_number, "time": event.block_time}
    if connection.execute(_END_TERM, end).rowcount != 1:
        raise EventContradictsError("an account does not sign", field="signer", got=signer)


def _begin_term(connection: Connection, event: StoredEvent, roles: int) -> None:
    held = {
        "address": event.args["signer"],
        "organisation_id": event.args["organisation_id"],
        "roles": roles,
    }
    insert(connection, signers, **held)
    insert(
        connection,
        signer_terms,
        from_event_no=event.event_no,
        from_block=event.block_number,
        from_at=event.block_time,
        until_block=None,
        until_at=None,
        **held,
    )


@handles("JointActsSet")
def joint_acts_set(connection: Connection, event: StoredEvent) -> None:
    """An organisation says which of its acts take two."""
    key = {"organisation_id": event.args["organisation_id"]}
    change(connection, organisations, key, joint_acts=event.args["joint_acts"])


@handles("WorkPrepared")
def work_prepared(connection: Connection, event: StoredEvent) -> None:
    """An account prepared a call for another; who prepares it last counts."""
    key = {name: event.args[name] for name in ("organisation_id", "work_digest")}
    connection.execute(_DELETE_WORK, key)
    insert(
        connection,
        prepared_works,
        **key,
        address=event.args["signer"],
        prepared_at=event.block_time,
        tx_hash=event.tx_hash,
    )


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
        registration_code=None,
        valid_until=0,
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


@handles("DatasetSuspensionSet")
def dataset_suspension_set(connection: Connection, event: StoredEvent) -> None:
    """A dataset is suspended or restored."""
    change(
        connection,
        datasets,
        {"dataset_id": event.args["dataset_id"]},
        is_suspended=event.args["is_suspended"],
    )
