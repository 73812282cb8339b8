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
        bytes4[] memory selectors = new bytes4[](8);
        selectors[0] = LedgerHandler.bill.selector;
        selectors[1] = LedgerHandler.pay.selector;
        selectors[2] = LedgerHandler.accept.selector;
        selectors[3] = LedgerHandler.release.selector;
        selectors[4] = LedgerHandler.split.selector;
        selectors[5] = LedgerHandler.splitWrongly.selector;
        selectors[6] = LedgerHandler.remit.selector;
        selectors[7] = LedgerHandler.close.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// @dev 1. What an account holds is what the splits credited to it.
    function invariant_1_credited_equals_the_splits() public view {
        for (uint256 i = 0; i < 5; ++i) {
            _equal(MicroFen.unwrap(handler.account(i).entitledMicroFen), handler.credited(i), "entitled");
            _equal(MicroFen.unwrap(handler.account(i).recoveredMicroFen), handler.credited(i), "recovered");
        }
        _equal(MicroFen.unwrap(handler.scheme().taxTakenMicroFen), handler.taxed(), "tax");
        _equal(MicroFen.unwrap(handler.scheme().reserveMicroFen), handler.reserved(), "reserve");
    }

    /// @dev 2. Nobody recovers more than its approved cost.
    function invariant_2_recovered_within_cost() public view {
        for (uint256 i = 0; i < 5; ++i) {
            IRevenueLedger.Account memory account = handler.account(i);
            _true(!(account.recoveredMicroFen > account.costMicroFen), "recovered");
        }
    }

    /// @dev 3. Tax stays within its line.
    function invariant_3_tax_within_its_line() public view {
        IRevenueLedger.Scheme memory scheme = handler.scheme();
        _true(!(scheme.taxTakenMicroFen > scheme.taxMicroFen), "tax");
    }

    /// @dev 4. Nobody is paid more than it is entitled to.
    function invariant_4_remitted_within_entitled() public view {
        for (uint256 i = 0; i < 5; ++i) {
            IRevenueLedger.Account memory account = handler.account(i);
            _true(!(account.remittedMicroFen > account.entitledMicroFen), "within");
            _equal(MicroFen.unwrap(account.remittedMicroFen), handler.remitted(i), "remitted");
        }
    }

    /// @dev 5. All lines of all splits are the net income, to the µfen.
    function invariant_5_lines_sum_to_net() public view {
        IRevenueLedger.Scheme memory scheme = handler.scheme();
        uint256 sum = uint256(MicroFen.unwrap(scheme.taxTakenMicroFen)) + MicroFen.unwrap(scheme.reserveMicroFen);
        for (uint256 i = 0; i < 5; ++i) {
            sum += MicroFen.unwrap(handler.account(i).entitledMicroFen);
        }
        _equal(sum, handler.netSplitFen() * 1e6, "sum");
        _equal(handler.netSplitFen() + handler.vatFen(), handler.grossSplitOnChainFen(), "net and VAT");
    }

    /// @dev 6. Every fen that arrived is on a bill.
    function invariant_6_payments_are_on_bills() public view {
        _equal(handler.paidOnChainFen(), handler.paidFen(), "paid");
    }

    /// @dev 7. The reserve gets something only when all cost is recovered.
    function invariant_7_reserve_only_after_all_cost() public view {
        if (MicroFen.unwrap(handler.scheme().reserveMicroFen) == 0) return;
        for (uint256 i = 0; i < 5; ++i) {
            IRevenueLedger.Account memory account = handler.account(i);
            _true(account.recoveredMicroFen == account.costMicroFen, "full");
        }
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
