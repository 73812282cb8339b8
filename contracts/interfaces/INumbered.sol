// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title INumbered
/// @notice Every event of a contract carries a number, one more than the event before it. Whoever
/// follows the chain sees at once when a log was withheld, and knows which one to ask for again.
interface INumbered {
    /// @return The number of the last event that this contract emitted; 0 before the first.
    function eventCount() external view returns (uint64);
}
