"""Commands on negotiations and on applications for conditional use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.app.applying import application_found, applications_found
from ledger.app.negotiation_views import negotiation_found, negotiations_found
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    KeyOption,
    carry_out,
    guarded,
    open_market,
    out,
    read_object,
    show,
    table,
)
from ledger.cli.tables import print_detail
from ledger.domain.ids import parse_id

negotiate_app = typer.Typer(help="Negotiations 协商: offers in turn, up to an agreement.")
application_app = typer.Typer(help="Applications 申请 for conditional use 有条件开放.")

TickOption = Annotated[
    list[str] | None,
    typer.Option("--tick", help="A disclaimer that was read and accepted; one option each."),
]


@negotiate_app.command("list")
@guarded
def negotiate_list(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the negotiations, with whose turn it is."""
    with open_market(home) as market:
        found = negotiations_found(market)
    names = ("thread_id", "state", "turn", "is_expired", "deadline", "licence_no")
    rows = [tuple(row[name] for name in names) for row in found]
    show(found, as_json, lambda: out.print(table("Negotiations 协商", names, rows)))


@negotiate_app.command("show")
@guarded
def negotiate_show(thread_id: str, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show one negotiation: offers in order, and the draft that waits for signatures."""
    with open_market(home) as market:
        found = negotiation_found(market, parse_id(thread_id))
    plain = {key: value for key, value in found.items() if key != "draft"}
    show(found, as_json, lambda: print_detail(f"Negotiation 协商 {thread_id}", plain))


@negotiate_app.command("offer")
@guarded
def negotiate_offer(
    file: Annotated[Path, typer.Argument(help="The offer as JSON, - for standard input.")],
    key_name: AsOption,
    key: KeyOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an offer, a counter-offer, or open a thread with either (要约)."""
    carry_out(home, key_name, "make-offer", read_object(file), as_json, key)


@negotiate_app.command("accept")
@guarded
def negotiate_accept(
    thread_id: str,
    key_name: AsOption,
    tick: TickOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept the operator's last offer; each disclaimer is ticked by itself (承诺)."""
    body = {"thread_id": thread_id, "disclaimers_ticked": tick or []}
    carry_out(home, key_name, "accept-offer", body, as_json)


@negotiate_app.command("agree")
@guarded
def negotiate_agree(
    thread_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Put the agreement of the last offer forward, for both to sign (提出协议)."""
    carry_out(home, key_name, "propose-agreement", {"thread_id": thread_id}, as_json)


@negotiate_app.command("finalize")
@guarded
def negotiate_finalize(
    thread_id: str,
    licence_no: int,
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note the licence that the agreement granted (成交)."""
    body = {"thread_id": thread_id, "licence_no": licence_no}
    carry_out(home, key_name, "finalize-negotiation", body, as_json)


@negotiate_app.command("end")
@guarded
def negotiate_end(
    thread_id: str,
    reason: str,
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Break a negotiation off (终止协商)."""
    body = {"thread_id": thread_id, "reason": reason}
    carry_out(home, key_name, "terminate-negotiation", body, as_json)


@application_app.command("list")
@guarded
def application_list(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the applications and what was decided."""
    with open_market(home) as market:
        found = applications_found(market)
    names = ("application_id", "dataset_id", "purpose", "state", "is_expired", "reason")
    rows = [tuple(row[name] for name in names) for row in found]
    show(found, as_json, lambda: out.print(table("Applications 申请", names, rows)))


@application_app.command("show")
@guarded
def application_show(
    application_id: str, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Show one application: form, decision, reasons."""
    with open_market(home) as market:
        found = application_found(market, parse_id(application_id))
    show(found, as_json, lambda: print_detail(f"Application 申请 {application_id}", found))


@application_app.command("require")
@guarded
def application_require(
    dataset_id: str,
    reason: str,
    key_name: AsOption,
    lift: Annotated[bool, typer.Option("--lift", help="Require it no longer.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a dataset be licensed only on an approved application (设置申请条件)."""
    body = {"dataset_id": dataset_id, "is_required": not lift, "reason": reason}
    carry_out(home, key_name, "require-application", body, as_json)


@application_app.command("submit")
@guarded
def application_submit(
    file: Annotated[Path, typer.Argument(help="The form as JSON, - for standard input.")],
    key_name: AsOption,
    key: KeyOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Apply for conditional use: purpose, scenario, modes, security commitment (申请)."""
    carry_out(home, key_name, "apply-for-use", read_object(file), as_json, key)


@application_app.command("decide")
@guarded
def application_decide(
    application_id: str,
    reason: str,
    key_name: AsOption,
    until: Annotated[
        int, typer.Option(help="Unix seconds until which it is approved; 0 refuses.")
    ] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve an application until a time, or refuse it, with reasons (审核)."""
    body = {
        "application_id": application_id,
        "is_approved": until > 0,
        "valid_until": until,
        "reason": reason,
    }
    carry_out(home, key_name, "decide-application", body, as_json)


@application_app.command("withdraw")
@guarded
def application_withdraw(
    application_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Withdraw an application before it is decided (撤回)."""
    carry_out(home, key_name, "withdraw-application", {"application_id": application_id}, as_json)
