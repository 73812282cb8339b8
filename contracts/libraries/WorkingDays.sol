// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title WorkingDays
/// @notice Working days of China by year: a bit for each day, and Monday to Friday where a year has no table.
/// @dev Days are counted from 1970-01-01 in China Standard Time (UTC+8), as in `Clock`. A clock of n
/// working days starts on the day after the event (民法典 art. 201) and ends with the last second of
/// the n-th working day.
library WorkingDays {
    uint256 private constant CHINA_OFFSET_SECONDS = 8 hours;
    uint256 private constant EPOCH_YEAR = 1970;
    uint256 private constant WORD_DAYS = 256;

    /// @dev Bit i of `low` is day i of the year, counted from zero; bit i of `high` is day 256 + i.
    struct Year {
        uint256 low;
        uint256 high;
    }

    /// @return day Days since 1970-01-01 in China.
    function dayOf(uint64 unixSeconds) internal pure returns (uint256 day) {
        return (uint256(unixSeconds) + CHINA_OFFSET_SECONDS) / 1 days;
    }

    /// @return The last second of a day in China, in Unix seconds.
    function endOf(uint256 day) internal pure returns (uint64) {
        return uint64((day + 1) * 1 days - CHINA_OFFSET_SECONDS - 1);
    }

    /// @return The number of days of a year.
    function lengthOf(uint256 year) internal pure returns (uint256) {
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365;
    }

    /// @return year The year of a day.
    /// @return dayOfYear Its place in the year, from zero.
    function yearOf(uint256 day) internal pure returns (uint256 year, uint256 dayOfYear) {
        // No year is longer than 366 days: the estimate is never too late.
        year = EPOCH_YEAR + day / 366;
        dayOfYear = day - _daysBefore(year);
        while (dayOfYear >= lengthOf(year)) {
            dayOfYear -= lengthOf(year);
            ++year;
        }
    }

    /// @notice The end of the n-th working day after an instant's day; of the day itself when n is zero.
    function endAfter(mapping(uint256 year => Year) storage tables, uint64 fromSeconds, uint256 count)
        internal
        view
        returns (uint64)
    {
        uint256 day = dayOf(fromSeconds);
        (uint256 year, uint256 dayOfYear) = yearOf(day);
        uint256 length = lengthOf(year);
        (uint256 word, bool isTabled) = _wordAt(tables[year], dayOfYear);
        while (count > 0) {
            ++day;
            if (++dayOfYear == length) (dayOfYear, length) = (0, lengthOf(++year));
            if (dayOfYear % WORD_DAYS == 0) (word, isTabled) = _wordAt(tables[year], dayOfYear);
            if (isTabled ? word >> (dayOfYear % WORD_DAYS) & 1 == 1 : _isWeekday(day)) --count;
        }
        return endOf(day);
    }

    /// @notice The end of the day a number of years later; 29 February becomes 1 March.
    function endOfYearsAfter(uint64 fromSeconds, uint256 years_) internal pure returns (uint64) {
        uint256 day = dayOf(fromSeconds);
        (uint256 year, uint256 dayOfYear) = yearOf(day);
        uint256 first = dayOfYear < (lengthOf(year) == 366 ? 60 : 59) ? year : year + 1;
        for (uint256 i = 0; i < years_; ++i) {
            day += lengthOf(first + i);
        }
        return endOf(day);
    }

    /// @dev The word of a table that holds a day, and whether there is a table: the other word is read
    /// only where this one is zero.
    function _wordAt(Year storage table, uint256 dayOfYear) private view returns (uint256 word, bool isTabled) {
        bool isLow = dayOfYear < WORD_DAYS;
        word = isLow ? table.low : table.high;
        isTabled = word != 0 || (isLow ? table.high : table.low) != 0;
    }

    /// @dev Day 0 was a Thursday; Sunday counts 0, Saturday 6.
    function _isWeekday(uint256 day) private pure returns (bool) {
        uint256 weekday = (day + 4) % 7;
        return weekday != 0 && weekday != 6;
    }

    function _daysBefore(uint256 year) private pure returns (uint256) {
        uint256 last = year - 1;
        // 477 leap days lie before 1970.
        return (year - EPOCH_YEAR) * 365 + last / 4 - last / 100 + last / 400 - 477;
    }
}
