"""Faults that the verifier must find in the events of derived products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.chain.events import Event


@dataclass(frozen=True)
class Told:
    """All events of a sound market, its logs, and an organisation that has no part in it."""

    events: list[Event]
    logs: Path
    ids: dict[str, UUID]


Change = Callable[[dict[str, Any], Told], None]


def put(*path: Any) -> Change:
    """Return a change that puts the last of `path` where the others lead; names stand for ids."""

    def change(args: dict[str, Any], told: Told) -> None:
        target: Any = args
        for step in path[:-2]:
            target = target[step]
        value = path[-1]
        target[path[-2]] = told.ids.get(value, value) if isinstance(value, str) else value

    return change


def add(*path: Any) -> Change:
    """Return a change that adds the last of `path` to the number where the others lead."""

    def change(args: dict[str, Any], told: Told) -> None:
        target: Any = args
        for step in path[:-2]:
            target = target[step]
        target[path[-2]] += path[-1]

    return change


FAULTS: list[tuple[str, int, Change, str]] = [
    ("AffiliatesDeclared", 0, put("actor_id", "weather"), "affiliation_actor"),
    ("AffiliatesDeclared", 0, put("one_id", UUID(int=1)), "affiliation_pair"),
    ("AffiliationEnded", 0, put("actor_id", "first"), "affiliation_actor"),
    ("AffiliationEnded", 0, put("one_id", UUID(int=1)), "affiliation_unknown"),
    ("ProductDerived", 0, put("developer_id", "buyer"), "role_missing"),
    ("ProductDerived", 0, put("developer_id", "operator"), "operator_resells"),
    ("ProductDerived", 0, put("developer_id", "second"), "source_licence"),
    ("ProductDerived", 0, put("developer_id", "second"), "lineage_developer"),
    ("ProductDerived", 0, add("sources", 0, "share_ppm", 1), "outcome_agreed"),
    ("ProductDerived", 0, add("lineage", 0, "weight_ppm", 1), "outcome_shares"),
    ("ProductDerived", 0, put("sources", 0, "ancestor_id", UUID(int=1)), "source_unknown"),
    ("ProductDerived", 0, put("sources", 0, "licence_no", 99), "source_licence"),
    ("ProductDerived", 0, put("lineage", 1, "claimant_id", "operator"), "lineage_platform"),
    ("ProductDerived", 0, add("lineage", 2, "weight_ppm", 1), "lineage_sum"),
    ("ProductDerived", 0, put("modes", 64), "dataset_not_sellable"),
    ("ProductDerived", 1, put("lineage", 0, "kind", 3), "outcome_shares"),
    ("LicenceGranted", 1, add("agreement", "outcome_ppm", 1), "outcome_agreed"),
    ("LicenceGranted", 1, put("agreement", "purpose", 2), "source_purpose"),
    ("LicenceGranted", 1, put("agreement", "outcome_ppm", 1_000_001), "outcome_share"),
    ("MarketOpened", 0, put("developer_id", "buyer"), "role_missing"),
    ("MarketOpened", 0, put("vat_ppm", 130_001), "rate_too_large"),
    ("MarketOpened", 0, put("hold_days", 61), "hold_too_long"),
    ("MarketOpened", 0, add("year", 1), "scheme_mismatch"),
    ("OutcomeShared", 0, add("net_fen", 1), "split_net"),
    ("OutcomeShared", 0, add("vat_fen", 1), "split_vat"),
    ("OutcomeShared", 0, add("release_no", 1), "split_order"),
    ("OutcomeShared", 0, put("invoice_id", UUID(int=1)), "outcome_unknown"),
    ("OutcomeCorrected", 0, add("net_fen", 1), "correction_net"),
    ("OutcomeCorrected", 0, put("reduction_fen", 10**9), "reduction_too_large"),
    ("OutcomeCorrected", 0, add("receivables", 0, "amount_fen", 1), "receivables"),
    ("OutcomeCorrected", 0, put("receivables", []), "receivables"),
]
