"""How one line of a split or a pour follows from its tier, from what was recorded with it.

Rules kept here:
1. The balances, rates and grades are those that stood before the lines (`basis`), whatever was
   approved or inspected since; who is explained can compute each number again.
2. A split weighs by the product's lineage, a pour by approved cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.app.explaining_batches import Step
from ledger.app.scheme_state import coefficient_of
from ledger.domain.codes import QualityGrade
from ledger.domain.money import Tier
from ledger.domain.units import MICRO_FEN_PER_FEN, PPM_WHOLE
from ledger.projection import queries

RULES = {
    Tier.TAX: ("税费 Tax, A0", "附加税费: surcharge on the net, up to the approved tax"),
    Tier.LINEAGE_COST: (
        "成本补偿 Lineage cost, A1",
        "发改价格〔2025〕65号: 获取公共数据资源的相关支出 is a cost; by lineage weight, capped",
    ),
    Tier.COMMON_COST: (
        "公共成本 Common cost, A2",
        "发改价格〔2025〕65号: cost of data used this year; by open cost, capped",
    ),
    Tier.BENEFIT: (
        "收益分享 Benefit, B",
        "发改数据规〔2025〕27号第20条, 财资〔2024〕1号: permitted profit by agreement",
    ),
    Tier.RESERVE: (
        "超收待扣减 Reserve, R",
        "发改价格〔2025〕65号: 超收 is deducted in later cycles, paid to nobody",
    ),
    Tier.OUTCOME: (
        "数据利用成果收益分享 Outcome share",
        "公共数据资源授权运营实施规范 and the upstream agreement: market price, by flattened ppm",
    ),
}
"""Title of each tier, and where its rule is written."""
_VECTOR = ("governance", "operator", "platform")
"""Whose lines come first in the benefit tier, in this order; then one line a listed claimant."""


@dataclass(frozen=True, slots=True)
class SharePlace:
    """The lines of a split or a pour, and what they were computed from; amounts in µfen."""

    lines: tuple[queries.SplitLineRow, ...]
    basis: Mapping[str, Any]
    weights: Mapping[UUID, int]
    """Lineage in ppm, or approved costs."""
    income_micro_fen: int
    net_fen: int
    """0 for a pour, which bears no surcharge."""
    forgone_micro_fen: int
    organisations: frozenset[UUID]
    """Operator and platform, who earn by the vector and not by quality."""

    @classmethod
    def of_split(
        cls, connection: Any, invoice: queries.InvoiceRow, split: queries.SplitDetail
    ) -> SharePlace:
        """Return the place of an invoice's split."""
        scheme = queries.scheme(connection, invoice.scheme_id)
        lineage = queries.lineage_of(connection, invoice.product_id)
        row = split.split
        return cls(
            split.lines,
            row.basis,
            {entry.claimant_id: entry.weight_ppm for entry in lineage},
            row.net_fen * MICRO_FEN_PER_FEN,
            row.net_fen,
            row.forgone_micro_fen,
            frozenset({scheme.operator_id, scheme.platform_id}),
        )

    @classmethod
    def of_pour(cls, connection: Any, pour: queries.FillDetail) -> SharePlace:
        """Return the place of a pour."""
        scheme = queries.scheme(connection, pour.fill.scheme_id)
        amount = pour.fill.amount_micro_fen
        return cls(
            pour.lines,
            pour.fill.basis,
            {UUID(key): cost for key, cost in pour.fill.basis["costs"].items()},
            amount,
            0,
            pour.fill.forgone_micro_fen,
            frozenset({scheme.operator_id, scheme.platform_id}),
        )

    def tier_lines(self, tier: int) -> list[queries.SplitLineRow]:
        """Return the lines of a tier in their order."""
        return [line for line in self.lines if line.tier == tier]

    def tier_micro_fen(self, tier: int) -> int:
        """Return what a tier took of the income."""
        return sum(line.amount_micro_fen for line in self.tier_lines(tier))


def share_steps(place: SharePlace, line: queries.SplitLineRow) -> list[Step]:
    """Return the tiers above a line's, what each took, and the line's own share."""
    steps, left = [], place.income_micro_fen
    for tier in (Tier.OUTCOME,) if line.tier == Tier.OUTCOME else Tier:
        taken = place.tier_micro_fen(tier)
        if tier == line.tier:
            count = len(place.tier_lines(tier))
            recorded = f"recorded {line.amount_micro_fen} µfen, one of {count} lines of the tier"
            steps.append(Step(*RULES[tier], (*_arithmetic(place, line, left), recorded)))
            break
        arithmetic = (f"{left} − {taken} = {left - taken} µfen go on",)
        title = f"{tier.name.lower()} takes"
        steps.append(Step(title, f"domain report 4.3 step {3 + tier}", arithmetic))
        left -= taken
    return steps


def _arithmetic(
    place: SharePlace, line: queries.SplitLineRow, left_micro_fen: int
) -> tuple[str, ...]:
    if line.tier == Tier.OUTCOME:
        weight = line.amount_micro_fen // place.net_fen if place.net_fen else 0
        product = place.net_fen * weight
        return (f"{place.net_fen} fen · {weight} ppm = {product} µfen, nothing rounded",)
    if line.tier == Tier.TAX:
        return (_tax(place, left_micro_fen),)
    if line.tier == Tier.BENEFIT:
        return _benefit(place, line, left_micro_fen)
    if line.tier == Tier.RESERVE or line.claimant_id is None:
        return (f"what is left: {left_micro_fen} µfen",)
    return _fill(place, line, left_micro_fen)


def _tax(place: SharePlace, left_micro_fen: int) -> str:
    if not place.net_fen:
        return "a pour bears no surcharge: 0 µfen"
    rate, room = place.basis["surcharge_ppm"], place.basis["tax_room"]
    surcharge = place.net_fen * rate
    return (
        f"min({place.net_fen} fen · {rate} = {surcharge}, open tax {room}, "
        f"net {left_micro_fen}) = {min(surcharge, room, left_micro_fen)} µfen"
    )


def _fill(place: SharePlace, line: queries.SplitLineRow, left_micro_fen: int) -> tuple[str, ...]:
    """Return the share of a capped tier: those at their room taken out, then X′ · w / W′."""
    own = {item.claimant_id: item for item in place.tier_lines(line.tier) if item.claimant_id}
    spread = sum(item.amount_micro_fen for item in own.values())
    found = f"X = {spread} of {left_micro_fen} µfen, for {len(own)} claimants"
    rooms = {key: _room(place, item) for key, item in own.items()}
    wanted = place.weights if line.tier == Tier.LINEAGE_COST else rooms
    at_room = {key for key, item in own.items() if item.amount_micro_fen == rooms[key]}
    key = line.claimant_id
    assert key is not None
    if key in at_room:
        return found, f"open cost of the claimant {rooms[key]} µfen: filled to its room"
    rest = spread - sum(rooms[member] for member in at_room)
    whole = sum(wanted.get(member, 0) for member in rooms if member not in at_room)
    return (
        found,
        f"{len(at_room)} at their room; X′ = {rest} µfen, w = {wanted.get(key, 0)} of W′ = {whole}",
        f"X′ · w / W′ = {_share(rest, wanted.get(key, 0), whole)}, room {rooms[key]}",
    )


def _room(place: SharePlace, line: queries.SplitLineRow) -> int:
    """Return the room of a line's claimant; what the lineage tier took lowers the common one."""
    room = int(place.basis["rooms"].get(str(line.claimant_id), 0))
    if line.tier == Tier.COMMON_COST:
        above = place.tier_lines(Tier.LINEAGE_COST)
        room -= sum(item.amount_micro_fen for item in above if item.claimant_id == line.claimant_id)
    return max(0, room)


def _benefit(place: SharePlace, line: queries.SplitLineRow, left_micro_fen: int) -> tuple[str, ...]:
    """Return the vector's part, and within the providers' part the share by weight · quality."""
    room = place.basis["profit_room"]
    amount = min(left_micro_fen, room)
    found = f"X = min({left_micro_fen}, open permitted profit {room}) = {amount} µfen"
    if line.position < len(_VECTOR):
        who = _VECTOR[line.position]
        return found, _vector(place, who, amount)
    providers = place.forgone_micro_fen + sum(
        item.amount_micro_fen
        for item in place.tier_lines(Tier.BENEFIT)
        if item.position >= len(_VECTOR)
    )
    merits = _merits(place)
    whole = sum(merit for merit, _ in merits.values())
    own = merits.get(line.claimant_id, (0, "operator and platform earn by the vector: w·q = 0"))
    return (
        found,
        f"{_vector(place, 'providers', amount)}; {providers} µfen for the datasets",
        *(f"{key}: {text}" for key, (_, text) in merits.items()),
        f"w·q = {own[0]} of W = {whole}",
        f"{providers} · w·q / W = {_share(providers, own[0], whole)}",
    )


def _vector(place: SharePlace, who: str, amount: int) -> str:
    ppm = place.basis[f"{who}_ppm"]
    return f"{who}' part: X · {ppm} / 10⁶ = {_share(amount, ppm, PPM_WHOLE)}"


def _merits(place: SharePlace) -> dict[UUID | None, tuple[int, str]]:
    """Return weight times quality of each dataset that was listed, and how it comes about."""
    found: dict[UUID | None, tuple[int, str]] = {}
    for item in place.tier_lines(Tier.BENEFIT):
        key = item.claimant_id
        if item.position < len(_VECTOR) or key is None or key in place.organisations:
            continue
        weight, grade = place.weights.get(key, 0), place.basis["grades"].get(str(key), 0)
        quality = coefficient_of(grade)
        letter = QualityGrade(grade).name if grade else "not inspected"
        found[key] = weight * quality, f"w {weight} · q {quality} ({letter}) = {weight * quality}"
    return found


def _share(amount: int, weight: int, whole: int) -> str:
    share, remainder = divmod(amount * weight, whole) if whole else (0, 0)
    return f"{share} + {remainder}/{whole} µfen (largest remainder)"
