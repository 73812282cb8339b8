// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {Market} from "./helpers/Market.sol";

/// @notice Working days by year, clocks of working days, the length of public notice.
contract WorkingDaysTest is Market {
    uint64 private constant DAY = 1 days;
    uint64 private constant OFFSET = 8 hours;
    /// @dev 2026-01-01 00:00 in China, a Thursday.
    uint64 private constant YEAR_2026 = 1767196800;

    function _isTrial() internal pure override returns (bool) {
        return false;
    }

    /// @dev The plain rule, day by day, from the tables that the directory shows.
    function _reference(uint64 fromSeconds, uint256 count) private view returns (uint64) {
        uint64 day = (fromSeconds + OFFSET) / DAY;
        while (count > 0) {
            ++day;
            if (_isWorking(day)) --count;
        }
        return (day + 1) * DAY - OFFSET - 1;
    }

    function _isWorking(uint64 day) private view returns (bool) {
        uint16 year = 1970;
        uint64 rest = day;
        while (rest >= _length(year)) rest -= _length(year++);
        (uint256 low, uint256 high) = directory.workingDaysOf(year);
        if (low == 0 && high == 0) return (day + 3) % 7 < 5;
        return (rest < 256 ? low >> rest : high >> (rest - 256)) & 1 == 1;
    }

    function _length(uint16 year) private pure returns (uint64) {
        return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) ? 366 : 365;
    }

    function test_workingDaysAfter__year_without_a_table__is_monday_to_friday() public view {
        // From Thursday: Friday, then Monday.
        _equal(directory.workingDaysAfter(YEAR_2026, 1), YEAR_2026 + 2 * DAY - 1, "Friday");
        _equal(directory.workingDaysAfter(YEAR_2026, 2), YEAR_2026 + 5 * DAY - 1, "Monday");
        _equal(directory.workingDaysAfter(YEAR_2026, 0), YEAR_2026 + DAY - 1, "the day itself");
        _equal(directory.workingDaysAfter(YEAR_2026 - 1, 1), YEAR_2026 + DAY - 1, "the day before counts less");
    }

    function testFuzz_workingDaysAfter__any_tables__equal_the_plain_rule(
        uint256 low,
        uint256 high,
        uint256 next,
        uint256 start,
        uint16 count
    ) public {
        directory.setWorkingDays(2027, low, high & ((1 << 109) - 1));
        directory.setWorkingDays(2028, next, high & ((1 << 110) - 1));
        uint64 fromSeconds = uint64(_bound(start, YEAR_2026 + 300 * DAY, YEAR_2026 + 1200 * DAY));
        count = uint16(_bound(count, 0, 60));
        _equal(directory.workingDaysAfter(fromSeconds, count), _reference(fromSeconds, count), "end");
    }

    function testFuzz_workingDaysAfter__far_years__equal_the_plain_rule(uint256 start) public view {
        uint64 fromSeconds = uint64(_bound(start, 0, 250 * 366 * DAY));
        _equal(directory.workingDaysAfter(fromSeconds, 7), _reference(fromSeconds, 7), "end");
    }

    function test_workingDaysAfter__too_many__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IDirectory.Directory_TooManyDays.selector, 367, 366));
        directory.workingDaysAfter(NOON, 367);
    }

    function test_setWorkingDays__twice_and_away__the_last_counts() public {
        vm.expectEmit();
        emit IDirectory.WorkingDaysSet(directory.eventCount() + 1, 2026, 7, 0);
        directory.setWorkingDays(2026, 7, 0);
        _equal(directory.workingDaysAfter(YEAR_2026, 1), YEAR_2026 + 2 * DAY - 1, "table");
        directory.setWorkingDays(2026, 0, 0);
        _equal(directory.workingDaysAfter(YEAR_2026 + DAY, 1), YEAR_2026 + 5 * DAY - 1, "none again");
    }

    function test_setWorkingDays__day_366_of_a_common_year__reverts() public {
        uint256 high = 1 << 109;
        vm.expectRevert(abi.encodeWithSelector(IDirectory.Directory_CalendarMalformed.selector, 2026, high));
        directory.setWorkingDays(2026, 0, high);
        directory.setWorkingDays(2028, 0, high);
    }

    function test_setWorkingDays__by_anybody_else__reverts() public {
        _as(REGISTRAR);
        vm.expectRevert();
        directory.setWorkingDays(2026, 1, 1);
    }

    function test_setNoticeDays__shorter_than_the_law_on_no_trial__reverts() public {
        _equal(directory.noticeDays(), 10, "by law");
        _true(!directory.isTrial(), "no trial");
        vm.expectRevert(abi.encodeWithSelector(IDirectory.Directory_NoticeTooShort.selector, 9, 10));
        directory.setNoticeDays(9);
        directory.setNoticeDays(15);
        _equal(directory.noticeUntil(NOON), directory.workingDaysAfter(NOON, 15), "longer is fine");
        vm.expectRevert(abi.encodeWithSelector(IDirectory.Directory_TooManyDays.selector, 367, 366));
        directory.setNoticeDays(367);
    }
}
