// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MicroFen} from "../../libraries/Units.sol";

/// @dev A split as tests write it; `pack` gives the bytes that the ledger takes.
struct Split {
    MicroFen taxMicroFen;
    MicroFen[] lineageCostMicroFen;
    PoolLine[] commonCost;
    MicroFen[] benefitMicroFen;
    MicroFen forgoneMicroFen;
    MicroFen reserveMicroFen;
}

struct PoolLine {
    bytes16 claimantId;
    MicroFen amountMicroFen;
}

using Splits for Split global;

/// @notice Writes the format of {IRevenueLedger-split}; it shares nothing with the contract's reading.
library Splits {
    function pack(Split memory split) internal pure returns (bytes memory data) {
        data = abi.encodePacked(
            split.taxMicroFen,
            split.forgoneMicroFen,
            split.reserveMicroFen,
            uint16(split.lineageCostMicroFen.length),
            uint16(split.benefitMicroFen.length),
            uint16(split.commonCost.length)
        );
        data = bytes.concat(data, _lines(split.lineageCostMicroFen), _lines(split.benefitMicroFen));
        return bytes.concat(data, _common(split.commonCost));
    }

    /// @dev Each word overwrites the end of the one before.
    function _lines(MicroFen[] memory lines) private pure returns (bytes memory data) {
        data = new bytes(lines.length * 8);
        for (uint256 i = lines.length; i > 0; --i) {
            _write(data, i * 8, MicroFen.unwrap(lines[i - 1]));
        }
    }

    function _common(PoolLine[] memory lines) private pure returns (bytes memory data) {
        data = new bytes(lines.length * 24);
        for (uint256 i = lines.length; i > 0; --i) {
            uint256 amount = MicroFen.unwrap(lines[i - 1].amountMicroFen);
            _write(data, i * 24, uint256(uint128(lines[i - 1].claimantId)) << 64 | amount);
        }
    }

    /// @dev Writes a number so that it ends before `end`, and zeros before it.
    function _write(bytes memory data, uint256 end, uint256 value) private pure {
        uint256 length = data.length;
        assembly ("memory-safe") {
            mstore(add(data, end), value)
            mstore(data, length)
        }
    }
}
