// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";

/// @title Receipts
/// @notice Reads a receipt of use, format 1: 96 bytes, big-endian, no padding.
/// @dev The last 32 bytes commit to request and response; money needs no look at them. Whether codes
/// are known and sequences have no gap is the log's business and the verifier's.
library Receipts {
    uint256 internal constant LENGTH = 96;
    uint8 internal constant FORMAT = 1;

    struct Receipt {
        uint8 mode;
        uint16 purpose;
        uint32 meterNo;
        uint64 licenceNo;
        uint64 licenceSeq;
        uint64 usedAtMs;
        uint32 versionNo;
        /// @dev 0 delivered, else a code of refusal or failure.
        uint32 status;
        uint64 units;
        /// @dev Running total of the licence in this log, this receipt included.
        uint64 cumulativeUnits;
        uint64 records;
    }

    /// @notice The fields of a receipt; reverts unless it has 96 bytes and format 1.
    function decode(bytes calldata data) internal pure returns (Receipt memory receipt) {
        if (data.length != LENGTH) {
            uint8 got = data.length == 0 ? 0 : uint8(data[0]);
            revert IRevenueLedger.RevenueLedger_ReceiptMalformed(data.length, got);
        }
        uint256 first = uint256(bytes32(data[0:32]));
        uint256 second = uint256(bytes32(data[32:64]));
        uint8 format = uint8(first >> 248);
        if (format != FORMAT) revert IRevenueLedger.RevenueLedger_ReceiptMalformed(data.length, format);
        // Each cast keeps the low bytes of a word shifted to the field's end, which is the field.
        receipt.mode = uint8(first >> 240);
        receipt.purpose = uint16(first >> 224);
        receipt.meterNo = uint32(first >> 192);
        receipt.licenceNo = uint64(first >> 128);
        receipt.licenceSeq = uint64(first >> 64);
        receipt.usedAtMs = uint64(first);
        receipt.versionNo = uint32(second >> 224);
        receipt.status = uint32(second >> 192);
        receipt.units = uint64(second >> 128);
        receipt.cumulativeUnits = uint64(second >> 64);
        receipt.records = uint64(second);
    }
}
