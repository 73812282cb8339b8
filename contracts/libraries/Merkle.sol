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

    /// @notice Whether a leaf is at `index` of the tree of `size` leaves (RFC 9162 section 2.1.3.2).
    /// @param proof Audit path, from the leaf upwards.
    function isIncluded(bytes32 leaf, uint64 index, uint64 size, bytes32 root, bytes32[] calldata proof)
        internal
        view
        returns (bool)
    {
        if (index >= size) return false;
        bytes32 hash = leaf;
        uint256 position = index;
        uint256 last = size - 1;
        // The loop in assembly: the prefix is written once, a hash is read where it lies and nothing is
        // checked that cannot fail, which saves 200 gas a level. Memory as in leafHash: 65 bytes beyond
        // the free memory pointer, which stays.
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore8(start, 0x01)
            let end := add(proof.offset, shl(5, proof.length))
            for { let at := proof.offset } lt(at, end) { at := add(at, 32) } {
                // One hash too many: `last` must not be zero at the end.
                if iszero(last) {
                    last := 1
                    break
                }
                switch or(and(position, 1), eq(position, last))
                case 0 {
                    mstore(add(start, 1), hash)
                    mstore(add(start, 33), calldataload(at))
                }
                default {
                    mstore(add(start, 1), calldataload(at))
                    mstore(add(start, 33), hash)
                    // Past the levels at which a node on the right edge has no sibling. It ends: an even
                    // position is `last` here, which is not zero, so it has a bit that is set.
                    for {} iszero(and(position, 1)) {} {
                        position := shr(1, position)
                        last := shr(1, last)
                    }
                }
                if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 2, start, 65, 0x00, 32))) {
                    revert(0, 0)
                }
                hash := mload(0x00)
                position := shr(1, position)
                last := shr(1, last)
            }
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
        bytes32 oldHash = oldRoot;
        bytes32 newHash;
        uint256 position = oldSize - 1;
        uint256 last = newSize - 1;
        // In assembly for the reasons of isIncluded, and with its steps.
        assembly ("memory-safe") {
            function hashNode(start) -> result {
                if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 2, start, 65, 0x00, 32))) {
                    revert(0, 0)
                }
                result := mload(0x00)
            }
            let start := mload(0x40)
            mstore8(start, 0x01)
            for {} and(position, 1) {} {
                position := shr(1, position)
                last := shr(1, last)
            }
            let at := proof.offset
            let end := add(at, shl(5, proof.length))
            // A tree of a power of two is itself a node of the new tree, so the path leaves it out. The
            // loop above has then brought `position` to zero, and only then.
            if position {
                oldHash := calldataload(at)
                at := add(at, 32)
            }
            newHash := oldHash
            for {} lt(at, end) { at := add(at, 32) } {
                if iszero(last) {
                    last := 1
                    break
                }
                switch or(and(position, 1), eq(position, last))
                case 0 {
                    mstore(add(start, 1), newHash)
                    mstore(add(start, 33), calldataload(at))
                    newHash := hashNode(start)
                }
                default {
                    mstore(add(start, 1), calldataload(at))
                    mstore(add(start, 33), oldHash)
                    oldHash := hashNode(start)
                    mstore(add(start, 33), newHash)
                    newHash := hashNode(start)
                    for {} iszero(and(position, 1)) {} {
                        position := shr(1, position)
                        last := shr(1, last)
                    }
                }
                position := shr(1, position)
                last := shr(1, last)
            }
        }
        return last == 0 && oldHash == oldRoot && newHash == newRoot;
    }
}
