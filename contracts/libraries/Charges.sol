// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {MICRO_YUAN_PER_FEN, MicroYuan, PPM_WHOLE, Ppm} from "./Units.sol";

/// @title Charges
/// @notice What use costs by a tariff (发改价格〔2025〕65号).
library Charges {
    /// @notice The charge of the units that follow those already billed in the same year.
    /// @dev Bands hold for the running total beyond the free quota, so a year billed in parts is
    /// charged by the same bands. One floor, to the whole fen, after the discount. Nothing overflows:
    /// units and prices are below 2^64, the discount's factor below 2^20.
    /// @param alreadyUnits Units of the buyer and product billed before in this calendar year.
    /// @param units Units of this invoice.
    /// @return fen Whole fen, VAT included.
    function chargeFen(ILicenceRegistry.Tariff calldata tariff, uint64 alreadyUnits, uint64 units)
        internal
        pure
        returns (uint256 fen)
    {
        uint256 start = _beyond(alreadyUnits, tariff.freeQuotaUnits);
        uint256 end = _beyond(uint256(alreadyUnits) + units, tariff.freeQuotaUnits);
        uint256 listMicroYuan = 0;
        uint256 below = 0;
        for (uint256 i = 0; i < tariff.bands.length; ++i) {
            ILicenceRegistry.Band calldata band = tariff.bands[i];
            uint256 from = start > below ? start : below;
            uint256 to = end < band.upToUnits ? end : band.upToUnits;
            if (to > from) listMicroYuan += (to - from) * MicroYuan.unwrap(band.priceMicroYuan);
            below = band.upToUnits;
        }
        uint256 discounted = listMicroYuan * (PPM_WHOLE - Ppm.unwrap(tariff.discountPpm));
        return discounted / (uint256(PPM_WHOLE) * MICRO_YUAN_PER_FEN);
    }

    function _beyond(uint256 units, uint256 quotaUnits) private pure returns (uint256) {
        return units > quotaUnits ? units - quotaUnits : 0;
    }
}
