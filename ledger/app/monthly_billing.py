"""The bills of a month, for every licence of an operator's products and every log.

Rules kept here:
1. Each licence that was used up to the end of the month has all of it billed, month by month, so
   that no bill mixes two months or years; free use has a bill of nothing.
2. A bill rests on a proven receipt, so a licence without a new receipt has none; it is named.
3. What is billed is left alone: the same run again, or after one that died, bills the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.app.billing import bill
from ledger.app.log_keeping import reader
from ledger.app.market import Market
from ledger.chain.keys import KeyAccount, address_of
from ledger.domain.calendar import end_of_period, period_of, period_text, start_of_period, year_of
from ledger.domain.errors import LedgerError
from ledger.projection import queries
from ledger.projection.queries.sales import LicenceRow

_PAGE_SIZE = 500


@dataclass(frozen=True, slots=True)
class MonthBilled:
    """What became of each licence: bills made, billed already, not used, refused."""

    period_id: int
    invoices: list[dict[str, Any]]
    """Bills of this run: licence_no, log_no, invoice_id, gross_fen, units."""
    billed_before: list[int]
    """Licences with nothing left to bill and an invoice in the month."""
    unused: list[int]
    """Licences without a receipt that is not billed and without an invoice in the month."""
    refused: list[dict[str, Any]]
    """Licences that could not be billed: licence_no, log_no, code, detail."""

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "month": period_text(self.period_id),
            "invoices": self.invoices,
            "billed_before": self.billed_before,
            "unused": self.unused,
            "refused": self.refused,
        }


def bill_month(market: Market, account: KeyAccount, period_id: int) -> MonthBilled:
    """Bill all use up to the end of a month on the licences of the account's operator.

    One licence that cannot be billed keeps no other from its bill.

    Raises:
        SignerUnknownError: the account signs for no organisation.
    """
    operator_id = market.organisation_of(address_of(account))
    end = end_of_period(period_id)
    with market.read() as connection:
        licences = [
            row
            for row in _licences(connection)
            if row.operator_id == operator_id and row.granted_at < end
        ]
        logs = [log.log_no for log in queries.logs_list(connection) if log.size]
    found = MonthBilled(period_id, [], [], [], [])
    for licence in licences:
        _bill_licence(market, account, licence, logs, found)
    return found


def _bill_licence(
    market: Market,
    account: KeyAccount,
    licence: LicenceRow,
    logs: list[int],
    found: MonthBilled,
) -> None:
    number = licence.licence_no
    before = len(found.invoices) + len(found.refused)
    for log_no in logs:
        key = {"licence_no": number, "log_no": log_no}
        try:
            done = _bill_in(market, account, licence, log_no, end_of_period(found.period_id))
        except LedgerError as error:
            if error.retryable:
                raise
            found.refused.append(key | {"code": error.code, "detail": error.detail})
            continue
        found.invoices.extend(key | item for item in done)
    if len(found.invoices) + len(found.refused) > before:
        return
    with market.read() as connection:
        is_billed = queries.is_billed_in(connection, number, found.period_id)
    (found.billed_before if is_billed else found.unused).append(number)


def _bill_in(
    market: Market, account: KeyAccount, licence: LicenceRow, log_no: int, end: int
) -> list[dict[str, Any]]:
    """Bill a licence in one log, the months that are not billed one after another."""
    made = []
    for before, year in _months(market, licence.licence_no, log_no, end):
        with market.read() as connection:
            product = queries.product(connection, licence.product_id).product
            key = product.operator_id, product.city_code, year
            scheme_id = queries.scheme_for(connection, *key)
        done = bill(market, account, licence.licence_no, scheme_id, log_no, before=before)
        made += [] if done is None else [dict(done.result)]
    return made


def _months(market: Market, licence_no: int, log_no: int, end: int) -> list[tuple[int, int]]:
    """Return end and year of each month whose use is not billed, oldest first."""
    size = market.contracts.usage_log.head(log_no, block="latest").size
    log = reader(market, log_no)
    with market.read() as connection:
        billed = queries.billed_units(connection, licence_no, log_no)
    found: list[tuple[int, int]] = []
    while True:
        latest = log.latest(licence_no, size=size, before_ms=1_000 * end)
        if latest is None or latest[1].cumulative_units <= billed:
            return found[::-1]
        used_at = latest[1].used_at_ms // 1_000
        found.append((end, year_of(used_at)))
        end = start_of_period(period_of(used_at))


def _licences(connection: Any) -> list[LicenceRow]:
    rows: list[LicenceRow] = []
    while True:
        page = queries.licences_list(connection, limit=_PAGE_SIZE, offset=len(rows))
        rows += page.items
        if not page.items or len(rows) >= page.total:
            return rows
