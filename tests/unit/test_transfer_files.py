"""pain.001 files: against the standard's own schema, and against our intake check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sepaxml
import xmlschema

from ledger.codec.pain001 import Transfer, TransferOrder, TransferParty, pain001, require_pain001
from ledger.domain.errors import LedgerError
from ledger.domain.units import AMOUNT_FEN_MAX, Fen

pytestmark = pytest.mark.unit

SCHEMA = xmlschema.XMLSchema(Path(sepaxml.__file__).parent / "schemas/pain.001.001.09.xsd")
PAYER = TransferParty("虚构运营公司", "3201000000000000001", "102301000001")
PAYEE = TransferParty("虚构<交通> & 公司", "3201-A", "102301000002")
CREDITS = (Transfer("A1", PAYEE, Fen(1), "划拨 一"), Transfer("A2", PAYEE, Fen(123_456), "b"))
ORDER = TransferOrder("0199c0de", "2026-11-24T09:30:00+08:00", PAYER, CREDITS)
FILE = pain001(ORDER).decode()


@pytest.mark.parametrize(
    "order",
    [ORDER, replace(ORDER, transfers=[replace(CREDITS[0], amount_fen=Fen(AMOUNT_FEN_MAX))])],
    ids=["two", "largest"],
)
def test_file__of_an_order__is_valid_under_the_standards_schema(order: TransferOrder) -> None:
    SCHEMA.validate(pain001(order).decode())


def test_file__of_an_order__says_who_what_and_how_much() -> None:
    found = SCHEMA.to_dict(FILE)["CstmrCdtTrfInitn"]
    assert found["GrpHdr"]["NbOfTxs"] == "2"
    assert str(found["GrpHdr"]["CtrlSum"]) == "1234.57"
    payment = found["PmtInf"][0]
    assert payment["DbtrAcct"]["Id"]["Othr"]["Id"] == PAYER.account_no
    assert payment["ReqdExctnDt"]["Dt"] == "2026-11-24"
    credit = payment["CdtTrfTxInf"][1]
    assert credit["Cdtr"]["Nm"] == PAYEE.name
    assert credit["CdtrAgt"]["FinInstnId"]["ClrSysMmbId"]["MmbId"] == PAYEE.cnaps_code
    assert credit["Amt"]["InstdAmt"]["@Ccy"] == "CNY"


def test_file__made_again__has_the_same_bytes() -> None:
    assert pain001(ORDER).decode() == FILE


@pytest.mark.parametrize(
    ("change", "element"),
    [
        ({"message_id": "x" * 36}, "MsgId"),
        ({"message_id": "a b"}, "MsgId"),
        ({"payer": replace(PAYER, name=" ")}, "InitgPty/Nm"),
        ({"payer": replace(PAYER, name="a\x07b")}, "Nm"),
        ({"payer": replace(PAYER, account_no="")}, "DbtrAcct/Id/Othr/Id"),
        ({"payer": replace(PAYER, cnaps_code="1")}, "DbtrAgt/FinInstnId/ClrSysMmbId/MmbId"),
        ({"transfers": []}, "CdtTrfTxInf"),
        ({"transfers": [replace(CREDITS[0], amount_fen=Fen(0))]}, "Amt/InstdAmt"),
        ({"transfers": [replace(CREDITS[0], text="x" * 141)]}, "RmtInf/Ustrd"),
        ({"transfers": [replace(CREDITS[0], end_to_end_id="")]}, "PmtId/EndToEndId"),
    ],
)
def test_order__that_does_not_fit__is_refused_by_element(
    change: dict[str, object], element: str
) -> None:
    with pytest.raises(LedgerError) as refused:
        pain001(replace(ORDER, **change))  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.field) == ("codec.malformed_transfer", element)


@pytest.mark.parametrize(
    ("old", "new", "element"),
    [
        ("<NbOfTxs>2", "<NbOfTxs>3", "NbOfTxs"),
        ("<CtrlSum>1234.57", "<CtrlSum>1234.58", "CtrlSum"),
        (">0.01<", ">0.02<", "CtrlSum"),
        (">0.01<", ">0.010<", "Amt/InstdAmt"),
        ('Ccy="CNY"', 'Ccy="USD"', "Amt/InstdAmt"),
        ("pain.001.001.09", "pain.001.001.03", "Document"),
        ("<Dbtr>", "<Debtor>", "Document"),
        ("<?xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><?xml", "Document"),
    ],
)
def test_check__file_changed_afterwards__names_the_element(
    old: str, new: str, element: str
) -> None:
    with pytest.raises(LedgerError) as refused:
        require_pain001(FILE.replace(old, new, 1).encode())
    assert refused.value.field == element
