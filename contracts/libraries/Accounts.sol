// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {MICRO_FEN_PER_FEN, MicroFen} from "./Units.sol";

/// @dev One claimant's account in a scheme, in one word. From the right: approved cost (64 bits),
/// recovered (64), entitled (64), all in µfen; remitted in fen (63); whether it is pooled (1).
type AccountWord is uint256;

using Accounts for AccountWord global;

/// @title Accounts
/// @notice Postings to an account. Nothing carries from one field to the next: recovered stays within
/// cost, and all costs, profit and tax of a scheme together are below 2^64 µfen.
library Accounts {
    uint256 private constant POOLED = 1 << 255;

    function cost(AccountWord word) internal pure returns (uint256) {
        return uint64(AccountWord.unwrap(word));
    }

    function recovered(AccountWord word) internal pure returns (uint256) {
        return uint64(AccountWord.unwrap(word) >> 64);
    }

    function entitled(AccountWord word) internal pure returns (uint256) {
        return uint64(AccountWord.unwrap(word) >> 128);
    }

    function remittedFen(AccountWord word) internal pure returns (uint256) {
        return AccountWord.unwrap(word) << 1 >> 193;
    }

    function isPooled(AccountWord word) internal pure returns (bool) {
        return AccountWord.unwrap(word) >> 255 == 1;
    }

    /// @dev Approved cost that is not recovered yet; what is recovered never exceeds the cost.
    function open(AccountWord word) internal pure returns (uint256) {
        return cost(word) - recovered(word);
    }

    /// @return The account with cost recovered, and with that entitled to it.
    function withRecovered(AccountWord word, uint256 microFen) internal pure returns (AccountWord) {
        return AccountWord.wrap(AccountWord.unwrap(word) + (microFen << 64) + (microFen << 128));
    }

    /// @return The account entitled to a share of the profit.
    function withProfit(AccountWord word, uint256 microFen) internal pure returns (AccountWord) {
        return AccountWord.wrap(AccountWord.unwrap(word) + (microFen << 128));
    }

    /// @return The account after the opposite of a posting; the caller makes sure that it was posted.
    function without(AccountWord word, uint256 recoveredMicroFen, uint256 entitledMicroFen)
        internal
        pure
        returns (AccountWord)
    {
        return AccountWord.wrap(
            AccountWord.unwrap(word) - (recoveredMicroFen << 64) - (entitledMicroFen << 128)
        );
    }

    /// @return The account with another approved cost.
    function withCost(AccountWord word, uint256 microFen) internal pure returns (AccountWord) {
        return AccountWord.wrap(AccountWord.unwrap(word) >> 64 << 64 | microFen);
    }

    /// @return The account with so many fen remitted in all.
    function withRemitted(AccountWord word, uint256 amountFen) internal pure returns (AccountWord) {
        uint256 rest = AccountWord.unwrap(word) & (POOLED | uint256(type(uint192).max));
        return AccountWord.wrap(rest | amountFen << 192);
    }

    /// @return The account in the pool.
    function pooled(AccountWord word) internal pure returns (AccountWord) {
        return AccountWord.wrap(AccountWord.unwrap(word) | POOLED);
    }

    /// @return account The account as it is shown.
    function shown(AccountWord word) internal pure returns (IRevenueLedger.Account memory account) {
        // The casts are safe: each is of a field of 64 bits; remitted fen are at most entitled µfen.
        account.costMicroFen = MicroFen.wrap(uint64(cost(word)));
        account.recoveredMicroFen = MicroFen.wrap(uint64(recovered(word)));
        account.entitledMicroFen = MicroFen.wrap(uint64(entitled(word)));
        account.remittedMicroFen = MicroFen.wrap(uint64(remittedFen(word) * MICRO_FEN_PER_FEN));
        account.isPooled = isPooled(word);
    }
}
