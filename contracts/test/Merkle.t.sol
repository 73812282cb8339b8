// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Merkle} from "../libraries/Merkle.sol";
import {Check} from "./helpers/Check.sol";
import {LargeTree} from "./helpers/LargeTree.sol";
import {ReferenceTree} from "./helpers/ReferenceTree.sol";

/// @dev Passes proofs as calldata, as a transaction would.
contract MerkleCaller {
    function leafHash(bytes calldata entry) external view returns (bytes32) {
        return Merkle.leafHash(entry);
    }

    function isIncluded(bytes32 leaf, uint64 index, uint64 size, bytes32 root, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        return Merkle.isIncluded(leaf, index, size, root, proof);
    }

    function isConsistent(
        uint64 oldSize,
        uint64 newSize,
        bytes32 oldRoot,
        bytes32 newRoot,
        bytes32[] calldata proof
    ) external view returns (bool) {
        return Merkle.isConsistent(oldSize, newSize, oldRoot, newRoot, proof);
    }

    /// @return used Gas that the check alone took.
    function gasOfInclusion(bytes32 leaf, uint64 index, uint64 size, bytes32 root, bytes32[] calldata proof)
        external
        view
        returns (uint256 used)
    {
        used = gasleft();
        bool isIn = Merkle.isIncluded(leaf, index, size, root, proof);
        used -= gasleft();
        require(isIn, "not included");
    }
}

contract MerkleTest is Check {
    uint256 private constant SIZE_MAX = 1025;
    uint256 private constant SIZE_OFTEN_MAX = 70;
    uint256 private constant LARGE_MAX = 2 ** 63;

    MerkleCaller private merkle;

    function setUp() public {
        merkle = new MerkleCaller();
    }

    function test_leaf_hash__known_bytes__sha256_behind_zero() public view {
        _equal(merkle.leafHash(""), sha256(hex"00"), "empty");
        _equal(merkle.leafHash(hex"0102"), sha256(hex"000102"), "two bytes");
    }

    function test_fuzz_leaf_hash__any_bytes__as_defined(bytes calldata entry) public view {
        _equal(merkle.leafHash(entry), ReferenceTree.leaf(entry), "leaf");
    }

    function test_fuzz_inclusion__every_leaf_of_a_tree__proven(uint256 seed) public view {
        bytes32[] memory leaves = _leaves(seed, _size(seed, 1));
        uint256 index = _next(seed) % leaves.length;
        bytes32[] memory proof = ReferenceTree.path(leaves, index, 0, leaves.length);
        bytes32 root = ReferenceTree.root(leaves);
        _true(_isIn(leaves[index], index, leaves.length, root, proof), "proven");
    }

    function test_fuzz_inclusion__hostile_proof__refused(uint256 seed) public view {
        bytes32[] memory leaves = _leaves(seed, _size(seed, 2));
        uint256 size = leaves.length;
        uint256 index = _next(seed) % size;
        bytes32[] memory proof = ReferenceTree.path(leaves, index, 0, size);
        bytes32 root = ReferenceTree.root(leaves);
        bytes32 leaf = leaves[index];
        _true(!_isIn(leaf, index, size, root, _shorter(proof)), "shortened");
        _true(!_isIn(leaf, index, size, root, _longer(proof, root)), "lengthened");
        _true(!_isIn(leaf, index, size, root, _bent(proof, seed)), "one bit changed");
        _true(!_isIn(leaf, (index + 1) % size, size, root, proof), "other index");
        _true(!_isIn(leaf, size, size, root, proof), "index at the size");
        _true(!_isIn(leaves[(index + 1) % size], index, size, root, proof), "other leaf");
        _true(!_isIn(leaf, index, size, leaf, proof), "other root");
    }

    /// @dev An inner node's children passed off as an entry of 64 bytes: the prefixes keep them apart.
    function test_fuzz_inclusion__inner_node_as_leaf__refused(bytes32 left, bytes32 right) public view {
        bytes32 root = ReferenceTree.node(left, right);
        bytes32 forged = merkle.leafHash(abi.encodePacked(left, right));
        _true(forged != root, "prefixes");
        _true(!_isIn(forged, 0, 1, root, new bytes32[](0)), "forged leaf");
    }

    function test_inclusion__empty_tree__refused() public view {
        _true(!_isIn(bytes32(0), 0, 0, bytes32(0), new bytes32[](0)), "no leaves, no proof");
    }

    function test_fuzz_consistency__every_extension__proven(uint256 seed) public view {
        (bytes32[] memory leaves, uint256 oldSize) = _extension(seed);
        bytes32[] memory proof = ReferenceTree.proof(leaves, oldSize);
        bytes32 oldRoot = ReferenceTree.root(leaves, 0, oldSize);
        _true(_extends(oldSize, leaves.length, oldRoot, ReferenceTree.root(leaves), proof), "proven");
    }

    function test_fuzz_consistency__hostile_proof__refused(uint256 seed) public view {
        (bytes32[] memory leaves, uint256 oldSize) = _extension(seed);
        uint256 size = leaves.length;
        bytes32[] memory proof = ReferenceTree.proof(leaves, oldSize);
        bytes32 oldRoot = ReferenceTree.root(leaves, 0, oldSize);
        bytes32 root = ReferenceTree.root(leaves);
        _true(!_extends(oldSize, size, oldRoot, root, _shorter(proof)), "shortened");
        _true(!_extends(oldSize, size, oldRoot, root, _longer(proof, root)), "lengthened");
        _true(!_extends(oldSize, size, oldRoot, root, _bent(proof, seed)), "one bit changed");
        _true(!_extends(oldSize, size, oldRoot, oldRoot, proof), "new root unchanged");
        _true(!_extends(oldSize, size, bytes32(seed), root, proof), "other old root");
        _true(!_extends(oldSize, size, oldRoot, root, new bytes32[](0)), "empty");
        _true(!_extends(size, oldSize, root, oldRoot, proof), "backwards");
    }

    /// @dev A past leaf rewritten: no path from the old root leads to the new one.
    function test_fuzz_consistency__history_rewritten__refused(uint256 seed) public view {
        (bytes32[] memory leaves, uint256 oldSize) = _extension(seed);
        bytes32 oldRoot = ReferenceTree.root(leaves, 0, oldSize);
        leaves[_next(seed) % oldSize] = bytes32(seed);
        bytes32[] memory proof = ReferenceTree.proof(leaves, oldSize);
        _true(!_extends(oldSize, leaves.length, oldRoot, ReferenceTree.root(leaves), proof), "rewritten");
    }

    function test_consistency__from_nothing_or_to_itself__refused() public view {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = bytes32(uint256(1));
        _true(!_extends(0, 1, 0, proof[0], proof), "from nothing");
        _true(!_extends(1, 1, proof[0], proof[0], proof), "to itself");
    }

    function test_fuzz_inclusion__tree_too_large_to_build__proven_there_only(uint256 seed, uint256 pick) public view {
        uint256 size = _largeSize(pick, 2);
        uint256 index = seed % size;
        bytes32 leaf = bytes32(seed);
        (bytes32[] memory path, bytes32 root) = LargeTree.included(leaf, index, size, seed);
        _true(_isIn(leaf, index, size, root, path), "proven");
        _true(!_isIn(leaf, index, size, root, _shorter(path)), "shortened");
        _true(!_isIn(leaf, index, size, root, _longer(path, root)), "lengthened");
        _true(!_isIn(leaf, index, size, root, _bent(path, seed)), "one bit changed");
        _true(!_isIn(leaf, (index + 1) % size, size, root, path), "other index");
        _true(!_isIn(leaf, index ^ 1, size, root, path), "the sibling's index");
    }

    function test_fuzz_consistency__tree_too_large_to_build__proven_there_only(uint256 seed, uint256 pick)
        public
        view
    {
        uint256 size = _largeSize(pick, 2);
        uint256 oldSize = seed % 4 == 0 ? ReferenceTree.splitPoint(size) : 1 + _next(seed) % (size - 1);
        (bytes32[] memory proof, bytes32 oldRoot, bytes32 root) = LargeTree.extended(oldSize, size, seed);
        _true(_extends(oldSize, size, oldRoot, root, proof), "proven");
        _true(!_extends(oldSize, size, oldRoot, root, _shorter(proof)), "shortened");
        _true(!_extends(oldSize, size, oldRoot, root, _longer(proof, root)), "lengthened");
        _true(!_extends(oldSize, size, oldRoot, root, _bent(proof, seed)), "one bit changed");
        _true(!_extends(oldSize, size, root, oldRoot, proof), "roots swapped");
    }

    function test_inclusion__depth_28__within_30000_gas() public view {
        bytes32[] memory proof = new bytes32[](28);
        bytes32 root = bytes32(uint256(1));
        for (uint256 i = 0; i < 28; ++i) {
            proof[i] = keccak256(abi.encode(i));
            root = ReferenceTree.node(proof[i], root);
        }
        // The last leaf of a full tree: every step hashes and every bit is looked at.
        uint256 used = merkle.gasOfInclusion(bytes32(uint256(1)), 2 ** 28 - 1, 2 ** 28, root, proof);
        _true(used <= 30_000, "gas");
    }

    function _isIn(bytes32 leaf, uint256 index, uint256 size, bytes32 root, bytes32[] memory proof)
        private
        view
        returns (bool)
    {
        return merkle.isIncluded(leaf, uint64(index), uint64(size), root, proof);
    }

    function _extends(
        uint256 oldSize,
        uint256 newSize,
        bytes32 oldRoot,
        bytes32 newRoot,
        bytes32[] memory proof
    ) private view returns (bool) {
        return merkle.isConsistent(uint64(oldSize), uint64(newSize), oldRoot, newRoot, proof);
    }

    function _extension(uint256 seed) private pure returns (bytes32[] memory leaves, uint256 oldSize) {
        leaves = _leaves(seed, _size(seed, 2));
        oldSize = 1 + _next(seed) % (leaves.length - 1);
    }

    /// @dev Small for most seeds, so that runs stay quick; up to 1,025 and beside powers of two for others.
    function _size(uint256 seed, uint256 low) private pure returns (uint256) {
        uint256 kind = _next(seed) % 16;
        if (kind == 0) return _bound(seed, low, SIZE_MAX);
        if (kind == 1) return _besidePower(seed, 1, 10);
        return _bound(seed, low, SIZE_OFTEN_MAX);
    }

    function _largeSize(uint256 seed, uint256 low) private pure returns (uint256) {
        if (seed % 2 == 0) return _besidePower(_next(seed), 1, 63);
        return _bound(_next(seed), low, LARGE_MAX);
    }

    /// @dev 2^k - 1, 2^k or 2^k + 1, and never below two.
    function _besidePower(uint256 seed, uint256 low, uint256 high) private pure returns (uint256) {
        uint256 size = 2 ** _bound(seed, low, high) + _next(seed) % 3 - 1;
        return size < 2 ? 2 : size;
    }

    function _leaves(uint256 seed, uint256 size) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
    }

    function _shorter(bytes32[] memory proof) private pure returns (bytes32[] memory changed) {
        changed = new bytes32[](proof.length - 1);
        for (uint256 i = 0; i < changed.length; ++i) {
            changed[i] = proof[i];
        }
    }

    function _longer(bytes32[] memory proof, bytes32 last) private pure returns (bytes32[] memory changed) {
        changed = new bytes32[](proof.length + 1);
        for (uint256 i = 0; i < proof.length; ++i) {
            changed[i] = proof[i];
        }
        changed[proof.length] = last;
    }

    function _bent(bytes32[] memory proof, uint256 seed) private pure returns (bytes32[] memory changed) {
        changed = new bytes32[](proof.length);
        for (uint256 i = 0; i < proof.length; ++i) {
            changed[i] = proof[i];
        }
        changed[seed % proof.length] ^= bytes32(uint256(1) << (_next(seed) % 256));
    }
}
