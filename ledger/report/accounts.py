"""The account of one party: what was credited, remitted and is payable, line by line, at any date.

Rules kept here:
1. A credit is a line of a split, a debit a line of a remittance batch; each has the name under
   which `mdl explain` shows where it comes from.
2. A correction is a line of its own with the opposite sign, never an edit; what a pour of a
   carry-in or a reserve gave is a credit, too.
3. credited − corrected = remitted + payable + carried, exactly, or it is refused. What was remitted
   and taken back since is not remitted any more: its payee owes it, until later batches set it off.
4. `received_fen` is what reached the party itself; a public institution's treasury is paid beside
   it. `receivable_fen` is what the party itself, as a payee, still owes back.
5. A provider sees what its datasets earned, an operator and a platform their own claims and, where
   they sell, tax and reserve of their schemes; a treasury what is paid to it for others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ledger.domain.calendar import instant_text
from ledger.domain.money import Tier
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection import queries
from ledger.projection.queries.splits import receivables_list
from ledger.report.errors import StatementSumError

FORMAT = 2
_ADDING = ("credited", "taken_back")
"""Kinds of entries after which more is due; after the others less is."""
Connection = Any
Names = Mapping[UUID, Mapping[str, str]]


def account_statement(
    connection: Connection,
    organisation_id: UUID,
    *,
    until: int | None = None,
    names: Names | None = None,
) -> dict[str, Any]:
    """Return the account of a party up to an instant.

    Args:
        connection: a read connection to the projections.
        organisation_id: provider, operator, platform or treasury.
        until: Unix seconds, inclusive; None for now.
        names: {"zh", "en"} of organisations, datasets and products, as far as they are known.

    Raises:
        NotFoundError: the organisation is unknown.
        StatementSumError: the account does not balance.
    """
    queries.organisation(connection, organisation_id)
    entries: list[dict[str, Any]] = []
    scheme_totals: list[dict[str, Any]] = []
    claims_of: dict[UUID, dict[UUID, str]] = {}
    for scheme in sorted(queries.schemes_list(connection), key=lambda row: row.scheme_id):
        claims = _claims(connection, scheme.scheme_id, organisation_id)
        claims_of[scheme.scheme_id] = claims
        splits = queries.splits_of(connection, scheme.scheme_id)
        kept = [split for split in splits if until is None or split.split.recorded_at <= until]
        entries += _credits(kept, claims)
        fills = queries.fills_of(connection, scheme.scheme_id)
        entries += _poured(
            [fill for fill in fills if until is None or fill.fill.recorded_at <= until], claims
        )
        if scheme.operator_id == organisation_id:
            scheme_totals.append(_scheme_total(scheme.scheme_id, kept))
    entries += _taken_back(connection, claims_of, until)
    entries += _debits(connection, entries, until)
    # Within a second credits come before what was paid of them, each in the order of the chain.
    entries.sort(key=lambda entry: entry["at_seconds"])
    found = _balanced(organisation_id, entries, scheme_totals, until, names)
    return found | _as_payee(connection, organisation_id, entries, until)


def _claims(connection: Connection, scheme_id: UUID, organisation_id: UUID) -> dict[UUID, str]:
    """Return the claimants that concern a party, each as `own` or as `paid_here`."""
    claims: dict[UUID, str] = {}
    for account in queries.accounts_of(connection, scheme_id):
        claimant_id = account.claimant_id
        if queries.earner_of(connection, claimant_id) == organisation_id:
            claims[claimant_id] = "own"
        else:
            try:
                payee_id = queries.payee_of_claimant(connection, claimant_id)
            except queries.PayeeUnknownError:
                continue
            if payee_id == organisation_id:
                claims[claimant_id] = "paid_here"
    return claims


def _credits(splits: list[queries.SplitDetail], claims: Mapping[UUID, str]) -> list[dict[str, Any]]:
    return [
        _entry(
            split_line_name(split.split, line),
            split.split.recorded_at,
            "corrected" if split.split.is_correction else "credited",
            split.split.scheme_id,
            line,
            claims[line.claimant_id],
        )
        for split in sorted(splits, key=lambda split: split.split.event_no)
        for line in split.lines
        if line.claimant_id is not None and line.claimant_id in claims and line.amount_micro_fen
    ]


def _poured(fills: list[queries.FillDetail], claims: Mapping[UUID, str]) -> list[dict[str, Any]]:
    return [
        _entry(
            f"{fill.fill.scheme_id}/{line.tier}/{line.position}@{fill.fill.event_no}",
            fill.fill.recorded_at,
            "credited",
            fill.fill.scheme_id,
            line,
            claims[line.claimant_id],
        )
        for fill in fills
        for line in fill.lines
        if line.claimant_id is not None and line.claimant_id in claims and line.amount_micro_fen
    ]


def split_line_name(split: queries.SplitRow, line: queries.SplitLineRow) -> str:
    """Return the name of a line of a split; of a later entry of its invoice with its number."""
    entry = "" if split.entry_no == 1 else f"@{split.entry_no}"
    return f"{split.invoice_id}/{line.tier}/{line.position}{entry}"


def _entry(
    name: str,
    at_seconds: int,
    kind: str,
    scheme_id: UUID,
    line: queries.SplitLineRow,
    concerned: str,
) -> dict[str, Any]:
    return {
        "line": name,
        "at_seconds": at_seconds,
        "kind": kind,
        "tier": Tier(line.tier).name.lower(),
        "scheme_id": str(scheme_id),
        "claimant_id": str(line.claimant_id),
        "for": concerned,
        "amount_micro_fen": str(line.amount_micro_fen),
    }


def _taken_back(
    connection: Connection, claims_of: Mapping[UUID, Mapping[UUID, str]], until: int | None
) -> list[dict[str, Any]]:
    """Return what was remitted for the party's claims before a correction took it back."""
    return [
        {
            "line": str(row.invoice_id),
            "at_seconds": row.recorded_at,
            "kind": "taken_back",
            "tier": None,
            "scheme_id": str(row.scheme_id),
            "claimant_id": str(row.claimant_id),
            "for": claims_of[row.scheme_id][row.claimant_id],
            "owed_by": str(row.payee_id),
            "amount_micro_fen": str(row.amount_fen * MICRO_FEN_PER_FEN),
        }
        for row in receivables_list(connection)
        if row.claimant_id in claims_of[row.scheme_id]
        and (until is None or row.recorded_at <= until)
    ]


def _as_payee(
    connection: Connection,
    organisation_id: UUID,
    entries: list[dict[str, Any]],
    until: int | None,
) -> dict[str, int]:
    """Return what reached the party itself, and what it owes back."""
    own = str(organisation_id)
    lines = (int(row["amount_micro_fen"]) for row in entries if row.get("payee_id") == own)
    set_off = sum(
        batch.set_off_fen
        for batch in queries.remittances_list(connection, payee_id=organisation_id)
        if until is None or batch.opened_at <= until
    )
    owed = sum(
        row.amount_fen
        for row in receivables_list(connection)
        if row.payee_id == organisation_id and (until is None or row.recorded_at <= until)
    )
    return {
        "received_fen": sum(lines) // MICRO_FEN_PER_FEN - set_off,
        "set_off_fen": set_off,
        "receivable_fen": owed - set_off,
    }


def _debits(
    connection: Connection, credited: list[dict[str, Any]], until: int | None
) -> list[dict[str, Any]]:
    owners = {(entry["scheme_id"], entry["claimant_id"]): entry["for"] for entry in credited}
    found = []
    for batch in queries.remittances_list(connection):
        if until is not None and batch.opened_at > until:
            continue
        for line in queries.remittance_lines_of(connection, batch.batch_id):
            key = str(line.scheme_id), str(line.claimant_id)
            if key not in owners:
                continue
            found.append(
                {
                    "line": f"{batch.batch_id}/{line.position}",
                    "at_seconds": batch.opened_at,
                    "kind": "remitted",
                    "tier": None,
                    "scheme_id": key[0],
                    "claimant_id": key[1],
                    "for": owners[key],
                    "payee_id": str(batch.payee_id),
                    "amount_micro_fen": str(line.amount_fen * MICRO_FEN_PER_FEN),
                }
            )
    return found


def _scheme_total(scheme_id: UUID, splits: list[queries.SplitDetail]) -> dict[str, Any]:
    """Return what an operator's scheme took for tax and reserve, which belong to nobody yet."""
    totals: defaultdict[str, int] = defaultdict(int)
    for split in splits:
        for line in split.lines:
            totals[Tier(line.tier).name.lower()] += split.split.sign * line.amount_micro_fen
    return {
        "scheme_id": str(scheme_id),
        "net_fen": sum(split.split.sign * split.split.net_fen for split in splits),
        "vat_fen": sum(split.split.sign * split.split.vat_fen for split in splits),
        "tax_micro_fen": str(totals["tax"]),
        "reserve_micro_fen": str(totals["reserve"]),
        "shared_micro_fen": str(
            sum(amount for tier, amount in totals.items() if tier not in ("tax", "reserve"))
        ),
    }


def _balanced(
    organisation_id: UUID,
    entries: list[dict[str, Any]],
    schemes: list[dict[str, Any]],
    until: int | None,
    names: Names | None,
) -> dict[str, Any]:
    """Return the account with its sums, claimant by claimant in whole fen as they are paid."""
    balances: defaultdict[tuple[str, str], int] = defaultdict(int)
    totals: defaultdict[str, int] = defaultdict(int)
    for entry in entries:
        amount = int(entry["amount_micro_fen"])
        sign = 1 if entry["kind"] in _ADDING else -1
        balances[entry["scheme_id"], entry["claimant_id"]] += sign * amount
        totals[entry["kind"]] += amount
    remitted = totals["remitted"] - totals["taken_back"]
    payable_fen = sum(balance // MICRO_FEN_PER_FEN for balance in balances.values())
    carried = sum(balance % MICRO_FEN_PER_FEN for balance in balances.values())
    due = totals["credited"] - totals["corrected"] - remitted
    if min(balances.values(), default=0) < 0 or due != payable_fen * MICRO_FEN_PER_FEN + carried:
        raise StatementSumError("the account does not balance", field="entries", got=due)
    shown = {entry["claimant_id"] for entry in entries}
    return {
        "format": FORMAT,
        "organisation_id": str(organisation_id),
        "until": None if until is None else instant_text(until),
        "names": {
            str(key): dict(value)
            for key, value in sorted((names or {}).items())
            if str(key) in shown or key == organisation_id
        },
        "credited_micro_fen": str(totals["credited"] - totals["corrected"]),
        "remitted_fen": remitted // MICRO_FEN_PER_FEN,
        "payable_fen": payable_fen,
        "carried_micro_fen": str(carried),
        "claims": _claim_rows(entries, balances),
        "schemes": schemes,
        "entries": [_shown(entry) for entry in entries],
    }


def _claim_rows(
    entries: list[dict[str, Any]], balances: Mapping[tuple[str, str], int]
) -> list[dict[str, Any]]:
    """Return each claim's sums, as a provider asks for them: by dataset and scheme."""
    credited: defaultdict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        amount = int(entry["amount_micro_fen"])
        if entry["kind"] in ("credited", "corrected"):
            sign = 1 if entry["kind"] == "credited" else -1
            credited[entry["scheme_id"], entry["claimant_id"]] += sign * amount
    return [
        {
            "scheme_id": key[0],
            "claimant_id": key[1],
            "credited_micro_fen": str(credited[key]),
            "remitted_fen": (credited[key] - balance) // MICRO_FEN_PER_FEN,
            "payable_fen": balance // MICRO_FEN_PER_FEN,
        }
        for key, balance in balances.items()
    ]


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    return {"at": instant_text(entry["at_seconds"])} | {
        key: value for key, value in entry.items() if key != "at_seconds"
    }
