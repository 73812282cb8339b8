"""`mdl registration`, `mdl duty`, and what authorities decide on a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.app.duties import duties_found, duty_lists_found
from ledger.app.registration import registration_due
from ledger.cli.market_commands import dataset_app
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    carry_out,
    guarded,
    open_market,
    out,
    read_json,
    read_object,
    show,
    table,
)
from ledger.domain.calendar import instant_text
from ledger.domain.ids import parse_id

registration_app = typer.Typer(help="Registration 登记: apply, decide, code, object, due dates.")
duty_app = typer.Typer(help="Responsibility lists 开放责任清单 of providers.")
CityOption = Annotated[int | None, typer.Option("--city", help="Only this city's.")]
ReasonOption = Annotated[str, typer.Option(help="Why; stays off chain.")]


@registration_app.command("due")
@guarded
def due(city: CityOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List what is to be done about registrations, with due dates; late first (期限清单)."""
    with open_market(home) as market:
        found = registration_due(market, city)
    columns = ("due 期限", "urgency", "task", "who", "dataset", "city", "escalated to")
    rows = [
        (
            instant_text(task["due_at"])[:10],
            task["urgency"],
            task["task"],
            task["responsible"],
            f"{task['title_zh']}\n{task['dataset_id']}",
            task["city_code"],
            task["escalated_to"] or "",
        )
        for task in found["tasks"]
    ]
    title = "Registrations due 登记期限" + ("  trial 试运行" if found["is_trial"] else "")
    show(found, as_json, lambda: out.print(table(title, columns, rows)))


@registration_app.command("apply")
@guarded
def apply(
    dataset_id: str,
    key_name: AsOption,
    kind: Annotated[
        str, typer.Option(help="first, change, correction, cancellation, renewal.")
    ] = "first",
    metadata: Annotated[
        Path | None, typer.Option(help="The record anew, for change and correction.")
    ] = None,
    reason: ReasonOption = "登记申请",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Apply for a registration of one's own dataset (首次, 变更, 更正, 注销, 续展)."""
    body = {"dataset_id": dataset_id, "kind": kind, "reason": reason}
    if metadata is not None:
        body["metadata"] = read_json(metadata)
    carry_out(home, key_name, "apply-registration", body, as_json)


@registration_app.command("step")
@guarded
def step(
    dataset_id: str,
    to: Annotated[
        str,
        typer.Argument(help="accepted, reviewed, public_notice; evidenced returns; or an end."),
    ],
    key_name: AsOption,
    reason: ReasonOption = "材料齐全",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a registration one step on, or return it; the registrar's steps."""
    body = {"dataset_id": dataset_id, "to": to, "reason": reason}
    carry_out(home, key_name, "advance-registration", body, as_json)


@registration_app.command("code")
@guarded
def code(
    dataset_id: str,
    key_name: AsOption,
    registration_code: Annotated[
        str | None, typer.Option("--code", help="The code; an invented one when left out.")
    ] = None,
    valid_until: Annotated[
        int | None, typer.Option(help="Unix seconds; three years when left out.")
    ] = None,
    reason: ReasonOption = "公示期满",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the registration code (赋码) after public notice."""
    body = {
        "dataset_id": dataset_id,
        "registration_code": registration_code,
        "valid_until": valid_until,
        "reason": reason,
    }
    carry_out(home, key_name, "code-registration", body, as_json)


@registration_app.command("object")
@guarded
def object_(
    file: Annotated[Path, typer.Argument(help="JSON: dataset_id, real_name, statement, evidence.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Object during public notice, under one's real name (公示异议)."""
    carry_out(home, key_name, "object-to-notice", read_object(file), as_json)


@registration_app.command("decide")
@guarded
def decide(
    objection_id: str,
    key_name: AsOption,
    upheld: Annotated[bool, typer.Option("--upheld/--dismissed", help="The decision.")],
    reason: ReasonOption = "核实",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide an objection: upheld ends the registration, dismissed lets it go on."""
    body = {"objection_id": objection_id, "is_upheld": upheld, "reason": reason}
    carry_out(home, key_name, "decide-notice-objection", body, as_json)


@dataset_app.command("inspect")
@guarded
def inspect(
    file: Annotated[Path, typer.Argument(help="JSON: dataset_id, scores (six), report.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record a quality inspection (质量检查); the grade follows from the six scores."""
    carry_out(home, key_name, "inspect-dataset", read_object(file), as_json)


@dataset_app.command("mask")
@guarded
def mask(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON: dataset_id, version_no, source_sha256_digest, method, tool, "
            "reviewer_role, residual_risk."
        ),
    ],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record that the latest version is masked (脱敏), with its report."""
    carry_out(home, key_name, "record-masking", read_object(file), as_json)


@duty_app.command("list")
@guarded
def duty_list(
    city: CityOption = None,
    provider: Annotated[str | None, typer.Option(help="Only this provider's.")] = None,
    anchored: Annotated[bool, typer.Option(help="The anchored lists instead.")] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who is to update what until when; STALE is late (开放责任清单)."""
    with open_market(home) as market:
        if anchored:
            lists = duty_lists_found(market)
            cells = [tuple(row.values()) for row in lists]
            heads = tuple(lists[0]) if lists else ("quarter",)
            show(lists, as_json, lambda: out.print(table("Anchored 已上链", heads, cells)))
            return
        only = None if provider is None else parse_id(provider, "provider")
        found = duties_found(market, city_code=city, provider_id=only)
    columns = (
        "due 期限",
        "",
        "provider 数源单位",
        "dataset",
        "frequency",
        "grade",
        "inspection due",
    )
    rows = [
        (
            "—" if duty["due_at"] is None else instant_text(duty["due_at"])[:10],
            ("STALE " if duty["is_stale"] else "") + ("整改" if duty["is_rectifying"] else ""),
            duty["provider_zh"],
            f"{duty['title_zh']}\n{duty['dataset_id']}",
            duty["update_frequency"],
            duty["grade"],
            instant_text(duty["inspection_due_at"])[:10],
        )
        for duty in found
    ]
    show(found, as_json, lambda: out.print(table("Duties 开放责任清单", columns, rows)))


@duty_app.command("anchor")
@guarded
def duty_anchor(
    city: Annotated[int, typer.Argument(help="City code.")],
    key_name: AsOption,
    quarter_id: Annotated[
        int | None, typer.Option("--quarter", help="yyyyq; this quarter when left out.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Anchor a city's responsibility list of a quarter; its registrar's step."""
    body = {"city_code": city, "quarter_id": quarter_id}
    carry_out(home, key_name, "anchor-duties", body, as_json)
