"""Bank statements: camt.053 and CSV become the same lines; what is hostile or wrong is refused."""

from __future__ import annotations

import pytest

from ledger.app.bank_statements import BankStatement, read_statement
from ledger.codec.camt053 import is_xml, parse_camt053
from ledger.domain.errors import LedgerError
from tests.unit.camt_files import balance, detail, entry, message

pytestmark = pytest.mark.unit

HEADER = "booked_on,reference,amount_yuan,payer,bank_reference"
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


def _only(statement: BankStatement) -> tuple[str, ...]:
    (numbered,) = statement.lines
    line = numbered.line
    assert line is not None
    return (
        line.booked_on,
        line.reference,
        line.amount_yuan,
        line.payer,
        line.bank_reference,
        line.currency,
    )


def _refusal(content: bytes) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        read_statement(content)
    return refused.value


@pytest.mark.parametrize("version", ["02", "08", "12"])
def test_camt__credit__is_the_line_that_the_table_would_be(version: str) -> None:
    status = "BOOK" if version == "02" else "<Cd>BOOK</Cd>"
    xml = message(
        entry("106000", detail("MDL0123456789AB 数据 服务费"), status=status), version=version
    )
    table = f"{HEADER}\n2026-11-23,MDL0123456789AB 数据 服务费,106000.00,虚构买方,B-1\n"
    assert _only(read_statement(xml)) == _only(read_statement(table.encode("utf-8-sig")))


def test_camt__old_form_of_names_and_references__is_read() -> None:
    inner = (
        "<TxDtls><Refs><EndToEndId>E2E</EndToEndId></Refs><RltdPties><Dbtr><Nm>旧 式</Nm></Dbtr>"
        "</RltdPties><RmtInf><Strd><CdtrRefInf><Ref>MDL1</Ref></CdtrRefInf></Strd>"
        "<Ustrd>a</Ustrd><Ustrd>b</Ustrd></RmtInf></TxDtls>"
    )
    found = parse_camt053(message(entry("1.5", inner), version="02"))[0]
    assert (found.payer, found.reference, str(found.amount)) == ("旧 式", "MDL1 a b E2E", "1.5")


def test_camt__entry_of_several_payments__gives_a_line_each() -> None:
    details = [detail("MDL1", amount="1.00", own="T-1"), detail("MDL2", amount="2.50")]
    found = parse_camt053(message(entry("3.50", *details)))
    assert [(line.reference, line.bank_reference) for line in found] == [
        ("MDL1", "T-1"),
        ("MDL2", "B-1/2"),
    ]
    assert [str(line.amount) for line in found] == ["1.00", "2.50"]


def test_statement__debits_and_pending_entries__are_passed_over() -> None:
    xml = message(
        entry("1", sign="DBIT"), entry("2", status="<Cd>PDNG</Cd>"), entry("3", detail("x"))
    )
    statement = read_statement(xml)
    assert (_only(statement)[2], statement.passed_over) == ("3.00", 2)


def test_statement__reversal__is_left_for_people() -> None:
    (numbered,) = read_statement(message(entry("1", extra="<RvslInd>true</RvslInd>"))).lines
    assert (numbered.line, numbered.error and numbered.error.code) == (
        None,
        "payment.line_malformed",
    )


def test_statement__balances_that_fit__are_accepted() -> None:
    parts = [balance("OPBD", "10.00"), balance("CLBD", "2.00", sign="DBIT")]
    entries = [entry("5"), entry("17", sign="DBIT"), entry("9", status="<Cd>PDNG</Cd>")]
    assert len(parse_camt053(message(*parts, *entries))) == 3


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (message(entry("1"), prologue=BOMB), "EntitiesForbidden DTDForbidden"),
        (message(entry("1"), prologue=OUTSIDE), "EntitiesForbidden DTDForbidden"),
        (message(entry("1"), prologue='<!DOCTYPE x SYSTEM "http://x/y.dtd">'), "DTDForbidden"),
    ],
    ids=["entities", "outside", "types"],
)
def test_camt__declarations__are_refused_before_they_are_followed(content: bytes, got: str) -> None:
    refusal = _refusal(content)
    assert refusal.code == "codec.malformed_statement"
    assert refusal.got in got.split()


@pytest.mark.parametrize(
    "content",
    [
        b"<",
        b"<a/>",
        message(entry("1")).replace(b"camt.053", b"camt.054"),
        message().replace(b"<Stmt>", b"<Stmt2>").replace(b"</Stmt>", b"</Stmt2>"),
        message(entry("1,00")),
        message(entry("-1")),
        message(entry("1e3")),
        message(entry("1", currency="cny")),
        message(entry("1", sign="C")),
        message(entry("1").replace("<Amt", "<Sum").replace("</Amt", "</Sum")),
        message(entry("3", detail("a", amount="1"), detail("b", amount="1"))),
        message(entry("3", detail("a", amount="1"), detail("b"))),
        message(balance("OPBD", "1"), balance("CLBD", "3"), entry("1")),
        message(entry("1")).replace(b"UTF-8", b"UTF-99"),
        message(entry("1"))[:-9],
        b"<a>" * 200_000,
    ],
    ids=[
        "cut",
        "other root",
        "other message",
        "no statement",
        "comma",
        "negative",
        "exponent",
        "small currency",
        "sign",
        "no amount",
        "details short",
        "detail without amount",
        "balance",
        "encoding",
        "torn",
        "deep",
    ],
)
def test_camt__file_that_is_wrong__is_refused_whole(content: bytes) -> None:
    assert _refusal(content).code == "codec.malformed_statement"


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ("2026-11-23,r,1.001,p,B", "payment.line_malformed", "amount_yuan"),
        ("2026-11-23,r,0.00,p,B", "payment.line_malformed", "amount_yuan"),
        ("2026-11-23,r,１,p,B", "payment.line_malformed", "amount_yuan"),
        ("2026-13-23,r,1,p,B", "payment.line_malformed", "booked_on"),
        ("2026-11-23,r,1,p, ", "payment.line_malformed", "bank_reference"),
        (f"2026-11-23,{'r' * 1001},1,p,B", "payment.line_malformed", "reference"),
        ("2026-11-23,r,1,p,B,USD", "payment.currency", "currency"),
    ],
)
def test_line__that_is_wrong__names_the_field(line: str, code: str, field: str) -> None:
    header = HEADER + ",currency" * (line.count(",") == 5)
    (numbered,) = read_statement(f"{header}\n{line}\n".encode()).lines
    found = numbered.line
    assert found is not None
    with pytest.raises(LedgerError) as refused:
        (found.require_whole(), found.amount_fen)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_camt__foreign_currency__is_refused_by_its_line() -> None:
    (numbered,) = read_statement(message(entry("5", detail("x"), currency="USD"))).lines
    assert numbered.line is not None
    with pytest.raises(LedgerError) as refused:
        _ = numbered.line.amount_fen
    assert (refused.value.code, refused.value.got) == ("payment.currency", "USD")


def test_statement__table_in_another_encoding__is_refused() -> None:
    assert _refusal(f"{HEADER}\n".encode() + b"\xff").code == "payment.line_malformed"


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"\xef\xbb\xbf\n<Document", True), (b"booked_on", False), (b"", False)],
)
def test_kind__of_a_file__is_told_by_its_first_sign(content: bytes, expected: bool) -> None:
    assert is_xml(content) is expected
