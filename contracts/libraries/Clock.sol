// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PeriodId} from "./Units.sol";

/// @title Clock
/// @notice The one place that reads block time: Unix seconds on every chain, and China's calendar.
/// @dev Some permissioned networks report block time in milliseconds. Any block time above 10^11 is
/// one of those (10^11 seconds is the year 5138).
library Clock {
    uint256 private constant MILLISECONDS_ABOVE = 1e11;
    uint64 private constant CHINA_OFFSET_SECONDS = 8 hours;

    /// @return unixSeconds The block's time in Unix seconds, UTC.
    function nowSeconds() internal view returns (uint64 unixSeconds) {
        uint256 time = block.timestamp;
        return uint64(time > MILLISECONDS_ABOVE ? time / 1000 : time);
    }

    /// @notice The month of an instant in China Standard Time (UTC+8, no daylight saving since 1992).
    /// @dev Civil date from a day count, counted in eras of 400 years that start on 1 March.
    /// @param unixSeconds Unix seconds, UTC.
    /// @return The month as yyyymm.
    function periodOf(uint64 unixSeconds) internal pure returns (PeriodId) {
        uint256 day = (uint256(unixSeconds) + CHINA_OFFSET_SECONDS) / 1 days + 719_468;
        uint256 dayOfEra = day % 146_097;
        uint256 yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        uint256 dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        uint256 monthFromMarch = (5 * dayOfYear + 2) / 153;
        uint256 month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
        uint256 year = yearOfEra + (day / 146_097) * 400 + (month <= 2 ? 1 : 0);
        return PeriodId.wrap(uint32(year * 100 + month));
    }

    /// @return The calendar year of a month.
    function yearOf(PeriodId periodId) internal pure returns (uint16) {
        return uint16(PeriodId.unwrap(periodId) / 100);
    }
}
