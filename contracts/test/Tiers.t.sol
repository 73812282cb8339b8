// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "./helpers/Check.sol";
import {LedgerHandler} from "./helpers/LedgerHandler.sol";

/// @notice Splits over all tiers on a random history of two products, corrections and grades, against a
/// reference that shares nothing with the check (domain.md 4.3).
contract TiersTest is Check {
    uint256 private constant STEPS = 14;

    LedgerHandler private handler;

    function setUp() public {
        handler = new LedgerHandler();
    }

    /// @dev A valid split is never refused: a refusal reverts here.
    function test_fuzz_split__valid__never_refused(uint256 seed) public {
        _live(seed);
    }

    /// @dev The same histories, each split first proposed with two µfen or a tier's line elsewhere.
    function test_fuzz_split__two_micro_fen_elsewhere__never_taken(uint256 seed) public {
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = _next(seed);
            for (uint256 j = 0; j < 4; ++j) {
                handler.splitWrongly(_next(seed + j));
            }
            handler.split(seed);
        }
        _equal(handler.wrongSplitsTaken(), 0, "taken");
    }

    /// @dev The histories above mean something: they get as far as every tier.
    function test_history__long__reaches_every_tier() public {
        for (uint256 seed = 1; seed < 30; ++seed) {
            if (seed % 4 == 0) handler.grade(uint256(keccak256(abi.encode(seed))));
            handler.split(uint256(keccak256(abi.encode("split", seed))));
        }
        _true(handler.taxed() != 0 && handler.benefit() != 0 && handler.reserved() != 0, "tiers");
        _true(handler.recovered(3) == 3_001e6, "cost");
    }

    function _live(uint256 seed) private {
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = _next(seed);
            if (seed % 8 == 0) handler.correct(seed >> 8);
            else if (seed % 8 == 1) handler.grade(seed >> 8);
            else if (seed % 8 == 2) handler.remit(seed >> 8);
            else handler.split(seed >> 8);
        }
    }
}
