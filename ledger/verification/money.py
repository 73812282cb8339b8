"""Splits, their corrections, and remittances, recomputed with exact fractions.

Source: domain report 4.3 steps 2, 4 to 10 and 12; 发改价格〔2025〕65号.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any
from uuid import UUID

from ledger.chain.events import Event
from ledger.domain.codes import InvoiceState, RemittanceState, SchemeState
from ledger.domain.units import MICRO_FEN_PER_FEN, PPM_WHOLE
from ledger.verification.anchors import LogsReplay
from ledger.verification.books import Account, Batch, Books, Invoice, Reason, Scheme
from ledger.verification.datasets import DatasetsReplay
from ledger.verification.directory import DirectoryReplay
from ledger.verification.findings import Findings
from ledger.verification.invoices import InvoiceCheck, ReadReceipt
from ledger.verification.licences import LicencesReplay
from ledger.verification.outcomes import OutcomeCheck
from ledger.verification.replay import Replay
from ledger.verification.schemes import SchemeCheck
from ledger.verification.shares import net_fen
from ledger.verification.tiers import Listed, TierCheck, post


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
        invoices = InvoiceCheck(findings, self.books, directory, licences, logs, read_receipt)
        schemes = SchemeCheck(findings, self.books, directory, self.grade_of)
        outcomes = OutcomeCheck(findings, self.books, directory, licences, self._owe)
        self.handlers = {
            "SchemeApproved": schemes.approved,
            "SchemeChangeAnnounced": schemes.announced,
            "SchemeChanged": schemes.changed,
            "YearClosed": schemes.year_closed,
            "DeviationAnswered": schemes.answered,
            "CycleClosed": schemes.cycle_closed,
            "CarryInPoured": schemes.poured,
            "InvoiceIssued": invoices.issued,
            "PaymentRecorded": invoices.paid,
            "InvoiceFrozen": invoices.frozen,
            "InvoiceReduced": invoices.reduced,
            "InvoiceReleased": invoices.released,
            "MarketOpened": outcomes.opened,
            "OutcomeShared": outcomes.shared,
            "OutcomeCorrected": outcomes.corrected,
            "SplitRecorded": self._split,
            "SplitCorrected": self._corrected,
            "RemittanceOpened": self._opened,
            "RemittanceClosed": self._closed,
        }

    def earner_of(self, claimant_id: UUID) -> UUID:
        """Return who earns what a claimant is credited: a dataset's provider, or itself."""
        return self.datasets.provider_of(claimant_id) or claimant_id

    def grade_of(self, claimant_id: UUID) -> int:
        """Return the grade of a dataset's last inspection; 0 without one, or for others."""
        dataset = self.datasets.datasets.get(claimant_id)
        return dataset.grade if dataset else 0

    def payee_of(self, claimant_id: UUID) -> UUID | None:
        """Return who is paid for a claimant, None where nobody can be."""
        return self.directory.payee_of(self.earner_of(claimant_id))

    def own_payable_fen(self, claimant_id: UUID, account: Account) -> int:
        """Return what of an account's payable fen goes to the earner itself."""
        earner_id = self.earner_of(claimant_id)
        payee_id, rule = self.payee_of(claimant_id), self.directory.rule_on(earner_id)
        if payee_id is None or rule is None:
            return account.payable_fen if payee_id == earner_id else 0
        parted = replace(account)
        parted.follow(rule)
        return parted.own_payable_fen()

    def _split(self, event: Event, where: str) -> None:
        args = event.args
        self.findings.count("splits")
        invoice = self.books.invoices.get(args["invoice_id"])
        scheme = self.books.schemes.get(args["scheme_id"])
        product = self.licences.products.get(invoice.product_id) if invoice else None
        if invoice is None or scheme is None or product is None:
            self.findings.add("split_unknown", where, args["invoice_id"], "a released invoice")
            return
        self.findings.require(not product.is_derived, "split_of_derived", where, args["invoice_id"])
        self._check_order(args, invoice, scheme, where)
        self._check_turn(event, scheme, where)
        self._check_net(args, invoice, scheme, where)
        income = args["net_fen"] * MICRO_FEN_PER_FEN
        surcharge = args["net_fen"] * scheme.terms["surcharge_ppm"]
        tax = min(surcharge, scheme.tax_room_micro_fen, income)
        listed = [Listed(item["claimant_id"], item["weight_ppm"]) for item in product.lineage]
        check = TierCheck(self.findings, scheme, self.grade_of, listed)
        check.check(args["split"], income, tax, where)
        ids = [entry.claimant_id for entry in listed]
        for claimant_id in ids:
            account = scheme.accounts.get(claimant_id)
            if account is not None and account.cost_micro_fen:
                account.is_pooled = True
        reason = Reason("split", args["invoice_id"], invoice.product_id)
        post(scheme, args["split"], ids, reason)
        scheme.split_count = args["release_no"]
        invoice.state, invoice.split = InvoiceState.SPLIT, args["split"]
        invoice.net_fen, invoice.vat_fen = args["net_fen"], args["vat_fen"]

    def _corrected(self, event: Event, where: str) -> None:
        """Check that exactly what was recorded is taken back, and what payees owe since."""
        args = event.args
        self.findings.count("corrections")
        invoice = self.books.invoices.get(args["invoice_id"])
        scheme = self.books.schemes.get(args["scheme_id"])
        product = self.licences.products.get(invoice.product_id) if invoice else None
        if invoice is None or scheme is None or product is None:
            self.findings.add("split_unknown", where, args["invoice_id"], "a split invoice")
            return
        self.findings.same("split_scheme", where, args["scheme_id"], invoice.scheme_id)
        self.findings.same("invoice_state", where, int(invoice.state), int(InvoiceState.SPLIT))
        self.findings.same("correction_differs", where, args["split"], invoice.split)
        is_open = scheme.state != SchemeState.CYCLE_CLOSED
        self.findings.require(is_open, "scheme_state", where, int(scheme.state), "not closed")
        reduction = args["reduction_fen"]
        is_within = reduction <= invoice.gross_fen
        self.findings.require(is_within, "reduction_too_large", where, reduction, invoice.gross_fen)
        if reduction:
            self.books.use_receipt(args["receipt_digest"], where, self.findings)
        ids = [item["claimant_id"] for item in product.lineage]
        reason = Reason("correction", args["invoice_id"], invoice.product_id)
        post(scheme, args["split"], ids, reason, sign=-1)
        self._owe(args, scheme, where)
        self._line_up_again(args, invoice, scheme, where)

    def _owe(self, args: dict[str, Any], scheme: Scheme, where: str) -> None:
        """What was remitted beyond what is due since is owed by the payee, in whole fen."""
        got: defaultdict[tuple[UUID, UUID], int] = defaultdict(int)
        for item in args["receivables"]:
            got[item["claimant_id"], item["payee_id"]] += item["amount_fen"]
            self.books.receivable_fen[item["payee_id"]] += item["amount_fen"]
        expected: dict[tuple[UUID, UUID], int] = {}
        for claimant_id, account in scheme.accounts.items():
            payee_id = self.payee_of(claimant_id)
            if account.payable_fen < 0 and payee_id is not None:
                owed = -account.payable_fen
                own = min(owed, max(0, account.own_fen - account.own_part_fen()))
                account.remitted_fen -= owed
                account.own_fen -= own
                parts = ((self.earner_of(claimant_id), own), (payee_id, owed - own))
                expected |= {(claimant_id, who): amount for who, amount in parts if amount}
        named = {f"{who} by {payee}": amount for (who, payee), amount in sorted(got.items())}
        wanted = {f"{who} by {payee}": amount for (who, payee), amount in sorted(expected.items())}
        self.findings.same("receivables", where, named, wanted)

    def _line_up_again(
        self, args: dict[str, Any], invoice: Invoice, scheme: Scheme, where: str
    ) -> None:
        invoice.gross_fen -= args["reduction_fen"]
        invoice.net_fen = invoice.vat_fen = 0
        invoice.split = None
        expected = scheme.release_count + 1 if invoice.gross_fen else 0
        self.findings.same("release_order", where, args["release_no"], expected)
        invoice.release_no = args["release_no"]
        is_left = bool(args["release_no"])
        invoice.state = InvoiceState.RELEASED if is_left else InvoiceState.REFUNDED
        scheme.release_count = args["release_no"] or scheme.release_count

    def _check_turn(self, event: Event, scheme: Scheme, where: str) -> None:
        """A change whose time has come is entered before any further split."""
        due = scheme.announced["change_from"] if scheme.announced else event.block_time + 1
        self.findings.require(due > event.block_time, "change_due", where, due, "entered")

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

    def _opened(self, event: Event, where: str) -> None:
        args = event.args
        self.findings.count("remittances")
        is_new = args["batch_id"] not in self.books.batches
        self.findings.require(is_new, "batch_twice", where, args["batch_id"], "a new id")
        self.findings.require(bool(args["lines"]), "batch_empty", where, 0, "lines")
        for line in args["lines"]:
            self._remit(line, args["payee_id"], where)
        amount_fen = sum(line["amount_fen"] for line in args["lines"])
        owed = self.books.receivable_fen[args["payee_id"]]
        set_off = min(owed, amount_fen)
        self.findings.same("set_off", where, args["set_off_fen"], set_off)
        self.books.receivable_fen[args["payee_id"]] -= args["set_off_fen"]
        amount_fen -= args["set_off_fen"]
        state = RemittanceState.OPEN if amount_fen else RemittanceState.CLOSED
        self.books.batches[args["batch_id"]] = Batch(args["payee_id"], amount_fen, state)

    def _remit(self, line: dict[str, Any], payee_id: UUID, where: str) -> None:
        claimant_id, amount_fen = line["claimant_id"], line["amount_fen"]
        named = f"{where}, claimant {claimant_id}"
        earner_id = self.earner_of(claimant_id)
        rule = self.directory.rule_on(earner_id)
        is_own = payee_id == earner_id and rule is not None and rule[1] < PPM_WHOLE
        expected = payee_id if is_own else self.payee_of(claimant_id)
        self.findings.same("remittance_payee", named, payee_id, expected)
        scheme = self.books.schemes.get(line["scheme_id"])
        account = scheme.accounts.get(claimant_id) if scheme else None
        if account is None:
            self.findings.add("account_unknown", named, line["scheme_id"], "an account")
            return
        account.follow(rule)
        payable = account.payable_fen
        if rule is not None:
            own = account.own_payable_fen()
            payable = own if is_own else payable - own
        self.findings.require(
            0 < amount_fen <= payable, "remittance_too_large", named, amount_fen, payable
        )
        account.remitted_fen += amount_fen
        account.own_fen += amount_fen if is_own else 0

    def _closed(self, event: Event, where: str) -> None:
        batch = self.books.batches.get(event.args["batch_id"])
        self.books.use_receipt(event.args["receipt_digest"], where, self.findings)
        if batch is None:
            self.findings.add("batch_unknown", where, event.args["batch_id"], "an open batch")
            return
        self.findings.same("batch_state", where, int(batch.state), int(RemittanceState.OPEN))
        batch.state = RemittanceState.CLOSED
