// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IBilled
/// @notice What licences ask of the ledger of bills.
interface IBilled {
    /// @return Units of a licence billed so far in one log; in all logs together under number 0.
    function billedUnits(uint64 licenceNo, uint32 logNo) external view returns (uint64);
}
