// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILicenceRegistry} from "../interfaces/ILicenceRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {Charges} from "../libraries/Charges.sol";
import {Clock} from "../libraries/Clock.sol";
import {ChargeBasis} from "../libraries/Codes.sol";
import {Receipts} from "../libraries/Receipts.sol";
import {MicroYuan, PeriodId, Ppm} from "../libraries/Units.sol";
import {Check} from "./helpers/Check.sol";

contract MoneyCaller {
    function chargeFen(ILicenceRegistry.Tariff calldata tariff, uint64 alreadyUnits, uint64 units)
        external
        pure
        returns (uint256)
    {
        return Charges.chargeFen(tariff, alreadyUnits, units);
    }

    function decode(bytes calldata data) external pure returns (Receipts.Receipt memory) {
        return Receipts.decode(data);
    }

    function nowSeconds() external view returns (uint64) {
        return Clock.nowSeconds();
    }
}

/// @notice Charges, receipts and the calendar.
contract MoneyTest is Check {
    MoneyCaller private money;

    function setUp() public {
        money = new MoneyCaller();
    }

    // ---- charges ----

    /// @dev The tariff vector of domain.md 4.4.
    function test_charge__vector__exact() public view {
        ILicenceRegistry.Tariff memory tariff = _vector();
        _equal(money.chargeFen(tariff, 0, 1_234_567), 3_439_134, "list price");
        tariff.discountPpm = Ppm.wrap(200_000);
        _equal(money.chargeFen(tariff, 0, 1_234_567), 2_751_307, "with 20 % discount");
    }

    function test_charge__bands_of_the_running_total__continue() public view {
        _equal(money.chargeFen(_vector(), 10_000, 1), 3, "first unit of the second band");
        _equal(money.chargeFen(_vector(), 999_999, 2), 5, "30,000 and 20,000 micro-yuan");
        _equal(money.chargeFen(_vector(), 10_000_000, 1), 1, "open end");
    }

    function test_charge__free_quota__used_up_first() public view {
        ILicenceRegistry.Tariff memory tariff = _tariff(1, 10_000);
        tariff.freeQuotaUnits = 100;
        _equal(money.chargeFen(tariff, 0, 100), 0, "within the quota");
        _equal(money.chargeFen(tariff, 90, 15), 5, "across its end");
        _equal(money.chargeFen(tariff, 100, 15), 15, "beyond");
    }

    function test_charge__full_discount__zero() public view {
        ILicenceRegistry.Tariff memory tariff = _tariff(1, 10_000);
        tariff.discountPpm = Ppm.wrap(1_000_000);
        _equal(money.chargeFen(tariff, 0, 1000), 0, "charge");
    }

    function test_charge__largest_values__no_overflow() public view {
        ILicenceRegistry.Tariff memory tariff = _tariff(1, type(uint64).max);
        uint256 expected = uint256(type(uint64).max) * type(uint64).max / 10_000;
        _equal(money.chargeFen(tariff, 0, type(uint64).max), expected, "charge");
    }

    function test_fuzz_charge__unit_by_unit__same(uint256 seed) public view {
        ILicenceRegistry.Tariff memory tariff = _random(seed);
        uint64 alreadyUnits = uint64(_next(seed) % 60);
        uint64 units = uint64(_next(_next(seed)) % 60);
        uint256 listMicroYuan = 0;
        for (uint256 unit = alreadyUnits; unit < alreadyUnits + units; ++unit) {
            if (unit >= tariff.freeQuotaUnits) {
                listMicroYuan += _priceOf(tariff, unit - tariff.freeQuotaUnits + 1);
            }
        }
        uint256 discounted = listMicroYuan * (1_000_000 - Ppm.unwrap(tariff.discountPpm)) / 1_000_000;
        _equal(money.chargeFen(tariff, alreadyUnits, units), discounted / 10_000, "charge");
    }

    /// @dev A bill in two parts loses less than one fen against one bill.
    function test_fuzz_charge__in_parts__loses_less_than_a_fen(uint256 seed) public view {
        ILicenceRegistry.Tariff memory tariff = _random(seed);
        uint64 first = uint64(_next(seed) % 60);
        uint64 second = uint64(_next(_next(seed)) % 60);
        uint256 parts = money.chargeFen(tariff, 0, first) + money.chargeFen(tariff, first, second);
        uint256 whole = money.chargeFen(tariff, 0, first + second);
        _true(parts == whole || parts + 1 == whole, "parts");
    }

    // ---- receipts ----

    function test_fuzz_receipt__packed__read_back(Receipts.Receipt memory given, bytes32 commitment) public view {
        Receipts.Receipt memory got = money.decode(_packed(given, commitment));
        _equal(keccak256(abi.encode(got)), keccak256(abi.encode(given)), "receipt");
    }

    function test_receipt__other_length__refused() public {
        bytes memory long = new bytes(97);
        long[0] = 0x01;
        _refuseReceipt(long, 97, 1);
        _refuseReceipt("", 0, 0);
        _refuseReceipt(hex"07", 1, 7);
    }

    function test_receipt__other_format__refused() public {
        bytes memory data = new bytes(96);
        data[0] = 0x02;
        _refuseReceipt(data, 96, 2);
    }

    // ---- calendar ----

    function test_period__turns_at_midnight_in_china() public pure {
        _equal(_period(1767196799), 202512, "2025-12-31 23:59:59");
        _equal(_period(1767196800), 202601, "2026-01-01 00:00:00");
        _equal(_period(1709222399), 202402, "2024-02-29 23:59:59");
        _equal(_period(1709222400), 202403, "2024-03-01 00:00:00");
        _equal(_period(4107513600), 210003, "2100-03-01: no leap day");
        _equal(_period(4107513599), 210002, "2100-02-28 23:59:59");
        _equal(_period(0), 197001, "the epoch");
    }

    /// @dev Month by month against a table of lengths, 1970 … 2106.
    function test_period__every_first_and_last_second__of_its_month() public pure {
        uint8[12] memory lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        uint256 second = 1 days * 31 - 8 hours;
        uint256 month = 1;
        for (uint256 year = 1970; year < 2107; ++year) {
            bool isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            for (; month < 12; ++month) {
                _equal(_period(second), year * 100 + month + 1, "first second");
                second += 1 days * (lengths[month] + (month == 1 && isLeap ? 1 : 0));
                _equal(_period(second - 1), year * 100 + month + 1, "last second");
            }
            month = 0;
        }
    }

    function test_year__of_a_period() public pure {
        _equal(Clock.yearOf(PeriodId.wrap(202612)), 2026, "year");
    }

    function test_now__milliseconds_on_some_networks__seconds() public {
        vm.warp(1_781_496_000);
        _equal(money.nowSeconds(), 1_781_496_000, "seconds");
        vm.warp(1_781_496_000_123);
        _equal(money.nowSeconds(), 1_781_496_000, "milliseconds");
    }

    // ---- helpers ----

    function _period(uint256 second) private pure returns (uint256) {
        return PeriodId.unwrap(Clock.periodOf(uint64(second)));
    }

    function _refuseReceipt(bytes memory data, uint256 length, uint8 format) private {
        vm.expectRevert(
            abi.encodeWithSelector(IRevenueLedger.RevenueLedger_ReceiptMalformed.selector, length, format)
        );
        money.decode(data);
    }

    function _packed(Receipts.Receipt memory given, bytes32 commitment) private pure returns (bytes memory) {
        bytes memory head = abi.encodePacked(
            uint8(1), given.mode, given.purpose, given.meterNo, given.licenceNo, given.licenceSeq, given.usedAtMs
        );
        return abi.encodePacked(
            head, given.versionNo, given.status, given.units, given.cumulativeUnits, given.records, commitment
        );
    }

    function _tariff(uint256 bands, uint64 priceMicroYuan)
        private
        pure
        returns (ILicenceRegistry.Tariff memory tariff)
    {
        tariff.basis = ChargeBasis.DATA_RECORDS;
        tariff.bands = new ILicenceRegistry.Band[](bands);
        tariff.bands[bands - 1] = ILicenceRegistry.Band(type(uint64).max, MicroYuan.wrap(priceMicroYuan));
    }

    function _vector() private pure returns (ILicenceRegistry.Tariff memory tariff) {
        tariff = _tariff(4, 10_000);
        tariff.bands[0] = ILicenceRegistry.Band(10_000, MicroYuan.wrap(0));
        tariff.bands[1] = ILicenceRegistry.Band(1_000_000, MicroYuan.wrap(30_000));
        tariff.bands[2] = ILicenceRegistry.Band(10_000_000, MicroYuan.wrap(20_000));
    }

    function _random(uint256 seed) private pure returns (ILicenceRegistry.Tariff memory tariff) {
        uint256 count = 1 + seed % 5;
        tariff = _tariff(count, uint64((seed >> 16) % 50_000));
        tariff.freeQuotaUnits = uint64((seed >> 32) % 40);
        tariff.discountPpm = Ppm.wrap(uint32((seed >> 64) % 1_000_001));
        uint64 upToUnits = 0;
        for (uint256 i = 0; i + 1 < count; ++i) {
            seed = _next(seed);
            upToUnits += uint64(1 + seed % 20);
            tariff.bands[i] = ILicenceRegistry.Band(upToUnits, MicroYuan.wrap(uint64((seed >> 16) % 50_000)));
        }
    }

    /// @dev The price of the unit that brings the running total to `position`.
    function _priceOf(ILicenceRegistry.Tariff memory tariff, uint256 position) private pure returns (uint256) {
        uint256 i = 0;
        while (tariff.bands[i].upToUnits < position) ++i;
        return MicroYuan.unwrap(tariff.bands[i].priceMicroYuan);
    }
}
