"""`mdl calendar`: working days by year."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.app.calendars import calendar_found
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    carry_out,
    guarded,
    open_market,
    out,
    read_object,
    show,
    table,
)

calendar_app = typer.Typer(
    help="Working days 工作日 by year, and the length of public notice 公示."
)


@calendar_app.command("show")
@guarded
def calendar_show(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show the years that have a table; every other year counts Monday to Friday."""
    with open_market(home) as market:
        found = calendar_found(market)

    def render() -> None:
        columns = (
            "year",
            "working days",
            "off among Monday to Friday 放假",
            "worked weekends 调休",
        )
        rows = [
            (
                year["year"],
                year["working_days"],
                " ".join(day[5:] for day in year["holidays"]),
                " ".join(day[5:] for day in year["make_up_days"]),
            )
            for year in found["years"]
        ]
        out.print(table("Working days 工作日", columns, rows))
        trial = "  trial 试运行: shorter than the law's 10" if found["is_trial"] else ""
        out.print(f"public notice 公示: {found['notice_working_days']} working days{trial}")

    show(found, as_json, render)


@calendar_app.command("set")
@guarded
def calendar_set(
    file: Annotated[Path, typer.Argument(help="JSON: year, holidays, make_up_days.")],
    key_name: AsOption = "governance",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set a year from its notice (国务院办公厅节假日安排); governance."""
    carry_out(home, key_name, "set-working-days", read_object(file), as_json)
