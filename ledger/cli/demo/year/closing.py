"""After the year: it is closed, its deviation answered, the excess carried into the next cycle."""

from __future__ import annotations

from ledger.cli.demo.year.months import remitted, split_released
from ledger.cli.demo.year.opening import schemes_approved
from ledger.cli.demo.year.stage import YearStage
from ledger.cli.demo.year.world import SCHEMES
from ledger.domain.units import MICRO_FEN_PER_FEN, yuan_text

INSTALMENTS = 2


def year_closed(stage: YearStage) -> None:
    """Close the year of each scheme and answer what deviates; a trial has nothing to answer."""
    stage.at(14, 2)
    split_released(stage)
    stage.run(
        (
            plan.operator,
            "close-year",
            {"scheme_id": str(stage.scheme_id(plan)), "accounts": "虚构年度账目"},
        )
        for plan in SCHEMES
    )
    stage.at(15, 10)
    stage.run(
        (
            f"authority-{plan.city_code}",
            "answer-deviation",
            {"scheme_id": str(stage.scheme_id(plan)), "response": "虚构答复:按偏离结果调整收费"},
        )
        for plan in SCHEMES
        if not plan.is_trial
    )
    stage.say("the year is closed 年度结账, deviations are answered")


def cycle_closed(stage: YearStage) -> None:
    """Close the first scheme's cycle and pour what it carries out into the next one."""
    plan = SCHEMES[0]
    authority, old = f"authority-{plan.city_code}", stage.scheme_id(plan)
    stage.at(15, 20)
    done = stage.run(
        [
            (
                authority,
                "close-cycle",
                {"cycle_id": str(old), "instalments": INSTALMENTS, "reason": "虚构监管结论"},
            )
        ]
    )
    carried = int(done[0].result["carry_out_micro_fen"]) // MICRO_FEN_PER_FEN
    stage.say(f"cycle closed 周期结账: {yuan_text(carried)} yuan carried out over {INSTALMENTS}")
    schemes_approved(stage, stage.year + 1, (plan,), previous_cycle_id=str(old))
    new = {"scheme_id": str(stage.scheme_id(plan, stage.year + 1))}
    poured = stage.run([(plan.operator, "pour-carry-in", new)])
    part = int(poured[0].result["carry_in_micro_fen"]) // MICRO_FEN_PER_FEN
    stage.say(f"{yuan_text(part)} yuan of it poured into {stage.year + 1} 超收扣减")
    remitted(stage, 15, (plan, stage.year + 1))
    stage.market.demo_clock().let_go()
