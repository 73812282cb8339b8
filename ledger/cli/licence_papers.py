"""Commands on a licence's papers: terms, supplements, its end, its certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.app.certificates import check_certificate_file, issue_certificate
from ledger.app.ending import refund_preview, refunds_found
from ledger.app.licence_documents import product_offer, terms_found
from ledger.app.requests import parse_part
from ledger.app.supplements import (
    SupplementDraft,
    SupplementField,
    draft_supplement,
    sign_supplement,
)
from ledger.cli.audits import print_findings
from ledger.cli.licence_commands import licence_app
from ledger.cli.shell import (
    AsOption,
    HomeOption,
    JsonOption,
    account,
    carry_out,
    guarded,
    open_market,
    out,
    print_json,
    read_json,
    read_object,
    show,
    table,
)
from ledger.cli.tables import print_detail
from ledger.domain.ids import parse_id
from ledger.domain.standard_terms import standard_terms

__all__ = ["licence_app"]


@licence_app.command("standard-terms")
@guarded
def licence_standard_terms(as_json: JsonOption = False) -> None:
    """Show the standard terms 标准条款 and the disclaimers 免责条款 to tick."""
    found = standard_terms()
    names = ("key", "title_zh", "text_zh", "text_en")
    parts = [tuple(item[name] for name in names) for item in found["parts"]]
    items = [tuple(item[name] for name in names) for item in found["disclaimers"]]

    def render() -> None:
        out.print(f"{found['model']} {found['version']} · {found['notice']}")
        out.print(table("Parts 条款", names, parts))
        out.print(table("Disclaimers, each to be ticked 免责条款(逐条勾选)", names, items))

    show(found, as_json, render)


@licence_app.command("offer")
@guarded
def licence_offer(product_id: str, home: HomeOption = None, as_json: JsonOption = True) -> None:
    """Print the ODRL offer of a product (政策)."""
    with open_market(home) as market:
        print_json(product_offer(market, parse_id(product_id)))


@licence_app.command("terms")
@guarded
def licence_terms(licence_no: int, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show which document rules which part of a licence, newest first."""
    with open_market(home) as market:
        found = terms_found(market, licence_no)
    rows = [
        (part["title_zh"], part["title_en"], part["rules"], part["text"])
        for part in found["precedence"]
    ]
    columns = ("part 条款", "part", "ruled by 适用文件", "text 内容")
    show(found, as_json, lambda: out.print(table(f"Terms 条款 {licence_no}", columns, rows)))


@licence_app.command("supplement")
@guarded
def licence_supplement(file: Path, home: HomeOption = None, as_json: JsonOption = True) -> None:
    """Draft a supplement for both sides to sign (补充协议)."""
    with open_market(home) as market:
        print_json(draft_supplement(market, parse_part(SupplementDraft, read_json(file))))


@licence_app.command("renew")
@guarded
def licence_renew(
    licence_no: int,
    valid_until: Annotated[int, typer.Argument(help="Unix seconds, exclusive.")],
    quota_units: Annotated[
        int | None, typer.Option(help="The new quota; left as it is when not given.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = True,
) -> None:
    """Draft a renewal, a supplement with a later end (续期)."""
    body = {"licence_no": licence_no, "valid_until": valid_until, "reason": "续期"}
    if quota_units is not None:
        body["quota_units"] = quota_units
    with open_market(home) as market:
        print_json(draft_supplement(market, parse_part(SupplementDraft, body)))


@licence_app.command("sign-supplement")
@guarded
def licence_sign_supplement(
    draft: Path, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = True
) -> None:
    """Sign a drafted supplement (EIP-712)."""
    drafted = read_object(draft, "supplement")
    parse_part(SupplementField, drafted["supplement"])
    with open_market(home) as market:
        print_json(sign_supplement(market, account(market, key_name), drafted))


@licence_app.command("amend")
@guarded
def licence_amend(
    draft: Path,
    operator_signature: Path,
    buyer_signature: Path,
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the licence on both signatures of a supplement."""
    body = {
        "supplement": read_object(draft, "supplement")["supplement"],
        "operator": read_object(operator_signature),
        "buyer": read_object(buyer_signature),
    }
    carry_out(home, key_name, "supplement-licence", body, as_json)


@licence_app.command("end")
@guarded
def licence_end(
    licence_no: int,
    reason: str,
    key_name: AsOption,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a licence before its time, with the refund of its terms (终止并退费)."""
    body = {"licence_no": licence_no, "reason": reason}
    carry_out(home, key_name, "terminate-licence", body, as_json)


@licence_app.command("refunds")
@guarded
def licence_refunds(
    licence_no: int,
    preview: Annotated[
        bool, typer.Option("--preview", help="What would go back if it ended now.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """What an ended licence gives back, what is still due, and by which command (退费)."""
    with open_market(home) as market:
        found = refund_preview(market, licence_no) if preview else refunds_found(market, licence_no)
    show(found, as_json, lambda: print_detail(f"Refunds 退费 {licence_no}", found))


@licence_app.command("certificate")
@guarded
def licence_certificate(
    licence_no: int, key_name: AsOption, home: HomeOption = None, as_json: JsonOption = True
) -> None:
    """Issue the buyer's certificate of lawful source, a W3C credential (合法来源证明)."""
    with open_market(home) as market:
        print_json(issue_certificate(market, account(market, key_name), licence_no))


@licence_app.command("check")
@guarded
def licence_check(
    file: Annotated[Path, typer.Argument(help="A certificate, - for standard input.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a certificate against the chain alone (核验)."""
    with open_market(home) as market:
        report = check_certificate_file(market, read_object(file))
    show(report.as_dict(), as_json, lambda: print_findings(report))
    if not report.ok:
        raise typer.Exit(1)
