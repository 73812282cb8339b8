"""Bank statements as lines, whichever file they come in: CSV with a header, or camt.053 XML.

Rules kept here:
1. Amounts are read as decimal text and become fen exactly; a currency other than CNY is refused.
2. A line must name itself: without the bank's reference it could not be told from its like.
3. A fault of the whole file refuses it whole; a fault of one line is that line's alone.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger.app.errors import CurrencyError, StatementLineError
from ledger.codec.camt053 import StatementEntry, is_xml, parse_camt053
from ledger.domain.units import FEN_PER_YUAN, Fen, fen

COLUMNS = ("booked_on", "reference", "amount_yuan", "payer", "bank_reference")
CURRENCY = "CNY"
CURRENCY_COLUMN = "currency"
_AMOUNT = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,2}))?")
_TEXT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class BankLine:
    """One credit on the account."""

    booked_on: str
    reference: str
    amount_yuan: str
    payer: str
    bank_reference: str
    currency: str = CURRENCY

    @property
    def amount_fen(self) -> Fen:
        """The amount in whole fen; exact.

        Raises:
            CurrencyError: it is in another currency than CNY.
            StatementLineError: it is not yuan with at most two decimals, or nothing.
        """
        if self.currency != CURRENCY:
            raise CurrencyError(
                f"the amount is in {self.currency}",
                field=CURRENCY_COLUMN,
                got=self.currency,
                expected=CURRENCY,
            )
        amount = _AMOUNT.fullmatch(self.amount_yuan)
        whole = 0
        if amount is not None:
            whole = int(amount[1]) * FEN_PER_YUAN + int((amount[2] or "0").ljust(2, "0"))
        if whole == 0:
            raise _line_error("amount_yuan", self.amount_yuan, "digits, a point, two digits")
        return fen(whole, "amount_yuan")

    def as_record(self) -> dict[str, str]:
        """Return the line as the record whose digest goes on chain; equal lines are equal."""
        return {"type": "bank_line"} | {name: getattr(self, name) for name in COLUMNS}

    def require_whole(self) -> None:
        """Check that the line has a date and names itself.

        Raises:
            StatementLineError: naming the field.
        """
        try:
            date.fromisoformat(self.booked_on)
        except ValueError as error:
            raise _line_error("booked_on", self.booked_on, "an ISO date") from error
        if not self.bank_reference.strip():
            raise _line_error("bank_reference", self.bank_reference, "the bank's own reference")
        for name in COLUMNS:
            if len(getattr(self, name)) > _TEXT_MAX:
                raise _line_error(name, getattr(self, name)[:80], f"{_TEXT_MAX} characters")


@dataclass(frozen=True, slots=True)
class NumberedLine:
    """A line of a statement with its place in the file, or why it cannot be read."""

    line_no: int
    line: BankLine | None
    error: StatementLineError | None = None


@dataclass(frozen=True, slots=True)
class BankStatement:
    """What a file holds: credits to be matched, and how many other movements."""

    lines: tuple[NumberedLine, ...]
    passed_over: int
    """Debits and entries that are not booked yet; they pay no invoice."""


def read_statement(content: bytes) -> BankStatement:
    """Return the lines of a statement file.

    Raises:
        MalformedStatementError: the XML is no camt.053, declares entities, or does not add up.
        StatementLineError: the table has another header or is no CSV.
    """
    if is_xml(content):
        entries = parse_camt053(content)
        wanted = [
            (no, entry)
            for no, entry in enumerate(entries, start=1)
            if entry.is_booked and (entry.is_credit or entry.is_reversal)
        ]
        lines = tuple(_of_entry(no, entry) for no, entry in wanted)
        return BankStatement(lines, len(entries) - len(lines))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StatementLineError(
            "the statement is no UTF-8 text", field="file", expected="CSV or camt.053 XML"
        ) from error
    return BankStatement(tuple(_table_lines(text)), 0)


def _of_entry(line_no: int, entry: StatementEntry) -> NumberedLine:
    if entry.is_reversal:
        error = StatementLineError(
            f"entry {line_no} takes a payment back; correct it by hand",
            field=f"line {line_no}",
            got=entry.bank_reference,
            expected="a payment",
        )
        return NumberedLine(line_no, None, error)
    line = BankLine(
        entry.booked_on,
        entry.reference,
        _two_decimals(entry.amount),
        entry.payer,
        entry.bank_reference,
        entry.currency,
    )
    return NumberedLine(line_no, line)


def _two_decimals(amount: Decimal) -> str:
    """Return an amount with two decimals where that is exact, else as it is."""
    fen_exactly = amount * FEN_PER_YUAN
    if fen_exactly != fen_exactly.to_integral_value():
        return f"{amount:f}"
    yuan, cents = divmod(int(fen_exactly), FEN_PER_YUAN)
    return f"{yuan}.{cents:02d}"


def _table_lines(text: str) -> Iterator[NumberedLine]:
    try:
        reader = csv.DictReader(io.StringIO(text), strict=True)
        header = tuple(reader.fieldnames or ())
        if header not in (COLUMNS, (*COLUMNS, CURRENCY_COLUMN)):
            raise StatementLineError(
                "a bank statement has another header",
                field="header",
                got=list(header),
                expected=list(COLUMNS),
            )
        rows = list(reader)
    except csv.Error as error:
        raise StatementLineError(f"the statement is no CSV: {error}", field="file") from error
    for line_no, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            refusal = StatementLineError(
                f"line {line_no} has another number of cells", field=f"line {line_no}"
            )
            yield NumberedLine(line_no, None, refusal)
        else:
            yield NumberedLine(line_no, BankLine(**row))


def _line_error(field: str, got: str, expected: str) -> StatementLineError:
    return StatementLineError(
        f"{field} must be {expected}, got {got!r}", field=field, got=got, expected=expected
    )
