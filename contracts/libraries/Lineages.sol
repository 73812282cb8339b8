// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {ClaimantKind} from "./Codes.sol";
import {Ppm} from "./Units.sol";

/// @title Lineages
/// @notice A product's lineage, written once as the code of a contract of its own and read from there.
/// @dev That code is a stop, so that nobody can run it, and 20 bytes an entry: id (16), kind (1), weight
/// in ppm (3, big-endian). Code is read at 3 gas a word, where storage takes 2,100. In memory a listing
/// is the same bytes; those of an organisation's or dataset's bare id have kind and weight zero.
library Lineages {
    uint256 internal constant ENTRY_BYTES = 20;
    /// @dev Creation code that returns what follows it: its length is written between the two parts.
    bytes1 private constant CREATION_START = 0x61;
    bytes7 private constant CREATION_END = 0x80600a3d393df3;

    /// @param lineage Weights of at most 1,000,000, as the registry has checked.
    /// @return listing The entries as they are written.
    function pack(ILicenceRegistry.LineageEntry[] memory lineage) internal pure returns (bytes memory listing) {
        listing = new bytes(lineage.length * ENTRY_BYTES);
        for (uint256 i = 0; i < lineage.length; ++i) {
            ILicenceRegistry.LineageEntry memory entry = lineage[i];
            uint256 rest = uint256(entry.kind) << 120 | uint256(Ppm.unwrap(entry.weightPpm)) << 96;
            _put(listing, i, bytes32(entry.claimantId) | bytes32(rest));
        }
    }

    /// @notice Writes a listing of at most 64 entries where nobody can change it.
    /// @return place Address of the contract whose code it is.
    function write(bytes memory listing) internal returns (address place) {
        // The cast is safe: 64 entries are 1,280 bytes.
        uint16 size = uint16(1 + listing.length);
        bytes memory creation = abi.encodePacked(CREATION_START, size, CREATION_END, bytes1(0), listing);
        assembly ("memory-safe") {
            place := create(0, add(creation, 0x20), mload(creation))
        }
        if (place == address(0)) revert ILicenceRegistry.LicenceRegistry_LineageNotWritten(countOf(listing));
    }

    /// @return listing The entries at a place; none where nothing was written.
    function read(address place) internal view returns (bytes memory listing) {
        assembly ("memory-safe") {
            let size := extcodesize(place)
            if size { size := sub(size, 1) }
            listing := mload(0x40)
            mstore(listing, size)
            extcodecopy(place, add(listing, 0x20), 1, size)
            mstore(0x40, and(add(add(listing, size), 0x3f), not(0x1f)))
        }
    }

    /// @return listing Claimants without a weight of their own.
    function unweighted(bytes16[] calldata claimantIds) internal pure returns (bytes memory listing) {
        listing = new bytes(claimantIds.length * ENTRY_BYTES);
        for (uint256 i = 0; i < claimantIds.length; ++i) {
            _put(listing, i, claimantIds[i]);
        }
    }

    function countOf(bytes memory listing) internal pure returns (uint256) {
        return listing.length / ENTRY_BYTES;
    }

    /// @param index Below the count; what lies beyond is not checked.
    function claimantAt(bytes memory listing, uint256 index) internal pure returns (bytes16) {
        return bytes16(_entryAt(listing, index));
    }

    /// @param index Below the count; what lies beyond is not checked.
    function weightAt(bytes memory listing, uint256 index) internal pure returns (uint256) {
        return uint24(uint256(_entryAt(listing, index)) >> 96);
    }

    /// @return lineage The entries as the interface has them.
    function entriesOf(bytes memory listing)
        internal
        pure
        returns (ILicenceRegistry.LineageEntry[] memory lineage)
    {
        lineage = new ILicenceRegistry.LineageEntry[](countOf(listing));
        for (uint256 i = 0; i < lineage.length; ++i) {
            bytes32 entry = _entryAt(listing, i);
            lineage[i] = ILicenceRegistry.LineageEntry({
                claimantId: bytes16(entry),
                kind: _kindOf(entry),
                weightPpm: Ppm.wrap(uint24(uint256(entry) >> 96))
            });
        }
    }

    /// @return datasetIds Those of the claimants that are datasets.
    function datasetsOf(bytes memory listing) internal pure returns (bytes16[] memory datasetIds) {
        datasetIds = new bytes16[](countOf(listing));
        uint256 count = 0;
        for (uint256 i = 0; i < datasetIds.length; ++i) {
            bytes32 entry = _entryAt(listing, i);
            if (_kindOf(entry) == ClaimantKind.DATASET) datasetIds[count++] = bytes16(entry);
        }
        // Shorter than it was made, which frees nothing and shows only what was written.
        assembly ("memory-safe") {
            mstore(datasetIds, count)
        }
    }

    function _kindOf(bytes32 entry) private pure returns (ClaimantKind) {
        return ClaimantKind(uint8(uint256(entry) >> 120));
    }

    function _entryAt(bytes memory listing, uint256 index) private pure returns (bytes32 entry) {
        assembly ("memory-safe") {
            entry := mload(add(add(listing, 0x20), mul(index, ENTRY_BYTES)))
        }
    }

    /// @dev Puts the entries in their order: each writes 12 bytes beyond itself, at the end into memory
    /// that nobody has yet.
    function _put(bytes memory listing, uint256 index, bytes32 entry) private pure {
        assembly ("memory-safe") {
            mstore(add(add(listing, 0x20), mul(index, ENTRY_BYTES)), entry)
        }
    }
}
