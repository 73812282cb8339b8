// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "../interfaces/IDirectory.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {PayeeRule, Role} from "../libraries/Codes.sol";
import {Part, Parting} from "../libraries/Parting.sol";
import {Fen, MicroFen, Ppm} from "../libraries/Units.sol";
import {Split} from "./helpers/Splits.sol";
import {Market} from "./helpers/Market.sol";

/// @notice What a public institution earns is paid to its treasury and to its own account, as the
/// city's treasury has ruled. The company of the helper is the institution: V1 gives its dataset
/// 595,680 fen.
contract PartingTest is Market {
    using Parting for Part;

    uint128 private constant BILL = 501;
    uint64 private constant GROSS = 10_600_000;
    uint64 private constant DUE = 595_680;
    Part private _part;
    uint128 private _batchCount = 600;

    function setUp() public override {
        super.setUp();
        directory.defineKind(
            ENTERPRISE,
            IDirectory.KindRule(_bitmap(Role.PROVIDER, Role.OPERATOR, Role.BUYER), false, PayeeRule.CITY_RULE)
        );
        _openShop();
        _approve();
        _earn(BILL, GROSS);
        _as(OPERATOR);
        ledger.split(_id(BILL), _v1().pack());
    }

    function test_remit__no_rule__all_to_the_treasury() public {
        vm.expectRevert(_wrongPayee());
        _remit(COMPANY, 1);
        _remit(TREASURY, DUE);
    }

    function test_remit__rule_of_a_city__each_payee_up_to_its_part_and_not_a_fen_more() public {
        _rule(333_333);
        // floor(595,680 * 0.666667) = 397,120
        vm.expectRevert(_tooLarge(397_121, 397_120));
        _remit(COMPANY, 397_121);
        _remit(COMPANY, 397_000);
        vm.expectRevert(_tooLarge(198_561, 198_560));
        _remit(TREASURY, 198_561);
        _remit(TREASURY, 198_560);
        vm.expectRevert(_tooLarge(121, 120));
        _remit(COMPANY, 121);
        _remit(COMPANY, 120);
        _equal(MicroFen.unwrap(_account(DATASET_2).remittedMicroFen), uint256(DUE) * 1e6, "all is remitted");
    }

    function test_remit__stranger_or_a_part_of_nothing__refused() public {
        _rule(333_333);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_WrongPayee.selector, _id(DATASET_2), _id(BUREAU), _id(TREASURY)
            )
        );
        _remit(BUREAU, 1);
        _rule(0);
        vm.expectRevert(_tooLarge(1, 0));
        _remit(TREASURY, 1);
        _rule(1_000_000);
        vm.expectRevert(_wrongPayee());
        _remit(COMPANY, 1);
    }

    function test_remit__later_rule__what_is_remitted_stays_as_it_was_paid() public {
        _remit(TREASURY, 95_680);
        _rule(400_000);
        vm.expectRevert(_tooLarge(300_001, 300_000));
        _remit(COMPANY, 300_001);
        _remit(COMPANY, 300_000);
        _remit(TREASURY, 100_000);
        _rule(1_000_000);
        vm.expectRevert(_tooLarge(100_001, 100_000));
        _remit(TREASURY, 100_001);
        _remit(TREASURY, 100_000);
    }

    function test_correct__after_both_were_paid__each_owes_what_it_got() public {
        _rule(400_000);
        _remit(COMPANY, 357_408);
        _remit(TREASURY, 238_272);
        _as(OPERATOR);
        ledger.correct(_id(BILL), Fen.wrap(0), _v1().pack(), 0, DOCUMENT);
        _equal(Fen.unwrap(ledger.receivableFen(_id(COMPANY))), 357_408, "institution");
        _equal(Fen.unwrap(ledger.receivableFen(_id(TREASURY))), 238_272, "treasury");
        _as(OPERATOR);
        ledger.split(_id(BILL), _v1().pack());
        _remit(COMPANY, 357_408);
        _remit(TREASURY, 238_272);
        _equal(Fen.unwrap(ledger.receivableFen(_id(COMPANY))), 0, "set off");
    }

    /// @dev Whatever the order of rules, payments and corrections: nobody is paid beyond the caps, both
    /// together can always be paid exactly what is due, and what is owed back was paid.
    function testFuzz_parting__any_story__parts_sum_to_what_is_due(uint64[12] calldata seeds) public {
        uint256 due;
        uint256 remitted;
        for (uint256 i = 0; i < seeds.length; ++i) {
            if (seeds[i] % 4 == 0) {
                _part.follow(uint32(i + 1), Ppm.wrap(uint32(seeds[i] >> 8) % 1_000_001), remitted);
            }
            due += seeds[i] >> 40;
            remitted = _payBoth(due, remitted, seeds[i]);
            if (seeds[i] % 3 == 0) {
                due = uint256(seeds[i] >> 16) % (due + 1);
                if (remitted > due) remitted = _takeBack(due, remitted);
            }
        }
        uint256 own = _part.leftFen(true, due, remitted);
        _part.ownFen += uint64(own);
        remitted += own;
        remitted += _part.leftFen(false, due, remitted);
        _equal(remitted, due, "both are paid what is due");
        _true(_part.ownFen <= remitted && _part.baseOwnFen <= _part.baseFen, "parts of a whole");
    }

    function _payBoth(uint256 due, uint256 remitted, uint64 seed) private returns (uint256) {
        uint256 own = _part.leftFen(true, due, remitted);
        if (seed % 5 == 0) own /= 2;
        _part.ownFen += uint64(own);
        remitted += own;
        if (seed % 7 != 0) remitted += _part.leftFen(false, due, remitted);
        _true(remitted <= due, "never more than is due");
        return remitted;
    }

    function _takeBack(uint256 due, uint256 remitted) private returns (uint256) {
        uint64 before = _part.ownFen;
        uint256 owned = _part.takeBack(due, remitted);
        _equal(_part.ownFen, before - owned, "own");
        _true(owned <= remitted - due && remitted - due - owned <= remitted - before, "what was paid");
        return due;
    }

    function _rule(uint32 treasuryPpm) private {
        _as(TREASURY);
        directory.setTreasuryRule(NANJING, Ppm.wrap(treasuryPpm), DOCUMENT);
    }

    function _remit(uint128 payee, uint64 amountFen) private {
        IRevenueLedger.RemittanceLine[] memory lines = new IRevenueLedger.RemittanceLine[](1);
        lines[0] = IRevenueLedger.RemittanceLine(_id(SCHEME), _id(DATASET_2), Fen.wrap(amountFen));
        _as(OPERATOR);
        ledger.openRemittance(_id(++_batchCount), _id(payee), lines, DOCUMENT);
    }

    function _account(uint128 claimant) private view returns (IRevenueLedger.Account memory) {
        return ledger.account(_id(SCHEME), _id(claimant));
    }

    function _v1() private pure returns (Split memory) {
        return _proposal(
            72_000_000_000,
            [uint64(1_191_360_000_000), 4_765_440_000_000, 2_382_720_000_000, 595_680_000_000, 992_800_000_000],
            0
        );
    }

    function _wrongPayee() private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRevenueLedger.RevenueLedger_WrongPayee.selector, _id(DATASET_2), _id(COMPANY), _id(TREASURY)
        );
    }

    function _tooLarge(uint64 got, uint64 limit) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRevenueLedger.RevenueLedger_RemittanceTooLarge.selector, _id(DATASET_2), got, limit
        );
    }
}
