"""Commands on objections: open one, take it on, decide it, and see what waits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.app.objection_cases import (
    objection_found,
    objection_papers,
    objection_statistics,
    work_list,
)
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    carry_out,
    guarded,
    open_market,
    out,
    pairs,
    read_json,
    show,
    table,
)
from ledger.domain.calendar import end_of_day, instant_text
from ledger.domain.errors import MalformedValueError
from ledger.domain.ids import parse_id

objection_app = typer.Typer(help="Objections 异议: open, handle, decide 处理决定, relief 救济.")
IdArgument = Annotated[str, typer.Argument(help="Id of the objection.")]
TextOption = Annotated[str, typer.Option("--text", help="Text of the step's document.")]
CityOption = Annotated[int | None, typer.Option("--city", help="Only cases of this city.")]
DAY_SECONDS = 24 * 3600


@objection_app.command("open")
@guarded
def objection_open(
    file: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Open an objection from a JSON file (提出异议): subject, ground, fact, statement, evidence."""
    carry_out(home, key_name, "open-objection", read_json(file), as_json)


@objection_app.command("step")
@guarded
def objection_step(
    objection_id: IdArgument,
    to: Annotated[
        str, typer.Argument(help="accepted, refused, responded, verified, closed, withdrawn.")
    ],
    key_name: AsOption,
    text: TextOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a case one step on (受理、答复、核实、结案、撤回)."""
    body = {"objection_id": objection_id, "to": to, "text": text}
    carry_out(home, key_name, "advance-objection", body, as_json)


@objection_app.command("suspend")
@guarded
def objection_suspend(
    objection_id: IdArgument,
    key_name: AsOption,
    reason: TextOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put what is objected to out of service (中止); the handler's step."""
    body = {"objection_id": objection_id, "reason": reason}
    carry_out(home, key_name, "suspend-objected", body, as_json)


@objection_app.command("extend")
@guarded
def objection_extend(
    objection_id: IdArgument,
    key_name: AsOption,
    reason: TextOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take ten more working days to decide, once (延期)."""
    body = {"objection_id": objection_id, "reason": reason}
    carry_out(home, key_name, "extend-objection", body, as_json)


@objection_app.command("escalate")
@guarded
def objection_escalate(
    objection_id: IdArgument,
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand a late case to the authority of its city (督办)."""
    carry_out(home, key_name, "escalate-objection", {"objection_id": objection_id}, as_json)


@objection_app.command("decide")
@guarded
def objection_decide(
    objection_id: IdArgument,
    outcome: Annotated[str, typer.Argument(help="withdraw, resume, reopen, refund, dismiss.")],
    key_name: AsOption,
    reason: TextOption,
    share: Annotated[
        list[str] | None, typer.Option("--share", help="ORGANISATION:PPM; repeat, sum 1000000.")
    ] = None,
    refund_fen: Annotated[int, typer.Option("--refund-fen", help="What a refund takes off.")] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide a verified case with the shares of liability (处理决定)."""
    body = {
        "objection_id": objection_id,
        "outcome": outcome,
        "refund_fen": refund_fen,
        "shares": [_share(text) for text in share or []],
        "reason": reason,
    }
    carry_out(home, key_name, "decide-objection", body, as_json)


@objection_app.command("notice")
@guarded
def objection_notice(
    objection_id: IdArgument,
    route: Annotated[str, typer.Argument(help="review, litigation, contract.")],
    until: Annotated[str, typer.Argument(help="Last day of the route, e.g. 2027-01-31.")],
    key_name: AsOption,
    text: TextOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the relief notice (救济告知)."""
    limit_at = end_of_day(until)
    body = {"objection_id": objection_id, "route": route, "limit_at": limit_at, "text": text}
    carry_out(home, key_name, "notice-relief", body, as_json)


@objection_app.command("execute")
@guarded
def objection_execute(
    objection_id: IdArgument,
    key_name: AsOption,
    reference: Annotated[
        str | None,
        typer.Option("--reference", help="Digest of what was done; a refund's is found."),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record that the decision is executed (执行); refused until a refund is made."""
    body = {"objection_id": objection_id, "reference": reference}
    carry_out(home, key_name, "execute-objection", body, as_json)


@objection_app.command("show")
@guarded
def objection_show(
    objection_id: IdArgument, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Show one case with its timeline and what is due."""
    with open_market(home) as market:
        found = objection_found(market, parse_id(objection_id, "objection_id"))
    show(found, as_json, lambda: _print_case(found))


@objection_app.command("papers")
@guarded
def objection_papers_command(
    objection_id: IdArgument, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Show the documents of a case that are kept here (案卷)."""
    with open_market(home) as market:
        found = objection_papers(market, parse_id(objection_id, "objection_id"))

    def render() -> None:
        for paper in found:
            out.print(pairs(str(paper["type"]), paper))

    show(found, as_json, render)


@objection_app.command("list")
@guarded
def objection_list(
    city_code: CityOption = None,
    party: Annotated[
        str | None, typer.Option("--party", help="Objector, respondent or handler.")
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is late.")] = False,
    ended: Annotated[bool, typer.Option("--ended", help="Cases at their end.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the work with due dates, the most urgent first (待办)."""
    party_id = parse_id(party, "party") if party else None
    with open_market(home) as market:
        found = work_list(
            market, city_code=city_code, party_id=party_id, is_live=not ended, is_overdue=overdue
        )
    columns = ("objection", "ground", "subject", "state", "for", "due", "late")
    rows = [
        (
            row["objection_id"],
            row["ground"],
            f"{row['subject_kind']} {row['subject']}",
            row["state"],
            row["competent_role"],
            _when(row["next_due_at"]),
            "late 逾期" if row["is_overdue"] else "",
        )
        for row in found
    ]
    show(found, as_json, lambda: out.print(table("Objections 异议", columns, rows)))


@objection_app.command("stats")
@guarded
def objection_stats(
    city_code: CityOption = None,
    first: Annotated[str | None, typer.Option("--from", help="First day, 2026-01-01.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Last day, 2026-12-31.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count the cases by ground, outcome, state, month and city; for regulators (统计)."""
    since = end_of_day(first, "from") + 1 - DAY_SECONDS if first else 0
    last = end_of_day(until) + 1 if until else 2**40
    with open_market(home) as market:
        found = objection_statistics(market, city_code=city_code, first=since, last=last)

    def render() -> None:
        totals = {key: value for key, value in found.items() if not isinstance(value, list)}
        out.print(pairs("Objections 异议", totals))
        for key in ("by_ground", "by_outcome", "by_state", "by_month", "by_city"):
            rows = [tuple(row.values()) for row in found[key]]
            out.print(table(key.replace("_", " "), (key.removeprefix("by_"), "no"), rows))

    show(found, as_json, render)


def _share(text: str) -> dict[str, Any]:
    organisation_id, _, ppm = text.rpartition(":")
    if not (ppm.isascii() and ppm.isdigit() and len(ppm) <= 7):
        raise MalformedValueError(
            "a share is ORGANISATION:PPM", field="share", got=text, expected="…:500000"
        )
    return {"organisation_id": organisation_id, "share_ppm": int(ppm)}


def _print_case(found: dict[str, Any]) -> None:
    own = {key: value for key, value in found.items() if not isinstance(value, dict | list)}
    for key in [name for name in own if name.endswith("_at")]:
        own[key] = _when(own[key])
    out.print(pairs("Objection 异议", own))
    steps = [
        (
            step["step_no"],
            _when(step["happened_at"]),
            step["kind"],
            step["to_state"],
            _name(found, step["actor_id"]),
            _when(step["due_at"]),
        )
        for step in found["steps"]
    ]
    columns = ("no", "when", "step", "state", "by", "next due")
    out.print(table("Timeline 时间线", columns, steps))
    shares = [(_name(found, row["organisation_id"]), row["share_ppm"]) for row in found["shares"]]
    if shares:
        out.print(table("Liability 责任份额", ("organisation", "ppm no"), shares))


def _name(found: dict[str, Any], key: str) -> str:
    return str(found["names"].get(key, {}).get("zh", key))


def _when(seconds: int) -> str:
    return instant_text(seconds) if seconds else "—"
