// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReferenceTree} from "./ReferenceTree.sol";

/// @notice Proofs in trees too large to build: the hashes of the path are made up, and the roots follow
/// from them by the recursions of RFC 9162 sections 2.1.3.1 and 2.1.4.1, read backwards.
library LargeTree {
    /// @return path As long as PATH(index, D[size]) is, of hashes that `seed` determines.
    /// @return root The root to which the path leads from the leaf.
    function included(bytes32 leaf, uint256 index, uint256 size, uint256 seed)
        internal
        pure
        returns (bytes32[] memory path, bytes32 root)
    {
        path = _hashes(_levels(index, size), seed);
        root = _climb(leaf, index, size, path, path.length);
    }

    /// @return proof As long as PROOF(oldSize, D[newSize]) is, of hashes that `seed` determines.
    function extended(uint256 oldSize, uint256 newSize, uint256 seed)
        internal
        pure
        returns (bytes32[] memory proof, bytes32 oldRoot, bytes32 newRoot)
    {
        proof = _hashes(_steps(oldSize, newSize, true), seed);
        (oldRoot, newRoot) = _roots(oldSize, newSize, true, proof, proof.length);
    }

    function _levels(uint256 index, uint256 size) private pure returns (uint256) {
        if (size == 1) return 0;
        uint256 k = ReferenceTree.splitPoint(size);
        return 1 + (index < k ? _levels(index, k) : _levels(index - k, size - k));
    }

    function _climb(bytes32 leaf, uint256 index, uint256 size, bytes32[] memory path, uint256 end)
        private
        pure
        returns (bytes32)
    {
        if (size == 1) return leaf;
        uint256 k = ReferenceTree.splitPoint(size);
        bytes32 sibling = path[end - 1];
        if (index < k) return ReferenceTree.node(_climb(leaf, index, k, path, end - 1), sibling);
        return ReferenceTree.node(sibling, _climb(leaf, index - k, size - k, path, end - 1));
    }

    function _steps(uint256 m, uint256 n, bool isWhole) private pure returns (uint256) {
        if (m == n) return isWhole ? 0 : 1;
        uint256 k = ReferenceTree.splitPoint(n);
        return 1 + (m <= k ? _steps(m, k, isWhole) : _steps(m - k, n - k, false));
    }

    function _roots(uint256 m, uint256 n, bool isWhole, bytes32[] memory proof, uint256 end)
        private
        pure
        returns (bytes32 oldHash, bytes32 newHash)
    {
        if (m == n) {
            oldHash = isWhole ? keccak256("old root") : proof[0];
            return (oldHash, oldHash);
        }
        uint256 k = ReferenceTree.splitPoint(n);
        bytes32 sibling = proof[end - 1];
        if (m <= k) {
            (oldHash, newHash) = _roots(m, k, isWhole, proof, end - 1);
            return (oldHash, ReferenceTree.node(newHash, sibling));
        }
        (oldHash, newHash) = _roots(m - k, n - k, false, proof, end - 1);
        return (ReferenceTree.node(sibling, oldHash), ReferenceTree.node(sibling, newHash));
    }

    function _hashes(uint256 count, uint256 seed) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            hashes[i] = keccak256(abi.encode(seed, i));
        }
    }
}
