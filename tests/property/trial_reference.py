"""A second opinion on trials: the answer to a body in exact fractions, written from the rules.

Nothing of the product is used. Shares are fractions, found by the level at which claimants become
full; whole µfen appear only where the rules round. The posted lines of each income are kept, so
that a refund takes back what is written down, and the close reads balances summed anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

MILLION = 10**6
Lines = dict[str, dict[str, int]]
_COST = ("lineage_cost", "common_cost")


def exact_answer(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a trial of a scheme must answer."""
    year = _Year(body["scheme"])
    answers = [year.take(income) for income in body["incomes"]]
    return {
        "permitted_micro_fen": str(year.permitted),
        "splits": answers,
        "close": year.close(body.get("close"), body.get("carry_over_cycles", 1)),
    }


def exact_charge_fen(body: Mapping[str, Any]) -> int:
    """Return what a trial of a tariff must answer, unit by unit of its bands' ends."""
    edges = [0, *[band["up_to"] for band in body["bands"][:-1]]]
    first = max(0, body["already_used"] - body["free_quota"])
    last = max(0, body["already_used"] + body["units"] - body["free_quota"])
    price = Fraction(0)
    for number, band in enumerate(body["bands"]):
        low = max(first, edges[number])
        high = last if band["up_to"] is None else min(last, band["up_to"])
        price += max(0, high - low) * Fraction(band["price_micro_yuan"], MILLION)
    return floor(price * 100 * Fraction(MILLION - body["discount_ppm"], MILLION))


class _Year:
    def __init__(self, scheme: Mapping[str, Any]) -> None:
        self.scheme = scheme
        self.costs = {name: scheme["costs_fen"][name] for name in sorted(scheme["costs_fen"])}
        rate = Fraction(scheme["bond_ppm"] + scheme["spread_ppm"], MILLION)
        self.profit = sum(self.costs.values()) * MILLION * rate
        self.tax = scheme["tax_fen"] * MILLION
        self.permitted = int(sum(self.costs.values()) * MILLION + self.profit + self.tax)
        self.posted: list[tuple[Any, int, Lines]] = []
        self.taken: list[Any] = []
        self.carry_in = scheme["carry_in_fen"] * MILLION
        self.opening = self._pour(self.carry_in, 0, self.costs, (), {}) if self.carry_in else {}

    def take(self, income: Mapping[str, Any]) -> dict[str, Any]:
        gross = income["gross_fen"]
        self.taken.append(income)
        if income["refund"]:
            for place in range(len(self.posted) - 1, -1, -1):
                before, net, lines = self.posted[place]
                if all(before[key] == income[key] for key in ("gross_fen", "weights_ppm")):
                    del self.posted[place]
                    return _shown(net, gross - net, lines) | {"refund": True}
            raise AssertionError("the body refunds what was never taken")
        net = floor(gross / Fraction(MILLION + self.scheme["vat_ppm"], MILLION))
        tax = min(net * self.scheme["surcharge_ppm"], self.tax - self._sum("tax"), net * MILLION)
        weights = {name: income["weights_ppm"][name] for name in sorted(income["weights_ppm"])}
        lines = self._pour(net * MILLION, tax, weights, income["pool"], income["quality"])
        self.posted.append((income, net, lines))
        return _shown(net, gross - net, lines)

    def close(self, kind: str | None, cycles: int) -> dict[str, Any] | None:
        if kind is None:
            return None
        income = sum(net for _, net, _ in self.posted) * MILLION + self.carry_in
        apart = abs(Fraction(income, self.permitted) - 1)
        carried: list[int] = []
        if kind == "cycle":
            pool = {self.scheme["operator"], self.scheme["platform"]}
            quality: dict[str, int] = {}
            for sale in self.taken:
                pool.update(sale["pool"], sale["weights_ppm"])
                quality |= sale["quality"]
            weights = {name: self.costs[name] for name in sorted(pool)}
            poured = self._pour(self._sum("reserve"), 0, weights, sorted(pool), quality)
            left = poured["reserve"][""]
            carried = [left // cycles] * (cycles - 1)
            carried.append(left - sum(carried))
        return {
            "deviation_ppm": floor(apart * MILLION),
            "carry_out_micro_fen": [str(part) for part in carried],
        }

    def _pour(
        self,
        amount: int,
        tax: int,
        weights: Mapping[str, int],
        pool: Sequence[str],
        quality: Mapping[str, int],
    ) -> Lines:
        left = amount - tax
        cost = _level(left, weights, {name: self._room(name) for name in weights})
        left -= sum(cost.values())
        members = sorted({*pool, self.scheme["operator"], self.scheme["platform"]})
        rooms = {name: self._room(name) - cost.get(name, 0) for name in members}
        common = _level(left, rooms, rooms)
        left -= sum(common.values())
        profit = min(left, int(self.profit) - self._sum("benefit", "forgone"))
        benefit, forgone = self._benefit(profit, weights, quality)
        left -= sum(benefit.values())
        return {
            "tax": {"": tax},
            "lineage_cost": cost,
            "common_cost": common,
            "benefit": benefit,
            "forgone": {"": forgone},
            "reserve": {"": left},
        }

    def _benefit(
        self, profit: int, weights: Mapping[str, int], quality: Mapping[str, int]
    ) -> tuple[dict[str, int], int]:
        shares = self.scheme["profit_ppm"]
        parts = _rounded({key: Fraction(profit * shares[key], MILLION) for key in sorted(shares)})
        merits = {
            name: weight * quality.get(name, 100)
            for name, weight in weights.items()
            if name not in (self.scheme["operator"], self.scheme["platform"])
        }
        whole, providers = sum(merits.values()), parts.pop("providers")
        found = {"governance": parts["governance"]}
        for key in ("operator", "platform"):
            name = self.scheme[key]
            found[name] = found.get(name, 0) + parts[key]
        if not whole:
            return found, providers
        exact = {name: Fraction(providers * merit, whole) for name, merit in merits.items()}
        return found | _rounded(exact), 0

    def _room(self, name: str) -> int:
        taken = sum(self._lines(tier).get(name, 0) for tier in _COST)
        return self.costs[name] * MILLION - taken

    def _lines(self, tier: str) -> dict[str, int]:
        totals: dict[str, int] = {}
        opening = getattr(self, "opening", {})
        for lines in [opening, *[lines for _, _, lines in self.posted]]:
            for name, amount in lines.get(tier, {}).items():
                totals[name] = totals.get(name, 0) + amount
        return totals

    def _sum(self, *tiers: str) -> int:
        return sum(sum(self._lines(tier).values()) for tier in tiers)


def _shown(net: int, vat: int, lines: Lines) -> dict[str, Any]:
    shown: dict[str, Any] = {"net_fen": net, "vat_fen": vat}
    for tier in ("tax", "reserve"):
        shown[f"{tier}_micro_fen"] = str(lines[tier][""])
    for tier in (*_COST, "benefit"):
        shown[f"{tier}_micro_fen"] = {
            name: str(amount) for name, amount in lines[tier].items() if amount
        }
    return shown


def _level(amount: int, weights: Mapping[str, int], rooms: Mapping[str, int]) -> dict[str, int]:
    """Pour an amount into vessels as wide as their weights, each closed at its room."""
    open_ = {name for name, weight in weights.items() if weight}
    shares = dict.fromkeys(weights, Fraction(0))
    left = Fraction(amount)
    while open_ and left:
        whole = sum(weights[name] for name in open_)
        rise = min(left / whole, *(((rooms[n] - shares[n]) / weights[n]) for n in open_))
        for name in open_:
            shares[name] += rise * weights[name]
        left -= rise * whole
        open_ = {name for name in open_ if shares[name] < rooms[name]}
    return _rounded(shares)


def _rounded(shares: Mapping[str, Fraction]) -> dict[str, int]:
    """Floor, then one more by largest fraction, ties to the name that comes first."""
    lines = {name: floor(share) for name, share in shares.items()}
    missing = sum(shares.values()) - sum(lines.values())
    for name in sorted(shares, key=lambda name: (lines[name] - shares[name], name))[: int(missing)]:
        lines[name] += 1
    return lines
