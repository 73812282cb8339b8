"""Accounts of an organisation: who may use which role, what takes two, work for another.

Every command here is an administrator's but the last two.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from ledger.app.commands import Command, CommandRequest, command, parse_request, spec_of
from ledger.app.errors import PreparedMismatchError
from ledger.app.fields import AddressField, DigestField, Text, checked
from ledger.app.market import Market
from ledger.app.work import Work
from ledger.chain.contracts import Contract, decode_calldata
from ledger.domain.codes import ADMINISTRATION, JointAct, Role, parse_code
from ledger.domain.ids import digest_text
from ledger.projection import queries

_ADMINISTRATION = "administration"


def roles_bitmap(names: list[str]) -> int:
    """Return the bitmap of roles by name; `administration` is one of them.

    Raises:
        UnknownCodeError: a name is none of them.
    """
    return sum(
        {
            ADMINISTRATION if name == _ADMINISTRATION else 1 << parse_code(Role, name, "roles")
            for name in names
        }
    )


def role_names(roles: int) -> list[str]:
    """Return the names of a bitmap of roles."""
    names = [role.name.lower() for role in Role if roles >> role & 1]
    return [*names, _ADMINISTRATION] if roles & ADMINISTRATION else names


def act_names(acts: int) -> list[str]:
    """Return the names of a bitmap of acts that take two."""
    return [act.name.lower() for act in JointAct if acts >> act & 1]


def _role_name(value: Any) -> str:
    return str(value) if value == _ADMINISTRATION else parse_code(Role, value, "roles").name.lower()


RoleName = Annotated[str, checked(_role_name)]
ActName = Annotated[str, checked(lambda value: parse_code(JointAct, value, "acts").name.lower())]
RoleNames = Annotated[list[RoleName], Field(min_length=1, max_length=len(Role) + 1)]


class SignerRoles(CommandRequest):
    """An account and the roles that it may use; `administration` lets it change the others."""

    signer: AddressField
    roles: RoleNames


class SignerLeaves(CommandRequest):
    """An account that signs no longer."""

    signer: AddressField


class JointActs(CommandRequest):
    """Acts that take two accounts: one prepares, another makes the call."""

    acts: Annotated[list[ActName], Field(max_length=len(JointAct))]


class PrepareWork(CommandRequest):
    """A command and its body, for another account of the same organisation to make."""

    command: Text
    body: dict[str, Any]


class PerformWork(CommandRequest):
    """Work that another account prepared."""

    work_digest: DigestField


@command("add-signer", SignerRoles, "Let an account sign for your organisation", "增加签署账户")
def add_signer(market: Market, actor_id: UUID | None, request: SignerRoles) -> Command:
    """Plan that an account signs."""
    return Command("directory", "addSigner", (request.signer, roles_bitmap(request.roles)))


@command("set-signer-roles", SignerRoles, "Change what an account may use", "变更签署权限")
def set_signer_roles(market: Market, actor_id: UUID | None, request: SignerRoles) -> Command:
    """Plan a change of what an account may use."""
    return Command("directory", "setSignerRoles", (request.signer, roles_bitmap(request.roles)))


@command("remove-signer", SignerLeaves, "End an account's right to sign", "移除签署账户")
def remove_signer(market: Market, actor_id: UUID | None, request: SignerLeaves) -> Command:
    """Plan that an account signs no longer."""
    return Command("directory", "removeSigner", (request.signer,))


@command("set-joint-acts", JointActs, "Say which acts take two accounts", "设置双人复核")
def set_joint_acts(market: Market, actor_id: UUID | None, request: JointActs) -> Command:
    """Plan the organisation's own rule."""
    acts = sum({1 << parse_code(JointAct, act, "acts") for act in request.acts})
    return Command("directory", "setJointActs", (acts,))


@command("prepare-work", PrepareWork, "Prepare a command for another signer", "经办")
def prepare_work(market: Market, actor_id: UUID | None, request: PrepareWork) -> Command:
    """Plan the note on chain; the call itself is kept until another makes it."""
    spec = spec_of(request.command)
    planned = spec.plan(market, actor_id, parse_request(spec, request.body))
    if planned.work is not None:
        raise PreparedMismatchError("work is not prepared twice", field="command", got=spec.name)
    contract: Contract = getattr(market.contracts, planned.contract)
    work = Work(
        command=spec.name,
        target=contract.address,
        data=contract.encode(planned.function, *planned.args),
        documents=planned.documents,
        result=planned.result,
    )
    return Command(
        "directory",
        "prepareWork",
        (work.digest,),
        (),
        {"work_digest": digest_text(work.digest)},
        work,
    )


@command("perform-work", PerformWork, "Make the call that another prepared", "复核办理")
def perform_work(market: Market, actor_id: UUID | None, request: PerformWork) -> Command:
    """Plan the very call that was prepared."""
    work = market.works.require(request.work_digest)
    contract = market.contracts.by_address(work.target)
    if contract is None:
        raise PreparedMismatchError(
            "the work is for no contract of this market", field="work_digest", got=work.target
        )
    function, args = decode_calldata(contract.name, work.data)
    if contract.encode(function, *args.values()) != work.data:
        raise PreparedMismatchError("the work does not encode again", field="work_digest")
    return Command(
        market.contracts.attribute_of(contract),
        function,
        tuple(args.values()),
        work.documents,
        work.result,
    )


def works_found(market: Market, organisation_id: UUID) -> list[dict[str, Any]]:
    """Return what accounts of an organisation prepared, newest first, with the call's arguments."""
    with market.read() as connection:
        rows = queries.prepared_works_of(connection, organisation_id)
    found = []
    for row in rows:
        work = market.works.find(row.work_digest)
        found.append(
            {
                "work_digest": digest_text(row.work_digest),
                "prepared_by": row.address,
                "prepared_at": row.prepared_at,
                "command": work.command if work else None,
                "documents": [dict(item.record) for item in work.documents] if work else [],
            }
        )
    return found
