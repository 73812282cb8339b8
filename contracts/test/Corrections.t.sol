// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {InvoiceState, PayeeRule, RemittanceState, Role, SchemeState} from "../libraries/Codes.sol";
import {Fen, INCOME_FEN_MAX, MicroFen, Ppm} from "../libraries/Units.sol";
import {Market} from "./helpers/Market.sol";
import {Split} from "./helpers/Splits.sol";

/// @notice Freezes, credit notes, refunds, splits taken back, and changes of a scheme.
contract CorrectionsTest is Market {
    uint128 private constant BILL = 501;
    uint64 private constant GROSS = 10_600_000;
    bytes32 private constant REFUND = bytes32(uint256(0x4ef));

    function setUp() public override {
        super.setUp();
        _openShop();
        _approve();
    }

    // ---- setFrozen ----

    function test_freeze__held_payment__neither_accepted_nor_released() public {
        _issue(BILL, GROSS);
        _pay(BILL, GROSS);
        vm.expectEmit();
        emit IRevenueLedger.InvoiceFrozen(4, _id(BILL), true, DOCUMENT);
        _freeze(true);
        bytes memory frozen = abi.encodeWithSelector(IRevenueLedger.RevenueLedger_Frozen.selector, _id(BILL));
        vm.expectRevert(frozen);
        _accept(BILL);
        vm.warp(NOON + 8 days);
        vm.expectRevert(frozen);
        ledger.release(_id(BILL));
        _freeze(false);
        ledger.release(_id(BILL));
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.RELEASED, "released");
    }

    /// @dev "Use is acceptance" needs no hold; an objection holds it all the same.
    function test_release__licence_accepted_by_use__at_once_unless_frozen() public {
        ILicenceRegistry.Agreement memory agreement = _agreement(PRODUCT, 1, 409);
        agreement.isAcceptedByUse = true;
        _issueOn(_grant(agreement), BILL, GROSS);
        _pay(BILL, GROSS);
        _freeze(true);
        vm.expectRevert(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_Frozen.selector, _id(BILL)));
        ledger.release(_id(BILL));
        _freeze(false);
        uint64 eventNo = ledger.eventCount() + 1;
        vm.expectEmit();
        emit IRevenueLedger.InvoiceReleased(eventNo, _id(BILL), 1, true);
        ledger.release(_id(BILL));
    }

    function test_freeze__by_anyone_but_the_desk__refused() public {
        _issue(BILL, GROSS);
        vm.expectRevert(abi.encodeWithSelector(IDirectory.Directory_NotDesk.selector, _signer(REGISTRAR)));
        _as(REGISTRAR);
        ledger.setFrozen(_id(BILL), true, DOCUMENT);
    }

    function test_freeze__released_already__refused() public {
        _earn(BILL, GROSS);
        vm.expectRevert(_wrongState(InvoiceState.RELEASED, InvoiceState.HELD));
        _freeze(true);
    }

    // ---- reduce ----

    function test_reduce__unpaid_bill__down_to_what_is_paid_is_held() public {
        _issue(BILL, 500);
        _pay(BILL, 200);
        vm.expectRevert(_tooLarge(301, 300));
        _reduce(301, 0);
        _reduce(300, 0);
        IRevenueLedger.Invoice memory bill = ledger.invoice(_id(BILL));
        _true(bill.state == InvoiceState.HELD, "held");
        _equal(Fen.unwrap(bill.grossFen), 200, "gross");
        _equal(bill.heldUntil, HELD_UNTIL, "until");
    }

    function test_reduce__to_nothing__refunded_and_no_longer_open() public {
        _issue(BILL, 500);
        _reduce(500, 0);
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.REFUNDED, "state");
        _equal(ledger.scheme(_id(SCHEME)).openCount, 0, "open");
        vm.expectRevert(_wrongState(InvoiceState.REFUNDED, InvoiceState.RELEASED));
        _reduce(1, 0);
    }

    function test_reduce__paid__needs_the_banks_line_once() public {
        _issue(BILL, 500);
        _pay(BILL, 500);
        _reduce(100, REFUND);
        vm.expectRevert(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_ReceiptUsed.selector, REFUND));
        _reduce(100, REFUND);
        vm.expectRevert(_tooLarge(0, 400));
        _reduce(0, DOCUMENT);
        _equal(Fen.unwrap(ledger.invoice(_id(BILL)).grossFen), 400, "gross");
    }

    function test_reduce__stranger__refused() public {
        _issue(BILL, 500);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_NotOperator.selector, _id(SCHEME), _id(COMPANY)
            )
        );
        _as(COMPANY);
        ledger.reduce(_id(BILL), Fen.wrap(1), 0, DOCUMENT);
    }

    // ---- correct ----

    function test_correct__with_a_refund__entries_taken_back_and_the_rest_in_line() public {
        _earnAndSplit();
        _correct(600_000, _v1());
        IRevenueLedger.Scheme memory scheme = ledger.scheme(_id(SCHEME));
        _equal(MicroFen.unwrap(scheme.taxTakenMicroFen), 0, "tax");
        _equal(MicroFen.unwrap(scheme.recoveredMicroFen), 0, "recovered");
        _equal(MicroFen.unwrap(_account(OPERATOR).entitledMicroFen), 0, "entitled");
        IRevenueLedger.Invoice memory bill = ledger.invoice(_id(BILL));
        _true(bill.state == InvoiceState.RELEASED, "in line");
        _equal(bill.releaseNo, 2, "at the end");
        _equal(Fen.unwrap(bill.grossFen), GROSS - 600_000, "gross");
        vm.expectRevert(_wrongState(InvoiceState.RELEASED, InvoiceState.SPLIT));
        _correct(0, _v1());
    }

    function test_correct__of_everything__refunded() public {
        _earnAndSplit();
        _correct(GROSS, _v1());
        _true(ledger.invoice(_id(BILL)).state == InvoiceState.REFUNDED, "state");
        _equal(ledger.scheme(_id(SCHEME)).releaseCount, 1, "no further release");
    }

    function test_correct__other_lines__refused() public {
        _earnAndSplit();
        Split memory other = _v1();
        other.lineageCostMicroFen[0] = MicroFen.wrap(1);
        vm.expectRevert();
        _correct(0, other);
        _equal(MicroFen.unwrap(_account(OPERATOR).entitledMicroFen), 4_765_440_000_000, "untouched");
    }

    function test_correct__more_than_the_bill__refused() public {
        _earnAndSplit();
        vm.expectRevert(_tooLarge(GROSS + 1, GROSS));
        _correct(GROSS + 1, _v1());
    }

    /// @dev What was paid out is the payee's debt, set off in its next batch before anything is paid.
    function test_correct__after_remittance__receivable_set_off_in_the_next_batch() public {
        _earnAndSplit();
        _remit(601, 4_000_000);
        _correct(0, _v1());
        _equal(Fen.unwrap(ledger.receivableFen(_id(OPERATOR))), 4_000_000, "owed");
        _equal(MicroFen.unwrap(_account(OPERATOR).remittedMicroFen), 0, "nothing counts as remitted");
        _as(OPERATOR);
        ledger.split(_id(BILL), _v1().pack());
        _remit(602, 1_000_000);
        _true(ledger.remittance(_id(602)).state == RemittanceState.CLOSED, "nothing to pay");
        _remit(603, 3_500_000);
        _equal(Fen.unwrap(ledger.remittance(_id(603)).amountFen), 500_000, "paid");
        _equal(Fen.unwrap(ledger.receivableFen(_id(OPERATOR))), 0, "settled");
    }

    // ---- changes of a scheme ----

    function test_change__announced__holds_from_its_time_and_rewrites_nothing() public {
        _earnAndSplit();
        IRevenueLedger.SchemeTerms memory terms = _terms();
        terms.spreadPpm = Ppm.wrap(40_000);
        IRevenueLedger.ClaimantCost[] memory costs = new IRevenueLedger.ClaimantCost[](1);
        // Below what is recovered: the cost stops there.
        costs[0] = _cost(OPERATOR, 1000);
        _announce(terms, costs, uint32(NOON + 1 days));
        vm.expectRevert();
        ledger.enactChange(terms, costs);
        _earn(502, GROSS);
        vm.warp(NOON + 1 days);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_ChangeDue.selector, _id(SCHEME), NOON + 1 days
            )
        );
        _as(OPERATOR);
        ledger.split(_id(502), _v1().pack());
        ledger.enactChange(terms, costs);
        IRevenueLedger.Scheme memory scheme = ledger.scheme(_id(SCHEME));
        _equal(scheme.versionNo, 2, "version");
        _equal(MicroFen.unwrap(_account(OPERATOR).costMicroFen), 4_765_440e6, "cost stops at what is recovered");
        _equal(MicroFen.unwrap(_account(OPERATOR).recoveredMicroFen), 4_765_440e6, "recovered stays");
        uint64 costFen = 260_000_000 + 4_765_440;
        _equal(MicroFen.unwrap(scheme.costMicroFen), uint256(costFen) * 1e6, "cost of all");
        _equal(MicroFen.unwrap(scheme.profitMicroFen), uint256(costFen) * 57_500, "profit");
        vm.expectRevert(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_ChangeDiffers.selector, _id(SCHEME)));
        ledger.enactChange(terms, costs);
    }

    /// @dev Nothing jams a scheme: an announcement that cannot be entered is replaced, even when it is due.
    function test_change__that_cannot_be_entered__replaced_by_another() public {
        IRevenueLedger.ClaimantCost[] memory costs = new IRevenueLedger.ClaimantCost[](2);
        costs[0] = _cost(OPERATOR, INCOME_FEN_MAX);
        costs[1] = _cost(DATASET_1, INCOME_FEN_MAX);
        _announce(_terms(), costs, uint32(NOON));
        vm.expectRevert();
        ledger.enactChange(_terms(), costs);
        costs = new IRevenueLedger.ClaimantCost[](0);
        _announce(_terms(), costs, uint32(NOON));
        ledger.enactChange(_terms(), costs);
        _earnAndSplit();
        _equal(ledger.scheme(_id(SCHEME)).versionNo, 2, "version");
    }

    function test_change__past_or_of_the_frame_or_by_a_stranger__refused() public {
        IRevenueLedger.ClaimantCost[] memory none = new IRevenueLedger.ClaimantCost[](0);
        IRevenueLedger.SchemeTerms memory terms = _terms();
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_ChangeTime.selector, _id(SCHEME), NOON - 1, NOON
            )
        );
        _announce(terms, none, uint32(NOON - 1));
        vm.expectRevert(
            abi.encodeWithSelector(
                IDirectory.Directory_RoleMissing.selector, _id(OPERATOR), Role.PRICE_AUTHORITY, NANJING
            )
        );
        _as(OPERATOR);
        ledger.announceChange(terms, none, uint32(NOON));
        terms.year = 2027;
        vm.expectRevert(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_ChangeDiffers.selector, _id(SCHEME)));
        _announce(terms, none, uint32(NOON));
    }

    function test_approve__profit_shares_that_are_no_whole__refused() public {
        IRevenueLedger.SchemeTerms memory terms = _terms();
        (terms.schemeId, terms.cycleId) = (_id(302), _id(352));
        terms.providersPpm = Ppm.wrap(399_999);
        _refuseVector(terms, 999_999);
        terms.providersPpm = Ppm.wrap(400_000);
        terms.governanceId = 0;
        _refuseVector(terms, 1_000_000);
        terms.isTrial = true;
        _refuseVector(terms, 1_000_000);
    }

    function test_approve__year_that_does_not_follow_in_its_cycle__refused() public {
        IRevenueLedger.SchemeTerms memory terms = _terms();
        (terms.schemeId, terms.year) = (_id(302), 2028);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_CycleMismatch.selector, _id(CYCLE), _id(302)
            )
        );
        _as(PRICER);
        ledger.approveScheme(terms, _costs());
        terms.year = 2027;
        _as(PRICER);
        ledger.approveScheme(terms, _costs());
        _true(ledger.scheme(_id(302)).state == SchemeState.OPEN, "open");
        _equal(ledger.cycle(_id(CYCLE)).yearCount, 2, "years");
    }

    // ---- helpers ----

    function _freeze(bool isFrozen) private {
        vm.prank(address(desk));
        ledger.setFrozen(_id(BILL), isFrozen, DOCUMENT);
    }

    function _reduce(uint64 reductionFen, bytes32 receipt) private {
        _as(OPERATOR);
        ledger.reduce(_id(BILL), Fen.wrap(reductionFen), receipt, DOCUMENT);
    }

    function _correct(uint64 reductionFen, Split memory recorded) private {
        _as(OPERATOR);
        ledger.correct(_id(BILL), Fen.wrap(reductionFen), recorded.pack(), REFUND, DOCUMENT);
    }

    function _announce(
        IRevenueLedger.SchemeTerms memory terms,
        IRevenueLedger.ClaimantCost[] memory costs,
        uint32 changeFrom
    ) private {
        _as(PRICER);
        ledger.announceChange(terms, costs, changeFrom);
    }

    function _refuseVector(IRevenueLedger.SchemeTerms memory terms, uint256 sum) private {
        vm.expectRevert(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_ProfitVector.selector, _id(302), sum)
        );
        _as(PRICER);
        ledger.approveScheme(terms, _costs());
    }

    function _remit(uint128 batchId, uint64 amountFen) private {
        IRevenueLedger.RemittanceLine[] memory lines = new IRevenueLedger.RemittanceLine[](1);
        lines[0] = IRevenueLedger.RemittanceLine(_id(SCHEME), _id(OPERATOR), Fen.wrap(amountFen));
        _as(OPERATOR);
        ledger.openRemittance(_id(batchId), _id(OPERATOR), lines, DOCUMENT);
    }

    function _earnAndSplit() private {
        _earn(BILL, GROSS);
        _as(OPERATOR);
        ledger.split(_id(BILL), _v1().pack());
    }

    function _v1() private pure returns (Split memory) {
        return _proposal(
            72_000_000_000,
            [uint64(1_191_360_000_000), 4_765_440_000_000, 2_382_720_000_000, 595_680_000_000, 992_800_000_000],
            0
        );
    }

    function _account(uint128 claimant) private view returns (IRevenueLedger.Account memory) {
        return ledger.account(_id(SCHEME), _id(claimant));
    }

    function _wrongState(InvoiceState state, InvoiceState needed) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRevenueLedger.RevenueLedger_WrongState.selector, _id(BILL), state, needed
        );
    }

    function _tooLarge(uint64 got, uint64 limitFen) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRevenueLedger.RevenueLedger_ReductionTooLarge.selector, _id(BILL), got, limitFen
        );
    }
}
