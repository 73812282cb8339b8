// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "./interfaces/IDirectory.sol";
import {IUsageLog} from "./interfaces/IUsageLog.sol";
import {Clock} from "./libraries/Clock.sol";
import {Role} from "./libraries/Codes.sol";
import {Member} from "./libraries/Member.sol";
import {Merkle} from "./libraries/Merkle.sol";
import {ProofFiles} from "./libraries/ProofFiles.sol";
import {Receipts} from "./libraries/Receipts.sol";

/// @title UsageLog
contract UsageLog is IUsageLog, Member {
    uint64 private constant AHEAD_MS_MAX = 10 minutes * 1000;

    uint32 private _logCount;
    mapping(uint32 logNo => Head) private _heads;

    constructor(address forwarder, IDirectory directory_) Member(forwarder, directory_) {}

    /// @inheritdoc IUsageLog
    function openLog(bytes32 originDigest) external returns (uint32 logNo) {
        (bytes16 keeperId, bool isPlatform) = _operating(0);
        if (!isPlatform) DIRECTORY.requireRoleAtHome(_msgSender(), Role.OPERATOR);
        logNo = ++_logCount;
        _heads[logNo].keeperId = keeperId;
        emit LogOpened(_nextEventNo(), logNo, keeperId, originDigest);
    }

    /// @inheritdoc IUsageLog
    function anchor(
        uint32 logNo,
        uint64 size,
        bytes32 root,
        uint64 timeMs,
        bytes32[] calldata consistencyProof
    ) external {
        Head storage subject = _known(logNo);
        (uint64 oldSize, uint64 oldTimeMs, bytes16 keeperId) = (subject.size, subject.timeMs, subject.keeperId);
        (bytes16 actorId,) = _operating(keeperId);
        if (actorId != keeperId) revert UsageLog_NotKeeper(logNo, actorId, keeperId);
        if (size <= oldSize) revert UsageLog_SizeNotLarger(logNo, size, oldSize);
        if (timeMs < oldTimeMs) revert UsageLog_ClockBack(logNo, timeMs, oldTimeMs);
        _requireNotAhead(logNo, timeMs);
        bool isExtension = oldSize == 0
            ? consistencyProof.length == 0
            : Merkle.isConsistent(oldSize, size, subject.root, root, consistencyProof);
        if (!isExtension) revert UsageLog_Inconsistent(logNo, oldSize, size);
        _heads[logNo] = Head({root: root, size: size, timeMs: timeMs, keeperId: keeperId});
        emit Anchored(_nextEventNo(), logNo, size, root, timeMs);
    }

    /// @inheritdoc IUsageLog
    function requireIncluded(
        uint32 logNo,
        uint64 size,
        uint64 index,
        bytes calldata receipt,
        bytes32[] calldata inclusionProof
    ) external view {
        _requireIncluded(logNo, size, index, receipt, inclusionProof);
    }

    /// @inheritdoc IUsageLog
    function requireProven(bytes calldata proof) external view {
        (uint32 logNo, uint64 size, uint64 index, bytes calldata receipt, bytes32[] calldata path) =
            ProofFiles.open(proof);
        _requireIncluded(logNo, size, index, receipt, path);
    }

    /// @inheritdoc IUsageLog
    function head(uint32 logNo) external view returns (Head memory) {
        return _known(logNo);
    }

    function _requireIncluded(
        uint32 logNo,
        uint64 size,
        uint64 index,
        bytes calldata receipt,
        bytes32[] calldata path
    ) private view {
        Head storage subject = _known(logNo);
        if (size != subject.size) revert UsageLog_SizeNotAnchored(logNo, size, subject.size);
        bytes32 leaf = Merkle.leafHash(receipt);
        bool isReceipt = receipt.length == Receipts.LENGTH;
        if (!isReceipt || !Merkle.isIncluded(leaf, index, size, subject.root, path)) {
            revert UsageLog_NotIncluded(logNo, index, leaf);
        }
    }

    /// @dev Heads may not go back in time: one far in the future would lock the log for all the time until then.
    function _requireNotAhead(uint32 logNo, uint64 timeMs) private view {
        uint64 nowMs = Clock.nowSeconds() * 1000;
        if (timeMs > nowMs + AHEAD_MS_MAX) revert UsageLog_ClockAhead(logNo, timeMs, nowMs);
    }

    function _known(uint32 logNo) private view returns (Head storage subject) {
        subject = _heads[logNo];
        if (subject.keeperId == 0) revert UsageLog_UnknownLog(logNo);
    }
}
