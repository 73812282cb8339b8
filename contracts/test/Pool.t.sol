// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDatasetRegistry} from "../interfaces/IDatasetRegistry.sol";
import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {AccountWord, Accounts} from "../libraries/Accounts.sol";
import {Sharing} from "../libraries/Sharing.sol";
import {SplitLines} from "../libraries/SplitLines.sol";
import {MicroFen} from "../libraries/Units.sol";
import {Check} from "./helpers/Check.sol";
import {PoolLine, Split} from "./helpers/Splits.sol";

contract PoolCaller {
    mapping(bytes16 claimantId => AccountWord) private _accounts;
    IRevenueLedger.Scheme private _scheme;

    /// @dev Claimants 1 … count, each with a cost of 1,000 µfen more than the one before.
    function open(uint256 count) external {
        uint256 cost = 0;
        for (uint256 i = 1; i <= count; ++i) {
            AccountWord word = Accounts.pooled(Accounts.withCost(AccountWord.wrap(0), i * 1000));
            _accounts[bytes16(uint128(i))] = word;
            cost += i * 1000;
        }
        _scheme.poolCostMicroFen = MicroFen.wrap(uint64(cost));
    }

    function share(bytes calldata proposed, uint256 income) external {
        Sharing.share(
            _accounts,
            _scheme,
            bytes16(uint128(1)),
            SplitLines.read(proposed),
            "",
            income,
            IDatasetRegistry(address(0))
        );
    }

    function recovered(uint128 claimant) external view returns (uint256) {
        return _accounts[bytes16(claimant)].recovered();
    }
}

/// @notice The common pool at its size: nobody left out, nobody twice, nobody from outside.
contract PoolTest is Check {
    uint256 private constant MEMBERS = 600;
    uint256 private constant GAS_PER_MEMBER_MAX = 8_000;

    PoolCaller private pool;

    function setUp() public {
        pool = new PoolCaller();
        pool.open(MEMBERS);
    }

    function test_pool__six_hundred_members__shared_at_a_bounded_cost_each() public {
        bytes memory proposed = _half().pack();
        uint256 before = gasleft();
        pool.share(proposed, _income());
        uint256 used = before - gasleft();
        _true(used / MEMBERS <= GAS_PER_MEMBER_MAX, "gas");
        _equal(pool.recovered(600), 300_000, "half of its cost");
    }

    function test_pool__member_left_out__refused() public {
        Split memory proposed = _half();
        PoolLine[] memory fewer = new PoolLine[](MEMBERS - 1);
        for (uint256 i = 0; i < MEMBERS - 1; ++i) {
            fewer[i] = proposed.commonCost[i + 1];
        }
        proposed.commonCost = fewer;
        bytes memory packed = proposed.pack();
        uint256 all = MEMBERS * (MEMBERS + 1) / 2 * 1000;
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_PoolDiffers.selector, bytes16(uint128(1)), all - 1000, all
            )
        );
        pool.share(packed, _income());
    }

    function test_pool__member_twice_or_stranger__refused() public {
        Split memory proposed = _half();
        proposed.commonCost[1].claimantId = bytes16(uint128(1));
        _refuse(1, proposed.pack());
        proposed = _half();
        proposed.commonCost[MEMBERS - 1].claimantId = bytes16(uint128(601));
        _refuse(601, proposed.pack());
    }

    function test_fuzz_pool__two_micro_fen_moved__refused(uint256 seed) public {
        Split memory proposed = _half();
        uint256 from = seed % MEMBERS;
        uint256 to = (from + 1 + (seed >> 16) % (MEMBERS - 1)) % MEMBERS;
        uint64 less = MicroFen.unwrap(proposed.commonCost[from].amountMicroFen) - 2;
        uint64 more = MicroFen.unwrap(proposed.commonCost[to].amountMicroFen) + 2;
        proposed.commonCost[from].amountMicroFen = MicroFen.wrap(less);
        proposed.commonCost[to].amountMicroFen = MicroFen.wrap(more);
        bytes memory packed = proposed.pack();
        vm.expectRevert();
        pool.share(packed, _income());
    }

    /// @dev Half of all open cost.
    function _income() private pure returns (uint256) {
        return MEMBERS * (MEMBERS + 1) / 2 * 500;
    }

    function _half() private pure returns (Split memory proposed) {
        proposed.commonCost = new PoolLine[](MEMBERS);
        for (uint256 i = 0; i < MEMBERS; ++i) {
            proposed.commonCost[i] = PoolLine(bytes16(uint128(i + 1)), MicroFen.wrap(uint64((i + 1) * 500)));
        }
    }

    function _refuse(uint128 claimant, bytes memory proposed) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRevenueLedger.RevenueLedger_NotInPool.selector, bytes16(uint128(1)), bytes16(claimant)
            )
        );
        pool.share(proposed, _income());
    }
}
