"""Credit transfers in ISO 20022 pain.001.001.09 (CustomerCreditTransferInitiation), in CNY.

Rules kept here:
1. The same order gives the same bytes: every time and id in the file is the order's own.
2. A file is checked by `require_pain001` after it is made: counts, sums, lengths and characters are
   read back from the bytes, not taken from what made them.
3. Banks are named by their twelve-digit CNAPS code, accounts by number; China has no IBAN.

Source: ISO 20022 pain.001.001.09.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ledger.codec.errors import MalformedTransferError
from ledger.domain.units import FEN_PER_YUAN, Fen

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
CURRENCY = "CNY"
ID_LENGTH_MAX = 35
NAME_LENGTH_MAX = 140
TEXT_LENGTH_MAX = 140
ACCOUNT = re.compile(r"[0-9A-Za-z-]{1,34}")
CNAPS = re.compile(r"[0-9]{12}")
_AMOUNT = re.compile(r"[0-9]{1,16}\.[0-9]{2}")
_ID = re.compile(r"[0-9A-Za-z-]{1,35}")


@dataclass(frozen=True, slots=True)
class TransferParty:
    """Who pays or is paid, and through which account."""

    name: str
    account_no: str
    cnaps_code: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """One credit."""

    end_to_end_id: str
    payee: TransferParty
    amount_fen: Fen
    text: str


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """All credits that one party orders at one time."""

    message_id: str
    created_at: str
    """ISO 8601 with offset."""
    payer: TransferParty
    transfers: Sequence[Transfer]


def pain001(order: TransferOrder) -> bytes:
    """Return the file of an order, checked.

    Raises:
        MalformedTransferError: an id, a name, an account or an amount does not fit the message.
    """
    root = Element("Document", {"xmlns": NAMESPACE})
    message = SubElement(root, "CstmrCdtTrfInitn")
    count = str(len(order.transfers))
    total = _yuan(sum(transfer.amount_fen for transfer in order.transfers))
    header = SubElement(message, "GrpHdr")
    _texts(header, MsgId=order.message_id, CreDtTm=order.created_at, NbOfTxs=count, CtrlSum=total)
    _texts(SubElement(header, "InitgPty"), Nm=order.payer.name)
    payment = SubElement(message, "PmtInf")
    _texts(payment, PmtInfId=order.message_id, PmtMtd="TRF", NbOfTxs=count, CtrlSum=total)
    _texts(SubElement(payment, "ReqdExctnDt"), Dt=order.created_at[:10])
    _texts(SubElement(payment, "Dbtr"), Nm=order.payer.name)
    _account(payment, "DbtrAcct", order.payer)
    _bank(payment, "DbtrAgt", order.payer)
    for transfer in order.transfers:
        _transfer(payment, transfer)
    indent(root)
    body: bytes = tostring(root, "utf-8")
    content = b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"
    require_pain001(content)
    return content


def require_pain001(content: bytes) -> None:
    """Check a file as a bank's intake would: form, lengths, count and sum.

    Raises:
        MalformedTransferError: naming the element.
    """
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise _malformed("Document", str(error)[:80], "pain.001 XML") from error
    if root.tag != f"{{{NAMESPACE}}}Document":
        raise _malformed("Document", root.tag[:120], NAMESPACE)
    header, payment = (_one(root, f"CstmrCdtTrfInitn/{part}") for part in ("GrpHdr", "PmtInf"))
    transfers = _all(payment, "CdtTrfTxInf")
    amounts = [_require_transfer(transfer) for transfer in transfers]
    if not transfers:
        raise _malformed("CdtTrfTxInf", 0, "at least one")
    for group in (header, payment):
        if _text(group, "NbOfTxs") != str(len(transfers)):
            raise _malformed("NbOfTxs", _text(group, "NbOfTxs"), len(transfers))
        if _text(group, "CtrlSum") != f"{sum(amounts)}":
            raise _malformed("CtrlSum", _text(group, "CtrlSum"), f"{sum(amounts)}")
    _require(_ID, header, "MsgId")
    _require_text(header, "InitgPty/Nm", NAME_LENGTH_MAX)
    _require_party(payment, "Dbtr")


def _require_transfer(transfer: Element) -> Decimal:
    _require(_ID, transfer, "PmtId/EndToEndId")
    _require_party(transfer, "Cdtr")
    _require_text(transfer, "RmtInf/Ustrd", TEXT_LENGTH_MAX)
    amount = _require(_AMOUNT, transfer, "Amt/InstdAmt")
    currency = _one(transfer, "Amt/InstdAmt").get("Ccy")
    if currency != CURRENCY or Decimal(amount) == 0:
        raise _malformed("Amt/InstdAmt", f"{amount} {currency}", f"more than 0 {CURRENCY}")
    return Decimal(amount)


def _require_party(element: Element, role: str) -> None:
    _require_text(element, f"{role}/Nm", NAME_LENGTH_MAX)
    _require(ACCOUNT, element, f"{role}Acct/Id/Othr/Id")
    _require(CNAPS, element, f"{role}Agt/FinInstnId/ClrSysMmbId/MmbId")


def _transfer(payment: Element, transfer: Transfer) -> None:
    credit = SubElement(payment, "CdtTrfTxInf")
    _texts(SubElement(credit, "PmtId"), EndToEndId=transfer.end_to_end_id)
    amount = SubElement(SubElement(credit, "Amt"), "InstdAmt", {"Ccy": CURRENCY})
    amount.text = _yuan(transfer.amount_fen)
    _bank(credit, "CdtrAgt", transfer.payee)
    _texts(SubElement(credit, "Cdtr"), Nm=transfer.payee.name)
    _account(credit, "CdtrAcct", transfer.payee)
    _texts(SubElement(credit, "RmtInf"), Ustrd=transfer.text)


def _account(parent: Element, tag: str, party: TransferParty) -> None:
    holder = SubElement(SubElement(parent, tag), "Id")
    _texts(SubElement(holder, "Othr"), Id=party.account_no)


def _bank(parent: Element, tag: str, party: TransferParty) -> None:
    member = SubElement(SubElement(SubElement(parent, tag), "FinInstnId"), "ClrSysMmbId")
    _texts(SubElement(member, "ClrSysId"), Cd="CNAPS")
    _texts(member, MmbId=party.cnaps_code)


def _texts(parent: Element, **texts: str) -> None:
    for tag, text in texts.items():
        if any(character < " " or "\ud800" <= character <= "\udfff" for character in text):
            raise _malformed(tag, text.encode("utf-8", "backslashreplace").decode(), "plain text")
        SubElement(parent, tag).text = text


def _yuan(amount_fen: int) -> str:
    return f"{amount_fen // FEN_PER_YUAN}.{amount_fen % FEN_PER_YUAN:02d}"


def _all(element: Element, path: str) -> list[Element]:
    return element.findall("/".join(f"{{{NAMESPACE}}}{part}" for part in path.split("/")))


def _one(element: Element, path: str) -> Element:
    found = _all(element, path)
    if len(found) != 1:
        raise _malformed(path, len(found), "exactly one")
    return found[0]


def _text(element: Element, path: str) -> str:
    return _one(element, path).text or ""


def _require(pattern: re.Pattern[str], element: Element, path: str) -> str:
    text = _text(element, path)
    if not pattern.fullmatch(text):
        raise _malformed(path, text[:80], pattern.pattern)
    return text


def _require_text(element: Element, path: str, length_max: int) -> None:
    text = _text(element, path)
    if not 1 <= len(text.strip()) <= length_max or len(text) > length_max:
        raise _malformed(path, text[:80], f"1 to {length_max} characters")


def _malformed(element: str, got: Any, expected: Any) -> MalformedTransferError:
    return MalformedTransferError(
        f"{element} of the transfer file is wrong: {got!r}",
        field=element,
        got=got,
        expected=expected,
    )
