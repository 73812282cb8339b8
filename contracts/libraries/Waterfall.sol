// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRevenueLedger} from "../interfaces/IRevenueLedger.sol";
import {MicroFen} from "./Units.sol";

/// @dev A claimant of a tier in one word, from the left: weight (64 bits), room (64), line (64).
type Claim is uint256;

/// @title Waterfall
/// @notice Checks a proposed capped proportional tier: an amount shared by weights, nobody beyond its
/// room, and what one cannot take shared among the others.
/// @dev The exact share of a claimant is min(room, level · weight) for the one level at which the
/// shares sum to the amount. Finding that level takes rounds or sorting; checking does not:
/// 1. A line is within one µfen of its share exactly when the level lies between (line - 1) / weight
///    and, unless the line is at its room, (line + 1) / weight. So all lines are, exactly when the
///    level lies between the largest of the former and the smallest of the latter.
/// 2. What is poured grows with the level. So it lies between two levels exactly when no more than the
///    amount is poured at the lower one, and no less at the upper one.
/// One pass finds the two levels, a second pours at both. Every rounding by less than one µfen passes,
/// and no line that is more than one µfen away from its share does.
///
/// Where nobody is at its room, the level is the amount by the sum of the weights. So a list of which
/// each line is near its share at that level, and below its room, is right, and one pass shows it; any
/// other is looked at by the two levels, which also name what is wrong.
///
/// The passes are written in assembly, which takes a third of the gas: a split runs them for each of up
/// to 64 claimants. Nothing overflows there: lines, rooms and weights are below 2^64, and a list in
/// memory is short.
library Waterfall {
    /// @dev The level `amount / weight`, and the claimant that sets it.
    struct Level {
        uint256 amount;
        uint256 weight;
        uint256 index;
    }

    /// @param weight Below 2^64.
    /// @param room Below 2^64, in µfen.
    /// @param line Below 2^64, in µfen.
    function pack(uint256 weight, uint256 room, uint256 line) internal pure returns (Claim) {
        return Claim.wrap((weight << 128) | (room << 64) | line);
    }

    function weightOf(Claim claim) internal pure returns (uint256) {
        return Claim.unwrap(claim) >> 128;
    }

    /// @notice Reverts unless the lines share `amount` as the rule says.
    /// @param claims Weight, room and proposed line of each claimant; weight 0 may take nothing.
    /// @param whole Sum of the weights.
    /// @param amount What there is to share in µfen, below 2^64.
    /// @return paid Sum of the lines in µfen: `amount`, or what the rooms admit when that is less. Then
    /// every claimant stands at its room, and only then may a lower tier be paid.
    function requireShared(Claim[] memory claims, uint256 whole, uint256 amount)
        internal
        pure
        returns (uint256 paid)
    {
        if (_isPlain(claims, whole, amount)) return amount;
        Level memory low = Level({amount: 0, weight: 1, index: 0});
        // Infinity, and it stays so when every line is at its room.
        Level memory high = Level({amount: 1, weight: 0, index: 0});
        uint256 refused;
        (paid, refused) = _bounds(claims, low, high);
        if (refused < claims.length) _refuse(claims, refused);
        if (high.weight == 0) return paid;
        if (paid != amount) {
            // A sum beyond uint64 occurs only in a proposal that is refused here; it is shown capped.
            uint256 shown = paid > type(uint64).max ? type(uint64).max : paid;
            revert IRevenueLedger.RevenueLedger_TierNotFull(
                MicroFen.wrap(uint64(shown)), MicroFen.wrap(uint64(amount))
            );
        }
        if (_poured(claims, low) > amount * low.weight) _refuse(claims, low.index);
        if (_poured(claims, high) < amount * high.weight) _refuse(claims, high.index);
    }

    /// @dev Whether nobody is at its room and each line less than one µfen above, or up to one below,
    /// its share of the amount. Distances are taken times the whole, and moved by it: negative ones are
    /// then the largest numbers.
    function _isPlain(Claim[] memory claims, uint256 whole, uint256 amount) private pure returns (bool isPlain) {
        assembly ("memory-safe") {
            let mask := 0xffffffffffffffff
            let next := add(claims, 0x20)
            let end := add(next, shl(5, mload(claims)))
            let limit := shl(1, whole)
            let paid := 0
            for {} lt(next, end) { next := add(next, 0x20) } {
                let claim := mload(next)
                let line := and(claim, mask)
                let distance := add(sub(mul(line, whole), mul(shr(128, claim), amount)), whole)
                if iszero(and(lt(distance, limit), lt(line, and(shr(64, claim), mask)))) { break }
                paid := add(paid, line)
            }
            isPlain := and(eq(next, end), eq(paid, amount))
        }
    }

    /// @dev First pass: sums the lines and narrows the two levels, fractions being compared crosswise.
    /// @return paid Sum of the lines.
    /// @return refused Index of the first line above its room or without a weight; the length if none.
    function _bounds(Claim[] memory claims, Level memory low, Level memory high)
        private
        pure
        returns (uint256 paid, uint256 refused)
    {
        assembly ("memory-safe") {
            function narrow(level, amount, weight, index) {
                mstore(level, amount)
                mstore(add(level, 0x20), weight)
                mstore(add(level, 0x40), index)
            }
            let count := mload(claims)
            for {} lt(refused, count) { refused := add(refused, 1) } {
                let line := mload(add(add(claims, 0x20), shl(5, refused)))
                let weight := shr(128, line)
                let room := and(shr(64, line), 0xffffffffffffffff)
                line := and(line, 0xffffffffffffffff)
                if gt(line, room) { break }
                if iszero(weight) {
                    if line { break }
                    continue
                }
                paid := add(paid, line)
                if line {
                    if gt(mul(sub(line, 1), mload(add(low, 0x20))), mul(mload(low), weight)) {
                        narrow(low, sub(line, 1), weight, refused)
                    }
                }
                if lt(line, room) {
                    if lt(mul(add(line, 1), mload(add(high, 0x20))), mul(mload(high), weight)) {
                        narrow(high, add(line, 1), weight, refused)
                    }
                }
            }
        }
    }

    /// @dev Second pass: Σ min(room, level · weight), times the level's weight so that it stays whole.
    function _poured(Claim[] memory claims, Level memory level) private pure returns (uint256 sum) {
        (uint256 levelAmount, uint256 levelWeight) = (level.amount, level.weight);
        assembly ("memory-safe") {
            let next := add(claims, 0x20)
            let end := add(next, shl(5, mload(claims)))
            for {} lt(next, end) { next := add(next, 0x20) } {
                let claim := mload(next)
                let share := mul(levelAmount, shr(128, claim))
                let most := mul(levelWeight, and(shr(64, claim), 0xffffffffffffffff))
                if lt(most, share) { share := most }
                sum := add(sum, share)
            }
        }
    }

    function _refuse(Claim[] memory claims, uint256 index) private pure {
        uint256 word = Claim.unwrap(claims[index]);
        // The casts cut a word shifted to the field's end down to the field.
        MicroFen line = MicroFen.wrap(uint64(word));
        MicroFen room = MicroFen.wrap(uint64(word >> 64));
        if (line > room) revert IRevenueLedger.RevenueLedger_LineAboveRoom(index, line, room);
        revert IRevenueLedger.RevenueLedger_LineOutOfProportion(index, line);
    }
}
