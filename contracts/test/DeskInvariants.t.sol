// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "./helpers/Check.sol";
import {DeskHandler} from "./helpers/DeskHandler.sol";

/// @notice What holds after any sequence of steps by anybody, in time or late.
contract DeskInvariantsTest is Check {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    DeskHandler private handler;

    function setUp() public {
        handler = new DeskHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = DeskHandler.open.selector;
        selectors[1] = DeskHandler.goOn.selector;
        selectors[2] = DeskHandler.goOn.selector;
        selectors[3] = DeskHandler.goOn.selector;
        selectors[4] = DeskHandler.step.selector;
        selectors[5] = DeskHandler.decide.selector;
        selectors[6] = DeskHandler.notifyRelief.selector;
        selectors[7] = DeskHandler.suspendOrExtend.selector;
        selectors[8] = DeskHandler.escalate.selector;
        selectors[9] = DeskHandler.wait.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// @dev 1. No path leaves the table, and what is refused changes nothing.
    function invariant_1_only_steps_of_the_table() public view {
        _equal(handler.illegalSteps(), 0, "illegal steps");
        _equal(handler.changedByRefusals(), 0, "changed by refusals");
    }

    /// @dev 2. No party and no platform handles a case.
    function invariant_2_no_party_handles() public view {
        _equal(handler.partiesThatHandled(), 0, "parties");
    }

    /// @dev 3. No step is taken after its time, no case is escalated before.
    function invariant_3_clocks_hold() public view {
        _equal(handler.lateSteps(), 0, "late steps");
    }

    /// @dev 4. A subject is out of service exactly while a case holds it.
    function invariant_4_holds_follow_from_cases() public view {
        for (uint256 i = 0; i < handler.caseCount(); ++i) {
            _true(handler.isHoldRight(i), "hold");
        }
    }
}
