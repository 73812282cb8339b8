// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {CloseOutcome, Role, SchemeState} from "../libraries/Codes.sol";
import {Fen, MicroFen, Ppm} from "../libraries/Units.sol";
import {Market} from "./helpers/Market.sol";
import {Split} from "./helpers/Splits.sol";

/// @notice The end of years and cycles, and the deduction in the cycles after.
contract ClosingTest is Market {
    /// @dev 2027-01-10, 2028-01-10 and so on, in China.
    uint64 private constant JANUARY_2027 = 1_799_510_400;
    uint64 private constant YEAR = 365 days;
    uint64 private constant RESERVE = 500e6;

    function setUp() public override {
        super.setUp();
        _openShop();
    }

    function test_close_year__before_its_end__refused() public {
        _approveYear(SCHEME, CYCLE, 0, 2026);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_YearNotOver.selector, _id(SCHEME), 2026, 2026
            )
        );
        _closeYear(SCHEME);
    }

    function test_close_year__open_bill_or_unsplit_income__refused() public {
        _approveYear(SCHEME, CYCLE, 0, 2026);
        _issue(1, 1060);
        vm.warp(JANUARY_2027);
        _refuseUnsplit(1, 0);
        _pay(1, 1060);
        _refuseUnsplit(1, 0);
        _accept(1);
        _refuseUnsplit(0, 1);
        _splitExcess();
        _closeYear(SCHEME);
        _true(ledger.scheme(_id(SCHEME)).state == SchemeState.YEAR_CLOSED, "closed");
    }

    function test_close_year__twice_or_billed_after__refused() public {
        _earnExcess();
        _closeYear(SCHEME);
        vm.expectRevert(_state(SchemeState.YEAR_CLOSED, SchemeState.OPEN));
        _closeYear(SCHEME);
        bytes memory receipt = _receipt(1, 5000, NOON_MS);
        uint32 logNo = _logAt(receipt, JANUARY_2027 * 1000);
        vm.expectRevert(_state(SchemeState.YEAR_CLOSED, SchemeState.OPEN));
        _as(OPERATOR);
        ledger.issueInvoice(_claim(9, logNo, receipt, 5000));
    }

    function test_close_year__large_deviation__asks_for_another_cap() public {
        _earnExcess();
        // Net 1,000 fen; permitted 400 + 31 (77,500 ppm) + 100 of tax line.
        vm.expectEmit();
        emit IRevenueLedger.YearClosed(
            6,
            _id(SCHEME),
            MicroFen.wrap(1000e6),
            MicroFen.wrap(531e6),
            Ppm.wrap(883_239),
            CloseOutcome.ADJUST_CAP,
            DOCUMENT
        );
        _closeYear(SCHEME);
    }

    function test_answer__by_the_operator_or_before_the_close__refused() public {
        _earnExcess();
        vm.expectRevert(_state(SchemeState.OPEN, SchemeState.YEAR_CLOSED));
        _answer(SCHEME);
        _closeYear(SCHEME);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDirectory.Directory_RoleMissing.selector, _id(OPERATOR), Role.PRICE_AUTHORITY, NANJING
            )
        );
        _as(OPERATOR);
        ledger.answerDeviation(_id(SCHEME), DOCUMENT);
        _answer(SCHEME);
        _true(ledger.scheme(_id(SCHEME)).state == SchemeState.ANSWERED, "answered");
    }

    function test_close_cycle__unanswered_or_wrong_number_of_instalments__refused() public {
        _earnExcess();
        _closeYear(SCHEME);
        vm.expectRevert(_state(SchemeState.YEAR_CLOSED, SchemeState.ANSWERED));
        _closeCycle(CYCLE, 1, _oneFill(469e6));
        _answer(SCHEME);
        for (uint8 count = 0; count < 8; count += 4) {
            vm.expectRevert(
                abi.encodeWithSelector(IRevenueLedger.RevenueLedger_InstalmentCount.selector, count, 3)
            );
            _closeCycle(CYCLE, count, _oneFill(469e6));
        }
        vm.expectRevert(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_LineCount.selector, 0, 1));
        _closeCycle(CYCLE, 1, new IRevenueLedger.Fill[](0));
    }

    /// @dev A split taken back after the year's close is in line again, and the cycle waits for it.
    function test_close_cycle__corrected_income_in_line__refused_until_it_is_split() public {
        _earnExcess();
        _closeYear(SCHEME);
        _answer(SCHEME);
        _as(OPERATOR);
        ledger.correct(_id(1), Fen.wrap(0), _excess().pack(), 0, DOCUMENT);
        vm.expectRevert(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_NotAllSplit.selector, _id(SCHEME), 0, 1)
        );
        _closeCycle(CYCLE, 1, _oneFill(0));
        _splitExcess();
        _closeCycle(CYCLE, 1, _oneFill(_reserve()));
    }

    function test_close_cycle__twice__refused() public {
        _endCycle(3);
        vm.expectRevert(abi.encodeWithSelector(IRevenueLedger.RevenueLedger_CycleClosed.selector, _id(CYCLE)));
        _closeCycle(CYCLE, 3, _oneFill(0));
    }

    function test_close_cycle__fill_without_everybody_of_the_pool__refused() public {
        _earnExcess();
        _closeYear(SCHEME);
        _answer(SCHEME);
        IRevenueLedger.Fill[] memory fills = new IRevenueLedger.Fill[](1);
        Split memory proposed;
        proposed.reserveMicroFen = MicroFen.wrap(_reserve());
        fills[0].split = proposed.pack();
        vm.expectRevert(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_FillDiffers.selector, _id(SCHEME), 0, 1)
        );
        _closeCycle(CYCLE, 1, fills);
    }

    function test_correct__after_the_cycle__refused() public {
        _endCycle(1);
        vm.expectRevert(_state(SchemeState.CYCLE_CLOSED, SchemeState.OPEN));
        _as(OPERATOR);
        ledger.correct(_id(1), Fen.wrap(0), _excess().pack(), 0, DOCUMENT);
    }

    /// @dev Three instalments: each later cycle deducts its part, the last the remainder.
    function test_pour__three_cycles__each_its_instalment() public {
        uint64 carryOut = _endCycle(3);
        uint64 part = carryOut / 3;
        bytes16 previous = _id(CYCLE);
        for (uint128 i = 1; i <= 3; ++i) {
            uint128 schemeId = SCHEME + i;
            _approveYear(schemeId, CYCLE + i, previous, uint16(2026 + i));
            uint64 amount = i < 3 ? part : carryOut - 2 * part;
            IRevenueLedger.Fill memory fill = _pourOf(amount);
            vm.expectRevert();
            _pour(schemeId, _pourOf(amount + 1));
            _pour(schemeId, fill);
            _equal(MicroFen.unwrap(ledger.scheme(_id(schemeId)).recoveredMicroFen), amount, "poured");
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRevenueLedger.RevenueLedger_NothingToPour.selector, _id(schemeId), _id(CYCLE + i)
                )
            );
            _pour(schemeId, fill);
            vm.warp(JANUARY_2027 + i * YEAR);
            _closeYear(schemeId);
            _answer(schemeId);
            _closeCycle(CYCLE + i, 1, _emptyFill());
            previous = _id(CYCLE + i);
        }
    }

    function test_close_cycle__deduction_not_poured__refused() public {
        _endCycle(2);
        _approveYear(SCHEME + 1, CYCLE + 1, _id(CYCLE), 2027);
        vm.warp(JANUARY_2027 + YEAR);
        _closeYear(SCHEME + 1);
        _answer(SCHEME + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_CarryInOpen.selector, _id(CYCLE + 1), _id(CYCLE)
            )
        );
        _closeCycle(CYCLE + 1, 1, _emptyFill());
    }

    function test_pour__cycle_before_not_closed__refused() public {
        _earnExcess();
        _approveYear(SCHEME + 1, CYCLE + 1, _id(CYCLE), 2027);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_CarryInOpen.selector, _id(CYCLE + 1), _id(CYCLE)
            )
        );
        _pour(SCHEME + 1, _pourOf(1));
    }

    // ---- steps ----

    function _approveYear(uint128 schemeId, uint128 cycleId, bytes16 previousId, uint16 year) private {
        IRevenueLedger.SchemeTerms memory terms = _terms();
        (terms.schemeId, terms.cycleId, terms.previousCycleId) = (_id(schemeId), _id(cycleId), previousId);
        (terms.year, terms.taxFen, terms.surchargePpm) = (year, Fen.wrap(100), Ppm.wrap(0));
        IRevenueLedger.ClaimantCost[] memory costs = new IRevenueLedger.ClaimantCost[](1);
        costs[0] = _cost(OPERATOR, 400);
        _as(PRICER);
        ledger.approveScheme(terms, costs);
    }

    /// @dev Net 1,000 fen against 400 of cost and 31 of profit.
    function _earnExcess() private {
        _approveYear(SCHEME, CYCLE, 0, 2026);
        _earn(1, 1060);
        _splitExcess();
        vm.warp(JANUARY_2027);
    }

    function _splitExcess() private {
        _as(OPERATOR);
        ledger.split(_id(1), _excess().pack());
    }

    function _excess() private pure returns (Split memory proposed) {
        proposed = _proposal(0, [uint64(0), 400e6, 0, 0, 0], 569e6);
        uint64[8] memory benefit = [uint64(3_100_000), 12_400_000, 3_100_000, 0, 0, 7_440_000, 1_860_000, 3_100_000];
        proposed.benefitMicroFen = new MicroFen[](8);
        for (uint256 i = 0; i < 8; ++i) {
            proposed.benefitMicroFen[i] = MicroFen.wrap(benefit[i]);
        }
    }

    function _endCycle(uint8 instalmentCount) private returns (uint64 carryOut) {
        _earnExcess();
        carryOut = _reserve();
        _closeYear(SCHEME);
        _answer(SCHEME);
        _closeCycle(CYCLE, instalmentCount, _oneFill(carryOut));
        _equal(MicroFen.unwrap(ledger.cycle(_id(CYCLE)).carryOutMicroFen), carryOut, "carry-out");
    }

    function _closeYear(uint128 schemeId) private {
        _as(OPERATOR);
        ledger.closeYear(_id(schemeId), DOCUMENT);
    }

    function _answer(uint128 schemeId) private {
        _as(PRICER);
        ledger.answerDeviation(_id(schemeId), DOCUMENT);
    }

    function _closeCycle(uint128 cycleId, uint8 count, IRevenueLedger.Fill[] memory fills) private {
        _as(PRICER);
        ledger.closeCycle(_id(cycleId), count, fills, DOCUMENT);
    }

    function _pour(uint128 schemeId, IRevenueLedger.Fill memory fill) private {
        _as(OPERATOR);
        ledger.pourCarryIn(_id(schemeId), fill);
    }

    // ---- values ----

    /// @dev Nobody has room: all of it stays.
    function _oneFill(uint64 amount) private pure returns (IRevenueLedger.Fill[] memory fills) {
        fills = new IRevenueLedger.Fill[](1);
        fills[0] = _fillOf(0, amount);
    }

    /// @dev Nothing to share.
    function _emptyFill() private pure returns (IRevenueLedger.Fill[] memory) {
        return _oneFill(0);
    }

    /// @dev All of it to the only cost there is.
    function _pourOf(uint64 amount) private pure returns (IRevenueLedger.Fill memory) {
        return _fillOf(amount, 0);
    }

    function _fillOf(uint64 cost, uint64 reserve) private pure returns (IRevenueLedger.Fill memory fill) {
        fill.claimantIds = new bytes16[](1);
        fill.claimantIds[0] = _id(OPERATOR);
        Split memory proposed;
        proposed.lineageCostMicroFen = new MicroFen[](1);
        proposed.lineageCostMicroFen[0] = MicroFen.wrap(cost);
        proposed.reserveMicroFen = MicroFen.wrap(reserve);
        fill.split = proposed.pack();
    }

    function _logAt(bytes memory receipt, uint64 timeMs) private returns (uint32 logNo) {
        bytes32 root = sha256(abi.encodePacked(bytes1(0x00), receipt));
        _as(OPERATOR);
        logNo = usageLog.openLog(DOCUMENT);
        _as(OPERATOR);
        usageLog.anchor(logNo, 1, root, timeMs, new bytes32[](0));
    }

    function _reserve() private view returns (uint64) {
        return MicroFen.unwrap(ledger.scheme(_id(SCHEME)).reserveMicroFen);
    }

    function _refuseUnsplit(uint32 openCount, uint32 unsplitCount) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_NotAllSplit.selector, _id(SCHEME), openCount, unsplitCount
            )
        );
        _closeYear(SCHEME);
    }

    function _state(SchemeState got, SchemeState needed) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRevenueLedger.RevenueLedger_SchemeState.selector, _id(SCHEME), got, needed
        );
    }
}
