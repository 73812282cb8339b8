// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {IUsageLog} from "../interfaces/IUsageLog.sol";
import {InvoiceState, JointAct, RemittanceState, Role} from "../libraries/Codes.sol";
import {Fen, INCOME_FEN_MAX, MicroFen, MicroYuan, PeriodId, Ppm} from "../libraries/Units.sol";
import {Market} from "./helpers/Market.sol";
import {Split} from "./helpers/Splits.sol";

/// @notice Each action of the revenue ledger: what it does, and every reason to refuse it.
contract RevenueLedgerTest is Market {
    uint128 private constant BILL = 501;
    uint128 private constant NEXT_BILL = 502;
    uint128 private constant BATCH = 601;
    bytes32 private constant BANK_LINE = bytes32(uint256(0xba));

    /// @dev V1: gross 10,600,000 fen.
    uint64 private constant GROSS = 10_600_000;
    uint64 private constant TAX = 72_000_000_000;

    function setUp() public override {
        super.setUp();
        _openShop();
        _approve();
    }

    /// @dev A trial, so that these tests speak of bills and cost; profit has tests of its own.
    function _terms() internal pure override returns (IRevenueLedger.SchemeTerms memory) {
        return _trial(super._terms());
    }

    // ---- approveScheme ----

    function test_approve__by_the_price_authority__accounts_opened() public view {
        IRevenueLedger.Scheme memory scheme = ledger.scheme(_id(SCHEME));
        _equal(bytes32(scheme.operatorId), bytes32(_id(OPERATOR)), "operator");
        _equal(scheme.cityCode, NANJING, "city");
        _equal(scheme.year, 2026, "year");
        _equal(Ppm.unwrap(scheme.surchargePpm), 7200, "surcharge");
        _equal(Ppm.unwrap(scheme.vatPpm), 60_000, "vat");
        _equal(scheme.holdDays, 5, "hold");
        _equal(MicroFen.unwrap(scheme.taxMicroFen), 3_600_000e6, "tax");
        _equal(MicroFen.unwrap(_account(DATASET_2).costMicroFen), 30_000_000e6, "cost");
        _equal(MicroFen.unwrap(_account(DATASET_2).recoveredMicroFen), 0, "recovered");
    }

    function test_approve__announced_with_its_terms() public {
        IRevenueLedger.SchemeTerms memory terms = _otherTerms();
        vm.expectEmit();
        emit IRevenueLedger.SchemeApproved(2, terms.schemeId, terms, _costs());
        _approveAs(PRICER, terms, _costs());
    }

    function test_approve__operator_itself_or_stranger__refused() public {
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_RoleMissing.selector, _id(OPERATOR), Role.PRICE_AUTHORITY, NANJING
            )
        );
        _approveAs(OPERATOR, _otherTerms(), _costs());
    }

    function test_approve__twice__refused() public {
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_SchemeExists.selector, _id(SCHEME)));
        _approveAs(PRICER, _terms(), _costs());
    }

    function test_approve__for_the_approver__refused() public {
        IRevenueLedger.SchemeTerms memory terms = _otherTerms();
        terms.operatorId = _id(PRICER);
        _refuse(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_ApproverIsOperator.selector, terms.schemeId, _id(PRICER)
            )
        );
        _approveAs(PRICER, terms, _costs());
    }

    function test_approve__operator_without_role__refused() public {
        IRevenueLedger.SchemeTerms memory terms = _otherTerms();
        terms.operatorId = _id(COMPANY);
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_RoleMissing.selector, _id(COMPANY), Role.OPERATOR, NANJING
            )
        );
        _approveAs(PRICER, terms, _costs());
    }

    function test_approve__rate_above_its_limit__refused() public {
        IRevenueLedger.SchemeTerms memory terms = _otherTerms();
        terms.spreadPpm = Ppm.wrap(60_001);
        _refuseRate(terms, 60_001, 60_000);
        terms = _otherTerms();
        terms.bondPpm = Ppm.wrap(1_000_001);
        _refuseRate(terms, 1_000_001, 1_000_000);
        terms = _otherTerms();
        terms.surchargePpm = Ppm.wrap(1_000_002);
        _refuseRate(terms, 1_000_002, 1_000_000);
        terms = _otherTerms();
        terms.vatPpm = Ppm.wrap(1_000_003);
        _refuseRate(terms, 1_000_003, 1_000_000);
        terms.vatPpm = Ppm.wrap(60_000);
        terms.holdDays = 61;
        _refuseHold(terms);
    }

    function test_approve__no_or_unordered_claimants__refused() public {
        _refuseOrder(new IRevenueLedger.ClaimantCost[](0), 0);
        IRevenueLedger.ClaimantCost[] memory costs = _costs();
        costs[2] = costs[1];
        _refuseOrder(costs, 2);
        (costs[0], costs[1]) = (costs[1], costs[0]);
        _refuseOrder(costs, 1);
        costs[0].claimantId = 0;
        _refuseOrder(costs, 0);
    }

    function test_approve__claimants__at_most_1024() public {
        _refuseOrder(_manyCosts(1025), 1025);
        _approveAs(PRICER, _otherTerms(), _manyCosts(1024));
        _equal(MicroFen.unwrap(ledger.account(_id(302), _id(1024)).costMicroFen), 1e6, "last account");
    }

    function test_approve__costs_or_tax_beyond_the_units__refused() public {
        IRevenueLedger.ClaimantCost[] memory costs = _manyCosts(2);
        costs[1].costFen = Fen.wrap(INCOME_FEN_MAX);
        _refuseAmount(_otherTerms(), costs, uint256(INCOME_FEN_MAX) + 1);
        costs[1].costFen = Fen.wrap(type(uint64).max);
        _refuseAmount(_otherTerms(), costs, type(uint64).max);
        IRevenueLedger.SchemeTerms memory terms = _otherTerms();
        terms.taxFen = Fen.wrap(INCOME_FEN_MAX + 1);
        _refuseAmount(terms, _costs(), uint256(INCOME_FEN_MAX) + 1);
    }

    // ---- issueInvoice ----

    function test_issue__proven_use__billed() public {
        bytes memory receipt = _receipt(1, 500, NOON_MS);
        uint32 logNo = _logOf(receipt);
        vm.expectEmit();
        emit IRevenueLedger.InvoiceIssued(
            2,
            _id(BILL),
            1,
            _id(SCHEME),
            PeriodId.wrap(202606),
            logNo,
            0,
            0,
            500,
            Fen.wrap(500),
            DOCUMENT
        );
        _as(OPERATOR);
        ledger.issueInvoice(_claim(BILL, logNo, receipt, 500));
        IRevenueLedger.Invoice memory bill = ledger.invoice(_id(BILL));
        _true(bill.state == InvoiceState.ISSUED, "state");
        _equal(bytes32(bill.schemeId), bytes32(_id(SCHEME)), "scheme");
        _equal(bytes32(bill.productId), bytes32(_id(PRODUCT)), "product");
        _equal(bill.licenceNo, 1, "licence");
        _equal(PeriodId.unwrap(bill.periodId), 202606, "period");
        _equal(Fen.unwrap(bill.grossFen), 500, "gross");
        _equal(Fen.unwrap(bill.paidFen), 0, "paid");
        _equal(ledger.billedUnits(1, logNo), 500, "billed");
        _equal(ledger.usedUnits(_id(BUYER), _id(PRODUCT), 2026), 500, "used");
    }

    function test_issue__a_second_log__position_continues() public {
        _issue(BILL, 500);
        _issue(NEXT_BILL, 300);
        _equal(ledger.usedUnits(_id(BUYER), _id(PRODUCT), 2026), 800, "used");
    }

    function test_issue__by_the_platform__billed() public {
        (IRevenueLedger.InvoiceClaim memory claim,) = _ready(500);
        _as(PLATFORM);
        ledger.issueInvoice(claim);
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.ISSUED, "state");
    }

    function test_issue__free_purpose__zero_and_final() public {
        bytes memory receipt = _receipt(2, 700, NOON_MS);
        uint32 logNo = _logOf(receipt);
        IRevenueLedger.InvoiceClaim memory claim = _claim(BILL, logNo, receipt, 0);
        claim.tariff = _noTariff();
        _as(OPERATOR);
        ledger.issueInvoice(claim);
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.SPLIT, "final");
        _equal(Fen.unwrap(ledger.invoice(_id(BILL)).grossFen), 0, "gross");
        _equal(ledger.billedUnits(2, logNo), 700, "billed");
        _equal(ledger.usedUnits(_id(BUYER), _id(FREE_PRODUCT), 2026), 0, "position unmoved");
    }

    function test_issue__id_taken__refused() public {
        _issue(BILL, 500);
        (IRevenueLedger.InvoiceClaim memory claim,) = _ready(500);
        _refuseIssue(claim, abi.encodeWithSelector(IRevenueLedger.RevenueLedger_InvoiceExists.selector, _id(BILL)));
    }

    function test_issue__unknown_scheme__refused() public {
        (IRevenueLedger.InvoiceClaim memory claim,) = _ready(500);
        claim.schemeId = _id(9);
        _refuseIssue(claim, abi.encodeWithSelector(IRevenueLedger.RevenueLedger_UnknownScheme.selector, _id(9)));
    }

    function test_issue__neither_operator_nor_platform__refused() public {
        (IRevenueLedger.InvoiceClaim memory claim,) = _ready(500);
        _refuse(_notOperator(OTHER_OPERATOR));
        _as(OTHER_OPERATOR);
        ledger.issueInvoice(claim);
    }

    function test_issue__receipt_malformed__refused() public {
        (IRevenueLedger.InvoiceClaim memory claim,) = _ready(500);
        claim.receipt = new bytes(95);
        _refuseIssue(
            claim, abi.encodeWithSelector(IRevenueLedger.RevenueLedger_ReceiptMalformed.selector, 95, 0)
        );
        claim.receipt = new bytes(96);
        _refuseIssue(
            claim, abi.encodeWithSelector(IRevenueLedger.RevenueLedger_ReceiptMalformed.selector, 96, 0)
        );
    }

    function test_issue__receipt_not_in_the_log__refused() public {
        (IRevenueLedger.InvoiceClaim memory claim, uint32 logNo) = _ready(500);
        claim.receipt = _receipt(1, 501, NOON_MS);
        claim.grossFen = Fen.wrap(501);
        bytes32 leaf = sha256(abi.encodePacked(bytes1(0x00), claim.receipt));
        _refuseIssue(claim, abi.encodeWithSelector(IUsageLog.UsageLog_NotIncluded.selector, logNo, 0, leaf));
    }

    function test_issue__unknown_licence__refused() public {
        bytes memory receipt = _receipt(77, 500, NOON_MS);
        IRevenueLedger.InvoiceClaim memory claim = _claim(BILL, _logOf(receipt), receipt, 500);
        _refuseIssue(claim, abi.encodeWithSelector(ILicenceRegistry.LicenceRegistry_UnknownLicence.selector, 77));
    }

    function test_issue__use_in_another_year__refused() public {
        // 2027-01-01 00:00 in China.
        bytes memory receipt = _receipt(1, 500, 1798732800 * 1000);
        IRevenueLedger.InvoiceClaim memory claim = _claim(BILL, _logOf(receipt), receipt, 500);
        _refuseIssue(claim, _mismatch(SCHEME, 2027));
    }

    function test_issue__scheme_of_another_operator__refused() public {
        IRevenueLedger.SchemeTerms memory terms = _otherTerms();
        terms.operatorId = _id(OTHER_OPERATOR);
        _approveAs(PRICER, terms, _costs());
        (IRevenueLedger.InvoiceClaim memory claim,) = _ready(500);
        claim.schemeId = terms.schemeId;
        _refuse(_mismatch(302, 2026));
        _as(OTHER_OPERATOR);
        ledger.issueInvoice(claim);
    }

    function test_issue__scheme_of_another_city__refused() public {
        directory.grantRole(_id(OPERATOR), Role.OPERATOR, ZHENJIANG);
        _join(31, INSTITUTION, ZHENJIANG, Role.PRICE_AUTHORITY);
        IRevenueLedger.SchemeTerms memory terms = _otherTerms();
        terms.cityCode = ZHENJIANG;
        _approveAs(31, terms, _costs());
        (IRevenueLedger.InvoiceClaim memory claim,) = _ready(500);
        claim.schemeId = terms.schemeId;
        _refuseIssue(claim, _mismatch(302, 2026));
    }

    function test_issue__nothing_new__refused() public {
        (IRevenueLedger.InvoiceClaim memory claim, uint32 logNo) = _ready(500);
        _as(OPERATOR);
        ledger.issueInvoice(claim);
        claim.invoiceId = _id(NEXT_BILL);
        _refuseIssue(
            claim, abi.encodeWithSelector(IRevenueLedger.RevenueLedger_NothingToBill.selector, 1, logNo, 500, 500)
        );
    }

    function test_issue__only_refusals__nothing_to_bill() public {
        (IRevenueLedger.InvoiceClaim memory claim, uint32 logNo) = _ready(0);
        _refuseIssue(
            claim, abi.encodeWithSelector(IRevenueLedger.RevenueLedger_NothingToBill.selector, 1, logNo, 0, 0)
        );
    }

    function test_issue__other_tariff__refused() public {
        (IRevenueLedger.InvoiceClaim memory claim,) = _ready(500);
        bytes32 expected = sha256(abi.encode(claim.tariff));
        claim.tariff.bands[0].priceMicroYuan = MicroYuan.wrap(9_999);
        _refuseIssue(
            claim,
            abi.encodeWithSelector(
                ILicenceRegistry.LicenceRegistry_TariffDiffers.selector,
                _id(PRODUCT),
                1,
                sha256(abi.encode(claim.tariff)),
                expected
            )
        );
    }

    function test_issue__one_fen_off__refused() public {
        (IRevenueLedger.InvoiceClaim memory claim,) = _ready(500);
        claim.grossFen = Fen.wrap(501);
        _refuseIssue(
            claim,
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_ChargeDiffers.selector, _id(BILL), 501, 500)
        );
    }

    function test_issue__charge_beyond_the_units__refused() public {
        (IRevenueLedger.InvoiceClaim memory claim,) = _ready(INCOME_FEN_MAX + 1);
        _refuseIssue(
            claim,
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_AmountTooLarge.selector, uint256(INCOME_FEN_MAX) + 1, INCOME_FEN_MAX
            )
        );
    }

    // ---- recordPayment ----

    function test_pay__in_parts__held_with_the_last() public {
        _issue(BILL, 500);
        vm.expectEmit();
        emit IRevenueLedger.PaymentRecorded(3, _id(BILL), Fen.wrap(200), Fen.wrap(200), 0, BANK_LINE);
        _payWith(BILL, 200, BANK_LINE);
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.ISSUED, "open");
        vm.expectEmit();
        emit IRevenueLedger.PaymentRecorded(
            4, _id(BILL), Fen.wrap(300), Fen.wrap(500), HELD_UNTIL, DOCUMENT
        );
        _payWith(BILL, 300, DOCUMENT);
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.HELD, "held");
        _equal(ledger.invoice(_id(BILL)).heldUntil, HELD_UNTIL, "until");
        _equal(Fen.unwrap(ledger.invoice(_id(BILL)).paidFen), 500, "paid");
    }

    function testFuzz_pay__any_calendar__held_for_working_days_of_it(uint256 low, uint256 high) public {
        directory.setWorkingDays(2026, low, high & ((1 << 109) - 1));
        _issue(BILL, 500);
        _pay(BILL, 500);
        _equal(ledger.invoice(_id(BILL)).heldUntil, directory.workingDaysAfter(NOON, 5), "until");
    }

    function test_pay__unknown_bill__refused() public {
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_UnknownInvoice.selector, _id(BILL)));
        _payWith(BILL, 1, BANK_LINE);
    }

    function test_pay__stranger__refused() public {
        _issue(BILL, 500);
        _refuse(_notOperator(BUYER));
        _as(BUYER);
        ledger.recordPayment(_id(BILL), Fen.wrap(500), BANK_LINE);
    }

    function test_pay__zero_or_too_much__refused() public {
        _issue(BILL, 500);
        _refusePayment(0, 500);
        _refusePayment(501, 500);
        _payWith(BILL, 200, BANK_LINE);
        _refusePayment(301, 300);
    }

    function test_pay__bank_line_twice__refused() public {
        _issue(BILL, 500);
        _payWith(BILL, 200, BANK_LINE);
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_ReceiptUsed.selector, BANK_LINE));
        _payWith(BILL, 300, BANK_LINE);
    }

    function test_pay__already_paid__refused() public {
        _issue(BILL, 500);
        _pay(BILL, 500);
        _refuse(_wrongState(BILL, InvoiceState.HELD, InvoiceState.ISSUED));
        _payWith(BILL, 1, BANK_LINE);
    }

    // ---- accept, release ----

    function test_accept__by_the_buyer__released_at_once() public {
        _issue(BILL, 500);
        _pay(BILL, 500);
        vm.expectEmit();
        emit IRevenueLedger.InvoiceReleased(4, _id(BILL), 1, true);
        _accept(BILL);
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.RELEASED, "state");
        _equal(ledger.invoice(_id(BILL)).releaseNo, 1, "release");
        _equal(ledger.scheme(_id(SCHEME)).releaseCount, 1, "count");
    }

    function test_accept__not_the_buyer__refused() public {
        _issue(BILL, 500);
        _pay(BILL, 500);
        _refuse(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_NotBuyer.selector, _id(BILL), _id(OPERATOR), _id(BUYER)
            )
        );
        _as(OPERATOR);
        ledger.accept(_id(BILL));
    }

    function test_accept__unpaid__refused() public {
        _issue(BILL, 500);
        _refuse(_wrongState(BILL, InvoiceState.ISSUED, InvoiceState.HELD));
        _accept(BILL);
    }

    function test_release__after_the_hold__by_anyone() public {
        _issue(BILL, 500);
        _pay(BILL, 500);
        vm.warp(HELD_UNTIL + 1);
        vm.expectEmit();
        emit IRevenueLedger.InvoiceReleased(4, _id(BILL), 1, false);
        ledger.release(_id(BILL));
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.RELEASED, "state");
    }

    function test_release__one_second_early__refused() public {
        _issue(BILL, 500);
        _pay(BILL, 500);
        vm.warp(HELD_UNTIL);
        _refuse(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_StillHeld.selector, _id(BILL), HELD_UNTIL, HELD_UNTIL
            )
        );
        ledger.release(_id(BILL));
    }

    function test_release__twice__refused() public {
        _earn(BILL, 500);
        _refuse(_wrongState(BILL, InvoiceState.RELEASED, InvoiceState.HELD));
        ledger.release(_id(BILL));
    }

    // ---- split ----

    function test_split__by_the_platform__credited() public {
        _earn(BILL, GROSS);
        _as(PLATFORM);
        ledger.split(_id(BILL), _v1().pack());
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.SPLIT, "state");
        _equal(MicroFen.unwrap(_account(OPERATOR).recoveredMicroFen), 4_765_440_000_000, "recovered");
        _equal(MicroFen.unwrap(_account(OPERATOR).entitledMicroFen), 4_765_440_000_000, "entitled");
        _equal(MicroFen.unwrap(_account(OPERATOR).costMicroFen), 240_000_000e6, "cost unchanged");
    }

    function test_split__twice__refused() public {
        _earn(BILL, GROSS);
        _split(BILL, _v1());
        _refuse(_wrongState(BILL, InvoiceState.SPLIT, InvoiceState.RELEASED));
        _split(BILL, _v1());
    }

    function test_split__stranger__refused() public {
        _earn(BILL, GROSS);
        _refuse(_notOperator(COMPANY));
        _as(COMPANY);
        ledger.split(_id(BILL), _v1().pack());
    }

    function test_split__before_an_earlier_release__refused() public {
        _earn(BILL, GROSS);
        _earn(NEXT_BILL, GROSS);
        _refuse(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_SplitOutOfOrder.selector, _id(NEXT_BILL), 2, 1)
        );
        _split(NEXT_BILL, _v1());
    }

    function test_split__lines_missing__refused() public {
        _earn(BILL, GROSS);
        Split memory proposed = _v1();
        proposed.lineageCostMicroFen = new MicroFen[](4);
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_LineCount.selector, 4, 5));
        _split(BILL, proposed);
    }

    function test_split__other_length_than_its_counts_say__refused() public {
        _earn(BILL, GROSS);
        bytes memory right = _v1().pack();
        _refuseLength(bytes.concat(right, hex"00"), right.length);
        bytes memory short = new bytes(right.length - 1);
        for (uint256 i = 0; i < short.length; ++i) {
            short[i] = right[i];
        }
        _refuseLength(short, right.length);
        _refuseLength("", 30);
        _split(BILL, _v1());
    }

    function test_split__tax_one_micro_fen_off__refused() public {
        _earn(BILL, GROSS);
        Split memory proposed = _v1();
        proposed.taxMicroFen = MicroFen.wrap(TAX - 1);
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_TaxDiffers.selector, TAX - 1, TAX));
        _split(BILL, proposed);
    }

    function test_split__two_micro_fen_between_lines__refused() public {
        _earn(BILL, GROSS);
        Split memory proposed = _v1();
        uint64 more = MicroFen.unwrap(proposed.lineageCostMicroFen[2]) + 2;
        uint64 less = MicroFen.unwrap(proposed.lineageCostMicroFen[4]) - 2;
        proposed.lineageCostMicroFen[2] = MicroFen.wrap(more);
        proposed.lineageCostMicroFen[4] = MicroFen.wrap(less);
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_LineOutOfProportion.selector, 2, more));
        _split(BILL, proposed);
    }

    function test_split__reserve_before_cost__refused() public {
        _earn(BILL, GROSS);
        Split memory proposed = _v1();
        uint64 income = 10_000_000e6 - TAX;
        proposed.lineageCostMicroFen[1] =
            MicroFen.wrap(MicroFen.unwrap(proposed.lineageCostMicroFen[1]) - 1000);
        proposed.reserveMicroFen = MicroFen.wrap(1000);
        _refuse(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_TierNotFull.selector, income - 1000, income)
        );
        _split(BILL, proposed);
    }

    function test_split__reserve_from_nothing__refused() public {
        _earn(BILL, GROSS);
        Split memory proposed = _v1();
        proposed.reserveMicroFen = MicroFen.wrap(1);
        _refuse(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_SumDiffers.selector, 10_000_000e6 + 1, 10_000_000e6)
        );
        _split(BILL, proposed);
    }

    /// @dev Income beyond all cost: tax stops at its line, everybody is full, the rest is reserve.
    function test_split__beyond_all_cost__reserve_takes_the_rest() public {
        uint64 gross = 1_060_000_000;
        _earn(BILL, gross);
        uint64 rest = 1_000_000_000e6 - 3_600_000e6 - 500_000_000e6;
        Split memory proposed = _proposal(3_600_000e6, _allCosts(), rest);
        _split(BILL, proposed);
        _equal(MicroFen.unwrap(ledger.scheme(_id(SCHEME)).reserveMicroFen), rest, "reserve");
        _equal(MicroFen.unwrap(ledger.scheme(_id(SCHEME)).taxTakenMicroFen), 3_600_000e6, "tax");
        _equal(MicroFen.unwrap(_account(DATASET_3).recoveredMicroFen), 50_000_000e6, "recovered");
        // Nothing but reserve is left for the next income.
        _earn(NEXT_BILL, GROSS);
        uint64[5] memory none;
        proposed = _proposal(0, none, 10_000_000e6);
        _split(NEXT_BILL, proposed);
        _equal(MicroFen.unwrap(ledger.scheme(_id(SCHEME)).reserveMicroFen), rest + 10_000_000e6, "reserve");
    }

    function test_split__line_above_cost__refused() public {
        _earn(BILL, 1_060_000_000);
        uint64[5] memory lines = _allCosts();
        lines[3] += 1;
        uint64 rest = 1_000_000_000e6 - 3_600_000e6 - 500_000_000e6 - 1;
        _refuse(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_LineAboveRoom.selector, 3, lines[3], lines[3] - 1
            )
        );
        _split(BILL, _proposal(3_600_000e6, lines, rest));
    }

    /// @dev A claimant whose cost nobody approved has no room; the others share its part.
    function test_split__claimant_without_account__gets_nothing() public {
        _earnWithCostOfOne(1000);
        _split(BILL, _proposal(0, [uint64(0), 0, 100e6, 0, 0], 0));
        _equal(MicroFen.unwrap(ledger.account(_id(302), _id(DATASET_1)).recoveredMicroFen), 100e6, "all");
    }

    /// @dev When the only one with a cost has recovered it, the rest is reserve: the income is never stuck.
    function test_split__claimants_without_account__rest_is_reserve() public {
        _earnWithCostOfOne(60);
        _split(BILL, _proposal(0, [uint64(0), 0, 60e6, 0, 0], 40e6));
        _equal(MicroFen.unwrap(ledger.account(_id(302), _id(DATASET_1)).recoveredMicroFen), 60e6, "cost");
        _equal(MicroFen.unwrap(ledger.account(_id(302), _id(OPERATOR)).entitledMicroFen), 0, "no account");
        _equal(MicroFen.unwrap(ledger.scheme(_id(302)).reserveMicroFen), 40e6, "reserve");
    }

    function test_split__line_without_account__refused() public {
        _earnWithCostOfOne(60);
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_LineAboveRoom.selector, 1, 1, 0));
        _split(BILL, _proposal(0, [uint64(0), 1, 60e6, 0, 0], 40e6 - 1));
    }

    // ---- remittances ----

    function test_remit__whole_fen_to_the_payee__closed_by_a_receipt() public {
        _earnAndSplit();
        IRevenueLedger.RemittanceLine[] memory lines = _lines(OPERATOR, 4_765_440);
        vm.expectEmit();
        emit IRevenueLedger.RemittanceOpened(6, _id(BATCH), _id(OPERATOR), lines, Fen.wrap(0), DOCUMENT);
        _remit(OPERATOR, OPERATOR, lines);
        IRevenueLedger.Remittance memory batch = ledger.remittance(_id(BATCH));
        _equal(bytes32(batch.payeeId), bytes32(_id(OPERATOR)), "payee");
        _equal(bytes32(batch.openerId), bytes32(_id(OPERATOR)), "opener");
        _equal(Fen.unwrap(batch.amountFen), 4_765_440, "amount");
        _true(batch.state == RemittanceState.OPEN, "open");
        _equal(MicroFen.unwrap(_account(OPERATOR).remittedMicroFen), 4_765_440e6, "remitted");
        vm.expectEmit();
        emit IRevenueLedger.RemittanceClosed(7, _id(BATCH), BANK_LINE);
        _as(OPERATOR);
        ledger.closeRemittance(_id(BATCH), BANK_LINE);
        _true(ledger.remittance(_id(BATCH)).state == RemittanceState.CLOSED, "closed");
    }

    function test_remit__administration__to_the_treasury_of_its_city() public {
        _earnAndSplit();
        _remit(PLATFORM, TREASURY, _lines(DATASET_1, 2_382_720));
        _equal(MicroFen.unwrap(_account(DATASET_1).remittedMicroFen), 2_382_720e6, "remitted");
    }

    function test_remit__administration_itself__refused() public {
        _earnAndSplit();
        _refuse(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_WrongPayee.selector, _id(DATASET_1), _id(BUREAU), _id(TREASURY)
            )
        );
        _remit(OPERATOR, BUREAU, _lines(DATASET_1, 1));
    }

    function test_remit__city_without_treasury__refused() public {
        _earnAndSplit();
        _refuse(abi.encodeWithSelector(IDirectory.Directory_NoTreasury.selector, ZHENJIANG));
        _remit(OPERATOR, TREASURY, _lines(DATASET_3, 1));
    }

    function test_remit__fraction_of_a_fen__stays_in_the_account() public {
        _earnAndSplit();
        _earn(NEXT_BILL, 99_999);
        _split(
            NEXT_BILL,
            _proposal(
                679_233_600,
                [uint64(11_239_051_968), 44_956_207_872, 22_478_103_936, 5_619_525_984, 9_365_876_640],
                0
            )
        );
        uint64 payableFen = 601_299;
        _refuse(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_RemittanceTooLarge.selector, _id(DATASET_2), payableFen + 1, payableFen
            )
        );
        _remit(OPERATOR, COMPANY, _lines(DATASET_2, payableFen + 1));
        _remit(OPERATOR, COMPANY, _lines(DATASET_2, payableFen));
        IRevenueLedger.Account memory account = _account(DATASET_2);
        _equal(
            MicroFen.unwrap(account.entitledMicroFen) - MicroFen.unwrap(account.remittedMicroFen), 525_984, "rest"
        );
    }

    function test_remit__zero_or_again__refused() public {
        _earnAndSplit();
        _refuseRemittance(0, 595_680);
        IRevenueLedger.RemittanceLine[] memory lines = new IRevenueLedger.RemittanceLine[](2);
        (lines[0], lines[1]) = (_lines(DATASET_2, 595_680)[0], _lines(DATASET_2, 1)[0]);
        _refuse(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_RemittanceTooLarge.selector, _id(DATASET_2), 1, 0
            )
        );
        _remit(OPERATOR, COMPANY, lines);
    }

    function test_remit__stranger_or_unknown_scheme__refused() public {
        _earnAndSplit();
        _refuse(_notOperator(COMPANY));
        _remit(COMPANY, COMPANY, _lines(DATASET_2, 1));
        IRevenueLedger.RemittanceLine[] memory lines = _lines(DATASET_2, 1);
        lines[0].schemeId = _id(9);
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_UnknownScheme.selector, _id(9)));
        _remit(OPERATOR, COMPANY, lines);
    }

    function test_remit__no_or_too_many_lines__refused() public {
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_BatchLength.selector, 0, 256));
        _remit(OPERATOR, OPERATOR, new IRevenueLedger.RemittanceLine[](0));
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_BatchLength.selector, 257, 256));
        _remit(OPERATOR, OPERATOR, new IRevenueLedger.RemittanceLine[](257));
    }

    function test_remit__batch_id_taken__refused() public {
        _earnAndSplit();
        _remit(OPERATOR, COMPANY, _lines(DATASET_2, 1));
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_BatchExists.selector, _id(BATCH)));
        _remit(OPERATOR, COMPANY, _lines(DATASET_2, 1));
    }

    function test_close__unknown_or_closed_batch__refused() public {
        _refuseClose(RemittanceState.NONE);
        _earnAndSplit();
        _remit(OPERATOR, COMPANY, _lines(DATASET_2, 1));
        _as(PLATFORM);
        ledger.closeRemittance(_id(BATCH), BANK_LINE);
        _refuseClose(RemittanceState.CLOSED);
    }

    function test_close__stranger__refused() public {
        _earnAndSplit();
        _remit(OPERATOR, COMPANY, _lines(DATASET_2, 1));
        _refuse(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_NotOpener.selector, _id(BATCH), _id(COMPANY), _id(OPERATOR)
            )
        );
        _as(COMPANY);
        ledger.closeRemittance(_id(BATCH), BANK_LINE);
    }

    /// @dev 经办 and 复核: the operator lets the closing take two of its accounts.
    function test_close__takes_two__prepared_by_another_account() public {
        _earnAndSplit();
        _remit(OPERATOR, COMPANY, _lines(DATASET_2, 1));
        _as(OPERATOR);
        directory.addSigner(_signer(99), 1);
        _as(OPERATOR);
        directory.setJointActs(uint32(1) << uint8(JointAct.REMITTANCE_CLOSING));
        bytes memory call = abi.encodeCall(ledger.closeRemittance, (_id(BATCH), BANK_LINE));
        bytes32 workDigest = sha256(bytes.concat(bytes20(address(ledger)), call));
        _refuse(
            abi.encodeWithSelector(
                IDirectory.Directory_SecondSignerMissing.selector,
                _id(OPERATOR),
                JointAct.REMITTANCE_CLOSING,
                workDigest
            )
        );
        _as(OPERATOR);
        ledger.closeRemittance(_id(BATCH), BANK_LINE);
        _as(99);
        directory.prepareWork(workDigest);
        _as(OPERATOR);
        ledger.closeRemittance(_id(BATCH), BANK_LINE);
        _equal(uint8(ledger.remittance(_id(BATCH)).state), uint8(RemittanceState.CLOSED), "closed");
    }

    function test_close__receipt_of_a_payment__refused() public {
        _earnAndSplit();
        _remit(OPERATOR, COMPANY, _lines(DATASET_2, 1));
        bytes32 used = bytes32(uint256(BILL));
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_ReceiptUsed.selector, used));
        _as(OPERATOR);
        ledger.closeRemittance(_id(BATCH), used);
    }

    // ---- views ----

    function test_views__unknown__refused_or_zero() public {
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_UnknownScheme.selector, _id(9)));
        ledger.scheme(_id(9));
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_UnknownInvoice.selector, _id(9)));
        ledger.invoice(_id(9));
        _true(ledger.remittance(_id(9)).state == RemittanceState.NONE, "batch");
        _equal(MicroFen.unwrap(ledger.account(_id(SCHEME), _id(9)).costMicroFen), 0, "account");
        _equal(address(ledger.directory()), address(directory), "directory");
    }

    // ---- helpers: what is refused ----

    function _refuse(bytes memory reason) private {
        vm.expectRevert(reason);
    }

    function _refuseIssue(IRevenueLedger.InvoiceClaim memory claim, bytes memory reason) private {
        _refuse(reason);
        _as(OPERATOR);
        ledger.issueInvoice(claim);
    }

    function _refuseRate(IRevenueLedger.SchemeTerms memory terms, uint32 got, uint256 limit) private {
        _refuse(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_RateTooLarge.selector, terms.schemeId, got, limit)
        );
        _approveAs(PRICER, terms, _costs());
    }

    function _refuseHold(IRevenueLedger.SchemeTerms memory terms) private {
        _refuse(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_HoldTooLong.selector, terms.schemeId, terms.holdDays, 60
            )
        );
        _approveAs(PRICER, terms, _costs());
    }

    function _refuseOrder(IRevenueLedger.ClaimantCost[] memory costs, uint256 index) private {
        _refuse(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_ClaimantOrder.selector, _id(302), index)
        );
        _approveAs(PRICER, _otherTerms(), costs);
    }

    function _refuseAmount(
        IRevenueLedger.SchemeTerms memory terms,
        IRevenueLedger.ClaimantCost[] memory costs,
        uint256 gotFen
    ) private {
        _refuse(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_AmountTooLarge.selector, gotFen, INCOME_FEN_MAX)
        );
        _approveAs(PRICER, terms, costs);
    }

    function _refusePayment(uint64 got, uint64 open) private {
        _refuse(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_PaymentTooLarge.selector, _id(BILL), got, open)
        );
        _payWith(BILL, got, DOCUMENT);
    }

    function _refuseRemittance(uint64 got, uint64 payableFen) private {
        _refuse(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_RemittanceTooLarge.selector, _id(DATASET_2), got, payableFen
            )
        );
        _remit(OPERATOR, COMPANY, _lines(DATASET_2, got));
    }

    function _refuseClose(RemittanceState state) private {
        _refuse(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_BatchNotOpen.selector, _id(BATCH), state));
        _as(OPERATOR);
        ledger.closeRemittance(_id(BATCH), DOCUMENT);
    }

    function _notOperator(uint128 actor) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRevenueLedger.RevenueLedger_NotOperator.selector, _id(SCHEME), _id(actor)
        );
    }

    function _mismatch(uint128 schemeId, uint16 year) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRevenueLedger.RevenueLedger_SchemeMismatch.selector, _id(schemeId), _id(PRODUCT), year
        );
    }

    function _wrongState(uint128 invoiceId, InvoiceState state, InvoiceState needed)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            IRevenueLedger.RevenueLedger_WrongState.selector, _id(invoiceId), state, needed
        );
    }

    // ---- helpers: steps ----

    /// @dev 100 fen net, untaxed, in a scheme that approved the cost of one claimant only.
    function _earnWithCostOfOne(uint64 costFen) private {
        IRevenueLedger.SchemeTerms memory terms = _otherTerms();
        terms.surchargePpm = Ppm.wrap(0);
        IRevenueLedger.ClaimantCost[] memory costs = new IRevenueLedger.ClaimantCost[](1);
        costs[0] = _cost(DATASET_1, costFen);
        _approveAs(PRICER, terms, costs);
        (IRevenueLedger.InvoiceClaim memory claim,) = _ready(106);
        claim.schemeId = terms.schemeId;
        _as(OPERATOR);
        ledger.issueInvoice(claim);
        _pay(BILL, 106);
        _accept(BILL);
    }

    function _otherTerms() private pure returns (IRevenueLedger.SchemeTerms memory terms) {
        terms = _terms();
        terms.schemeId = _id(302);
        terms.cycleId = _id(352);
    }

    function _approveAs(
        uint128 actor,
        IRevenueLedger.SchemeTerms memory terms,
        IRevenueLedger.ClaimantCost[] memory costs
    ) private {
        _as(actor);
        ledger.approveScheme(terms, costs);
    }

    function _manyCosts(uint128 count) private pure returns (IRevenueLedger.ClaimantCost[] memory costs) {
        costs = new IRevenueLedger.ClaimantCost[](count);
        for (uint128 i = 0; i < count; ++i) {
            costs[i] = _cost(i + 1, 1);
        }
    }

    function _allCosts() private pure returns (uint64[5] memory) {
        return [uint64(60_000_000e6), 240_000_000e6, 120_000_000e6, 30_000_000e6, 50_000_000e6];
    }

    /// @dev A bill that is ready to be issued, at one fen a unit.
    function _ready(uint64 units) private returns (IRevenueLedger.InvoiceClaim memory claim, uint32 logNo) {
        bytes memory receipt = _receipt(1, units, NOON_MS);
        logNo = _logOf(receipt);
        claim = _claim(BILL, logNo, receipt, units);
    }

    function _payWith(uint128 invoiceId, uint64 amountFen, bytes32 receiptDigest) private {
        _as(OPERATOR);
        ledger.recordPayment(_id(invoiceId), Fen.wrap(amountFen), receiptDigest);
    }

    function _v1() private pure returns (Split memory) {
        return _proposal(
            TAX,
            [
                uint64(1_191_360_000_000),
                4_765_440_000_000,
                2_382_720_000_000,
                595_680_000_000,
                992_800_000_000
            ],
            0
        );
    }

    function _split(uint128 invoiceId, Split memory proposed) private {
        _as(OPERATOR);
        ledger.split(_id(invoiceId), proposed.pack());
    }

    function _refuseLength(bytes memory proposed, uint256 expected) private {
        _refuse(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_SplitLength.selector, proposed.length, expected
            )
        );
        _as(OPERATOR);
        ledger.split(_id(BILL), proposed);
    }

    function _earnAndSplit() private {
        _earn(BILL, GROSS);
        _split(BILL, _v1());
    }

    function _lines(uint128 claimant, uint64 amountFen)
        private
        pure
        returns (IRevenueLedger.RemittanceLine[] memory lines)
    {
        lines = new IRevenueLedger.RemittanceLine[](1);
        lines[0] = IRevenueLedger.RemittanceLine(_id(SCHEME), _id(claimant), Fen.wrap(amountFen));
    }

    function _remit(uint128 actor, uint128 payee, IRevenueLedger.RemittanceLine[] memory lines) private {
        _as(actor);
        ledger.openRemittance(_id(BATCH), _id(payee), lines, DOCUMENT);
    }

    function _account(uint128 claimant) private view returns (IRevenueLedger.Account memory) {
        return ledger.account(_id(SCHEME), _id(claimant));
    }
}
