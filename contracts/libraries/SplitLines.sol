// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";

/// @dev A proposed split: its amounts in µfen, and where its lists of lines lie in the calldata.
struct Lines {
    uint256 tax;
    uint256 forgone;
    uint256 reserve;
    uint256 costCount;
    uint256 benefitCount;
    uint256 commonCount;
    uint256 costAt;
    uint256 benefitAt;
    uint256 commonAt;
}

/// @title SplitLines
/// @notice Reads the lines of a split as they are sent and emitted; {IRevenueLedger-split} has the format.
library SplitLines {
    uint256 internal constant LINE_BYTES = 8;
    uint256 private constant HEAD_BYTES = 30;
    uint256 private constant COMMON_BYTES = 24;

    /// @dev Any bytes of the right length are a split; whether a right one, others decide.
    function read(bytes calldata split) internal pure returns (Lines memory lines) {
        uint256 start;
        uint256 head;
        assembly ("memory-safe") {
            start := split.offset
            head := calldataload(start)
        }
        lines.tax = head >> 192;
        lines.forgone = uint64(head >> 128);
        lines.reserve = uint64(head >> 64);
        lines.costCount = uint16(head >> 48);
        lines.benefitCount = uint16(head >> 32);
        lines.commonCount = uint16(head >> 16);
        lines.costAt = start + HEAD_BYTES;
        lines.benefitAt = lines.costAt + lines.costCount * LINE_BYTES;
        lines.commonAt = lines.benefitAt + lines.benefitCount * LINE_BYTES;
        uint256 length = lines.commonAt + lines.commonCount * COMMON_BYTES - start;
        if (split.length != length) revert IRevenueLedger.RevenueLedger_SplitLength(split.length, length);
    }

    /// @param list Where its list begins in the calldata.
    /// @return amount µfen of a line.
    function amountAt(uint256 list, uint256 index) internal pure returns (uint256 amount) {
        assembly ("memory-safe") {
            amount := shr(192, calldataload(add(list, mul(index, LINE_BYTES))))
        }
    }

    function commonAt(Lines memory lines, uint256 index)
        internal
        pure
        returns (bytes16 claimantId, uint256 amount)
    {
        uint256 place = lines.commonAt + index * COMMON_BYTES;
        assembly ("memory-safe") {
            let word := calldataload(place)
            claimantId := shl(128, shr(128, word))
            amount := and(shr(64, word), 0xffffffffffffffff)
        }
    }

    /// @notice What the ledger keeps of a split, so that its opposite can be posted and nothing else.
    function digestOf(bytes calldata split) internal pure returns (bytes19) {
        return bytes19(sha256(split));
    }
}
