"""Invoices as documents: the figures of a bill at its issue, and the issuer's signature.

Rules kept here:
1. Every figure follows from chain events; names come from off-chain profiles and decide nothing.
2. The bands are priced again here; a bill that does not come to the charge on chain is refused.
3. What is signed is the digest of the canonical JSON of all figures (EIP-712), by a key of the
   issuer. Payments and reductions come later and are no part of the document.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.app.billing import invoice_reference
from ledger.app.documents import write_durably
from ledger.app.errors import InvoiceFiguresError, NotIssuerError
from ledger.app.market import Market
from ledger.app.names import display_names
from ledger.app.products import tariff_of_row
from ledger.chain.forwarder import recover_signer, sign_typed_data
from ledger.chain.keys import KeyAccount, address_of
from ledger.codec.canonical import canonical_digest, canonical_json
from ledger.codec.typed_data import typed_message
from ledger.domain.calendar import instant_text, period_text
from ledger.domain.codes import ChargeBasis, Purpose
from ledger.domain.errors import MalformedValueError
from ledger.domain.ids import digest_text
from ledger.domain.units import Fen, Ppm
from ledger.projection import queries
from ledger.revenue.tariff import charge_fen, charge_parts
from ledger.revenue.vat import take_vat

FORMAT = 1
_TYPE = (("invoiceId", "bytes16"), ("grossFen", "uint64"), ("documentDigest", "bytes32"))
_PAGE = 500


def invoice_figures(market: Market, invoice_id: UUID) -> dict[str, Any]:
    """Return all figures of an invoice as plain data; large numbers as digits.

    Raises:
        NotFoundError: it is unknown.
        InvoiceFiguresError: the bands do not come to the charge on chain.
    """
    names = display_names(market)
    with market.read() as connection:
        invoice = queries.invoice(connection, invoice_id)
        licence = queries.licence(connection, invoice.licence_no)
        scheme = queries.scheme(connection, invoice.scheme_id)
        reductions = queries.reductions_of(connection, invoice_id)
        issued_fen = invoice.gross_fen + sum(row.amount_fen for row in reductions)
        invoice = replace(invoice, gross_fen=issued_fen)
        earlier = _earlier(connection, invoice)
        price = _price(connection, invoice, licence, earlier)
    net_fen, vat_fen = take_vat(Fen(invoice.gross_fen), Ppm(scheme.vat_ppm))
    return {
        "type": "invoice",
        "format": FORMAT,
        "invoice_id": str(invoice_id),
        "reference": invoice_reference(invoice_id),
        "period": period_text(invoice.period_id),
        "issued_at": instant_text(invoice.issued_at),
        "scheme_id": str(invoice.scheme_id),
        "issuer": _party(scheme.operator_id, names),
        "buyer": _party(invoice.buyer_id, names),
        "product": _party(invoice.product_id, names),
        "licence_no": str(invoice.licence_no),
        "purpose": Purpose(licence.purpose).name.lower(),
        "receipts": _receipts(invoice, earlier),
        "units": str(invoice.to_units - invoice.from_units),
        "price": price,
        "gross_fen": invoice.gross_fen,
        "vat_ppm": scheme.vat_ppm,
        "net_fen": net_fen,
        "vat_fen": vat_fen,
        "document_digest": digest_text(invoice.document_digest),
        "tx_hash": invoice.tx_hash,
    }


def sign_invoice(market: Market, account: KeyAccount, figures: dict[str, Any]) -> dict[str, Any]:
    """Return the invoice signed by its issuer, and keep it for whoever asks for it.

    Raises:
        NotIssuerError: the account signs for another organisation.
    """
    signer = address_of(account)
    _require_issuer(market, signer, figures)
    message = _typed(market, figures)
    signed = {
        "invoice": figures,
        "signature": {
            "signer": signer,
            "typed_data": message,
            "signature": digest_text(sign_typed_data(account, message)),
        },
    }
    write_durably(_path(market, figures["invoice_id"]), canonical_json(signed))
    return signed


def invoice_document(market: Market, figures: dict[str, Any]) -> dict[str, Any]:
    """Return the signed invoice as it is kept; with `signature` null until the issuer signed it."""
    path = _path(market, figures["invoice_id"])
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_bytes())
        if kept["invoice"] == figures:
            return kept
    return {"invoice": figures, "signature": None}


def check_invoice(market: Market, document: dict[str, Any]) -> str:
    """Return the signer of an invoice document whose figures, signature and issuer are right.

    Raises:
        MalformedValueError: it is no signed invoice, or figures or signature were changed.
        InvoiceFiguresError: the ledger has other figures.
        NotIssuerError: another organisation signed.
    """
    try:
        figures, signature = document["invoice"], document["signature"]
        signer, signed = signature["signer"], bytes.fromhex(signature["signature"][2:])
        invoice_id = UUID(figures["invoice_id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedValueError(
            "the document is no signed invoice", field="document", expected="invoice, signature"
        ) from error
    if recover_signer(_typed(market, figures), signed) != signer:
        raise MalformedValueError(
            "the signature is not the signer's over these figures", field="signature", got=signer
        )
    known = invoice_figures(market, invoice_id)
    for name, value in known.items():
        if figures.get(name) != value and name not in ("issuer", "buyer", "product"):
            raise _differs(name, figures.get(name), value)
    _require_issuer(market, signer, known)
    return str(signer)


def earlier_units(
    earlier: list[queries.InvoiceRow], chargeable: set[int], invoice: queries.InvoiceRow
) -> int:
    """Return the units of the year that count for the bands before an invoice.

    Args:
        earlier: invoices of the same buyer and product before it.
        chargeable: licences whose use is charged; free use does not move the position.
        invoice: the invoice.
    """
    year = invoice.period_id // 100
    return sum(
        row.to_units - row.from_units
        for row in earlier
        if row.licence_no in chargeable and row.period_id // 100 == year
    )


def _earlier(connection: Any, invoice: queries.InvoiceRow) -> list[queries.InvoiceRow]:
    """Return the invoices of the same buyer and product that were issued before one."""
    found: list[queries.InvoiceRow] = []
    offset = 0
    while rows := queries.invoices_list(
        connection, buyer_id=invoice.buyer_id, limit=_PAGE, offset=offset
    ).items:
        for row in rows:
            if row.invoice_id == invoice.invoice_id:
                return found
            if row.product_id == invoice.product_id:
                found.append(row)
        offset += len(rows)
    return found


def _price(
    connection: Any,
    invoice: queries.InvoiceRow,
    licence: queries.LicenceRow,
    earlier: list[queries.InvoiceRow],
) -> dict[str, Any] | None:
    """Return how the charge comes about, None for a use that is not charged."""
    if licence.tariff_no == 0 or not Purpose(licence.purpose).is_chargeable:
        if invoice.gross_fen:
            raise _differs("gross_fen", 0, invoice.gross_fen)
        return None
    row = queries.tariff(connection, licence.product_id, licence.tariff_no)
    tariff = tariff_of_row(row)
    numbers = {item.licence_no for item in earlier}
    chargeable = {no for no in numbers if queries.licence(connection, no).tariff_no}
    already = earlier_units(earlier, chargeable, invoice)
    units = invoice.to_units - invoice.from_units
    charge = charge_fen(tariff, already, units)
    if charge != invoice.gross_fen:
        raise _differs("gross_fen", charge, invoice.gross_fen)
    parts = charge_parts(tariff, already, units)
    return {
        "tariff_no": licence.tariff_no,
        "basis": ChargeBasis(row.basis).name.lower(),
        "already_used_units": str(already),
        "free_quota_units": str(tariff.free_quota_units),
        "free_units": str(min(units, max(0, tariff.free_quota_units - already))),
        "discount_ppm": tariff.discount_ppm,
        "list_micro_yuan": str(sum(part.list_micro_yuan for part in parts)),
        "bands": [
            {
                "from_units": str(part.below_units + 1),
                "up_to_units": part.band.up_to_units and str(part.band.up_to_units),
                "price_micro_yuan": str(part.band.price_micro_yuan),
                "units": str(part.units),
                "list_micro_yuan": str(part.list_micro_yuan),
            }
            for part in parts
        ],
    }


def _receipts(invoice: queries.InvoiceRow, earlier: list[queries.InvoiceRow]) -> dict[str, Any]:
    """Return the range of the log in which the billed use lies."""
    before = [
        row.receipt_index
        for row in earlier
        if (row.licence_no, row.log_no) == (invoice.licence_no, invoice.log_no)
    ]
    return {
        "log_no": invoice.log_no,
        "after_index": str(before[-1]) if before else None,
        "through_index": str(invoice.receipt_index),
        "from_units": str(invoice.from_units),
        "to_units": str(invoice.to_units),
    }


def _typed(market: Market, figures: dict[str, Any]) -> dict[str, Any]:
    domain = {
        "name": "Metro Data Ledger invoice",
        "version": str(FORMAT),
        "chainId": market.settings.chain_id,
        "verifyingContract": market.contracts.revenue.address,
    }
    message = {
        "invoiceId": "0x" + UUID(figures["invoice_id"]).hex,
        "grossFen": figures["gross_fen"],
        "documentDigest": digest_text(canonical_digest(figures)),
    }
    return typed_message("Invoice", _TYPE, domain, message)


def _require_issuer(market: Market, signer: str, figures: dict[str, Any]) -> None:
    found = market.organisation_of(signer)
    if str(found) != figures["issuer"]["id"]:
        raise NotIssuerError(
            "only the issuer signs an invoice",
            field="signer",
            got=str(found),
            expected=figures["issuer"]["id"],
        )


def _party(key: UUID, names: dict[UUID, dict[str, str]]) -> dict[str, str]:
    found = names.get(key, {"zh": "—", "en": "—"})
    return {"id": str(key), "name_zh": found["zh"], "name_en": found["en"]}


def _path(market: Market, invoice_id: str) -> Path:
    return market.home / "invoices" / f"{invoice_id}.json"


def _differs(name: str, got: Any, expected: Any) -> InvoiceFiguresError:
    return InvoiceFiguresError(
        f"{name} of the invoice is not what the ledger says",
        field=name,
        got=got,
        expected=expected,
    )
