"""Commands on members of organisations, what they did, and work that takes two of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.prompt import Prompt

from ledger.app.access import administrator_at_hand, reader_at_hand
from ledger.app.actions import ActionsWanted, actions_found
from ledger.app.market import Market
from ledger.app.people import (
    Person,
    add_member,
    erase_member,
    members_found,
    new_account_for,
    remove_member,
    set_member_roles,
)
from ledger.app.requests import parse_part
from ledger.app.signers import works_found
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    account,
    carry_out,
    err,
    guarded,
    open_market,
    out,
    password,
    read_json,
    show,
    show_done,
    table,
)
from ledger.domain.calendar import instant_text, parse_instant
from ledger.domain.codes import Role
from ledger.domain.ids import parse_id

member_app = typer.Typer(help="Members 成员: who acts for your organisation, with which roles.")
work_app = typer.Typer(help="Work that takes two members 双人复核: one prepares, another acts.")
Roles = Annotated[list[str], typer.Option("--role", help="Role it may use; administration too.")]


def _roles(names: list[str]) -> str:
    return "all" if len(names) == len(Role) + 1 else ", ".join(names)


def _short(address: str | None) -> str:
    return f"{address[:10]}…{address[-6:]}" if address else "—"


@member_app.command("add")
@guarded
def member_add(
    file: Annotated[Path, typer.Argument(help="name, function, contact as JSON; - for input.")],
    roles: Roles,
    key_name: AsOption,
    address: Annotated[
        str, typer.Option(help="The member's own account; else a key is kept here for them.")
    ] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a person sign for your organisation (增加成员); the person stays off chain."""
    person = parse_part(Person, read_json(file))
    with open_market(home) as market:
        signer = account(market, key_name)
        administrator_at_hand(market, signer)
        found: dict[str, Any] = {"key": None}
        if not address:
            found["key"], address = new_account_for(market, _member_password(market))
        member_id, done = add_member(market, signer, person, address, roles)
    found |= {"member_id": str(member_id), "address": address, "roles": roles}
    found["tx_hash"] = done.tx_hash if done else None
    show(found, as_json, lambda: out.print(f"{member_id}  {address}", highlight=False))


def _member_password(market: Market) -> str:
    """Ask the member for a password of their own; where nobody can be asked, take the setting."""
    if market.settings.key_password is not None:
        return password(market.settings)
    return Prompt.ask("The member's own password", password=True, console=err)


@member_app.command("list")
@guarded
def member_list(
    key_name: AsOption,
    organisation_id: Annotated[str, typer.Option("--organisation", help="For regulators.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List members with account and roles; administrators their own, regulators all."""
    with open_market(home) as market:
        reader = reader_at_hand(market, account(market, key_name))
        wanted = parse_id(organisation_id, "organisation") if organisation_id else None
        found = members_found(market, reader.require_members_of(wanted))
    columns = ("member", "name", "function", "account", "roles", "state")
    rows = [
        (
            row["member_id"],
            (row["person"] or {}).get("name", "—"),
            (row["person"] or {}).get("function", "—"),
            _short(row["address"]),
            _roles(row["roles"]),
            row["state"],
        )
        for row in found
    ]
    show(found, as_json, lambda: out.print(table("Members 成员", columns, rows)))


@member_app.command("role")
@guarded
def member_role(
    member_id: str,
    roles: Roles,
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what a member may use (变更成员权限)."""
    with open_market(home) as market:
        signer = account(market, key_name)
        done = set_member_roles(market, signer, parse_id(member_id, "member_id"), roles)
    show_done(done, as_json)


@member_app.command("remove")
@guarded
def member_remove(
    member_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """End a member's right to sign (移除成员); what they did stays attributable."""
    with open_market(home) as market:
        signer = account(market, key_name)
        done = remove_member(market, signer, parse_id(member_id, "member_id"))
    found = {"member_id": member_id, "tx_hash": done.tx_hash if done else None}
    show(found, as_json, lambda: out.print(f"{member_id} has left", highlight=False))


@member_app.command("erase")
@guarded
def member_erase(
    member_id: str,
    key_name: AsOption,
    reason: Annotated[str, typer.Option(help="Code of the reason.")] = "request",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Destroy what a member is called (删除个人信息), or shut it away while the law keeps it."""
    with open_market(home) as market:
        admin = administrator_at_hand(market, account(market, key_name))
        found = erase_member(market, admin, parse_id(member_id, "member_id"), reason)
    until = found["retain_until"]
    kept = f" until {instant_text(until)}" if until else ""
    show(found, as_json, lambda: out.print(f"{found['state']}{kept}", highlight=False))


@guarded
def actions(
    key_name: AsOption,
    organisation_id: Annotated[str, typer.Option("--organisation", help="Only of this one.")] = "",
    member_id: Annotated[str, typer.Option("--member", help="Only of this member.")] = "",
    from_day: Annotated[str, typer.Option("--from", help="First day, 2026-11-01.")] = "",
    until_day: Annotated[str, typer.Option("--until", help="First day after the last.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who did what when (操作记录): members their organisation's, regulators everybody's."""
    with open_market(home) as market:
        reader = reader_at_hand(market, account(market, key_name))
        wanted = ActionsWanted(
            reader.require_actions_of(
                parse_id(organisation_id, "organisation") if organisation_id else None
            ),
            parse_id(member_id, "member") if member_id else None,
            parse_instant(from_day, "from") if from_day else None,
            parse_instant(until_day, "until") if until_day else None,
        )
        found = actions_found(market, wanted, names=reader.may_see_names)
    columns = ("when", "block no", "what", "account", "roles", "member")
    rows = [
        (
            instant_text(row["at"])[:19],
            row["block_number"],
            f"{row['contract']} {row['function']}",
            _short(row["signer"]),
            _roles(row["roles"]) or "governance",
            row["member_name"] or row["member_id"] or "—",
        )
        for row in found
    ]
    show(found, as_json, lambda: out.print(table("Actions 操作记录", columns, rows)))


@work_app.command("rule")
@guarded
def work_rule(
    key_name: AsOption,
    acts: Annotated[
        list[str] | None, typer.Argument(help="price_approval, remittance_closing; none ends it.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which acts take two members of your organisation (设置双人复核)."""
    carry_out(home, key_name, "set-joint-acts", {"acts": acts or []}, as_json)


@work_app.command("prepare")
@guarded
def work_prepare(
    name: Annotated[str, typer.Argument(help="One of `mdl commands`.")],
    file: Annotated[Path, typer.Argument(help="Body as JSON; - for standard input.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prepare a command for another member to carry out (经办)."""
    carry_out(home, key_name, "prepare-work", {"command": name, "body": read_json(file)}, as_json)


@work_app.command("perform")
@guarded
def work_perform(
    work_digest: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Carry out what another member prepared (复核办理)."""
    carry_out(home, key_name, "perform-work", {"work_digest": work_digest}, as_json)


@work_app.command("list")
@guarded
def work_list(key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List what members of your organisation prepared."""
    with open_market(home) as market:
        reader = reader_at_hand(market, account(market, key_name))
        found = works_found(market, reader.organisation_id)
    columns = ("work", "command", "prepared by", "when")
    rows = [
        (
            row["work_digest"],
            row["command"],
            _short(row["prepared_by"]),
            instant_text(row["prepared_at"])[:19],
        )
        for row in found
    ]
    show(found, as_json, lambda: out.print(table("Prepared work 经办", columns, rows)))
