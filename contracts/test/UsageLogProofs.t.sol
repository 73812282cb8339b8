// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IUsageLog} from "../interfaces/IUsageLog.sol";
import {LargeTree} from "./helpers/LargeTree.sol";
import {Market} from "./helpers/Market.sol";
import {ReferenceTree} from "./helpers/ReferenceTree.sol";

/// @notice Proof files brought to the chain as they are, honest and hostile.
contract UsageLogProofsTest is Market {
    uint32 private constant LOG = 1;
    uint256 private constant SIZE_MAX = 2 ** 48;

    /// @dev A proof in parts, so that a test can change one of them.
    struct Parts {
        uint32 logNo;
        uint64 size;
        uint64 index;
        bytes receipt;
        bytes32[] path;
    }

    function setUp() public override {
        super.setUp();
        _as(OPERATOR);
        usageLog.openLog(DOCUMENT);
    }

    function test_proven__every_receipt__shown() public {
        bytes[] memory receipts = new bytes[](11);
        bytes32[] memory leaves = new bytes32[](11);
        for (uint64 i = 0; i < 11; ++i) {
            receipts[i] = _receipt(1, i + 1, NOON_MS + i);
            leaves[i] = ReferenceTree.leaf(receipts[i]);
        }
        _anchor(11, ReferenceTree.root(leaves));
        for (uint64 i = 0; i < 11; ++i) {
            bytes32[] memory path = ReferenceTree.path(leaves, i, 0, 11);
            usageLog.requireProven(abi.encodePacked(LOG, uint64(11), i, receipts[i], path));
        }
    }

    function test_proven__only_receipt_of_a_log__file_without_path() public {
        Parts memory proof = _anchored(1, 0);
        _equal(_file(proof).length, 116, "bytes");
        usageLog.requireProven(_file(proof));
    }

    function test_proven__unknown_log__refused() public {
        Parts memory proof = _anchored(3, 1);
        proof.logNo = 9;
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_UnknownLog.selector, 9));
        usageLog.requireProven(_file(proof));
    }

    function test_proven__size_not_anchored__refused() public {
        Parts memory proof = _anchored(3, 1);
        proof.size = 2;
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_SizeNotAnchored.selector, LOG, 2, 3));
        usageLog.requireProven(_file(proof));
    }

    function test_proven__other_receipt__refused() public {
        Parts memory proof = _anchored(3, 1);
        proof.receipt = _receipt(1, 2, NOON_MS + 1);
        bytes32 leaf = ReferenceTree.leaf(proof.receipt);
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_NotIncluded.selector, LOG, 1, leaf));
        usageLog.requireProven(_file(proof));
    }

    function test_proven__shorter_than_head_and_receipt__refused_with_both_lengths() public {
        bytes memory file = _cut(_file(_anchored(2 ** 28, 5)), 115);
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_ProofLength.selector, 115, 116));
        usageLog.requireProven(file);
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_ProofLength.selector, 0, 116));
        usageLog.requireProven("");
    }

    function test_proven__hash_incomplete__refused_with_both_lengths() public {
        bytes memory file = _file(_anchored(2 ** 28, 5));
        bytes memory longer = bytes.concat(file, hex"00");
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_ProofLength.selector, 1013, 1012));
        usageLog.requireProven(longer);
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_ProofLength.selector, 1011, 980));
        usageLog.requireProven(_cut(file, 1011));
    }

    function test_proven__cut_at_every_length__never_accepted() public {
        bytes memory file = _file(_anchored(2 ** 28, 2 ** 28 - 7));
        for (uint256 length = 0; length < file.length; ++length) {
            _true(!_accepts(_cut(file, length)), "cut");
        }
        _true(_accepts(file), "whole");
    }

    function test_fuzz_proven__any_size__shown(uint256 seed) public {
        uint256 size = _bound(seed, 1, SIZE_MAX);
        usageLog.requireProven(_file(_anchored(size, _next(seed) % size)));
    }

    function test_fuzz_proven__hostile_file__never_accepted(uint256 seed) public {
        uint256 size = _bound(seed, 4, SIZE_MAX);
        // Left of the first split a path has two hashes or more, so that there are two to swap.
        Parts memory honest = _anchored(size, _next(seed) % ReferenceTree.splitPoint(size));
        bytes memory file = _file(honest);
        _true(!_accepts(_cut(file, file.length - 32)), "shortened");
        _true(!_accepts(bytes.concat(file, bytes32(seed))), "lengthened");
        _true(!_accepts(_bent(file, seed)), "one bit changed");
        _true(!_accepts(_swapped(honest, seed)), "hashes swapped");
        honest.index = uint64((uint256(honest.index) + 1) % size);
        _true(!_accepts(_file(honest)), "other index");
    }

    /// @dev Two children of an inner node are 64 bytes: neither alone nor filled up do they pass for a receipt.
    function test_fuzz_proven__children_as_receipt__never_accepted(uint256 seed) public {
        uint256 size = _bound(seed, 4, SIZE_MAX);
        uint256 index = _next(seed) % ReferenceTree.splitPoint(size) & ~uint256(1);
        Parts memory honest = _anchored(size, index);
        bytes memory children = abi.encodePacked(ReferenceTree.leaf(honest.receipt), honest.path[0]);
        Parts memory forged = Parts(LOG, honest.size, uint64(index >> 1), children, _without(honest.path));
        _true(!_accepts(_file(forged)), "64 bytes");
        forged.receipt = bytes.concat(children, bytes32(seed));
        _true(!_accepts(_file(forged)), "filled up");
        forged.index = honest.index;
        _true(!_accepts(_file(forged)), "at the leaf's own index");
    }

    function test_fuzz_proven__any_bytes__never_accepted(bytes calldata file) public {
        _anchored(2 ** 20, 7);
        _true(!_accepts(file), "random");
    }

    // ---- helpers ----

    /// @dev The parts of a proof of a receipt at `index` of a log that is anchored at `size`.
    function _anchored(uint256 size, uint256 index) private returns (Parts memory proof) {
        bytes memory receipt = _receipt(1, uint64(index), NOON_MS);
        (bytes32[] memory path, bytes32 root) =
            LargeTree.included(ReferenceTree.leaf(receipt), index, size, index);
        _anchor(size, root);
        return Parts(LOG, uint64(size), uint64(index), receipt, path);
    }

    function _anchor(uint256 size, bytes32 root) private {
        _as(OPERATOR);
        usageLog.anchor(LOG, uint64(size), root, NOON_MS, new bytes32[](0));
    }

    function _accepts(bytes memory file) private view returns (bool) {
        try usageLog.requireProven(file) {
            return true;
        } catch {
            return false;
        }
    }

    function _file(Parts memory proof) private pure returns (bytes memory) {
        return abi.encodePacked(proof.logNo, proof.size, proof.index, proof.receipt, proof.path);
    }

    function _cut(bytes memory file, uint256 length) private pure returns (bytes memory cut) {
        cut = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            cut[i] = file[i];
        }
    }

    function _bent(bytes memory file, uint256 seed) private pure returns (bytes memory bent) {
        bent = bytes.concat(file);
        bent[_next(seed) % file.length] ^= bytes1(uint8(1) << uint8(seed % 8));
    }

    function _swapped(Parts memory proof, uint256 seed) private pure returns (bytes memory) {
        bytes32[] memory path = new bytes32[](proof.path.length);
        uint256 at = seed % path.length;
        for (uint256 i = 0; i < path.length; ++i) {
            path[i] = proof.path[i];
        }
        (path[at], path[(at + 1) % path.length]) = (path[(at + 1) % path.length], path[at]);
        return _file(Parts(proof.logNo, proof.size, proof.index, proof.receipt, path));
    }

    function _without(bytes32[] memory path) private pure returns (bytes32[] memory shorter) {
        shorter = new bytes32[](path.length - 1);
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = path[i + 1];
        }
    }
}
