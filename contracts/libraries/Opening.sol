// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {OpenClass, OpeningTier, Purpose, Sensitivity} from "./Codes.sol";

/// @title Opening
/// @notice Graded opening: tables of tiers by class, personal information, mode and purpose.
/// @dev What is seldom called is linked, so that the registry stays below the code limit.
library Opening {
    uint256 private constant TIER_BITS = 3;
    uint256 private constant MODE_COUNT = 7;
    uint256 private constant PURPOSE_COUNT = 5;
    uint256 private constant CELL_COUNT = 2 * MODE_COUNT * PURPOSE_COUNT;
    /// @dev Download and interface hand out the data itself.
    uint256 private constant RAW_MODE_MAX = 2;

    struct Policy {
        uint256 unconditional;
        uint256 conditional;
    }

    /// @dev The table in force and the one that waits. The region's also counts all tables and knows
    /// whether any city has its own: so one read tells a city without one.
    struct InForce {
        uint32 currentNo;
        uint32 nextNo;
        uint64 nextFrom;
        uint32 count;
        bool hasCities;
    }

    struct Tables {
        mapping(uint32 policyNo => Policy) policies;
        mapping(uint32 cityCode => InForce) inForce;
    }

    /// @notice Keeps a checked table as the city's next one.
    function publish(
        Tables storage tables,
        uint32 cityCode,
        Policy memory policy,
        uint64 effectiveAt,
        uint64 nowSeconds
    ) external returns (uint32 policyNo) {
        _requireCells(policy.unconditional, 0);
        _requireCells(policy.conditional, CELL_COUNT);
        InForce storage place = tables.inForce[cityCode];
        bool isWaiting = place.nextNo != 0 && place.nextFrom > nowSeconds;
        uint64 notBefore = isWaiting ? type(uint64).max : nowSeconds;
        if (effectiveAt < notBefore) revert IDatasetRegistry.DatasetRegistry_PolicyDate(effectiveAt, notBefore);
        policyNo = ++tables.inForce[0].count;
        if (cityCode != 0) tables.inForce[0].hasCities = true;
        tables.policies[policyNo] = policy;
        if (place.nextNo != 0) place.currentNo = place.nextNo;
        place.nextNo = policyNo;
        place.nextFrom = effectiveAt;
    }

    /// @notice The number of the table in force in a city: its own, else the region's.
    function numberIn(Tables storage tables, uint32 cityCode, uint64 nowSeconds)
        internal
        view
        returns (uint32 policyNo)
    {
        InForce memory region = tables.inForce[0];
        if (region.hasCities) policyNo = _numberOf(tables.inForce[cityCode], nowSeconds);
        if (policyNo == 0) policyNo = _numberOf(region, nowSeconds);
        if (policyNo == 0) revert IDatasetRegistry.DatasetRegistry_NoPolicy(cityCode);
    }

    /// @notice The tier of one cell of a table.
    function tierIn(
        Tables storage tables,
        uint32 policyNo,
        OpenClass openClass,
        Sensitivity sensitivity,
        bool containsPersonalInformation,
        uint8 mode,
        Purpose purpose
    ) internal view returns (OpeningTier) {
        bool isClosed = openClass == OpenClass.NONE || openClass == OpenClass.NOT_OPEN;
        bool isCell = mode != 0 && mode <= MODE_COUNT && purpose != Purpose.NONE;
        if (isClosed || sensitivity != Sensitivity.GENERAL || !isCell) return OpeningTier.FORBIDDEN;
        Policy storage policy = tables.policies[policyNo];
        uint256 word = openClass == OpenClass.UNCONDITIONAL ? policy.unconditional : policy.conditional;
        uint256 row = (containsPersonalInformation ? MODE_COUNT : 0) + mode - 1;
        uint256 cell = row * PURPOSE_COUNT + uint8(purpose) - 1;
        return OpeningTier((word >> (cell * TIER_BITS)) & 7);
    }

    function _numberOf(InForce memory place, uint64 nowSeconds) private pure returns (uint32) {
        return place.nextNo != 0 && place.nextFrom <= nowSeconds ? place.nextNo : place.currentNo;
    }

    /// @dev Every cell has a tier; where data may not leave, no mode hands it out.
    function _requireCells(uint256 word, uint256 firstCell) private pure {
        for (uint256 cell = 0; cell < CELL_COUNT; ++cell) {
            uint256 tier = (word >> (cell * TIER_BITS)) & 7;
            bool isRaw = (cell / PURPOSE_COUNT) % MODE_COUNT < RAW_MODE_MAX;
            bool isContradiction = isRaw && tier == uint8(OpeningTier.PRIVACY_ONLY);
            if (tier == 0 || tier > uint8(OpeningTier.FORBIDDEN) || isContradiction) {
                revert IDatasetRegistry.DatasetRegistry_PolicyMalformed(firstCell + cell, uint8(tier));
            }
        }
        if (word >> (CELL_COUNT * TIER_BITS) != 0) {
            revert IDatasetRegistry.DatasetRegistry_PolicyMalformed(firstCell + CELL_COUNT, uint8(0));
        }
    }
}
