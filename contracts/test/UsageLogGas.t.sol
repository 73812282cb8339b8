// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {UsageLog} from "../UsageLog.sol";
import {LargeTree} from "./helpers/LargeTree.sol";
import {Market} from "./helpers/Market.sol";
import {ReferenceTree} from "./helpers/ReferenceTree.sol";

/// @notice What proofs in logs of 2^28 receipts cost. Each case is set up before the test, so that the
/// test finds storage as cold, and as long unchanged, as a transaction does.
contract UsageLogGasTest is Market {
    uint256 private constant SIZE = 2 ** 28;
    uint256 private constant INCLUSION_GAS_MAX = 30_000;
    uint256 private constant ANCHOR_GAS_MAX = 120_000;
    uint32 private constant LOG_FULL = 1;
    uint32 private constant LOG_BETWEEN = 2;
    uint32 private constant LOG_WORST = 3;
    uint32 private constant LOG_POWER = 4;

    bytes private _lastOfFull;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 4; ++i) {
            _as(OPERATOR);
            usageLog.openLog(DOCUMENT);
        }
        bytes memory receipt = _receipt(1, 1, NOON_MS);
        // The last leaf of a full tree: every step hashes and every bit is looked at.
        (bytes32[] memory path, bytes32 root) =
            LargeTree.included(ReferenceTree.leaf(receipt), SIZE - 1, SIZE, 1);
        _lastOfFull = abi.encodePacked(LOG_FULL, uint64(SIZE), uint64(SIZE - 1), receipt, path);
        _anchorFirst(LOG_FULL, SIZE, root);
        _anchorOld(LOG_BETWEEN, SIZE - 12_345, SIZE + 67_890);
        _anchorOld(LOG_WORST, SIZE - 1, SIZE + 1);
        _anchorOld(LOG_POWER, SIZE, SIZE + 1);
    }

    function test_proven__depth_28__call_within_30000_gas() public view {
        bytes memory proof = _lastOfFull;
        _equal(proof.length, 1012, "bytes");
        UsageLog log = usageLog;
        uint256 used = gasleft();
        log.requireProven(proof);
        used -= gasleft();
        _true(used <= INCLUSION_GAS_MAX, "gas");
    }

    function test_anchor__sizes_around_2_28__transaction_within_120000_gas() public {
        _anchorWithin(LOG_BETWEEN, SIZE - 12_345, SIZE + 67_890);
    }

    /// @dev Every level below the top has its sibling on the left, which both roots hash.
    function test_anchor__longest_proof_at_2_28__transaction_within_120000_gas() public {
        _anchorWithin(LOG_WORST, SIZE - 1, SIZE + 1);
    }

    function test_anchor__from_a_power_of_two__transaction_within_120000_gas() public {
        _anchorWithin(LOG_POWER, SIZE, SIZE + 1);
    }

    function _anchorFirst(uint32 logNo, uint256 size, bytes32 root) private {
        _as(OPERATOR);
        usageLog.anchor(logNo, uint64(size), root, NOON_MS, new bytes32[](0));
    }

    function _anchorOld(uint32 logNo, uint256 oldSize, uint256 newSize) private {
        (, bytes32 oldRoot,) = LargeTree.extended(oldSize, newSize, logNo);
        _anchorFirst(logNo, oldSize, oldRoot);
    }

    function _anchorWithin(uint32 logNo, uint256 oldSize, uint256 newSize) private {
        (bytes32[] memory proof,, bytes32 newRoot) = LargeTree.extended(oldSize, newSize, logNo);
        bytes memory data =
            abi.encodeCall(UsageLog.anchor, (logNo, uint64(newSize), newRoot, NOON_MS, proof));
        address log = address(usageLog);
        _as(OPERATOR);
        uint256 used = gasleft();
        (bool isDone,) = log.call(data);
        used -= gasleft();
        _true(isDone, "anchored");
        _true(21_000 + _calldataGas(data) + used <= ANCHOR_GAS_MAX, "gas");
    }

    /// @dev EIP-2028: 4 a zero byte, 16 any other.
    function _calldataGas(bytes memory data) private pure returns (uint256 gas) {
        for (uint256 i = 0; i < data.length; ++i) {
            gas += data[i] == 0 ? 4 : 16;
        }
    }
}
