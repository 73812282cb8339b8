"""Many incomes split at once: each on the balances that the one before it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ledger.app import settlement
from ledger.app.batches import run_many
from ledger.app.keys import issue_api_key
from ledger.app.reconciling import reconcile
from ledger.app.verifying import verify_market
from ledger.domain.errors import LedgerError
from ledger.projection import queries
from tests.integration.licence_story import billed, use_rows
from tests.integration.market_fixture import SmallMarket, grant, opened_market

pytestmark = pytest.mark.integration
INCOMES = 3


def _released(small: SmallMarket) -> list[str]:
    """Sell to the same buyer several times, and let it accept each bill."""
    found = []
    for number in range(INCOMES):
        licence_no = grant(small)
        key = issue_api_key(small.market, small.members["buyer"].account, licence_no)
        use_rows(small, key, 1_200)
        invoice_id = billed(small, licence_no)
        with small.market.read() as connection:
            gross_fen = queries.invoice(connection, invoice_id).gross_fen
        payment = {"amount_fen": gross_fen, "receipt_digest": f"0x{number + 1:064x}"}
        small.run("operator", "record-payment", {"invoice_id": str(invoice_id)} | payment)
        small.run("buyer", "accept-invoice", {"invoice_id": str(invoice_id)})
        found.append(str(invoice_id))
    return found


def test_split_all__released_incomes__in_order_in_one_transaction_and_right(
    tmp_path: Path,
) -> None:
    with opened_market(tmp_path) as small:
        invoices = _released(small)
        operator = small.members["operator"].account
        done = settlement.split_all(small.market, operator, small.scheme_id)
        assert [item.result["invoice_id"] for item in done] == invoices
        assert len({item.tx_hash for item in done}) == 1
        assert settlement.split_all(small.market, operator, small.scheme_id) == []
        assert verify_market(small.market).findings == []
        assert reconcile(small.market)["ok"]


def test_split_all__one_is_refused_on_the_way__those_after_it_are_planned_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_market(tmp_path) as small:
        invoices = _released(small)
        starved: list[int] = []

        def short_of_gas(market: Any, asks: Any, **options: Any) -> list[Any]:
            """Carry out only the first of the first many, as if gas had ended there."""
            if starved:
                return run_many(market, asks, **options)
            starved.append(len(asks))
            return [*run_many(market, asks[:1], **options), *[LedgerError("no gas")] * 2]

        monkeypatch.setattr(settlement, "run_many", short_of_gas)
        operator = small.members["operator"].account
        done = settlement.split_all(small.market, operator, small.scheme_id)
        assert [item.result["invoice_id"] for item in done] == invoices
        assert starved == [INCOMES]
        with small.market.read() as connection:
            splits = queries.splits_of(connection, small.scheme_id)
        assert [split.split.invoice_id for split in splits] == [UUID(key) for key in invoices]


def test_split_all__by_another_operator__refused_and_nothing_split(tmp_path: Path) -> None:
    with opened_market(tmp_path) as small:
        _released(small)
        with pytest.raises(LedgerError) as caught:
            settlement.split_all(small.market, small.members["buyer"].account, small.scheme_id)
        assert caught.value.code.startswith("revenue_ledger.")
        with small.market.read() as connection:
            assert queries.splits_of(connection, small.scheme_id) == []
