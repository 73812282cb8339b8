"""Invoices, payments and releases, recomputed from receipts and tariffs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.codec.receipts import Receipt
from ledger.domain.calendar import period_of
from ledger.domain.codes import InvoiceState, SchemeState
from ledger.domain.units import UINT64_MAX
from ledger.verification.anchors import LogsReplay
from ledger.verification.books import Books, Invoice
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.licences import LicencesReplay
from ledger.verification.shares import charge_fen
from ledger.verification.sold import CHARGEABLE, Licence
from ledger.verification.working_days import last_second

ReadReceipt = Callable[[int, int], Receipt | None]
"""Returns the receipt of a log number and an index, None when there is none."""


class InvoiceCheck:
    """Checks bills against the receipts on which they rest, and the money that came for them."""

    def __init__(
        self,
        findings: Findings,
        books: Books,
        directory: DirectoryReplay,
        licences: LicencesReplay,
        logs: LogsReplay,
        read_receipt: ReadReceipt,
    ) -> None:
        self._findings = findings
        self._books = books
        self._directory = directory
        self._licences = licences
        self._logs = logs
        self._read_receipt = read_receipt
        self._billed: dict[tuple[int, int], int] = {}
        self._used: dict[tuple[UUID, UUID, int], int] = {}

    def issued(self, event: Event, where: str) -> None:
        """Check a bill: its receipt, its units and its charge."""
        args = event.args
        self._findings.count("invoices")
        is_new = args["invoice_id"] not in self._books.invoices
        if not self._findings.require(is_new, "invoice_twice", where, args["invoice_id"], "new id"):
            return
        licence = self._licences.licences.get(args["licence_no"])
        if licence is None:
            self._findings.add("licence_unknown", where, args["licence_no"], "a granted licence")
            return
        self._check_receipt(args, where)
        self._check_units(args, where)
        self._check_scheme(args, licence, where)
        expected = self._charge(args, licence, where)
        if expected is not None:
            self._findings.same("invoice_charge", where, args["gross_fen"], expected)
        self._books.invoices[args["invoice_id"]] = Invoice(
            invoice_id=args["invoice_id"],
            scheme_id=args["scheme_id"],
            licence_no=args["licence_no"],
            product_id=licence.product_id,
            units=args["to_units"] - args["from_units"],
            gross_fen=args["gross_fen"],
            state=InvoiceState.ISSUED if args["gross_fen"] else InvoiceState.SPLIT,
        )

    def paid(self, event: Event, where: str) -> None:
        """Check a payment: its sum, its receipt, the hold that it starts."""
        args = event.args
        self._findings.count("payments")
        invoice = self._invoice(event, InvoiceState.ISSUED, where)
        self._books.use_receipt(args["receipt_digest"], where, self._findings)
        if invoice is None:
            return
        invoice.paid_fen += args["amount_fen"]
        self._findings.require(args["amount_fen"] > 0, "payment_empty", where, 0, "above 0")
        self._findings.same("payment_sum", where, args["paid_fen"], invoice.paid_fen)
        self._findings.require(
            invoice.paid_fen <= invoice.gross_fen,
            "payment_too_large",
            where,
            invoice.paid_fen,
            invoice.gross_fen,
        )
        is_full = invoice.paid_fen >= invoice.gross_fen
        if is_full:
            self._hold(invoice, event, where)
        else:
            self._findings.same("hold_end", where, args["held_until"], 0)

    def frozen(self, event: Event, where: str) -> None:
        """Check that what is frozen is not released yet; that a case froze it is checked there."""
        invoice = self._books.invoices.get(event.args["invoice_id"])
        if invoice is None:
            self._findings.add("invoice_unknown", where, event.args["invoice_id"], "an issued one")
            return
        is_held = invoice.state in (InvoiceState.ISSUED, InvoiceState.HELD)
        is_possible = is_held or not event.args["is_frozen"]
        self._findings.require(is_possible, "invoice_state", where, int(invoice.state), "held")
        invoice.is_frozen = event.args["is_frozen"]

    def reduced(self, event: Event, where: str) -> None:
        """Check a credit note or a refund of a bill that is not split."""
        args = event.args
        self._findings.count("reductions")
        invoice = self._books.invoices.get(args["invoice_id"])
        if invoice is None:
            self._findings.add("invoice_unknown", where, args["invoice_id"], "an issued one")
            return
        state, reduction = invoice.state, args["reduction_fen"]
        is_open = state < InvoiceState.SPLIT
        self._findings.require(is_open, "invoice_state", where, int(state), "not split")
        is_unpaid = state == InvoiceState.ISSUED
        limit = invoice.gross_fen - (invoice.paid_fen if is_unpaid else 0)
        is_within = 0 < reduction <= limit
        self._findings.require(is_within, "reduction_too_large", where, reduction, limit)
        if not is_unpaid:
            self._books.use_receipt(args["receipt_digest"], where, self._findings)
        invoice.gross_fen -= reduction
        self._findings.same("reduction_sum", where, args["gross_fen"], invoice.gross_fen)
        if invoice.gross_fen == 0 and state != InvoiceState.RELEASED:
            invoice.state = InvoiceState.REFUNDED
        elif is_unpaid and invoice.gross_fen == invoice.paid_fen:
            self._hold(invoice, event, where)

    def _hold(self, invoice: Invoice, event: Event, where: str) -> None:
        """Check the last second of a hold that begins, and take it."""
        invoice.state, invoice.held_until = InvoiceState.HELD, event.args["held_until"]
        scheme = self._books.schemes.get(invoice.scheme_id)
        days = scheme.terms["hold_days"] if scheme else 0
        expected = last_second(self._directory.working_days, event.block_time, days)
        self._findings.same("hold_end", where, invoice.held_until, expected)

    def released(self, event: Event, where: str) -> None:
        """Check a release: after the hold or by acceptance, numbered in order."""
        invoice = self._invoice(event, InvoiceState.HELD, where)
        if invoice is None:
            return
        self._findings.require(not invoice.is_frozen, "released_frozen", where, True, False)
        licence = self._licences.licences.get(invoice.licence_no)
        if licence is not None and licence.is_accepted_by_use:
            is_accepted = event.args["is_accepted"]
            self._findings.same("accepted_by_use", where, is_accepted, True)
        if not event.args["is_accepted"]:
            self._findings.require(
                event.block_time > invoice.held_until,
                "released_early",
                where,
                event.block_time,
                invoice.held_until,
            )
        invoice.state, invoice.release_no = InvoiceState.RELEASED, event.args["release_no"]
        scheme = self._books.schemes.get(invoice.scheme_id)
        if scheme is not None:
            expected = scheme.release_count + 1
            self._findings.same("release_order", where, invoice.release_no, expected)
            scheme.release_count = invoice.release_no

    def _check_receipt(self, args: dict[str, Any], where: str) -> None:
        log_no, index = args["log_no"], args["receipt_index"]
        log = self._logs.logs.get(log_no)
        size = log.size if log else 0
        self._findings.require(
            index < size, "receipt_not_anchored", where, index, f"below {size} of log {log_no}"
        )
        receipt = self._read_receipt(log_no, index)
        named = f"{where}, log {log_no} receipt {index}"
        if receipt is None:
            self._findings.add("invoice_receipt", named, None, "a readable receipt")
            return
        self._findings.same("invoice_licence", named, receipt.licence_no, args["licence_no"])
        self._findings.same("invoice_units", named, args["to_units"], receipt.cumulative_units)
        expected = period_of(min(receipt.used_at_ms, UINT64_MAX >> 16) // 1000)
        self._findings.same("invoice_period", named, args["period_id"], int(expected))

    def _check_units(self, args: dict[str, Any], where: str) -> None:
        key = args["licence_no"], args["log_no"]
        from_units, to_units = args["from_units"], args["to_units"]
        self._findings.same("invoice_from_units", where, from_units, self._billed.get(key, 0))
        self._findings.require(
            to_units > from_units, "invoice_empty", where, to_units, f"above {from_units}"
        )
        self._billed[key] = to_units

    def _check_scheme(self, args: dict[str, Any], licence: Licence, where: str) -> None:
        scheme = self._books.schemes.get(args["scheme_id"])
        product = self._licences.products.get(licence.product_id)
        if scheme is None or product is None:
            self._findings.add("scheme_unknown", where, args["scheme_id"], "an approved scheme")
            return
        got = [product.operator_id, product.city_code, args["period_id"] // 100]
        terms = scheme.terms
        expected = [terms["operator_id"], terms["city_code"], terms["year"]]
        self._findings.same("scheme_mismatch", where, got, expected)
        needed = SchemeState.MARKET if product.is_derived else SchemeState.OPEN
        self._findings.same("scheme_state", where, int(scheme.state), int(needed))

    def _charge(self, args: dict[str, Any], licence: Licence, where: str) -> int | None:
        """Free use costs nothing and does not move the buyer's position in the bands."""
        if licence.purpose not in CHARGEABLE or licence.tariff_no == 0:
            return 0
        tariff = self._licences.tariff_of(licence)
        if tariff is None:
            self._findings.add("tariff_unknown", where, licence.tariff_no, "a published tariff")
            return None
        key = licence.buyer_id, licence.product_id, args["period_id"] // 100
        already, units = self._used.get(key, 0), args["to_units"] - args["from_units"]
        self._used[key] = already + units
        return charge_fen(tariff, already, units)

    def _invoice(self, event: Event, state: InvoiceState, where: str) -> Invoice | None:
        invoice = self._books.invoices.get(event.args["invoice_id"])
        if invoice is None:
            self._findings.add("invoice_unknown", where, event.args["invoice_id"], "an issued one")
            return None
        self._findings.same("invoice_state", where, int(invoice.state), int(state))
        return invoice
