"""The certificate of lawful source as a bilingual page to print; nothing is judged here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.report.invoice_papers import Section, page_html

TITLE = "合法来源证明 · Certificate of lawful source"
_HEAD = ("项目 item", "内容 content")


def certificate_html(certificate: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    """Return the page of a certificate, with what the chain said when the page was made."""
    subject, issuer = certificate["credentialSubject"], certificate["issuer"]
    what = [
        ("许可编号 licence", subject["licenceNo"]),
        ("使用方 buyer", f"{subject['buyerName']} {subject['id']}"),
        ("数据产品 product", f"{subject['productName']} {subject['productId']}"),
        ("用途 purpose", subject["purpose"]),
        ("提供方式 modes", ", ".join(subject["deliveryModes"])),
        ("额度 quota", subject["quotaUnits"]),
        ("有效期自 valid from", certificate["validFrom"]),
        ("有效期至 valid until", certificate["validUntil"]),
        ("协议摘要 agreement", subject["agreementDigest"]),
        ("条款摘要 terms", subject["termsDigest"]),
    ]
    now = [
        ("链上状态 state on chain", status["state"]),
        ("现在有效 valid now", "是 yes" if status["is_valid_now"] else "否 no"),
        ("查询时间 read at", status["at"]),
        ("当前协议 latest agreement", status["agreement_digest"]),
    ]
    proof = [
        ("签发机构 issuer", f"{issuer['name']} {issuer['organisationId']}"),
        ("签发账户 account", issuer["keyAuthorisation"]["signer"]),
        ("签发时间 issued", certificate["proof"]["created"]),
        (
            "证明 proof",
            f"{certificate['proof']['cryptosuite']} {certificate['proof']['proofValue']}",
        ),
        ("核验 check", "mdl licence check FILE"),
    ]
    columns = ("数据资源 dataset", "编码 codes", "来源与版本 source and version")
    datasets = [
        (
            f"{item['title']} {item['id']}",
            f"{item['resourceCode'] or '—'} {item['registrationCode'] or '—'}",
            f"来源说明 {item['sourceStatementDigest'] or '—'}; "
            f"v{item['versionNo']} {item['sha256']}",
        )
        for item in subject["datasets"]
    ]
    return page_html(
        TITLE,
        [
            Section("许可 Licence", [_HEAD, *_texts(what)]),
            Section("状态 Status", [_HEAD, *_texts(now)]),
            Section("数据来源 Sources", [columns, *datasets]),
            Section("签发与证明 Issue and proof", [_HEAD, *_texts(proof)]),
        ],
    )


def _texts(rows: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in rows]
