// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";

/// @title Lineages
/// @notice The digest by which the chain remembers a product's lineage list.
library Lineages {
    uint256 private constant ENTRY_BYTES = 96;

    /// @notice SHA-256 of the ABI encoding of the list.
    /// @dev Hashed as it lies in the calldata, without decoding: a list of 60 costs a tenth. Padding that
    /// is not zero gives another digest, so what equals a stored digest is a well-formed list.
    function digestOf(ILicenceRegistry.LineageEntry[] calldata lineage) internal view returns (bytes32 result) {
        uint256 size = lineage.length * ENTRY_BYTES;
        // An encoded list is the offset of its only argument, its length, its entries. The bytes lie
        // beyond the free memory pointer, which stays where it is.
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, 0x20)
            mstore(add(start, 0x20), lineage.length)
            calldatacopy(add(start, 0x40), lineage.offset, size)
            if iszero(
                and(eq(returndatasize(), 32), staticcall(gas(), 2, start, add(size, 0x40), 0x00, 32))
            ) { revert(0, 0) }
            result := mload(0x00)
        }
    }
}
