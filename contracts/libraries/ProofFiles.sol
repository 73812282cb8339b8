// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IUsageLog} from "../interfaces/IUsageLog.sol";

/// @title ProofFiles
/// @notice Reads the compact proof of one receipt: number of the log uint32, size uint64, index uint64,
/// receipt of 96 bytes, RFC 9162 path of 32 bytes each; big-endian, no padding.
library ProofFiles {
    uint256 private constant RECEIPT_AT = 20;
    // RECEIPT_AT + Receipts.LENGTH, as a number because assembly takes no sum.
    uint256 private constant PATH_AT = 116;
    uint256 private constant HASH_LENGTH = 32;

    /// @notice The parts of a proof; reverts when its length leaves a part incomplete.
    function open(bytes calldata proof)
        internal
        pure
        returns (uint32 logNo, uint64 size, uint64 index, bytes calldata receipt, bytes32[] calldata path)
    {
        if (proof.length < PATH_AT) revert IUsageLog.UsageLog_ProofLength(proof.length, PATH_AT);
        uint256 rest = (proof.length - PATH_AT) % HASH_LENGTH;
        if (rest != 0) revert IUsageLog.UsageLog_ProofLength(proof.length, proof.length - rest);
        uint256 head = uint256(bytes32(proof[:32]));
        // Each cast keeps the low bytes of a word shifted to the field's end, which is the field.
        logNo = uint32(head >> 224);
        size = uint64(head >> 160);
        index = uint64(head >> 96);
        receipt = proof[RECEIPT_AT:PATH_AT];
        // Solidity has no slice of bytes as words: the array is where the hashes lie, nothing is copied.
        // Its length is exact, for the check above left no rest.
        assembly {
            path.offset := add(proof.offset, PATH_AT)
            path.length := div(sub(proof.length, PATH_AT), HASH_LENGTH)
        }
    }
}
