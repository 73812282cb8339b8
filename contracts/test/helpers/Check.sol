// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "./Vm.sol";

/// @notice What a test needs and no package has to bring: cheat codes, assertions, bounds.
abstract contract Check {
    error Check_Unequal(string what, uint256 got, uint256 expected);
    error Check_False(string what);

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    // Tells the runner that this is a test contract.
    bool public constant IS_TEST = true;

    function _equal(uint256 got, uint256 expected, string memory what) internal pure {
        if (got != expected) revert Check_Unequal(what, got, expected);
    }

    function _equal(bytes32 got, bytes32 expected, string memory what) internal pure {
        if (got != expected) revert Check_Unequal(what, uint256(got), uint256(expected));
    }

    function _equal(address got, address expected, string memory what) internal pure {
        if (got != expected) revert Check_Unequal(what, uint160(got), uint160(expected));
    }

    function _true(bool condition, string memory what) internal pure {
        if (!condition) revert Check_False(what);
    }

    /// @dev A value of [low, high] that a fuzzed one picks.
    function _bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        if (low == 0 && high == type(uint256).max) return value;
        return low + value % (high - low + 1);
    }

    /// @dev The next of a sequence of numbers that a seed determines.
    function _next(uint256 seed) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed)));
    }
}
