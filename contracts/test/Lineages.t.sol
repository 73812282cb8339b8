// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {ClaimantKind} from "../libraries/Codes.sol";
import {Lineages} from "../libraries/Lineages.sol";
import {Ppm} from "../libraries/Units.sol";
import {Check} from "./helpers/Check.sol";

contract LineagesCaller {
    function write(ILicenceRegistry.LineageEntry[] calldata lineage) external returns (address) {
        return Lineages.write(Lineages.pack(lineage));
    }

    function read(address place) external view returns (ILicenceRegistry.LineageEntry[] memory, bytes16[] memory) {
        bytes memory listing = Lineages.read(place);
        return (Lineages.entriesOf(listing), Lineages.datasetsOf(listing));
    }

    function unweighted(bytes16[] calldata ids) external pure returns (ILicenceRegistry.LineageEntry[] memory) {
        bytes memory listing = Lineages.unweighted(ids);
        // Whoever allocates next must not disturb it.
        bytes memory after_ = new bytes(64);
        for (uint256 i = 0; i < after_.length; ++i) {
            after_[i] = 0xff;
        }
        return Lineages.entriesOf(listing);
    }
}

/// @notice A lineage comes back as it was written.
contract LineagesTest is Check {
    LineagesCaller private lineages;

    function setUp() public {
        lineages = new LineagesCaller();
    }

    function test_fuzz_lineage__written__read_back(uint256 seed) public {
        uint256 count = 1 + seed % 64;
        ILicenceRegistry.LineageEntry[] memory given = new ILicenceRegistry.LineageEntry[](count);
        uint256 datasetCount = 0;
        for (uint256 i = 0; i < count; ++i) {
            seed = _next(seed);
            given[i].claimantId = bytes16(uint128(seed));
            given[i].kind = (seed >> 128) % 2 == 0 ? ClaimantKind.DATASET : ClaimantKind.ORGANISATION;
            given[i].weightPpm = Ppm.wrap(uint32(1 + (seed >> 160) % 1_000_000));
            if (given[i].kind == ClaimantKind.DATASET) ++datasetCount;
        }
        address place = lineages.write(given);
        _equal(place.code.length, 1 + 20 * count, "bytes");
        (ILicenceRegistry.LineageEntry[] memory got, bytes16[] memory datasetIds) = lineages.read(place);
        _equal(keccak256(abi.encode(got)), keccak256(abi.encode(given)), "entries");
        _equal(datasetIds.length, datasetCount, "datasets");
    }

    function test_fuzz_lineage__of_bare_ids__without_weights(uint256 seed) public view {
        bytes16[] memory ids = new bytes16[](seed % 70);
        for (uint256 i = 0; i < ids.length; ++i) {
            seed = _next(seed);
            ids[i] = bytes16(uint128(seed));
        }
        ILicenceRegistry.LineageEntry[] memory got = lineages.unweighted(ids);
        _equal(got.length, ids.length, "count");
        for (uint256 i = 0; i < ids.length; ++i) {
            _true(got[i].claimantId == ids[i] && got[i].kind == ClaimantKind.NONE, "entry");
            _equal(Ppm.unwrap(got[i].weightPpm), 0, "weight");
        }
    }

    function test_lineage__nothing_written__no_entries() public view {
        (ILicenceRegistry.LineageEntry[] memory got,) = lineages.read(address(0xdead));
        _equal(got.length, 0, "entries");
    }
}
