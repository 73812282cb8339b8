"""Commands on organisations, datasets and products."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from ledger.app.commands import run
from ledger.app.files import FileFacts, describe_file
from ledger.app.lookup import (
    dataset_found,
    datasets_found,
    organisations_found,
    product_found,
    products_found,
)
from ledger.app.names import display_names
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    KeyOption,
    account,
    carry_out,
    find,
    guarded,
    open_market,
    out,
    pairs,
    read_json,
    show,
    show_done,
    table,
)
from ledger.cli.tables import print_detail, print_statement
from ledger.domain.codes import RegistrationState
from ledger.domain.ids import new_id, parse_id
from ledger.report.statements import organisation_statement

PROGRESS_ABOVE_BYTES = 100 * 2**20
org_app = typer.Typer(help="Organisations 机构.")
dataset_app = typer.Typer(help="Datasets 数据资源: hash, register, approve, find.")
product_app = typer.Typer(help="Products 数据产品, caps and tariffs 收费标准.")


def _hash(path: Path) -> FileFacts:
    """Measure a file, with a progress bar when it is large."""
    size = path.stat().st_size if path.exists() else 0
    if size <= PROGRESS_ABOVE_BYTES:
        return describe_file(path)
    with Progress(transient=True) as progress:
        task = progress.add_task(f"hashing {path.name}", total=size)
        return describe_file(path, lambda read: progress.advance(task, read))


@org_app.command("admit")
@guarded
def org_admit(
    file: Path,
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
    idempotency_key: KeyOption = None,
) -> None:
    """Admit an organisation from a JSON file (机构入驻)."""
    carry_out(home, key_name, "admit-organisation", read_json(file), as_json, idempotency_key)


@org_app.command("role")
@guarded
def org_role(
    organisation_id: str,
    role: str,
    city_code: int,
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Grant a role in a city (授予角色)."""
    body = {"organisation_id": organisation_id, "role": role, "city_code": city_code}
    carry_out(home, key_name, "grant-role", body, as_json)


@org_app.command("list")
@guarded
def org_list(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the organisations with their roles."""
    with open_market(home) as market:
        found = organisations_found(market)
    columns = ("id", "name", "kind", "level", "city", "roles")
    rows = [
        (
            row["organisation_id"],
            row["name_zh"],
            row["kind"],
            row["level"] or "—",
            row["city_code"],
            ", ".join(row["roles"]),
        )
        for row in found
    ]
    show(found, as_json, lambda: out.print(table("Organisations 机构", columns, rows)))


@org_app.command("show")
@guarded
def org_show(organisation_id: str, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show one organisation 机构: its roles, and what it supplied, used and is owed (对账单)."""
    with open_market(home) as market:
        found = find(organisations_found(market), "organisation_id", organisation_id)
        with market.read() as connection:
            owed = organisation_statement(
                connection, parse_id(organisation_id), display_names(market)
            )

    def render() -> None:
        out.print(pairs("Organisation 机构", found))
        print_statement(owed)

    show(found | {"statement": owed}, as_json, render)


@dataset_app.command("describe")
@guarded
def dataset_describe(file: Path, as_json: JsonOption = False) -> None:
    """Measure a file where it is: digests, rows, bytes, fields. Nothing is sent."""
    facts = _hash(file)
    found = facts.as_version() | {"fields": list(facts.fields)}
    show(found, as_json, lambda: out.print(pairs(file.name, found)))


@dataset_app.command("register")
@guarded
def dataset_register(
    file: Annotated[Path, typer.Argument(help="The data, hashed here and never uploaded.")],
    metadata: Annotated[Path, typer.Argument(help="Catalogue record as JSON.")],
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
    idempotency_key: KeyOption = None,
) -> None:
    """Deposit the evidence of a dataset (存证)."""
    facts = _hash(file)
    record = read_json(metadata)
    dataset_id = new_id()
    body = {"metadata": record, "version": facts.as_version()}
    with open_market(home) as market:
        if idempotency_key is None:
            body["dataset_id"] = str(dataset_id)
        done = run(
            market,
            account(market, key_name),
            "register-dataset",
            body,
            idempotency_key=idempotency_key,
        )
        registered = parse_id(done.result["dataset_id"])
        market.holdings.put(registered, 1, file, facts.sha256)
    show_done(done, as_json)


@dataset_app.command("add-version")
@guarded
def dataset_add_version(
    dataset_id: str,
    file: Path,
    key_name: AsOption,
    parent: Annotated[list[str] | None, typer.Option(help="SHA-256 of a parent version.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a version with its parents (新增版本)."""
    facts = _hash(file)
    body = {"dataset_id": dataset_id, "version": facts.as_version(), "parents": parent or []}
    with open_market(home) as market:
        done = run(market, account(market, key_name), "add-version", body)
        latest = find(datasets_found(market), "dataset_id", dataset_id)["latest_version_no"]
        market.holdings.put(parse_id(dataset_id), latest, file, facts.sha256)
    show_done(done, as_json)


@dataset_app.command("apply")
@guarded
def dataset_apply(
    dataset_id: str, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Apply for registration (登记申请); the provider's step."""
    body = {"dataset_id": dataset_id, "to": "applied", "reason": "登记申请"}
    carry_out(home, key_name, "advance-registration", body, as_json)


@dataset_app.command("approve")
@guarded
def dataset_approve(
    dataset_id: str,
    key_name: AsOption,
    reason: Annotated[str, typer.Option(help="Why, for each decision.")] = "材料齐全",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a registration through all remaining steps to 赋码; the registrar's steps."""
    done = []
    with open_market(home) as market:
        row = find(datasets_found(market), "dataset_id", dataset_id)
        first = RegistrationState[row["state"].upper()] + 1
        for state in range(max(first, RegistrationState.ACCEPTED), RegistrationState.CODED + 1):
            body = {
                "dataset_id": dataset_id,
                "to": RegistrationState(state).name.lower(),
                "reason": reason,
            }
            done.append(run(market, account(market, key_name), "advance-registration", body))
    states = [item.result["state"] for item in done]
    show([item.as_dict() for item in done], as_json, lambda: out.print(" → ".join(states)))


@dataset_app.command("list")
@guarded
def dataset_list(
    text: Annotated[str, typer.Option(help="Text in the name.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the catalogue."""
    with open_market(home) as market:
        found = [row for row in datasets_found(market) if text.lower() in str(row).lower()]
    columns = ("id", "name", "provider", "class", "state", "version no", "rows", "SHA-256")
    rows = [
        (
            row["dataset_id"],
            f"{row['title_zh']} {row['title_en']}",
            row["provider_zh"],
            row["open_class"],
            row["state"] + (" STALE" if row["is_stale"] else ""),
            row["latest_version_no"],
            row["row_count"],
            row["sha256_digest"][:18] + "…",
        )
        for row in found
    ]
    show(found, as_json, lambda: out.print(table("Datasets 数据资源", columns, rows)))


@dataset_app.command("show")
@guarded
def dataset_show(dataset_id: str, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show one dataset 数据资源: record, versions 版本 and parents, steps of its registration."""
    with open_market(home) as market:
        found = dataset_found(market, parse_id(dataset_id, "dataset_id"))
    for step in found["registration"]:
        for key in ("from_state", "to_state"):
            step[key] = RegistrationState(step[key]).name.lower()
    show(found, as_json, lambda: print_detail("Dataset 数据资源", found))


@product_app.command("create")
@guarded
def product_create(
    file: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """List a product over datasets, with lineage weights, from a JSON file."""
    carry_out(home, key_name, "list-product", read_json(file), as_json)


@product_app.command("caps")
@guarded
def product_caps(
    file: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Approve ceiling prices (上限收费标准); the price authority's step."""
    carry_out(home, key_name, "approve-caps", read_json(file), as_json)


@product_app.command("tariff")
@guarded
def product_tariff(
    file: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """Publish a tariff within the caps (发布收费标准)."""
    carry_out(home, key_name, "publish-tariff", read_json(file), as_json)


@product_app.command("list")
@guarded
def product_list(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the products."""
    with open_market(home) as market:
        found = products_found(market)
    columns = ("id", "name", "operator", "state", "tariff no", "lineage")
    rows = [
        (
            row["product_id"],
            f"{row['title_zh']} {row['title_en']}",
            row["operator_zh"],
            row["state"],
            row["tariff_no"],
            len(row["lineage"]),
        )
        for row in found
    ]
    show(found, as_json, lambda: out.print(table("Products 数据产品", columns, rows)))


@product_app.command("show")
@guarded
def product_show(product_id: str, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show one product 数据产品: lineage 溯源, ceilings 上限 and the tariff 收费标准 in force."""
    with open_market(home) as market:
        detail = product_found(market, parse_id(product_id, "product_id"))
        named = find(products_found(market), "product_id", product_id)
    found = named | {"caps": detail["caps"], "tariff": detail["tariff"]}
    show(found, as_json, lambda: print_detail("Product 数据产品", found))
