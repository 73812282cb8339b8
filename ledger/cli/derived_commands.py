"""Commands on derived products: affiliates, listing, schemes of market prices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.market_commands import org_app, product_app
from ledger.cli.money_commands import scheme_app
from ledger.cli.shell import AsOption, HomeOption, JsonOption, carry_out, guarded, read_json
from ledger.domain.ids import new_id


@org_app.command("affiliate")
@guarded
def org_affiliate(
    one_id: str,
    other_id: str,
    key_name: AsOption,
    end: Annotated[str, typer.Option("--end", help="End it instead; why.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Declare two organisations affiliates (关联方); a registrar ends it with `--end REASON`."""
    body = {"one_id": one_id, "other_id": other_id}
    if end:
        carry_out(home, key_name, "end-affiliation", body | {"reason": end}, as_json)
    else:
        carry_out(home, key_name, "declare-affiliates", body, as_json)


@product_app.command("derive")
@guarded
def product_derive(
    file: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """List a product made from what licences opened (二次开发), from a JSON file."""
    carry_out(home, key_name, "derive-product", read_json(file), as_json)


@scheme_app.command("market")
@guarded
def scheme_market(
    city_code: int,
    year: int,
    key_name: AsOption,
    vat_ppm: Annotated[int, typer.Option("--vat-ppm", help="VAT rate, at most 130000.")] = 60_000,
    hold_days: Annotated[
        int, typer.Option("--hold-days", help="Working days for acceptance, at most 60.")
    ] = 5,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open the scheme of a year in which derived products are billed at market prices (市场价)."""
    body = {
        "scheme_id": str(new_id()),
        "city_code": city_code,
        "year": year,
        "vat_ppm": vat_ppm,
        "hold_days": hold_days,
    }
    carry_out(home, key_name, "open-market", body, as_json)


__all__ = ["org_app", "product_app", "scheme_app"]
