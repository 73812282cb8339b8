// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title WorkingDays
/// @notice Due dates in working days: Monday to Friday, Asia/Shanghai.
library WorkingDays {
    uint256 private constant CHINA_OFFSET_SECONDS = 8 hours;
    uint256 private constant DAYS_A_WEEK = 5;

    /// @notice The end of the `count`-th working day after the day of an instant.
    /// @param fromSeconds Unix seconds, UTC.
    /// @param count Working days, at least 1.
    /// @return The last second of that day, Unix seconds, UTC.
    function dueAt(uint64 fromSeconds, uint16 count) internal pure returns (uint64) {
        uint256 day = (uint256(fromSeconds) + CHINA_OFFSET_SECONDS) / 1 days;
        // 1 January 1970 was a Thursday; Monday is 0. A weekend counts as its Friday.
        uint256 weekday = (day + 3) % 7;
        if (weekday >= DAYS_A_WEEK) {
            day -= weekday - (DAYS_A_WEEK - 1);
            weekday = DAYS_A_WEEK - 1;
        }
        uint256 rest = count % DAYS_A_WEEK;
        day += count / DAYS_A_WEEK * 7 + rest + (weekday + rest >= DAYS_A_WEEK ? 2 : 0);
        // The cast is safe: 65,535 working days are below 2^33 seconds.
        return uint64((day + 1) * 1 days - CHINA_OFFSET_SECONDS - 1);
    }
}
