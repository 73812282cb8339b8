"""A buyer objects to a bill: it is frozen while the case runs, released when it is dismissed."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.cli.demo.year.stage import YearStage
from ledger.cli.demo.year.world import Deal
from ledger.domain.ids import new_id

_RELIEF_SECONDS = 90 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice that asks for money."""

    invoice_id: str
    reference: str
    gross_fen: int
    deal: Deal

    @property
    def handler(self) -> str:
        """Who handles an objection to it."""
        return f"authority-{self.deal.good.scheme.city_code}"


def objected(stage: YearStage, bill: Bill) -> str:
    """Open a case on a bill, accept it, freeze the payment, hear the operator; return its id."""
    operator, objection_id = bill.deal.good.scheme.operator, str(new_id())
    case = {"objection_id": objection_id}
    claim = {
        "subject_kind": "invoice",
        "subject": bill.invoice_id,
        "ground": "quality",
        "respondent_id": str(stage.id(operator)),
        "fact": f"虚构事实:{bill.reference}",
        "statement": "虚构异议:数据质量",
        "evidence": [{"kind": "sample", "text": "虚构样本"}],
    }
    stage.run([(bill.deal.buyer.key, "open-objection", case | claim)])
    accepted = case | {"to": "accepted", "text": "虚构:予以受理"}
    stage.run([(bill.handler, "advance-objection", accepted)])
    stage.run([(bill.handler, "suspend-objected", case | {"reason": "虚构:处理期间暂缓"})])
    responded = case | {"to": "responded", "text": "虚构答复:数据质量符合约定"}
    stage.run([(operator, "advance-objection", responded)])
    stage.run([(bill.handler, "extend-objection", case | {"reason": "虚构:需要检测"})])
    return objection_id


def dismissed(stage: YearStage, bill: Bill, objection_id: str) -> None:
    """Dismiss a case, which unfreezes the payment, tell the parties where to turn, close it."""
    case = {"objection_id": objection_id}
    limit = stage.market.now_seconds() + _RELIEF_SECONDS
    relief = {"route": "review", "limit_at": limit, "text": "虚构:救济途径"}
    for command, body in (
        ("advance-objection", {"to": "verified", "text": "虚构:已核实"}),
        ("decide-objection", {"outcome": "dismiss", "reason": "虚构:异议不成立"}),
        ("notice-relief", relief),
        ("advance-objection", {"to": "closed", "text": "虚构:结案"}),
    ):
        stage.run([(bill.handler, command, case | body)])
