"""Trying a scheme or a tariff before it is approved, on any figures and without a market.

Rules kept here:
1. Nothing is read but the body: no home, no chain, no database.
2. Ids of claimants are any text of up to 200 characters; their order is the order of their code
   points. `governance` is nobody's id: under it stands the share for governance.
3. A body that breaks a rule is refused with every field that does; a number that a field cannot
   hold, a float included, is named by its field.

Body and answer: `{"scheme", "incomes", "close", "carry_over_cycles"}` for a scheme, and
`{"bands", "free_quota", "discount_ppm", "already_used", "units"}` for a tariff.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.app.requests import parse_part
from ledger.app.trial_bodies import (
    GOVERNANCE,
    IncomeBody,
    SchemeField,
    SchemeTrial,
    TariffTrial,
)
from ledger.domain.codes import Purpose
from ledger.domain.errors import LedgerError, MalformedValueError
from ledger.domain.ids import ClaimantId
from ledger.domain.money import (
    Band,
    ClaimantCost,
    Lineage,
    ProfitVector,
    SchemeTerms,
    Tariff,
    Tier,
)
from ledger.domain.nesting import check_nesting
from ledger.domain.units import (
    MICRO_FEN_PER_FEN,
    Fen,
    MicroFen,
    MicroYuan,
    Ppm,
)
from ledger.revenue.errors import UnknownClaimantError
from ledger.revenue.simulation import (
    CloseKind,
    Simulation,
    TrialIncome,
    TrialSplit,
    simulate,
)
from ledger.revenue.state import SchemeState
from ledger.revenue.tariff import ChargePart, charge_fen, charge_parts

_DIGITS_MAX = 78


@dataclass(frozen=True, slots=True)
class TriedScheme:
    """A trial carried out, with the names of its claimants."""

    result: Simulation
    names: Mapping[ClaimantId, str]

    @property
    def state(self) -> SchemeState:
        """Balances after the last income."""
        return self.result.state

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data: fen as integers, µfen as digits, zeros left out."""
        closed = self.result.close
        return {
            "permitted_micro_fen": str(self.state.terms.permitted_micro_fen),
            "splits": [self._split(split) for split in self.result.splits],
            "close": closed
            and {
                "deviation_ppm": closed.deviation.deviation_ppm,
                "carry_out_micro_fen": [str(part) for part in closed.carry_out_micro_fen],
            },
        }

    def shares(self, split: TrialSplit, tier: Tier) -> dict[str, int]:
        """Return what a tier of a split gives to each claimant in µfen, zeros left out."""
        shares: dict[str, int] = {}
        for line in split.split.tier(tier):
            if line.claimant_id is not None and line.amount_micro_fen:
                name = self.names[line.claimant_id]
                shares[name] = shares.get(name, 0) + line.amount_micro_fen
        return shares

    def _split(self, split: TrialSplit) -> dict[str, Any]:
        tiers = {
            f"{tier.name.lower()}_micro_fen": {
                name: str(amount) for name, amount in self.shares(split, tier).items()
            }
            for tier in (Tier.LINEAGE_COST, Tier.COMMON_COST, Tier.BENEFIT)
        }
        return (
            {
                "net_fen": split.net_fen,
                "vat_fen": split.vat_fen,
                "tax_micro_fen": str(split.split.tier_micro_fen(Tier.TAX)),
            }
            | tiers
            | {"reserve_micro_fen": str(split.split.tier_micro_fen(Tier.RESERVE))}
            | ({"refund": True} if split.is_refund else {})
        )


@dataclass(frozen=True, slots=True)
class PricedUse:
    """A use priced by a tariff, with what each band takes of it."""

    tariff: Tariff
    purpose: Purpose
    charge_fen: Fen
    parts: tuple[ChargePart, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data."""
        return {"charge_fen": self.charge_fen}


def read_trial(text: str | bytes) -> Any:
    """Return the JSON of a trial; a number that no field holds stays as it is written.

    Raises:
        MalformedValueError: it is no JSON, repeats a key, or nests too deep.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8-sig")
        check_nesting(decoded)
        return json.loads(decoded, parse_int=_integer, object_pairs_hook=_members)
    except MalformedValueError as error:
        error.field = "body"
        raise
    except ValueError as error:
        raise MalformedValueError(
            f"the body is not JSON: {str(error)[:80]}", field="body", expected="UTF-8 JSON"
        ) from error


def try_anything(body: Any) -> dict[str, Any]:
    """Carry out a trial of a scheme or of a tariff, whichever the body is.

    Raises:
        LedgerError: as `try_scheme` and `price_use`.
    """
    is_tariff = isinstance(body, dict) and "bands" in body and "scheme" not in body
    return price_use(body).as_dict() if is_tariff else try_scheme(body).as_dict()


def try_scheme(body: Any) -> TriedScheme:
    """Split the incomes of a body by its scheme.

    Raises:
        ValidationError: fields are missing, superfluous, of another type or out of range.
        LedgerError: a rule is broken by the figures together; `field` is the path to them.
    """
    trial = parse_part(SchemeTrial, body)
    _require_known(trial)
    scheme = trial.scheme
    ordered = sorted(scheme.costs_fen)
    ids = {name: ClaimantId(UUID(int=number)) for number, name in enumerate(ordered, start=1)}
    ids[GOVERNANCE] = ClaimantId(UUID(int=len(ordered) + 1))
    result = simulate(
        _terms(scheme, ids),
        [_income(income, ids, f"incomes.{no}") for no, income in enumerate(trial.incomes)],
        close=CloseKind(trial.close) if trial.close else None,
        carry_over_cycles=trial.carry_over_cycles,
    )
    return TriedScheme(result, {key: name for name, key in ids.items()})


def price_use(body: Any) -> PricedUse:
    """Price the use of a body by its tariff.

    Raises:
        ValidationError: fields are missing, superfluous, of another type or out of range.
        LedgerError: the bands do not cover every quantity once, or the charge is too large.
    """
    trial = parse_part(TariffTrial, body)
    bands = tuple(Band(band.up_to, MicroYuan(band.price_micro_yuan)) for band in trial.bands)
    tariff = Tariff(bands, trial.free_quota, Ppm(trial.discount_ppm), trial.basis)
    charge = charge_fen(tariff, trial.already_used, trial.units, purpose=trial.purpose)
    parts = charge_parts(tariff, trial.already_used, trial.units)
    return PricedUse(tariff, trial.purpose, charge, tuple(parts))


def _require_known(trial: SchemeTrial) -> None:
    """Check that every claimant that is named has an approved cost, be it 0.

    Raises:
        UnknownClaimantError: for the first that has none.
    """
    scheme = trial.scheme
    named: list[tuple[str, Iterable[str]]] = [
        ("scheme.operator", [scheme.operator]),
        ("scheme.platform", [scheme.platform]),
    ]
    for number, income in enumerate(trial.incomes):
        for name in ("weights_ppm", "quality", "pool"):
            named.append((f"incomes.{number}.{name}", getattr(income, name)))
    for field, ids in named:
        for claimant in ids:
            if claimant not in scheme.costs_fen:
                raise UnknownClaimantError(
                    f"{field} names {claimant!r}, for whom costs_fen has no cost",
                    field=field,
                    got=claimant,
                    expected="an id of scheme.costs_fen",
                )


def _terms(scheme: SchemeField, ids: Mapping[str, ClaimantId]) -> SchemeTerms:
    costs = tuple(
        ClaimantCost(ids[name], Fen(scheme.costs_fen[name])) for name in sorted(scheme.costs_fen)
    )
    shares = scheme.profit_ppm
    with _within("scheme.profit_ppm"):
        profit = ProfitVector(
            Ppm(shares.providers),
            Ppm(shares.operator),
            Ppm(shares.platform),
            Ppm(shares.governance),
        )
    with _within("scheme.costs_fen"):
        return SchemeTerms(
            costs=costs,
            operator_id=ids[scheme.operator],
            platform_id=ids[scheme.platform],
            bond_ppm=Ppm(scheme.bond_ppm),
            spread_ppm=Ppm(scheme.spread_ppm),
            tax_fen=Fen(scheme.tax_fen),
            surcharge_ppm=Ppm(scheme.surcharge_ppm),
            vat_ppm=Ppm(scheme.vat_ppm),
            profit=profit,
            governance_id=ids[GOVERNANCE],
            carry_in_micro_fen=MicroFen(scheme.carry_in_fen * MICRO_FEN_PER_FEN),
        )


def _income(income: IncomeBody, ids: Mapping[str, ClaimantId], where: str) -> TrialIncome:
    with _within(f"{where}.weights_ppm"):
        lineage = Lineage.of({ids[name]: weight for name, weight in income.weights_ppm.items()})
    return TrialIncome(
        Fen(income.gross_fen),
        lineage,
        frozenset(ids[name] for name in income.pool),
        {ids[name]: value for name, value in income.quality.items()},
        income.refund,
    )


@contextmanager
def _within(field: str) -> Iterator[None]:
    """Name the field of the body in which a rule of the domain was broken."""
    try:
        yield
    except LedgerError as error:
        error.field = field
        raise


def _integer(text: str) -> int | str:
    # A number of thousands of digits is left as text: its field then refuses it by name.
    return int(text) if len(text) <= _DIGITS_MAX else text


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is repeated")
    return members
