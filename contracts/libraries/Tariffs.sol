// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {MicroYuan, PPM_WHOLE, Ppm} from "./Units.sol";

/// @title Tariffs
/// @notice The form of bands, and the rule that no price exceeds its cap.
library Tariffs {
    uint256 internal constant BANDS_MAX = 16;

    /// @notice Reverts unless bands are 1 … 16, strictly ascending, and the last one is open-ended.
    function requireBands(ILicenceRegistry.Band[] calldata bands) internal pure {
        uint256 count = bands.length;
        if (count == 0 || count > BANDS_MAX) revert ILicenceRegistry.LicenceRegistry_BandsMalformed(count);
        uint64 previous = 0;
        for (uint256 i = 0; i < count; ++i) {
            bool isLast = i + 1 == count;
            if (bands[i].upToUnits <= previous || isLast != (bands[i].upToUnits == type(uint64).max)) {
                revert ILicenceRegistry.LicenceRegistry_BandsMalformed(i);
            }
            previous = bands[i].upToUnits;
        }
    }

    /// @notice Reverts unless the tariff is well formed; a market price has no caps.
    function requireFormed(ILicenceRegistry.Tariff calldata tariff) internal pure {
        requireBands(tariff.bands);
        if (Ppm.unwrap(tariff.discountPpm) > PPM_WHOLE) {
            revert ILicenceRegistry.LicenceRegistry_DiscountTooLarge(tariff.discountPpm, PPM_WHOLE);
        }
    }

    /// @notice Reverts unless the tariff is well formed and each band costs at most the cap of every
    /// cap band that it overlaps. Both lists end open, so one walk over both meets every overlap.
    function requireWithin(ILicenceRegistry.Tariff calldata tariff, ILicenceRegistry.Band[] calldata caps)
        internal
        pure
    {
        requireFormed(tariff);
        uint256 band = 0;
        uint256 cap = 0;
        while (band < tariff.bands.length) {
            MicroYuan price = tariff.bands[band].priceMicroYuan;
            if (price > caps[cap].priceMicroYuan) {
                revert ILicenceRegistry.LicenceRegistry_PriceAboveCap(band, price, caps[cap].priceMicroYuan);
            }
            uint64 bandEnd = tariff.bands[band].upToUnits;
            uint64 capEnd = caps[cap].upToUnits;
            if (bandEnd <= capEnd) ++band;
            if (capEnd <= bandEnd) ++cap;
        }
    }
}
