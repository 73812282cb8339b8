"""What licences grant to the uses that meters hand in, from the projections.

Rules kept here:
1. A licence that was suspended or ended takes uses from before that moment, however late they come,
   and none from after it until it is active again.
2. A quota counts in all logs on this machine: what was used in the others is gone here. A log on
   another machine is not seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.app.market import Market
from ledger.domain.units import UINT64_MAX
from ledger.log.admission import LicenceTerms
from ledger.projection import queries
from ledger.projection.chain_copy import Position, position_of
from ledger.projection.queries import LicenceTermsRow


def licence_terms(market: Market, log_no: int) -> LicenceTerms:
    """Return what the licences grant in a log as of now.

    Raises:
        LogCorruptError: another log on this machine breaks a rule.
    """
    return TermsSource(market, log_no).read()


class TermsSource:
    """The terms of all licences in one log, read again as far as something changed."""

    def __init__(self, market: Market, log_no: int) -> None:
        """Remember the log; nothing is read yet."""
        self._market = market
        self._others = market.other_logs(log_no)
        self._position: Position | None = None
        self._rows: list[LicenceTermsRow] = []
        self._used: list[int] = []
        self._terms: LicenceTerms | None = None

    def read(self) -> LicenceTerms:
        """Return the terms as they are now; the same object where nothing changed.

        Raises:
            LogCorruptError: another log on this machine breaks a rule.
        """
        is_moved = self._read_rows()
        used = self._others.units_of([row.licence_no for row in self._rows])
        if self._terms is None or is_moved or used != self._used:
            self._terms, self._used = _terms(self._rows, used), used
        return self._terms

    def _read_rows(self) -> bool:
        """Read the licences, if the projections moved; return whether they did."""
        with self._market.read() as connection:
            position = position_of(connection)
            if position == self._position:
                return False
            self._rows = queries.terms_of_licences(connection)
        self._position = position
        return True


def _terms(rows: Sequence[LicenceTermsRow], used: Sequence[int]) -> LicenceTerms:
    return LicenceTerms(
        licence_no=[row.licence_no for row in rows],
        modes=[row.modes for row in rows],
        purpose=[row.purpose for row in rows],
        valid_from_ms=[_milliseconds(row.valid_from) for row in rows],
        valid_until_ms=[_milliseconds(row.valid_until) for row in rows],
        quota_units=[max(0, row.quota_units - gone) for row, gone in zip(rows, used, strict=True)],
        pauses=[
            (row.licence_no, _milliseconds(start), _milliseconds(end))
            for row in rows
            for start, end in row.pauses
        ],
    )


def _milliseconds(seconds: int) -> int:
    return min(1_000 * seconds, UINT64_MAX)
