// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {MicroFen} from "../libraries/Units.sol";
import {Check} from "./helpers/Check.sol";
import {LedgerHandler} from "./helpers/LedgerHandler.sol";

/// @notice What holds after any sequence of bills, payments, releases, splits and remittances.
contract InvariantsTest is Check {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    LedgerHandler private handler;

    function setUp() public {
        handler = new LedgerHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = LedgerHandler.bill.selector;
        selectors[1] = LedgerHandler.pay.selector;
        selectors[2] = LedgerHandler.accept.selector;
        selectors[3] = LedgerHandler.release.selector;
        selectors[4] = LedgerHandler.split.selector;
        selectors[5] = LedgerHandler.splitWrongly.selector;
        selectors[6] = LedgerHandler.remit.selector;
        selectors[7] = LedgerHandler.close.selector;
        selectors[8] = LedgerHandler.correct.selector;
        selectors[9] = LedgerHandler.grade.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// @dev 1. What an account holds is what the splits credited to it, less what was taken back.
    function invariant_1_credited_equals_the_splits() public view {
        for (uint256 i = 0; i < 6; ++i) {
            _equal(MicroFen.unwrap(handler.account(i).entitledMicroFen), handler.entitled(i), "entitled");
        }
        uint256 sum = 0;
        for (uint256 i = 0; i < 5; ++i) {
            _equal(MicroFen.unwrap(handler.account(i).recoveredMicroFen), handler.recovered(i), "recovered");
            sum += handler.recovered(i);
        }
        IRevenueLedger.Scheme memory scheme = handler.scheme();
        _equal(MicroFen.unwrap(scheme.recoveredMicroFen), sum, "recovered by all");
        _equal(MicroFen.unwrap(scheme.taxTakenMicroFen), handler.taxed(), "tax");
        _equal(MicroFen.unwrap(scheme.benefitMicroFen), handler.benefit(), "benefit");
        _equal(MicroFen.unwrap(scheme.forgoneMicroFen), handler.forgone(), "forgone");
        _equal(MicroFen.unwrap(scheme.reserveMicroFen), handler.reserved(), "reserve");
    }

    /// @dev 2. Nobody recovers more than its approved cost.
    function invariant_2_recovered_within_cost() public view {
        for (uint256 i = 0; i < 6; ++i) {
            IRevenueLedger.Account memory account = handler.account(i);
            _true(!(account.recoveredMicroFen > account.costMicroFen), "recovered");
        }
    }

    /// @dev 3. Tax stays within its line, profit within what is permitted, all within the permitted income.
    function invariant_3_tiers_within_what_is_permitted() public view {
        IRevenueLedger.Scheme memory scheme = handler.scheme();
        _true(!(scheme.taxTakenMicroFen > scheme.taxMicroFen), "tax");
        _true(!(scheme.benefitMicroFen > scheme.profitMicroFen), "profit");
        _true(!(scheme.recoveredMicroFen > scheme.costMicroFen), "cost");
    }

    /// @dev 4. Nobody counts as paid beyond what it is entitled to; what was, its payee owes.
    function invariant_4_remitted_within_entitled() public view {
        uint256 sum = 0;
        for (uint256 i = 0; i < 6; ++i) {
            IRevenueLedger.Account memory account = handler.account(i);
            _true(!(account.remittedMicroFen > account.entitledMicroFen), "within");
            _equal(MicroFen.unwrap(account.remittedMicroFen), handler.remittedFen(i) * 1e6, "remitted");
            sum += handler.remittedFen(i);
        }
        _equal(handler.owedOnChainFen(), handler.owedFen(), "receivables");
        _equal(handler.paidOutFen(), sum + handler.owedFen(), "paid out");
    }

    /// @dev 5. All lines of all splits that hold are the net income, to the µfen.
    function invariant_5_lines_sum_to_net() public view {
        IRevenueLedger.Scheme memory scheme = handler.scheme();
        uint256 sum = uint256(MicroFen.unwrap(scheme.taxTakenMicroFen)) + MicroFen.unwrap(scheme.reserveMicroFen);
        for (uint256 i = 0; i < 6; ++i) {
            sum += MicroFen.unwrap(handler.account(i).entitledMicroFen);
        }
        _equal(sum, handler.netSplitFen() * 1e6, "sum");
        _equal(handler.netSplitFen(), handler.netOnChainFen(), "net");
    }

    /// @dev 6. Every fen that arrived is on a bill.
    function invariant_6_payments_are_on_bills() public view {
        _equal(handler.paidOnChainFen(), handler.paidFen(), "paid");
    }

    /// @dev 7. The pool's open cost, which completes every split, is that of its members.
    function invariant_7_pool_cost_is_the_members() public view {
        IRevenueLedger.Scheme memory scheme = handler.scheme();
        uint256 open = 0;
        uint256 count = 0;
        for (uint256 i = 0; i < 5; ++i) {
            IRevenueLedger.Account memory account = handler.account(i);
            _true(account.isPooled == handler.pooled(i), "pooled");
            if (!account.isPooled) continue;
            open += MicroFen.unwrap(account.costMicroFen - account.recoveredMicroFen);
            ++count;
        }
        _equal(MicroFen.unwrap(scheme.poolCostMicroFen - scheme.recoveredMicroFen), open, "open");
        _equal(scheme.poolCount, count, "count");
    }

    /// @dev 8. No split with two µfen in the wrong place was ever taken.
    function invariant_8_wrong_splits_refused() public view {
        _equal(handler.wrongSplitsTaken(), 0, "wrong splits");
    }

    /// @dev 9. Events are numbered without a gap, and splits follow releases.
    function invariant_9_events_numbered() public view {
        _equal(handler.eventCount(), handler.events(), "events");
        _true(handler.scheme().splitCount <= handler.scheme().releaseCount, "order");
    }
}
