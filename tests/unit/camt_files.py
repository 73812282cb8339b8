"""Small camt.053 messages for tests: a frame, entries, balances."""

from __future__ import annotations

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"


def message(*parts: str, version: str = "08", prologue: str = "") -> bytes:
    """Return a message of one statement with the given balances and entries."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prologue}'
        f'<Document xmlns="{NAMESPACE.format(version=version)}"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id>"
        f"{''.join(parts)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def balance(kind: str, amount: str, *, sign: str = "CRDT", currency: str = "CNY") -> str:
    """Return a balance, OPBD or CLBD."""
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd></Bal>'
    )


def detail(reference: str, *, amount: str = "", payer: str = "虚构买方", own: str = "") -> str:
    """Return one transaction detail."""
    stated = f'<Amt Ccy="CNY">{amount}</Amt>' if amount else ""
    refs = f"<AcctSvcrRef>{own}</AcctSvcrRef>" if own else ""
    return (
        f"<TxDtls><Refs>{refs}<EndToEndId>NOTPROVIDED</EndToEndId></Refs>{stated}"
        f"<RltdPties><Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr></RltdPties>"
        f"<RmtInf><Ustrd>{reference}</Ustrd></RmtInf></TxDtls>"
    )


def entry(
    amount: str,
    *details: str,
    bank_reference: str = "B-1",
    sign: str = "CRDT",
    status: str = "<Cd>BOOK</Cd>",
    currency: str = "CNY",
    extra: str = "",
    booked_on: str = "2026-11-23",
) -> str:
    """Return one entry."""
    inner = f"<NtryDtls>{''.join(details)}</NtryDtls>" if details else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{extra}'
        f"<Sts>{status}</Sts><BookgDt><Dt>{booked_on}</Dt></BookgDt>"
        f"<AcctSvcrRef>{bank_reference}</AcctSvcrRef>{inner}</Ntry>"
    )
