"""Bank statements in ISO 20022 camt.053 (BankToCustomerStatement): XML to booked entries.

Rules kept here:
1. A document type declaration, an entity or an external reference is refused before it is followed.
2. Amounts stay decimal text; nothing is rounded. Every version of the message from 02 on is read.
3. One entry gives one line per transaction detail; the details must sum to the entry, and where
   a statement states its opening and closing balance, all booked entries must lead from one to
   the other. A statement that does not add up is refused whole.

Source: ISO 20022 camt.053.001; the element names are the standard's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ledger.codec.errors import MalformedStatementError

BYTES_MAX = 64 * 1024 * 1024
_ROOT = re.compile(r"\{(urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.\d\d)\}Document")
_DECIMAL = re.compile(r"[0-9]{1,13}(\.[0-9]{1,5})?")
_NOT_PROVIDED = "NOTPROVIDED"


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One movement on the account."""

    booked_on: str
    """ISO date; empty when the bank gave none."""
    amount: Decimal
    currency: str
    is_credit: bool
    is_booked: bool
    """False for entries that are pending or for information."""
    is_reversal: bool
    reference: str
    """What the payer wrote, all texts one after another."""
    payer: str
    bank_reference: str
    """The bank's own name of the movement, the same in every statement; empty when absent."""


def is_xml(content: bytes) -> bool:
    """Return whether a file looks like XML rather than like a table."""
    return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def parse_camt053(content: bytes) -> list[StatementEntry]:
    """Return the entries of all statements of a message, in their order.

    Raises:
        MalformedStatementError: it is no camt.053, declares entities, or does not add up.
    """
    if len(content) > BYTES_MAX:
        raise _malformed("the file is too large", len(content), f"<= {BYTES_MAX} bytes")
    try:
        root = fromstring(content, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise _malformed(
            "the file declares types or entities", type(error).__name__, "plain XML"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise _malformed("the file is not XML", str(error)[:80], "camt.053 XML") from error
    named = _ROOT.fullmatch(root.tag)
    if named is None:
        raise _malformed("the file is no camt.053 message", root.tag[:120], "Document of camt.053")
    reading = _Reading(named[1])
    statements = list(reading.all(root, "BkToCstmrStmt/Stmt"))
    if not statements:
        raise _malformed("the message holds no statement", None, "BkToCstmrStmt/Stmt")
    return [entry for statement in statements for entry in reading.statement(statement)]


class _Reading:
    """Reads elements of one version of the message."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def all(self, element: Element, path: str) -> Iterator[Element]:
        yield from element.iterfind("/".join(self._name(part) for part in path.split("/")))

    def text(self, element: Element, *paths: str) -> str:
        """Return the first text that is there, "" when none is."""
        for path in paths:
            for found in self.all(element, path):
                if found.text and found.text.strip():
                    return " ".join(found.text.split())
        return ""

    def statement(self, statement: Element) -> list[StatementEntry]:
        entries: list[StatementEntry] = []
        moved: dict[str, Decimal] = {}
        for number, element in enumerate(self.all(statement, "Ntry"), start=1):
            amount, currency = self._amount(element, f"entry {number}")
            if self._is_booked(element):
                sign = 1 if self._is_credit(element, f"entry {number}") else -1
                moved[currency] = moved.get(currency, Decimal(0)) + sign * amount
            entries += self._lines(element, number, amount, currency)
        self._require_balances(statement, moved)
        return entries

    def _lines(
        self, entry: Element, number: int, amount: Decimal, currency: str
    ) -> list[StatementEntry]:
        where = f"entry {number}"
        details = list(self.all(entry, "NtryDtls/TxDtls"))
        if len(details) < 2:
            return [self._line(entry, details[0] if details else None, amount, currency, where, 0)]
        lines, signed = [], Decimal(0)
        for place, detail in enumerate(details, start=1):
            part, part_currency = self._detail_amount(detail, f"{where}, detail {place}")
            line = self._line(entry, detail, part, part_currency, where, place)
            signed += part if line.is_credit else -part
            lines.append(line)
        if signed != (amount if self._is_credit(entry, where) else -amount):
            raise _malformed(f"the details of {where} do not sum to it", str(signed), str(amount))
        return lines

    def _line(
        self,
        entry: Element,
        detail: Element | None,
        amount: Decimal,
        currency: str,
        where: str,
        place: int,
    ) -> StatementEntry:
        part = entry if detail is None else detail
        own = self.text(part, "Refs/AcctSvcrRef", "Refs/TxId") if detail is not None else ""
        whole = self.text(entry, "AcctSvcrRef", "NtryRef")
        shared = f"{whole}/{place}" if whole and place else whole
        is_own_sign = detail is not None and self.text(detail, "CdtDbtInd")
        return StatementEntry(
            booked_on=self.text(entry, "BookgDt/Dt", "BookgDt/DtTm")[:10],
            amount=amount,
            currency=currency,
            is_credit=self._is_credit(part if is_own_sign else entry, where),
            is_booked=self._is_booked(entry),
            is_reversal=self.text(entry, "RvslInd") in ("true", "1"),
            reference=self._reference(entry, part),
            payer=self.text(part, "RltdPties/Dbtr/Nm", "RltdPties/Dbtr/Pty/Nm"),
            bank_reference=own or shared,
        )

    def _reference(self, entry: Element, part: Element) -> str:
        paths = ("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Ustrd", "Refs/EndToEndId", "AddtlTxInf")
        texts = [
            " ".join(found.text.split())
            for path in paths
            for found in self.all(part, path)
            if found.text and found.text.strip() != _NOT_PROVIDED
        ]
        return " ".join(texts) or self.text(entry, "AddtlNtryInf")

    def _detail_amount(self, detail: Element, where: str) -> tuple[Decimal, str]:
        for path in ("AmtDtls/TxAmt", "."):
            for holder in [detail] if path == "." else self.all(detail, path):
                if next(self.all(holder, "Amt"), None) is not None:
                    return self._amount(holder, where)
        raise _malformed(f"{where} has no amount of its own", None, "Amt")

    def _amount(self, element: Element, where: str) -> tuple[Decimal, str]:
        found = next(self.all(element, "Amt"), None)
        text = (found.text or "").strip() if found is not None else ""
        currency = found.get("Ccy", "") if found is not None else ""
        if not _DECIMAL.fullmatch(text) or not re.fullmatch("[A-Z]{3}", currency):
            raise _malformed(f"{where} has no amount", text[:40], "Amt with Ccy")
        return Decimal(text), currency

    def _is_credit(self, element: Element, where: str) -> bool:
        sign = self.text(element, "CdtDbtInd")
        if sign not in ("CRDT", "DBIT"):
            raise _malformed(f"{where} is neither credit nor debit", sign, "CRDT or DBIT")
        return sign == "CRDT"

    def _is_booked(self, entry: Element) -> bool:
        return self.text(entry, "Sts/Cd", "Sts") == "BOOK"

    def _require_balances(self, statement: Element, moved: dict[str, Decimal]) -> None:
        balances: dict[tuple[str, str], Decimal] = {}
        for element in self.all(statement, "Bal"):
            kind = self.text(element, "Tp/CdOrPrtry/Cd")
            amount, currency = self._amount(element, f"balance {kind}")
            sign = 1 if self._is_credit(element, f"balance {kind}") else -1
            balances.setdefault((kind, currency), sign * amount)
        for (kind, currency), opening in balances.items():
            closing = balances.get(("CLBD", currency))
            if kind not in ("OPBD", "PRCD") or closing is None:
                continue
            reached = opening + moved.get(currency, Decimal(0))
            if reached != closing:
                raise _malformed(
                    f"the booked entries lead to another balance in {currency}",
                    str(reached),
                    str(closing),
                )

    def _name(self, part: str) -> str:
        return f"{{{self._namespace}}}{part}"


def _malformed(detail: str, got: Any, expected: str) -> MalformedStatementError:
    return MalformedStatementError(detail, field="file", got=got, expected=expected)
