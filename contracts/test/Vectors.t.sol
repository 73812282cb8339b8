// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {CloseOutcome, QualityGrade} from "../libraries/Codes.sol";
import {Fen, MicroFen, Ppm} from "../libraries/Units.sol";
import {Market} from "./helpers/Market.sol";
import {PoolLine, Split} from "./helpers/Splits.sol";

/// @notice The money vectors V1 to V4 and the close vector of domain.md 4.4, on chain, in order.
contract VectorsTest is Market {
    function setUp() public override {
        super.setUp();
        _openShop();
        _approve();
        _grade(DATASET_1, QualityGrade.A);
        _grade(DATASET_2, QualityGrade.B);
        _grade(DATASET_3, QualityGrade.C);
    }

    /// @dev In order; the second product's lineage is one to one of D1 and the operator.
    function test_vectors__v1_to_v4__exact() public {
        _openPair();
        _earn(1, 10_600_000);
        _split(1, _v1(), 10_000_000, 600_000);
        _earn(2, 99_999);
        _split(2, _v2(), 94_338, 5661);
        _earnOn(3, 3, 508_800_000);
        _split(3, _v3(), 480_000_000, 28_800_000);
        _earn(4, 106_000_000);
        _split(4, _v4(), 100_000_000, 6_000_000);
        IRevenueLedger.Scheme memory scheme = ledger.scheme(_id(SCHEME));
        _equal(MicroFen.unwrap(scheme.taxTakenMicroFen), 3_600_000e6, "tax");
        _equal(MicroFen.unwrap(scheme.recoveredMicroFen), 500_000_000e6, "recovered");
        _equal(MicroFen.unwrap(scheme.benefitMicroFen), 38_750_000e6, "benefit");
        _equal(MicroFen.unwrap(scheme.reserveMicroFen), 47_744_338e6, "reserve");
        _equal(scheme.splitCount, 4, "splits");
        IRevenueLedger.Account memory account = ledger.account(_id(SCHEME), _id(DATASET_1));
        _equal(MicroFen.unwrap(account.costMicroFen), 120_000_000e6, "cost");
        _equal(MicroFen.unwrap(account.recoveredMicroFen), 120_000_000e6, "recovered");
        _equal(MicroFen.unwrap(account.entitledMicroFen), 120_000_000e6 + 9_946_524_064_171, "entitled");
        _equal(
            MicroFen.unwrap(ledger.account(_id(SCHEME), _id(TREASURY)).entitledMicroFen), 3_875_000_000_000, "governance"
        );
    }

    /// @dev The close vector: 8.8 % above what was permitted, so prices are to be adjusted; two instalments.
    function test_vectors__close__exact() public {
        test_vectors__v1_to_v4__exact();
        // 2027-01-10 in China.
        vm.warp(1_799_510_400);
        vm.expectEmit();
        emit IRevenueLedger.YearClosed(
            18,
            _id(SCHEME),
            MicroFen.wrap(590_094_338e6),
            MicroFen.wrap(542_350_000e6),
            Ppm.wrap(88_032),
            CloseOutcome.ADJUST_PRICE,
            DOCUMENT
        );
        _as(OPERATOR);
        ledger.closeYear(_id(SCHEME), DOCUMENT);
        _as(PRICER);
        ledger.answerDeviation(_id(SCHEME), DOCUMENT);
        _as(PRICER);
        ledger.closeCycle(_id(CYCLE), 2, _fills(47_744_338e6), DOCUMENT);
        IRevenueLedger.Cycle memory cycle = ledger.cycle(_id(CYCLE));
        _equal(MicroFen.unwrap(cycle.carryOutMicroFen), 47_744_338e6, "carry-out");
        _equal(cycle.instalmentCount, 2, "instalments");
        _equal(MicroFen.unwrap(ledger.scheme(_id(SCHEME)).reserveMicroFen), 0, "reserve");
    }

    function _v1() private pure returns (Split memory) {
        return _proposal(
            72_000_000_000,
            [uint64(1_191_360_000_000), 4_765_440_000_000, 2_382_720_000_000, 595_680_000_000, 992_800_000_000],
            0
        );
    }

    function _v2() private pure returns (Split memory) {
        return _proposal(
            679_233_600,
            [uint64(11_239_051_968), 44_956_207_872, 22_478_103_936, 5_619_525_984, 9_365_876_640],
            0
        );
    }

    function _v3() private pure returns (Split memory proposed) {
        proposed.taxMicroFen = MicroFen.wrap(3_456_000_000_000);
        proposed.lineageCostMicroFen = new MicroFen[](2);
        proposed.lineageCostMicroFen[0] = MicroFen.wrap(235_189_603_792_128);
        proposed.lineageCostMicroFen[1] = MicroFen.wrap(117_594_801_896_064);
        proposed.commonCost = new PoolLine[](3);
        proposed.commonCost[0] = PoolLine(_id(PLATFORM), MicroFen.wrap(53_039_826_133_632));
        proposed.commonCost[1] = PoolLine(_id(DATASET_2), MicroFen.wrap(26_519_913_066_816));
        proposed.commonCost[2] = PoolLine(_id(DATASET_3), MicroFen.wrap(44_199_855_111_360));
    }

    function _v4() private pure returns (Split memory proposed) {
        proposed = _proposal(
            71_320_766_400,
            [uint64(5_757_574_814_400), 0, 0, 2_878_787_407_200, 4_797_979_012_000],
            47_744_338_000_000
        );
        uint64[8] memory benefit = [
            uint64(3_875_000_000_000),
            15_500_000_000_000,
            3_875_000_000_000,
            0,
            0,
            9_946_524_064_171,
            2_237_967_914_439,
            3_315_508_021_390
        ];
        proposed.benefitMicroFen = new MicroFen[](8);
        for (uint256 i = 0; i < 8; ++i) {
            proposed.benefitMicroFen[i] = MicroFen.wrap(benefit[i]);
        }
    }

    /// @dev Nothing has room: the claimants are named and take nothing.
    function _fills(uint64 amount) private pure returns (IRevenueLedger.Fill[] memory fills) {
        fills = new IRevenueLedger.Fill[](1);
        fills[0].claimantIds = new bytes16[](5);
        for (uint256 i = 0; i < 5; ++i) {
            fills[0].claimantIds[i] = _lineage()[i].claimantId;
        }
        fills[0].split = _proposal(0, [uint64(0), 0, 0, 0, 0], amount).pack();
    }

    function _split(
        uint128 invoiceId,
        Split memory proposed,
        uint64 netFen,
        uint64 vatFen
    ) private {
        bytes memory packed = proposed.pack();
        uint64 eventNo = ledger.eventCount() + 1;
        vm.expectEmit();
        emit IRevenueLedger.SplitRecorded(
            eventNo, _id(invoiceId), _id(SCHEME), uint32(invoiceId), Fen.wrap(netFen), Fen.wrap(vatFen), packed
        );
        _as(OPERATOR);
        ledger.split(_id(invoiceId), packed);
    }
}
