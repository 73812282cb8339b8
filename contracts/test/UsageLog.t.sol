// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {IUsageLog} from "../interfaces/IUsageLog.sol";
import {OrganisationStatus, Role} from "../libraries/Codes.sol";
import {Market} from "./helpers/Market.sol";
import {ReferenceTree} from "./helpers/ReferenceTree.sol";

contract UsageLogTest is Market {
    uint32 private constant LOG = 1;

    // ---- openLog ----

    function test_open__operator_or_platform__numbered_from_one() public {
        vm.expectEmit();
        emit IUsageLog.LogOpened(1, 1, _id(OPERATOR), DOCUMENT);
        _as(OPERATOR);
        _equal(usageLog.openLog(DOCUMENT), 1, "first");
        _as(PLATFORM);
        _equal(usageLog.openLog(DOCUMENT), 2, "second");
        _equal(bytes32(usageLog.head(2).keeperId), bytes32(_id(PLATFORM)), "keeper");
        _equal(usageLog.head(2).size, 0, "size");
    }

    function test_open__buyer__refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IDirectory.Directory_RoleMissing.selector, _id(BUYER), Role.OPERATOR, NANJING
            )
        );
        _as(BUYER);
        usageLog.openLog(DOCUMENT);
    }

    function test_open__nobody__refused() public {
        vm.expectRevert(abi.encodeWithSelector(IDirectory.Directory_UnknownSigner.selector, address(this)));
        usageLog.openLog(DOCUMENT);
    }

    // ---- anchor ----

    function test_anchor__three_times__head_follows() public {
        bytes32[] memory leaves = _leaves(7);
        _open();
        _anchor(leaves, 0, 1);
        _anchor(leaves, 1, 4);
        vm.expectEmit();
        emit IUsageLog.Anchored(4, LOG, 7, ReferenceTree.root(leaves), NOON_MS + 7);
        _anchor(leaves, 4, 7);
        IUsageLog.Head memory head = usageLog.head(LOG);
        _equal(head.root, ReferenceTree.root(leaves), "root");
        _equal(head.size, 7, "size");
        _equal(head.timeMs, NOON_MS + 7, "time");
        _equal(bytes32(head.keeperId), bytes32(_id(OPERATOR)), "keeper");
    }

    function test_fuzz_anchor__any_steps__taken(uint256 seed) public {
        bytes32[] memory leaves = _leaves(40);
        _open();
        uint256 size = 0;
        while (size < 40) {
            seed = _next(seed);
            uint256 next = size + 1 + seed % (40 - size);
            _anchor(leaves, size, next);
            size = next;
        }
        _equal(usageLog.head(LOG).root, ReferenceTree.root(leaves), "root");
    }

    function test_anchor__same_time__taken() public {
        bytes32[] memory leaves = _leaves(2);
        _open();
        _anchorAt(leaves, 0, 1, NOON_MS);
        _anchorAt(leaves, 1, 2, NOON_MS);
        _equal(usageLog.head(LOG).size, 2, "size");
    }

    function test_anchor__unknown_log__refused() public {
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_UnknownLog.selector, 9));
        _as(OPERATOR);
        usageLog.anchor(9, 1, DOCUMENT, NOON_MS, new bytes32[](0));
    }

    function test_anchor__other_organisation__refused() public {
        _open();
        vm.expectRevert(
            abi.encodeWithSelector(
                IUsageLog.UsageLog_NotKeeper.selector, LOG, _id(OTHER_OPERATOR), _id(OPERATOR)
            )
        );
        _as(OTHER_OPERATOR);
        usageLog.anchor(LOG, 1, DOCUMENT, NOON_MS, new bytes32[](0));
    }

    function test_anchor__suspended_keeper__refused() public {
        _open();
        directory.setStatus(_id(OPERATOR), OrganisationStatus.SUSPENDED, DOCUMENT);
        vm.expectRevert(
            abi.encodeWithSelector(IDirectory.Directory_OrganisationSuspended.selector, _id(OPERATOR))
        );
        _as(OPERATOR);
        usageLog.anchor(LOG, 1, DOCUMENT, NOON_MS, new bytes32[](0));
    }

    function test_anchor__not_larger__refused() public {
        _open();
        _anchor(_leaves(3), 0, 3);
        _refuseSize(3);
        _refuseSize(2);
    }

    function test_anchor__clock_back__refused() public {
        bytes32[] memory leaves = _leaves(2);
        _open();
        _anchorAt(leaves, 0, 1, NOON_MS);
        vm.expectRevert(
            abi.encodeWithSelector(IUsageLog.UsageLog_ClockBack.selector, LOG, NOON_MS - 1, NOON_MS)
        );
        _as(OPERATOR);
        usageLog.anchor(LOG, 2, DOCUMENT, NOON_MS - 1, new bytes32[](0));
    }

    function test_anchor__ten_minutes_ahead__taken_and_no_more() public {
        bytes32[] memory leaves = _leaves(2);
        _open();
        uint64 limitMs = NOON_MS + 600_000;
        vm.expectRevert(
            abi.encodeWithSelector(IUsageLog.UsageLog_ClockAhead.selector, LOG, limitMs + 1, NOON_MS)
        );
        _as(OPERATOR);
        usageLog.anchor(LOG, 1, DOCUMENT, limitMs + 1, new bytes32[](0));
        _anchorAt(leaves, 0, 1, limitMs);
        _equal(usageLog.head(LOG).timeMs, limitMs, "time");
    }

    /// @dev Else a keeper could set its clock so far ahead that no head would ever follow.
    function test_anchor__largest_time__refused() public {
        _open();
        vm.expectRevert(
            abi.encodeWithSelector(IUsageLog.UsageLog_ClockAhead.selector, LOG, type(uint64).max, NOON_MS)
        );
        _as(OPERATOR);
        usageLog.anchor(LOG, 1, DOCUMENT, type(uint64).max, new bytes32[](0));
    }

    /// @dev Some permissioned networks count block time in milliseconds.
    function test_anchor__block_time_in_milliseconds__same_limit() public {
        _open();
        vm.warp(NOON_MS);
        vm.expectRevert(
            abi.encodeWithSelector(IUsageLog.UsageLog_ClockAhead.selector, LOG, NOON_MS + 600_001, NOON_MS)
        );
        _as(OPERATOR);
        usageLog.anchor(LOG, 1, DOCUMENT, NOON_MS + 600_001, new bytes32[](0));
        _anchorAt(_leaves(1), 0, 1, NOON_MS + 600_000);
    }

    function test_anchor__first_head_with_a_proof__refused() public {
        _open();
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_Inconsistent.selector, LOG, 0, 1));
        _as(OPERATOR);
        usageLog.anchor(LOG, 1, DOCUMENT, NOON_MS, new bytes32[](1));
    }

    function test_anchor__history_rewritten__refused() public {
        bytes32[] memory leaves = _leaves(6);
        _open();
        _anchor(leaves, 0, 5);
        leaves[2] = DOCUMENT;
        bytes32 root = ReferenceTree.root(leaves);
        bytes32[] memory proof = ReferenceTree.proof(leaves, 5);
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_Inconsistent.selector, LOG, 5, 6));
        _as(OPERATOR);
        usageLog.anchor(LOG, 6, root, NOON_MS + 6, proof);
        _equal(usageLog.head(LOG).size, 5, "head unchanged");
    }

    // ---- requireIncluded ----

    function test_included__every_receipt__shown() public {
        (bytes[] memory receipts, bytes32[] memory leaves) = _receipts(11);
        _open();
        _anchor(leaves, 0, 11);
        for (uint64 i = 0; i < 11; ++i) {
            usageLog.requireIncluded(LOG, 11, i, receipts[i], ReferenceTree.path(leaves, i, 0, 11));
        }
    }

    function test_included__other_receipt__refused() public {
        (bytes[] memory receipts, bytes32[] memory leaves) = _receipts(3);
        _open();
        _anchor(leaves, 0, 3);
        bytes32[] memory proof = ReferenceTree.path(leaves, 0, 0, 3);
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_NotIncluded.selector, LOG, 0, leaves[1]));
        usageLog.requireIncluded(LOG, 3, 0, receipts[1], proof);
    }

    function test_included__size_not_anchored__refused() public {
        (bytes[] memory receipts, bytes32[] memory leaves) = _receipts(3);
        _open();
        _anchor(leaves, 0, 3);
        bytes32[] memory proof = ReferenceTree.path(leaves, 0, 0, 2);
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_SizeNotAnchored.selector, LOG, 2, 3));
        usageLog.requireIncluded(LOG, 2, 0, receipts[0], proof);
    }

    /// @dev A keeper that logged an entry of 64 bytes cannot bring it as a receipt either.
    function test_included__entry_of_64_bytes__refused() public {
        bytes memory entry = new bytes(64);
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = ReferenceTree.leaf(entry);
        _open();
        _anchor(leaves, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_NotIncluded.selector, LOG, 0, leaves[0]));
        usageLog.requireIncluded(LOG, 1, 0, entry, new bytes32[](0));
    }

    function test_head__unknown_log__refused() public {
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_UnknownLog.selector, 1));
        usageLog.head(1);
    }

    // ---- helpers ----

    function _open() private {
        _as(OPERATOR);
        usageLog.openLog(DOCUMENT);
    }

    function _anchor(bytes32[] memory leaves, uint256 from, uint256 to) private {
        _anchorAt(leaves, from, to, NOON_MS + uint64(to));
    }

    function _anchorAt(bytes32[] memory leaves, uint256 from, uint256 to, uint64 timeMs) private {
        bytes32[] memory known = new bytes32[](to);
        for (uint256 i = 0; i < to; ++i) {
            known[i] = leaves[i];
        }
        bytes32[] memory proof = from == 0 ? new bytes32[](0) : ReferenceTree.proof(known, from);
        bytes32 root = ReferenceTree.root(known);
        _as(OPERATOR);
        usageLog.anchor(LOG, uint64(to), root, timeMs, proof);
    }

    function _refuseSize(uint64 size) private {
        vm.expectRevert(abi.encodeWithSelector(IUsageLog.UsageLog_SizeNotLarger.selector, LOG, size, 3));
        _as(OPERATOR);
        usageLog.anchor(LOG, size, DOCUMENT, NOON_MS + 9, new bytes32[](1));
    }

    function _leaves(uint256 size) private pure returns (bytes32[] memory leaves) {
        (, leaves) = _receipts(size);
    }

    function _receipts(uint256 size) private pure returns (bytes[] memory receipts, bytes32[] memory leaves) {
        receipts = new bytes[](size);
        leaves = new bytes32[](size);
        for (uint64 i = 0; i < size; ++i) {
            receipts[i] = _receipt(1, i + 1, NOON_MS + i);
            leaves[i] = ReferenceTree.leaf(receipts[i]);
        }
    }
}
