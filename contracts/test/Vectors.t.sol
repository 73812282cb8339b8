// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {Fen, MicroFen} from "../libraries/Units.sol";
import {Market} from "./helpers/Market.sol";

/// @notice The money vectors V1 and V2 of domain.md 4.4, on chain, in order.
contract VectorsTest is Market {
    function setUp() public override {
        super.setUp();
        _openShop();
        _approve();
    }

    function test_vectors__v1_then_v2__exact() public {
        _earn(1, 10_600_000);
        _split(
            1,
            _proposal(
                72_000_000_000,
                [
                    uint64(1_191_360_000_000),
                    4_765_440_000_000,
                    2_382_720_000_000,
                    595_680_000_000,
                    992_800_000_000
                ],
                0
            ),
            10_000_000,
            600_000
        );
        _earn(2, 99_999);
        _split(
            2,
            _proposal(
                679_233_600,
                [uint64(11_239_051_968), 44_956_207_872, 22_478_103_936, 5_619_525_984, 9_365_876_640],
                0
            ),
            94_338,
            5661
        );
        IRevenueLedger.Account memory account = ledger.account(_id(SCHEME), _id(DATASET_1));
        _equal(MicroFen.unwrap(account.costMicroFen), 120_000_000e6, "cost");
        _equal(MicroFen.unwrap(account.recoveredMicroFen), 2_382_720_000_000 + 22_478_103_936, "recovered");
        _equal(MicroFen.unwrap(account.entitledMicroFen), 2_382_720_000_000 + 22_478_103_936, "entitled");
        _equal(MicroFen.unwrap(account.remittedMicroFen), 0, "remitted");
        IRevenueLedger.Scheme memory scheme = ledger.scheme(_id(SCHEME));
        _equal(MicroFen.unwrap(scheme.taxTakenMicroFen), 72_000_000_000 + 679_233_600, "tax");
        _equal(MicroFen.unwrap(scheme.reserveMicroFen), 0, "reserve");
        _equal(scheme.splitCount, 2, "splits");
    }

    function _split(uint128 invoiceId, IRevenueLedger.Split memory proposed, uint64 netFen, uint64 vatFen) private {
        uint64 eventNo = ledger.eventCount() + 1;
        vm.expectEmit();
        emit IRevenueLedger.SplitRecorded(
            eventNo,
            _id(invoiceId),
            _id(SCHEME),
            uint32(invoiceId),
            Fen.wrap(netFen),
            Fen.wrap(vatFen),
            proposed
        );
        _as(OPERATOR);
        ledger.split(_id(invoiceId), proposed, _lineage());
    }
}
