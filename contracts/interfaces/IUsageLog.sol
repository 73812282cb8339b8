// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IUsageLog
/// @notice The heads of the logs of use. Each log is an RFC 9162 Merkle tree (SHA-256) whose leaves
/// are 96-byte receipts; a new head is taken only with a proof that it extends the last one.
interface IUsageLog {
    struct Head {
        bytes32 root;
        /// @dev Number of receipts.
        uint64 size;
        /// @dev Time of the checkpoint in Unix milliseconds, UTC.
        uint64 timeMs;
        /// @dev The organisation that keeps the log.
        bytes16 keeperId;
    }

    event LogOpened(uint64 eventNo, uint32 indexed logNo, bytes16 indexed keeperId, bytes32 originDigest);
    event Anchored(uint64 eventNo, uint32 indexed logNo, uint64 size, bytes32 root, uint64 timeMs);

    /// @notice Thrown when no log has this number.
    error UsageLog_UnknownLog(uint32 logNo);
    /// @notice Thrown when the caller's organisation does not keep the log.
    error UsageLog_NotKeeper(uint32 logNo, bytes16 actorId, bytes16 keeperId);
    /// @notice Thrown when a log would not grow.
    error UsageLog_SizeNotLarger(uint32 logNo, uint64 got, uint64 current);
    /// @notice Thrown when a log's clock would go back.
    error UsageLog_ClockBack(uint32 logNo, uint64 gotMs, uint64 currentMs);
    /// @notice Thrown when a checkpoint's time lies more than 10 minutes ahead of block time, both in
    /// Unix milliseconds.
    error UsageLog_ClockAhead(uint32 logNo, uint64 gotMs, uint64 nowMs);
    /// @notice Thrown when the new root is not shown to extend the last one.
    error UsageLog_Inconsistent(uint32 logNo, uint64 oldSize, uint64 newSize);
    /// @notice Thrown when a proof was made for another size than the anchored one.
    error UsageLog_SizeNotAnchored(uint32 logNo, uint64 got, uint64 anchored);
    /// @notice Thrown when a receipt is not shown to be in the log.
    error UsageLog_NotIncluded(uint32 logNo, uint64 index, bytes32 leafHash);
    /// @notice Thrown when a proof file is not head, receipt and a whole number of hashes: both in bytes,
    /// `expected` is the next shorter length that is, or the shortest of all.
    error UsageLog_ProofLength(uint256 got, uint256 expected);

    /// @notice Opens a log kept by the caller's organisation (platform or operator). Emits {LogOpened}.
    /// @param originDigest SHA-256 of the log's origin line (C2SP checkpoint).
    /// @return logNo Number of the log, from 1.
    function openLog(bytes32 originDigest) external returns (uint32 logNo);

    /// @notice Anchors a new head. Emits {Anchored}.
    /// @param size New number of receipts, larger than the last.
    /// @param timeMs Checkpoint time, Unix milliseconds: not before the last, and at most 10 minutes ahead
    /// of block time.
    /// @param consistencyProof RFC 9162 section 2.1.4 path from the last size; empty for the first.
    function anchor(
        uint32 logNo,
        uint64 size,
        bytes32 root,
        uint64 timeMs,
        bytes32[] calldata consistencyProof
    ) external;

    /// @notice Reverts unless the receipt is at `index` of the log at its anchored size.
    /// @param receipt 96 bytes.
    /// @param inclusionProof RFC 9162 section 2.1.3 path.
    function requireIncluded(
        uint32 logNo,
        uint64 size,
        uint64 index,
        bytes calldata receipt,
        bytes32[] calldata inclusionProof
    ) external view;

    /// @notice Reverts unless a proof file, as it is, shows its receipt to be in its log at the anchored size.
    /// @param proof Number of the log (4 bytes), size (8), index (8), receipt (96), RFC 9162 section 2.1.3
    /// path (32 each), big-endian, no padding: 116 bytes and 32 for each level, 1,012 in a log of 2^28.
    function requireProven(bytes calldata proof) external view;

    /// @notice The last anchored head; reverts when the log is unknown.
    function head(uint32 logNo) external view returns (Head memory);
}
