"""Income of derived products: shared by the lineage's ppm, which is exact in µfen.

Source: domain report 4.3 steps 12 and 13.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import InvoiceState, Role, SchemeState
from ledger.domain.units import HOLD_DAYS_MAX
from ledger.verification.books import Books, Invoice, Reason, Scheme
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.licences import LicencesReplay
from ledger.verification.shares import net_fen
from ledger.verification.sold import Product

VAT_PPM_MAX = 130_000
Owe = Callable[[dict[str, Any], Scheme, str], None]
"""Checks what payees owe since a correction."""
_NOTHING = (
    "bond_ppm",
    "spread_ppm",
    "surcharge_ppm",
    "providers_ppm",
    "operator_ppm",
    "platform_ppm",
    "governance_ppm",
    "tax_fen",
)
_NOBODY = UUID(int=0)


class OutcomeCheck:
    """Checks schemes of market prices, the sharing of their incomes, and its corrections."""

    def __init__(
        self,
        findings: Findings,
        books: Books,
        directory: DirectoryReplay,
        licences: LicencesReplay,
        owe: Owe,
    ) -> None:
        self._findings = findings
        self._books = books
        self._directory = directory
        self._licences = licences
        self._owe = owe

    def opened(self, event: Event, where: str) -> None:
        """Check a scheme of a developer's year: no cost, no cap, no cycle."""
        args = event.args
        scheme_id = args["scheme_id"]
        self._findings.count("schemes")
        is_new = scheme_id not in self._books.schemes
        if not self._findings.require(is_new, "scheme_twice", where, scheme_id, "a new id"):
            return
        developer_id, city_code = args["developer_id"], args["city_code"]
        self._directory.require_role(developer_id, Role.DEVELOPER, city_code, where)
        vat_ppm = args["vat_ppm"]
        is_lawful = vat_ppm <= VAT_PPM_MAX
        self._findings.require(is_lawful, "rate_too_large", where, vat_ppm, VAT_PPM_MAX)
        days = args["hold_days"]
        self._findings.require(days <= HOLD_DAYS_MAX, "hold_too_long", where, days, HOLD_DAYS_MAX)
        terms = dict.fromkeys(_NOTHING, 0) | {
            "scheme_id": scheme_id,
            "operator_id": developer_id,
            "platform_id": _NOBODY,
            "governance_id": _NOBODY,
            "cycle_id": _NOBODY,
            "is_trial": False,
        }
        terms |= {name: args[name] for name in ("city_code", "year", "vat_ppm", "hold_days")}
        self._books.schemes[scheme_id] = Scheme(
            terms, {}, event.block_time, state=SchemeState.MARKET
        )

    def shared(self, event: Event, where: str) -> None:
        """Check the sharing of an income: its turn and its net; then post it."""
        args = event.args
        self._findings.count("splits")
        found = self._found(args, InvoiceState.RELEASED, where)
        if found is None:
            return
        invoice, scheme, product = found
        same = self._findings.same
        same("split_release_no", where, args["release_no"], invoice.release_no)
        same("split_order", where, args["release_no"], scheme.split_count + 1)
        net = net_fen(invoice.gross_fen, scheme.terms["vat_ppm"])
        same("split_net", where, args["net_fen"], net)
        same("split_vat", where, args["vat_fen"], invoice.gross_fen - net)
        self._post(scheme, product, args["net_fen"], Reason("split", *_key(invoice)))
        scheme.split_count = args["release_no"]
        invoice.state = InvoiceState.SPLIT
        invoice.net_fen, invoice.vat_fen = args["net_fen"], args["vat_fen"]

    def corrected(self, event: Event, where: str) -> None:
        """Check that exactly what the reduction took from the net is taken back."""
        args = event.args
        self._findings.count("corrections")
        found = self._found(args, InvoiceState.SPLIT, where)
        if found is None:
            return
        invoice, scheme, product = found
        reduction = args["reduction_fen"]
        is_within = 0 < reduction <= invoice.gross_fen
        self._findings.require(
            is_within, "reduction_too_large", where, reduction, invoice.gross_fen
        )
        self._books.use_receipt(args["receipt_digest"], where, self._findings)
        left = net_fen(max(0, invoice.gross_fen - reduction), scheme.terms["vat_ppm"])
        self._findings.same("correction_net", where, args["net_fen"], invoice.net_fen - left)
        self._post(scheme, product, -args["net_fen"], Reason("correction", *_key(invoice)))
        self._owe(args, scheme, where)
        invoice.gross_fen -= reduction
        invoice.net_fen -= args["net_fen"]
        invoice.vat_fen = invoice.gross_fen - invoice.net_fen
        if not invoice.gross_fen:
            invoice.state = InvoiceState.REFUNDED

    def _found(
        self, args: dict[str, Any], state: InvoiceState, where: str
    ) -> tuple[Invoice, Scheme, Product] | None:
        invoice = self._books.invoices.get(args["invoice_id"])
        scheme = self._books.schemes.get(args["scheme_id"])
        product = self._licences.products.get(invoice.product_id) if invoice else None
        if invoice is None or scheme is None or product is None or not product.is_derived:
            named = "a bill of a derived product"
            self._findings.add("outcome_unknown", where, args["invoice_id"], named)
            return None
        self._findings.same("split_scheme", where, args["scheme_id"], invoice.scheme_id)
        self._findings.same("invoice_state", where, int(invoice.state), int(state))
        return invoice, scheme, product

    def _post(self, scheme: Scheme, product: Product, net: int, reason: Reason) -> None:
        for row in product.lineage:
            scheme.share_outcome(row["claimant_id"], net * row["weight_ppm"], reason)


def _key(invoice: Invoice) -> tuple[UUID, UUID]:
    return invoice.invoice_id, invoice.product_id
