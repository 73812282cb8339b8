// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {INumbered} from "../interfaces/INumbered.sol";

/// @title Numbered
/// @notice Gives every event of a contract its number.
abstract contract Numbered is INumbered {
    uint64 private _eventCount;

    /// @inheritdoc INumbered
    function eventCount() external view returns (uint64) {
        return _eventCount;
    }

    function _nextEventNo() internal returns (uint64) {
        return ++_eventCount;
    }
}
