// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Merkle
/// @notice Proofs in RFC 9162 trees over SHA-256: a leaf is hashed behind 0x00, a node behind 0x01, so
/// neither can be passed off as the other.
/// @dev SHA-256 is a precompile on every EVM network, also where the keccak opcode computes SM3.
library Merkle {
    /// @return result SHA-256(0x00 ‖ entry).
    function leafHash(bytes calldata entry) internal view returns (bytes32 result) {
        // The bytes lie beyond the free memory pointer, which stays where it is: nothing grows.
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore8(start, 0x00)
            calldatacopy(add(start, 1), entry.offset, entry.length)
            // A network without the precompile answers with no bytes; that must not pass for a hash.
            if iszero(
                and(eq(returndatasize(), 32), staticcall(gas(), 2, start, add(entry.length, 1), 0x00, 32))
            ) { revert(0, 0) }
            result := mload(0x00)
        }
    }

    /// @return result SHA-256(0x01 ‖ left ‖ right).
    function nodeHash(bytes32 left, bytes32 right) internal view returns (bytes32 result) {
        // As in leafHash: 65 bytes beyond the free memory pointer, which stays.
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore8(start, 0x01)
            mstore(add(start, 1), left)
            mstore(add(start, 33), right)
            if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 2, start, 65, 0x00, 32))) {
                revert(0, 0)
            }
            result := mload(0x00)
        }
    }

    /// @notice Whether a leaf is at `index` of the tree of `size` leaves (RFC 9162 section 2.1.3.2).
    /// @param proof Audit path, from the leaf upwards.
    function isIncluded(bytes32 leaf, uint64 index, uint64 size, bytes32 root, bytes32[] calldata proof)
        internal
        view
        returns (bool)
    {
        if (index >= size) return false;
        uint256 position = index;
        uint256 last = size - 1;
        bytes32 hash = leaf;
        for (uint256 i = 0; i < proof.length; ++i) {
            if (last == 0) return false;
            if (position & 1 == 1 || position == last) {
                hash = nodeHash(proof[i], hash);
                (position, last) = _climb(position, last);
            } else {
                hash = nodeHash(hash, proof[i]);
            }
            position >>= 1;
            last >>= 1;
        }
        return last == 0 && hash == root;
    }

    /// @notice Whether the tree of `newSize` leaves extends the one of `oldSize` (RFC 9162 section 2.1.4.2).
    /// @param proof Consistency path; empty never passes.
    function isConsistent(
        uint64 oldSize,
        uint64 newSize,
        bytes32 oldRoot,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) internal view returns (bool) {
        if (oldSize == 0 || oldSize >= newSize || proof.length == 0) return false;
        uint256 position = oldSize - 1;
        uint256 last = newSize - 1;
        while (position & 1 == 1) {
            position >>= 1;
            last >>= 1;
        }
        // A tree of a power of two is itself a node of the new tree, so the path leaves it out. The
        // loop above has then brought `position` to zero, and only then.
        bytes32 oldHash = position == 0 ? oldRoot : proof[0];
        bytes32 newHash = oldHash;
        for (uint256 i = position == 0 ? 0 : 1; i < proof.length; ++i) {
            if (last == 0) return false;
            if (position & 1 == 1 || position == last) {
                oldHash = nodeHash(proof[i], oldHash);
                newHash = nodeHash(proof[i], newHash);
                (position, last) = _climb(position, last);
            } else {
                newHash = nodeHash(newHash, proof[i]);
            }
            position >>= 1;
            last >>= 1;
        }
        return last == 0 && oldHash == oldRoot && newHash == newRoot;
    }

    /// @dev Past the levels at which a node on the right edge has no sibling.
    function _climb(uint256 position, uint256 last) private pure returns (uint256, uint256) {
        while (position & 1 == 0 && position != 0) {
            position >>= 1;
            last >>= 1;
        }
        return (position, last);
    }
}
