"""Schemes, splits and remittances, recomputed with exact fractions.

Source: domain report 4.3 steps 2, 4, 5, 8, 9 and 10; 发改价格〔2025〕65号.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import InvoiceState, RemittanceState, Role
from ledger.domain.units import MICRO_FEN_PER_FEN, PPM_WHOLE, SPREAD_PPM_MAX
from ledger.verification.anchors import LogsReplay
from ledger.verification.books import Account, Batch, Books, Invoice, Scheme
from ledger.verification.datasets import DatasetsReplay
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.invoices import InvoiceCheck, ReadReceipt
from ledger.verification.licences import LicencesReplay
from ledger.verification.replay import Replay
from ledger.verification.shares import exact_shares, net_fen, rounded


class MoneyReplay(Replay):
    """The state of the revenue ledger, and what is wrong with how it came about."""

    def __init__(
        self,
        findings: Findings,
        directory: DirectoryReplay,
        datasets: DatasetsReplay,
        licences: LicencesReplay,
        logs: LogsReplay,
        read_receipt: ReadReceipt,
    ) -> None:
        super().__init__(findings)
        self.directory = directory
        self.datasets = datasets
        self.licences = licences
        self.books = Books()
        invoices = InvoiceCheck(findings, self.books, licences, logs, read_receipt)
        self.handlers = {
            "SchemeApproved": self._approved,
            "InvoiceIssued": invoices.issued,
            "PaymentRecorded": invoices.paid,
            "InvoiceReleased": invoices.released,
            "SplitRecorded": self._split,
            "RemittanceOpened": self._opened,
            "RemittanceClosed": self._closed,
        }

    def earner_of(self, claimant_id: UUID) -> UUID:
        """Return who earns what a claimant is credited: a dataset's provider, or itself."""
        return self.datasets.provider_of(claimant_id) or claimant_id

    def payee_of(self, claimant_id: UUID) -> UUID | None:
        """Return who is paid for a claimant, None where nobody can be."""
        return self.directory.payee_of(self.earner_of(claimant_id))

    def _approved(self, event: Event, where: str) -> None:
        terms, costs = event.args["terms"], event.args["costs"]
        scheme_id = event.args["scheme_id"]
        self.findings.count("schemes")
        self.findings.same("scheme_id_differs", where, terms["scheme_id"], scheme_id)
        is_new = scheme_id not in self.books.schemes
        if not self.findings.require(is_new, "scheme_twice", where, scheme_id, "a new id"):
            return
        self.directory.require_role(terms["operator_id"], Role.OPERATOR, terms["city_code"], where)
        limits = {"spread_ppm": SPREAD_PPM_MAX, "bond_ppm": PPM_WHOLE, "vat_ppm": PPM_WHOLE}
        for name, limit in (limits | {"surcharge_ppm": PPM_WHOLE}).items():
            self.findings.require(
                terms[name] <= limit, "rate_too_large", f"{where}, {name}", terms[name], limit
            )
        ids = [cost["claimant_id"] for cost in costs]
        self.findings.require(
            bool(ids) and ids == sorted(set(ids)), "claimant_order", where, ids, "ascending"
        )
        accounts = {cost["claimant_id"]: Account(cost["cost_fen"]) for cost in costs}
        self.books.schemes[scheme_id] = Scheme(terms, accounts, event.block_time)

    def _split(self, event: Event, where: str) -> None:
        args = event.args
        self.findings.count("splits")
        invoice = self.books.invoices.get(args["invoice_id"])
        scheme = self.books.schemes.get(args["scheme_id"])
        product = self.licences.products.get(invoice.product_id) if invoice else None
        if invoice is None or scheme is None or product is None:
            self.findings.add("split_unknown", where, args["invoice_id"], "a released invoice")
            return
        self._check_order(args, invoice, scheme, where)
        self._check_net(args, invoice, scheme, where)
        self._check_lines(args, scheme, product.lineage, where)
        self._take(args, invoice, scheme, product.lineage)

    def _check_order(
        self, args: dict[str, Any], invoice: Invoice, scheme: Scheme, where: str
    ) -> None:
        same = self.findings.same
        same("split_scheme", where, args["scheme_id"], invoice.scheme_id)
        same("invoice_state", where, int(invoice.state), int(InvoiceState.RELEASED))
        same("split_release_no", where, args["release_no"], invoice.release_no)
        same("split_order", where, args["release_no"], scheme.split_count + 1)

    def _check_net(
        self, args: dict[str, Any], invoice: Invoice, scheme: Scheme, where: str
    ) -> None:
        expected = net_fen(invoice.gross_fen, scheme.terms["vat_ppm"])
        self.findings.same("split_net", where, args["net_fen"], expected)
        self.findings.same("split_vat", where, args["vat_fen"], invoice.gross_fen - expected)

    def _check_lines(
        self, args: dict[str, Any], scheme: Scheme, lineage: list[dict[str, Any]], where: str
    ) -> None:
        split, income = args["split"], args["net_fen"] * MICRO_FEN_PER_FEN
        lines = split["lineage_cost_micro_fen"]
        tax = min(
            args["net_fen"] * scheme.terms["surcharge_ppm"], scheme.tax_room_micro_fen, income
        )
        self.findings.same("split_tax", where, split["tax_micro_fen"], tax)
        total = split["tax_micro_fen"] + sum(lines) + split["reserve_micro_fen"]
        self.findings.same("split_sum", where, total, income)
        if not self.findings.same("split_line_count", where, len(lines), len(lineage)):
            return
        rooms = [
            scheme.accounts[entry["claimant_id"]].room_micro_fen
            if entry["claimant_id"] in scheme.accounts
            else 0
            for entry in lineage
        ]
        shares = exact_shares(income - tax, [entry["weight_ppm"] for entry in lineage], rooms)
        expected = rounded(shares)
        self.findings.count("split_lines", len(lines))
        for entry, line, share, whole in zip(lineage, lines, shares, expected, strict=True):
            named = f"{where}, claimant {entry['claimant_id']}"
            is_near = self.findings.require(
                abs(line - share) <= 1, "split_line", named, line, whole
            )
            if is_near:
                self.findings.same("split_rounding", named, line, whole)
        reserve = income - tax - sum(expected)
        self.findings.same("split_reserve", where, split["reserve_micro_fen"], reserve)

    def _take(
        self,
        args: dict[str, Any],
        invoice: Invoice,
        scheme: Scheme,
        lineage: list[dict[str, Any]],
    ) -> None:
        """Post what is recorded, right or wrong, so that one fault is found once."""
        split = args["split"]
        for entry, line in zip(lineage, split["lineage_cost_micro_fen"], strict=False):
            account = scheme.accounts.setdefault(entry["claimant_id"], Account(0))
            account.recovered_micro_fen += line
            account.entitled_micro_fen += line
            account.reasons.append((args["invoice_id"], line))
        scheme.tax_taken_micro_fen += split["tax_micro_fen"]
        scheme.reserve_micro_fen += split["reserve_micro_fen"]
        scheme.split_count = args["release_no"]
        invoice.state = InvoiceState.SPLIT
        invoice.net_fen, invoice.vat_fen = args["net_fen"], args["vat_fen"]

    def _opened(self, event: Event, where: str) -> None:
        args = event.args
        self.findings.count("remittances")
        is_new = args["batch_id"] not in self.books.batches
        self.findings.require(is_new, "batch_twice", where, args["batch_id"], "a new id")
        self.findings.require(bool(args["lines"]), "batch_empty", where, 0, "lines")
        for line in args["lines"]:
            self._remit(line, args["payee_id"], where)
        amount_fen = sum(line["amount_fen"] for line in args["lines"])
        self.books.batches[args["batch_id"]] = Batch(args["payee_id"], amount_fen)

    def _remit(self, line: dict[str, Any], payee_id: UUID, where: str) -> None:
        claimant_id, amount_fen = line["claimant_id"], line["amount_fen"]
        named = f"{where}, claimant {claimant_id}"
        self.findings.same("remittance_payee", named, payee_id, self.payee_of(claimant_id))
        scheme = self.books.schemes.get(line["scheme_id"])
        account = scheme.accounts.get(claimant_id) if scheme else None
        if account is None:
            self.findings.add("account_unknown", named, line["scheme_id"], "an account")
            return
        self.findings.require(
            0 < amount_fen <= account.payable_fen,
            "remittance_too_large",
            named,
            amount_fen,
            account.payable_fen,
        )
        account.remitted_fen += amount_fen

    def _closed(self, event: Event, where: str) -> None:
        batch = self.books.batches.get(event.args["batch_id"])
        self.books.use_receipt(event.args["receipt_digest"], where, self.findings)
        if batch is None:
            self.findings.add("batch_unknown", where, event.args["batch_id"], "an open batch")
            return
        self.findings.same("batch_state", where, int(batch.state), int(RemittanceState.OPEN))
        batch.state = RemittanceState.CLOSED
