// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice RFC 9162 trees by their recursive definitions (sections 2.1.1, 2.1.3.1, 2.1.4.1): slow,
/// and written without a look at the library under test.
library ReferenceTree {
    function leaf(bytes memory entry) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), entry));
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// @dev MTH(D[from:to]) of leaf hashes.
    function root(bytes32[] memory leaves, uint256 from, uint256 to) internal pure returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 k = splitPoint(to - from);
        return node(root(leaves, from, from + k), root(leaves, from + k, to));
    }

    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        return root(leaves, 0, leaves.length);
    }

    /// @dev PATH(m, D[from:to]).
    function path(bytes32[] memory leaves, uint256 m, uint256 from, uint256 to)
        internal
        pure
        returns (bytes32[] memory)
    {
        if (to - from == 1) return new bytes32[](0);
        uint256 k = splitPoint(to - from);
        if (m < k) return _with(path(leaves, m, from, from + k), root(leaves, from + k, to));
        return _with(path(leaves, m - k, from + k, to), root(leaves, from, from + k));
    }

    /// @dev PROOF(m, D[0:n]) = SUBPROOF(m, D[0:n], true).
    function proof(bytes32[] memory leaves, uint256 m) internal pure returns (bytes32[] memory) {
        return _subproof(leaves, m, 0, leaves.length, true);
    }

    /// @dev The largest power of two below n.
    function splitPoint(uint256 n) internal pure returns (uint256 k) {
        k = 1;
        while (k * 2 < n) k *= 2;
    }

    function _subproof(bytes32[] memory leaves, uint256 m, uint256 from, uint256 to, bool isWhole)
        private
        pure
        returns (bytes32[] memory)
    {
        if (m == to - from) {
            return isWhole ? new bytes32[](0) : _with(new bytes32[](0), root(leaves, from, to));
        }
        uint256 k = splitPoint(to - from);
        if (m <= k) {
            return _with(_subproof(leaves, m, from, from + k, isWhole), root(leaves, from + k, to));
        }
        return _with(_subproof(leaves, m - k, from + k, to, false), root(leaves, from, from + k));
    }

    function _with(bytes32[] memory list, bytes32 last) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }
}
