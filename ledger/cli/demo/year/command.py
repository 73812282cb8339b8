"""`mdl demo --year`: a whole year of an invented market, to its close and beyond."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.app.market import Market, hold_clock
from ledger.app.reconciling import reconcile
from ledger.app.remittance_files import netting_found
from ledger.app.settings import Settings
from ledger.app.verifying import verify_market
from ledger.cli.demo.year import closing, months, opening
from ledger.cli.demo.year.stage import YearStage
from ledger.cli.demo.year.world import SCALES, Scale, build_world
from ledger.cli.reconcile_commands import print_reconciliation
from ledger.cli.shell import err, out, show, table
from ledger.domain.calendar import CHINA
from ledger.domain.cities import CITIES
from ledger.domain.errors import LedgerError, MalformedValueError
from ledger.domain.units import yuan_text

_FIRST_MONTH = -2
"""October of the year before, when the market opens."""


class YearUnbalancedError(LedgerError):
    """The year does not balance, or its verification has findings."""

    code = "demo.year_unbalanced"


def run_year(home: Path, settings: Settings, scale_name: str, as_json: bool) -> dict[str, Any]:
    """Play last year in an empty home, reconcile it and say where to read on.

    Raises:
        MalformedValueError: there is no such scale.
        YearUnbalancedError: the three reckonings differ, or the verifier found something.
    """
    if scale_name not in SCALES:
        raise MalformedValueError(
            f"no scale {scale_name!r}", field="scale", got=scale_name, expected=sorted(SCALES)
        )
    scale = SCALES[scale_name]
    err.print(f"[dim]about {scale.minutes} min on two cores[/]", highlight=False)
    stage = opened_year(home, settings, scale)
    with stage.market:
        months.year_played(stage)
        closing.year_closed(stage)
        closing.cycle_closed(stage)
        found = _found(stage)
    show(found, as_json, lambda: _render(found))
    if not found["reconciliation"]["ok"] or found["findings"]:
        raise YearUnbalancedError("the year does not balance", got=found["findings"])
    return found


def opened_year(home: Path, settings: Settings, scale: Scale) -> YearStage:
    """Return a market with members, data, products, licences and schemes; its year may begin."""
    year = datetime.now(CHINA).year - 1
    hold_clock(home, int(datetime(year - 1, 10, 1, 9, tzinfo=CHINA).timestamp()))
    market = Market.open(settings, bootstrap=True)
    try:
        stage = YearStage(market, build_world(scale), year)
        opening.organisations_join(stage)
        opening.data_registered(stage)
        opening.products_listed(stage)
        opening.licences_granted(stage)
        opening.schemes_approved(stage, stage.year)
    except BaseException:
        market.close()
        raise
    return stage


def _found(stage: YearStage) -> dict[str, Any]:
    stage.say("verifying 核验 and reconciling 对账")
    report = verify_market(stage.market)
    reconciliation = reconcile(stage.market)
    stage.say("done")
    return {
        "home": str(stage.market.home),
        "year": stage.year,
        "scale": stage.world.scale.name,
        "counts": _counts(stage),
        "reconciliation": reconciliation,
        "netting": netting_found(stage.market),
        "checked": report.as_dict()["checked"],
        "findings": [finding.as_dict() for finding in report.findings],
    }


def _counts(stage: YearStage) -> dict[str, int]:
    world = stage.world
    providers = {member.key for member in world.members if member.key.startswith("provider-")}
    return {
        "organisations": len(world.members),
        "providers": len(providers),
        "datasets": len(world.holdings),
        "products": len(world.goods),
        "licences": len(world.deals),
        "commands": stage.facts["commands"],
    } | months.files_of(stage.market.home)


def _render(found: dict[str, Any]) -> None:
    print_reconciliation(found["reconciliation"])
    pairs = [
        (
            f"{CITIES[row['net_payer_city']].name_zh} → {CITIES[row['net_payee_city']].name_zh}",
            yuan_text(row["net_fen"]),
        )
        for row in found["netting"]
    ]
    out.print(table("Netting by pair of cities 城市间轧差", ("net payer 净付方", "yuan"), pairs))
    checked = ", ".join(f"{count:,} {what}" for what, count in found["checked"].items())
    home = found["home"]
    out.print(
        f"{len(found['findings'])} findings over {checked}\n\n"
        f"Statements 对账单:  mdl statement --home {home}\n"
        f"Where a fen comes from:  mdl account ORG --home {home}, mdl explain LINE --home {home}\n"
        f"Pages 页面:  mdl serve --home {home}\n"
        "[dim]All organisations, data, costs, prices and payments are invented. "
        "机构、数据、成本、价格、付款均为虚构。[/]",
        highlight=False,
    )
