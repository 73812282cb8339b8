"""How one line of a split follows from its tier: balances before it, and the share in numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.domain.money import Tier
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


@dataclass(frozen=True, slots=True)
class SharePlace:
    """A split with the balances that it was computed from."""

    scheme: queries.SchemeRow
    split: queries.SplitDetail
    weights_ppm: Mapping[UUID, int]
    rooms_micro_fen: Mapping[UUID, int]
    """Approved cost that each claimant had not recovered before this split."""
    tax_room_micro_fen: int

    @classmethod
    def of(
        cls, connection: Any, invoice: queries.InvoiceRow, split: queries.SplitDetail
    ) -> SharePlace:
        """Return the place of an invoice's split, from the splits released before it."""
        scheme = queries.scheme(connection, invoice.scheme_id)
        taken: defaultdict[UUID | None, int] = defaultdict(int)
        tax = 0
        for earlier in queries.splits_of(connection, invoice.scheme_id):
            if earlier.split.event_no >= split.split.event_no:
                break
            for line in earlier.lines:
                if line.tier in (Tier.LINEAGE_COST, Tier.COMMON_COST):
                    taken[line.claimant_id] += earlier.split.sign * line.amount_micro_fen
                elif line.tier == Tier.TAX:
                    tax += earlier.split.sign * line.amount_micro_fen
        for pour in queries.fills_of(connection, invoice.scheme_id):
            for line in pour.lines if pour.fill.event_no < split.split.event_no else ():
                if line.tier in (Tier.LINEAGE_COST, Tier.COMMON_COST):
                    taken[line.claimant_id] += line.amount_micro_fen
        rooms = {
            account.claimant_id: account.cost_micro_fen - taken[account.claimant_id]
            for account in queries.accounts_of(connection, invoice.scheme_id)
        }
        weights = {
            entry.claimant_id: entry.weight_ppm
            for entry in queries.lineage_of(connection, invoice.product_id)
        }
        return cls(scheme, split, weights, rooms, scheme.tax_micro_fen - tax)

    def tier_micro_fen(self, tier: Tier) -> int:
        """Return what a tier took of the income."""
        return sum(line.amount_micro_fen for line in self.split.lines if line.tier == tier)


def share_step(
    place: SharePlace, line: queries.SplitLineRow, left_micro_fen: int
) -> tuple[str, str, tuple[str, ...]]:
    """Return title, rule and arithmetic of a line.

    Args:
        place: the split and the balances before it.
        line: one of its lines.
        left_micro_fen: what the tiers above left.
    """
    tier = Tier(line.tier)
    title, rule = RULES[tier]
    if tier is Tier.TAX:
        return title, rule, (_tax(place, left_micro_fen),)
    if tier is Tier.RESERVE:
        return title, rule, (f"what is left: {left_micro_fen} µfen",)
    if tier is Tier.OUTCOME:
        net_fen = place.split.split.net_fen
        weight = line.amount_micro_fen // net_fen if net_fen else 0
        found = f"{net_fen} fen · {weight} ppm = {net_fen * weight} µfen, nothing rounded"
        return title, rule, (found,)
    weights = dict(place.weights_ppm) if tier is Tier.LINEAGE_COST else {}
    return title, rule, _fill(place, line, left_micro_fen, weights)


def _tax(place: SharePlace, left_micro_fen: int) -> str:
    surcharge = place.split.split.net_fen * place.scheme.surcharge_ppm
    return (
        f"min({place.split.split.net_fen} fen · {place.scheme.surcharge_ppm} = {surcharge}, "
        f"open tax {place.tax_room_micro_fen}, net {left_micro_fen}) = "
        f"{min(surcharge, place.tax_room_micro_fen, left_micro_fen)} µfen"
    )


def _fill(
    place: SharePlace, line: queries.SplitLineRow, left_micro_fen: int, weights: dict[UUID, int]
) -> tuple[str, ...]:
    """Return the share of a capped tier: those at their room taken out, then X′ · w / W′."""
    own = {
        item.claimant_id: item
        for item in place.split.lines
        if item.tier == line.tier and item.claimant_id is not None
    }
    spread = sum(item.amount_micro_fen for item in own.values())
    found = f"X = {spread} of {left_micro_fen} µfen, for {len(own)} claimants"
    if line.tier == Tier.BENEFIT or line.claimant_id is None:
        return found, "shared by the scheme's vector; providers by weight · quality"
    rooms = {key: _room(place, item) for key, item in own.items()}
    wanted = weights or rooms
    at_room = {key for key, item in own.items() if item.amount_micro_fen == rooms[key]}
    room = rooms[line.claimant_id]
    if line.claimant_id in at_room:
        return found, f"open cost of the claimant {room} µfen: filled to its room"
    rest = spread - sum(rooms[key] for key in at_room)
    whole = sum(wanted.get(key, 0) for key in rooms if key not in at_room)
    weight = wanted.get(line.claimant_id, 0)
    share, remainder = divmod(rest * weight, whole) if whole else (0, 0)
    return (
        found,
        f"{len(at_room)} at their room; X′ = {rest} µfen, w = {weight} of W′ = {whole}",
        f"X′ · w / W′ = {share} + {remainder}/{whole} µfen (largest remainder), room {room}",
    )


def _room(place: SharePlace, line: queries.SplitLineRow) -> int:
    """Return the room of a line's claimant; what the lineage tier took lowers the common one."""
    if line.claimant_id is None:
        return 0
    room = place.rooms_micro_fen.get(line.claimant_id, 0)
    if line.tier == Tier.COMMON_COST:
        room -= sum(
            item.amount_micro_fen
            for item in place.split.lines
            if item.tier == Tier.LINEAGE_COST and item.claimant_id == line.claimant_id
        )
    return max(0, room)
