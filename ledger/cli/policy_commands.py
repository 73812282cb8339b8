"""`mdl policy`: tables of graded opening."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.app.opening import policies_found, policy_found, proposal, tier_found
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    carry_out,
    guarded,
    open_market,
    out,
    pairs,
    read_object,
    show,
    table,
)
from ledger.domain.calendar import instant_text

policy_app = typer.Typer(help="Graded opening 分级开放: tables from a case to a tier.")


@policy_app.command("show")
@guarded
def policy_show(
    policy_no: Annotated[int | None, typer.Argument(help="One table with its rules.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the tables, or one with its rules and their sources."""
    with open_market(home) as market:
        found: Any = (
            policies_found(market) if policy_no is None else policy_found(market, policy_no)
        )

    def render() -> None:
        tables = found if isinstance(found, list) else [found]
        columns = ("policy no", "city", "effective", "state", "document")
        rows = [
            (
                item["policy_no"],
                item["city_code"] or "region 都市圈",
                instant_text(item["effective_at"]),
                "in force" if item["is_in_force"] else "waits" if item["is_waiting"] else "past",
                item["document_digest"][:18] + "…",
            )
            for item in tables
        ]
        out.print(table("Tables 分级开放表", columns, rows))
        if not isinstance(found, list):
            out.print(_rules(found["rules"]))

    show(found, as_json, render)


@policy_app.command("propose")
@guarded
def policy_propose(
    file: Annotated[Path, typer.Argument(help="JSON: city_code, title, effective_at, rules.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a table and show what it would change; nothing is stored."""
    with open_market(home) as market:
        found = proposal(market, read_object(file))

    def render() -> None:
        out.print(pairs("Cells by tier", found["cells_by_tier"]))
        rows = [
            (*change["cell"].values(), change["from"], change["to"]) for change in found["changes"]
        ]
        columns = ("class", "sensitivity", "personal", "mode", "purpose", "from", "to")
        out.print(table(f"Changes to table {found['against_policy_no']}", columns, rows))

    show(found, as_json, render)


@policy_app.command("publish")
@guarded
def policy_publish(
    file: Annotated[Path, typer.Argument(help="JSON: city_code, title, effective_at, rules.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign and publish a table; a city's registrar, or governance for the region (city 0)."""
    carry_out(home, key_name, "publish-policy", read_object(file), as_json)


@policy_app.command("tier")
@guarded
def policy_tier(
    city: Annotated[int, typer.Argument(help="City code of the dataset.")],
    open_class: Annotated[str, typer.Option(help="unconditional, conditional, not_open.")],
    mode: Annotated[str, typer.Option(help="Delivery mode.")],
    purpose: Annotated[str, typer.Option(help="Purpose of use.")],
    sensitivity: Annotated[str, typer.Option(help="general, important, core.")] = "general",
    contains_pi: Annotated[bool, typer.Option(help="Personal information.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the tier of a case, the table that says so, and the rule's source."""
    with open_market(home) as market:
        found = tier_found(
            market,
            city,
            open_class=open_class,
            sensitivity=sensitivity,
            contains_pi=contains_pi,
            mode=mode,
            purpose=purpose,
        )
    show(found, as_json, lambda: out.print(pairs("Tier 开放层级", found["cell"] | found)))


def _rules(rules: list[dict[str, Any]]) -> Any:
    columns = ("rule no", "class", "sensitivity", "personal", "modes", "purposes", "tier", "source")
    rows = [
        (
            number,
            *(_any(rule.get(key)) for key in ("open_class", "sensitivity", "contains_pi")),
            *(_any(rule.get(key)) for key in ("modes", "purposes")),
            rule["tier"],
            rule["source"],
        )
        for number, rule in enumerate(rules, start=1)
    ]
    return table("Rules; the first that fits counts", columns, rows)


def _any(value: Any) -> str:
    if value is None:
        return "any"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value).lower()
